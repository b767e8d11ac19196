"""When offers could not be booked, told from the record: the spans in which they were closed or nobody kept it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from syncd.errors import UnknownOffer
from syncd.model.evidence import Standing
from syncd.model.interval import Interval
from syncd.model.offer import Rulebook
from syncd.model.zones import zulu
from syncd.store import Tx

AHEAD = timedelta(days=366)
"""How far from an instant on the times on offer are counted."""


class Kind(StrEnum):
    """Why an offer could not be booked."""

    CLOSED = "calendars could not be trusted"
    DOWN = "syncd was not running"


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One span in which one offer could not be booked.

    :param reasons: why calendars were left out, with how many each.
    :param before, after: how many times were on offer just before, and just after; after is None while it lasts.
    """

    offer: str
    span: Interval
    kind: Kind
    reasons: tuple[tuple[str, int], ...]
    before: int
    after: int | None

    def told(self) -> dict[str, object]:
        """As JSON."""
        return {
            "offer": self.offer,
            "from": zulu(self.span.start),
            "to": zulu(self.span.end),
            "minutes": int(self.span.duration.total_seconds()) // 60,
            "why": self.kind.name.lower(),
            "reasons": [{"reason": reason, "calendars": count} for reason, count in self.reasons],
            "times_before": self.before,
            "times_after": self.after,
        }


def disturbances(tx: Tx, book: Rulebook, window: Interval, offers: Sequence[str] = ()) -> list[Disturbance]:
    """Every disturbance inside *window*, which must not reach beyond the present, by time.

    An interruption shorter than `syncd.store.evidence.PATIENCE` is none.

    :param offers: only these; empty for all that are or were on record.
    :raises UnknownOffer: one of them was never on record.
    """
    known = tx.evidence.standings(window.end)
    for name in offers:
        if name not in known and name not in book.offers:
            raise UnknownOffer(f"There is no offer '{name}' on record. Known: {', '.join(sorted(known)) or 'none'}.")
    wanted = offers or sorted(known)
    watched = tx.evidence.watches(window)
    found = [one for name in wanted for one in (*_closed(tx, name, window), *_down(tx, name, window, watched))]
    return sorted(found, key=lambda one: (one.span.start, one.offer))


def _closed(tx: Tx, offer: str, window: Interval) -> Iterator[Disturbance]:
    """Spans in which the offer stood closed."""
    course = tx.evidence.course(offer, window)
    ends = [later.at for _, later in pairwise(course)]
    for since, end in zip(course, [*ends, None], strict=False):  # of no course there is no end either
        start = max(since.at, window.start)
        if since.standing is Standing.TEMPORARILY_CLOSED and start < (end or window.end):
            span = Interval(start, end or window.end)
            after = _number(tx, offer, end) if end else None
            before = _number(tx, offer, start - timedelta(seconds=1))
            yield Disturbance(offer, span, Kind.CLOSED, since.closed, before, after)


def _down(tx: Tx, offer: str, window: Interval, watched: Iterable[Interval]) -> Iterator[Disturbance]:
    """Spans in which nobody kept the record, once it had begun."""
    course = tx.evidence.course(offer, window)
    if not course:
        return
    until = max(window.start, course[0].at)
    for span in watched:
        if span.start > until:
            yield _gap(tx, offer, Interval(until, span.start), _number(tx, offer, span.start))
        until = max(until, span.end)
    if until < window.end:
        yield _gap(tx, offer, Interval(until, window.end), None)


def _gap(tx: Tx, offer: str, span: Interval, after: int | None) -> Disturbance:
    before = _number(tx, offer, span.start - timedelta(seconds=1))
    return Disturbance(offer, span, Kind.DOWN, (), before, after)


def _number(tx: Tx, offer: str, at: datetime) -> int:
    """How many times could be booked at that instant."""
    seen = tx.evidence.seen(offer, at, Interval(at, at + AHEAD))
    return sum(len(starts) for starts in seen.times.values())
