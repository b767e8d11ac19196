"""What meetings and holds take of each calendar, worked out once and kept until it changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Lock
from typing import TypeAlias

from syncd.model.directory import MailboxId
from syncd.model.zones import days
from syncd.slots.blocking import Claim
from syncd.slots.compute import claimed
from syncd.slots.grid import Cells, Grid
from syncd.store.instants import span
from syncd.store.supply import Supply, claims_in

KEPT = 20_000
"""Calendars remembered, at some kilobytes each."""

Holds: TypeAlias = tuple[tuple[str, int], ...]
Days: TypeAlias = dict[date, tuple[Claim, ...]]


@dataclass(slots=True)
class Booked:
    """The claims on one calendar, in order.

    :param text, holds: what they were made from (`Supply.claim_texts`): the same text, the same claims.
    """

    text: str
    holds: Holds
    claims: tuple[Claim, ...]
    _cells: dict[Grid, Cells] = field(default_factory=dict)
    _days: dict[str, Days] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, holds: Mapping[str, int]) -> Booked:
        """The claims of a text. :param holds: of all meetings that are only held, when that ends (`Supply.holds`)."""
        claims = tuple(Claim(*fields) for fields in claims_in(text, holds))
        return cls(text, tuple((one.meeting, one.expires) for one in claims if one.expires is not None), claims)

    def still(self, text: str, holds: Mapping[str, int]) -> bool:
        """Whether these are the claims of *text* as well."""
        if self.text != text:
            return False
        if not holds and not self.holds:
            return True
        return self.holds == tuple((one.meeting, holds[one.meeting]) for one in self.claims if one.meeting in holds)

    def cells(self, grid: Grid, now: datetime, ignoring: str | None) -> Cells:
        """The cells that they take at *now*; not counting the meeting *ignoring*, and holds that ran out."""
        if not self.claims:
            return 0
        if self.holds or (ignoring is not None and any(claim.meeting == ignoring for claim in self.claims)):
            return claimed(grid, self.claims, now, () if ignoring is None else (ignoring,))
        found = self._cells.get(grid)
        if found is None:
            found = self._cells[grid] = claimed(grid, self.claims, now)
        return found

    def on(self, day: date, zone: str) -> tuple[Claim, ...]:
        """The claims that touch a local day; the same object each time."""
        by_day = self._days.get(zone)
        if by_day is None:
            by_day = self._days[zone] = _by_day(self.claims, zone)
        return by_day.get(day, ())


NOTHING = Booked("", (), ())


def _by_day(claims: Iterable[Claim], zone: str) -> Days:
    listed: dict[date, list[Claim]] = {}
    for claim in claims:
        for day in days(span(claim.start, claim.end), zone):
            listed.setdefault(day, []).append(claim)
    return {day: tuple(some) for day, some in listed.items()}


class Bookings:
    """Remembers what was made of claims; thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[MailboxId, int, int], Booked] = OrderedDict()
        self._lock = Lock()

    def read(self, supply: Supply, ids: Collection[MailboxId], grid: Grid) -> Mapping[MailboxId, Booked]:
        """The claims on these calendars inside the grid; only those that changed are worked out."""
        texts = supply.claim_texts(ids, grid.base, grid.end) if ids else {}
        holds = supply.holds() if any(texts.values()) else {}
        found: dict[MailboxId, Booked] = {}
        with self._lock:
            for mailbox, text in texts.items():
                key = (mailbox, grid.base, grid.end)
                kept = self._kept.get(key)
                if kept is None or not kept.still(text, holds):
                    kept = self._kept[key] = Booked.of(text, holds) if text else NOTHING
                found[mailbox] = kept
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found
