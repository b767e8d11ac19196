"""One file per step of the layout, oldest first."""
