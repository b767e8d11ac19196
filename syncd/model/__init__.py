"""The words of the trade: frozen values without I/O."""
