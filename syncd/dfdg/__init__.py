"""Keeps DFDG's books and ours alike: reports what changed here, follows what changed there, counts, and warns."""
