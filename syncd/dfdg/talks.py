"""Talks by caseworker, for the share of self-booked ones by team and week: DFDG's records, or else our own bookings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from syncd.booking.room_board import STAFFED
from syncd.dfdg.figures import Coverage, Figure, figures
from syncd.dfdg.reporting import Reporting
from syncd.model.booking import BookingState
from syncd.model.dfdg import About, Record, Said
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Rulebook
from syncd.store import Tx
from syncd.store.instants import epoch, moment
from syncd.store.most import STATE
from syncd.store.tables import BookingRow, MeetingRow

_HELD = (BookingState.PENDING.value, BookingState.CONFIRMED.value, BookingState.NO_SHOW.value)


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk that was or will be held, and whose it is."""

    caseworker: MailboxId
    start: datetime
    record: Record


@dataclass(frozen=True, slots=True)
class Share:
    """Counted talks of some people, all contact groups together, each by its own rule.

    :param left_out: talks that the rule does not count.
    """

    self_booked: int = 0
    summoned: int = 0
    left_out: int = 0

    @property
    def value(self) -> float | None:
        """0 to 1; None when nothing was counted."""
        total = self.self_booked + self.summoned
        return self.self_booked / total if total else None


def talks(tx: Tx, period: Interval, book: Rulebook, reporting: Reporting | None) -> list[Talk]:
    """Talks that begin in *period* and were not annulled, in no order.

    Of DFDG's records when we report to it, for they hold the case system's summonses, too; else of our bookings.
    """
    if reporting is None:
        return [
            Talk(row.caseworker, moment(row.start), _own(row, book)) for row in tx.session.execute(_bookings(period))
        ]
    inside = reporting.ledger.words.inside
    return [
        Talk(inside(one.known.caseworker), one.known.start, one)
        for one in tx.dfdg.starting(period.start, period.end)
        if one.known is not None
    ]


def share(some: Iterable[Talk], period: Interval, benefit: Iterable[str], coverage: Coverage) -> Share:
    """The share of these talks by the authority's formula (`syncd.dfdg.figures`). Pure."""
    found: list[Figure] = figures([one.record for one in some], period, frozenset(benefit), coverage)
    return Share(
        sum(one.self_booked for one in found),
        sum(one.summoned for one in found),
        sum(sum(one.left_out.values()) for one in found),
    )


def by_caseworker(found: Iterable[Talk]) -> Mapping[MailboxId, list[Talk]]:
    """The talks of each."""
    listed: dict[MailboxId, list[Talk]] = {}
    for one in found:
        listed.setdefault(one.caseworker, []).append(one)
    return listed


def _bookings(period: Interval) -> Select[*tuple[Any, ...]]:
    columns = (BookingRow.id, BookingRow.client, BookingRow.created, MeetingRow.caseworker, MeetingRow.offer)
    return (
        select(*columns, MeetingRow.start, MeetingRow.end)
        .join(MeetingRow, MeetingRow.id == BookingRow.meeting)
        .where(STATE.in_(_HELD), MeetingRow.beside.is_(None))
        .where(MeetingRow.start >= epoch(period.start), MeetingRow.start < epoch(period.end))
    )


def _own(row: Any, book: Rulebook) -> Record:
    offer = book.offers.get(row.offer)
    kind = offer.talk_type if offer else ""
    about = About(int(kind) if kind.isdigit() else 0, row.client.partition(":")[0] not in STAFFED)
    known = Said(moment(row.start), moment(row.end), row.caseworker, 0)
    return Record(row.id, about, known, moment(row.created))
