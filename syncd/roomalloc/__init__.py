"""Which room each meeting gets, and which times may be promised: pure arithmetic, no I/O."""
