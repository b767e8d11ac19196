"""What syncd promises, stated so that a machine can look for the exception."""
