"""One behaviour at a time, without processes or network."""
