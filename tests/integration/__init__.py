"""Several real parts together, in one process."""
