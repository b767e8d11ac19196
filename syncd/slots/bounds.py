"""The earliest and the latest time that may be booked now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from syncd.model.offer import Offer
from syncd.model.zones import midnight, wall_clock
from syncd.slots.grid import Cells, Grid


def horizon_end(offer: Offer, now: datetime, zone: str, *, immediate: bool = False) -> int:
    """Where bookable time ends: with the day *horizon_days* after today in *zone* (epoch seconds).

    :param immediate: for immediate booking, which reaches no further than the offer's reserve says.
    """
    last = wall_clock(now, zone).date() + timedelta(days=days_ahead(offer, immediate=immediate))
    return int(midnight(last + timedelta(days=1), zone).timestamp())


def days_ahead(offer: Offer, *, immediate: bool = False) -> int:
    """How many days after today may be booked."""
    near = offer.reserve.within_days if immediate and offer.reserve is not None else offer.horizon_days
    return min(near, offer.horizon_days)


def earliest(offer: Offer, now: datetime) -> int:
    """The first instant at which a slot may begin (epoch seconds, rounded up): notice kept to the second."""
    seconds = now.astimezone(UTC).timestamp() + offer.notice * 60
    return -int(-seconds // 1)


def within(grid: Grid, starts: Cells, begin: int, end: int, minutes: int) -> Cells:
    """Those of *starts* whose meeting begins at or after *begin* and ends at or before *end* (epoch seconds)."""
    return starts & grid.between(begin, end - minutes * 60 + 1)
