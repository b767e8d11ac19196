"""When Python looks for garbage: seldom, for looking at everything a large town keeps in memory takes 0.15 seconds.

A seventh of the time a start takes went into it, too, though hardly anything made while starting is garbage.
"""

from __future__ import annotations

import gc

YOUNG, MIDDLE, OLD = 20_000, 20, 20
"""After so many new objects the young are looked at; each 20th time the middle-aged too, and each 20th of those all."""


def look_seldom() -> None:
    """Look less often, from now on."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def leave_out() -> None:
    """Leave what was made while starting out of every later look; once, when all is built."""
    gc.collect()
    gc.freeze()
