"""syncd mirrors calendars, publishes self-booking slots, writes meetings back and assigns rooms."""

__version__ = "0.1.0"
