"""Numbers that come from outside as text."""

from __future__ import annotations

MOST = 9
"""Digits; what anybody counts here, and what any database takes."""


def digits(text: str | None) -> int | None:
    """The number that *text* writes with one to nine of the digits 0 to 9, blanks around it left out; else None.

    ``str.isdigit`` alone is no guard: it says yes to "²", which ``int`` refuses, and to digits by the thousand.
    """
    bare = (text or "").strip()
    return int(bare) if bare.isascii() and bare.isdecimal() and len(bare) <= MOST else None
