"""Figures, measured and printed by `make bench`; nothing here passes or fails."""
