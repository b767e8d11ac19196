"""Which events of a calendar stand in the way of a meeting, and which open time for one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from syncd.model.busy import BusyType
from syncd.model.marks import Mark, folded, said
from syncd.model.offer import Form, Offer
from syncd.model.policy import Blocks, Policy
from syncd.slots.grid import Cells, Grid, Span, runs


class Event(NamedTuple):
    """One occurrence of a mirrored calendar, in epoch seconds.

    :param meeting: id of our meeting when we wrote it, else None.
    """

    start: int
    end: int
    busy: BusyType
    all_day: bool = False
    recurring: bool = False
    categories: tuple[str, ...] = ()
    meeting: str | None = None


class Claim(NamedTuple):
    """Time that one of our meetings takes, buffers included, in epoch seconds.

    :param expires: when a hold gives it back; None once it is booked.
    """

    start: int
    end: int
    meeting: str
    expires: int | None = None


def blocks(event: Event, policy: Policy, form: Form) -> bool:
    """Whether *event* stands in the way of a meeting held as *form*.

    A single all-day entry blocks even when shown as free, for that is how Outlook makes a holiday; a recurring one
    is a birthday. An entry that marks bookable time never blocks.
    """
    if mark(event) is not None:
        return False
    if event.busy is BusyType.FREE and event.all_day and not event.recurring and policy.free_all_day_blocks:
        return True
    reach = policy.blocks.get(event.busy, Blocks.ALL)
    return reach is Blocks.ALL or (reach is Blocks.IN_PERSON and form is Form.IN_PERSON)


def closes(event: Event, policy: Policy) -> bool:
    """Whether *event* is time outside the owner's own opening hours (RFC 7953).

    Meetings keep clear of it as of the end of working hours; buffers may reach into it.
    """
    if event.busy is not BusyType.UNAVAILABLE or event.meeting is not None or mark(event) is not None:
        return False
    return policy.blocks.get(event.busy, Blocks.ALL) is Blocks.ALL


def mark(event: Event) -> str | None:
    """The offer that *event* opens time for: its name, ``""`` for every offer, None when it marks nothing."""
    return next((folded(offer) for word, offer in said(event.categories) if word is Mark.OPEN), None)


def opened(events: Iterable[Event], offer: Offer) -> list[Span]:
    """The time that marks open for *offer*; a mark may use its name or its title."""
    names = {"", *names_of(offer)}
    return [(event.start, event.end) for event in events if mark(event) in names]


def names_of(offer: Offer) -> frozenset[str]:
    """What a mark may call the offer, folded."""
    return frozenset(folded(name) for name in (offer.name, *offer.title.values()))


def blocking(events: Iterable[Event], policy: Policy, form: Form, withdrawn: Collection[str] = ()) -> list[Span]:
    """The time that events take from meetings held as *form*; what merely `closes` is left to `open_outside`.

    :param withdrawn: our meetings whose entries do not count: cancelled, or the one that is being moved.
    """
    return [
        (event.start, event.end)
        for event in events
        if (event.meeting is None or event.meeting not in withdrawn)
        and blocks(event, policy, form)
        and not closes(event, policy)
    ]


def open_outside(grid: Grid, starts: Cells, closed: Cells, minutes: int) -> Cells:
    """Those of *starts* whose meeting, without its buffers, touches no closed cell."""
    return starts & runs(grid.everything & ~closed, grid.count(minutes)) if closed else starts


def without_taken(grid: Grid, starts: Cells, taken: Cells, before: int, minutes: int, after: int) -> Cells:
    """Those of *starts* whose meeting, buffers included (minutes), touches no taken cell.

    Outside the grid nothing is known, so nothing there counts as free.
    """
    lead = grid.count(before)
    return starts & (runs(grid.everything & ~taken, lead + grid.count(minutes) + grid.count(after)) << lead)
