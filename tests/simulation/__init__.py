"""Long stretches of time and trouble, replayed fast."""
