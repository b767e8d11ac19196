"""Opening hours of rooms as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def weekly_hours(lines: Iterable[str]) -> tuple[tuple[int, time, time], ...]:
    """``mon-thu 08:00-16:00`` and the like, by weekday (0 is Monday).

    :raises ValueError: a line is none, or a day comes twice.
    """
    found: dict[int, tuple[time, time]] = {}
    for line in lines:
        match = re.fullmatch(r"\s*([a-z]{3})(?:-([a-z]{3}))?\s+(\d\d:\d\d)-(\d\d:\d\d)\s*", line.lower())
        first, last = (match[1], match[2] or match[1]) if match else ("", "")
        if match is None or first not in DAYS or last not in DAYS or DAYS.index(last) < DAYS.index(first):
            raise ValueError(f"'{line}' is not read; write it like mon-thu 08:00-16:00")
        opens, closes = time.fromisoformat(match[3]), time.fromisoformat(match[4])
        if opens >= closes:
            raise ValueError(f"'{line}': opens must be earlier than closes on the same day")
        for day in range(DAYS.index(first), DAYS.index(last) + 1):
            if day in found:
                raise ValueError(f"'{line}': {DAYS[day]} comes twice")
            found[day] = opens, closes
    return tuple((day, *found[day]) for day in sorted(found))
