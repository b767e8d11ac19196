"""The installed program as processes, seen from outside."""
