"""DFDG's REST services."""
