"""Who runs what when; the tasks themselves know nothing of it."""
