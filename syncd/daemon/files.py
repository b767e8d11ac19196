"""What can be told about a single iCalendar file, without any server."""

from __future__ import annotations

from pathlib import Path

from syncd.adapters.caldav.ics import Unparsable, busy
from syncd.errors import SyncdError
from syncd.model.busy import BusyType
from syncd.model.interval import Interval


def busy_in(file: Path, zone: str, window: Interval, *, merged: bool) -> list[tuple[Interval, BusyType]]:
    """The intervals of *file* inside *window* that are not free, exactly as the engine sees them.

    :raises SyncdError: the file cannot be read or understood.
    """
    try:
        found = busy(file.read_bytes(), zone, window, merged=merged)
        return [(span, kind) for span, kind in found if kind is not BusyType.FREE]
    except OSError as error:
        raise SyncdError(f"{file} cannot be read: {error.strerror}.") from None
    except Unparsable as error:
        raise SyncdError(f"{file} cannot be understood: {error}. No interval was printed.") from None
