"""The demonstration town Byhavn: believable calendars on a real server, and a guided tour through the real daemon."""

from syncd.demo.show import run

__all__ = ["run"]
