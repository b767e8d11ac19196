"""What is mirrored of each calendar, laid out on a grid and remembered until the calendar changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from threading import Lock
from typing import NamedTuple, TypeAlias

from syncd.model.busy import BusyType
from syncd.model.directory import MailboxId
from syncd.model.mirror import MailboxStatus
from syncd.model.offer import Form
from syncd.model.policy import Blocks, Policy
from syncd.slots.blocking import Event, blocks, closes, mark
from syncd.slots.grid import Cells, Grid, Span
from syncd.store.supply import Bundle, Kind, OwnMeeting, Statuses, Supply

_BUSY = {busy.value: busy for busy in BusyType}
KEPT = 10_000
"""Layouts remembered, at about a kilobyte each."""

ROOM_POLICY = Policy(
    blocks={busy: Blocks.NONE if busy is BusyType.FREE else Blocks.ALL for busy in BusyType}, free_all_day_blocks=False
)
"""A room is taken by whatever is not shown as free."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One calendar's events on one grid.

    :param policy: by which they block.
    :param in_person: cells that events take from meetings in person; :param remote: from other meetings.
    :param closed: cells outside the owner's own opening hours, which bound meetings but not their buffers.
    :param own: entries with our stamp and their UID; whether they count is decided with our own rows.
    :param marks: entries that open time.
    """

    revision: int
    policy: Policy
    in_person: Cells
    remote: Cells
    closed: Cells
    own: tuple[tuple[str, Event], ...]
    marks: tuple[Event, ...]

    def taken(self, form: Form) -> Cells:
        """Cells that other people's events take from meetings held as *form*."""
        return self.in_person if form is Form.IN_PERSON else self.remote


class Wanted(NamedTuple):
    """Whose calendar, read by which policy; *turnover* minutes follow each event, for rooms."""

    policy: Policy
    turnover: int = 0


Key: TypeAlias = tuple[MailboxId, Grid, int]


class Mirror:
    """Layouts of calendars, and how mailboxes stood; thread-safe."""

    def __init__(self) -> None:
        self.statuses = Statuses()
        self._kept: OrderedDict[Key, Layout] = OrderedDict()
        self._lock = Lock()

    def layouts(
        self,
        supply: Supply,
        statuses: Mapping[MailboxId, MailboxStatus],
        wanted: Mapping[MailboxId, Wanted],
        grid: Grid,
    ) -> dict[MailboxId, Layout]:
        """The layouts of the calendars in *wanted*; those that changed since the last look are read."""
        found: dict[MailboxId, Layout] = {}
        stale: list[MailboxId] = []
        with self._lock:
            for name, want in wanted.items():
                kept = self._kept.get((name, grid, want.turnover))
                if kept is not None and kept.revision == statuses[name].revision and kept.policy is want.policy:
                    found[name] = kept
                else:
                    stale.append(name)
        return (found | self._read(supply, statuses, wanted, grid, stale)) if stale else found

    def _read(
        self,
        supply: Supply,
        statuses: Mapping[MailboxId, MailboxStatus],
        wanted: Mapping[MailboxId, Wanted],
        grid: Grid,
        stale: Collection[MailboxId],
    ) -> dict[MailboxId, Layout]:
        bundles = supply.events(stale, grid.base, grid.end)
        fresh = {name: _layout(grid, statuses[name].revision, bundles[name], wanted[name]) for name in stale}
        with self._lock:
            for name, layout in fresh.items():
                self._kept[name, grid, wanted[name].turnover] = layout
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return fresh


def _layout(grid: Grid, revision: int, bundles: Sequence[Bundle], wanted: Wanted) -> Layout:
    """Sort the kinds of events: ours, marks, in the way of everything, in the way of meetings in person."""
    own: list[tuple[str, Event]] = []
    marks: list[Event] = []
    everyone: list[Iterable[Span]] = []
    in_person: list[Iterable[Span]] = []
    closed: list[Iterable[Span]] = []
    for bundle in bundles:
        kind = _event(bundle.kind, 0, 0)
        if bundle.kind.meeting is not None:
            own += [(bundle.kind.uid, event) for event in unbundled(bundle)]
        elif mark(kind) is not None:
            marks += unbundled(bundle)
        elif wanted.policy is not ROOM_POLICY and closes(kind, wanted.policy):
            closed.append(_spans(bundle, 0))
        elif blocks(kind, wanted.policy, Form.PHONE):
            everyone.append(_spans(bundle, wanted.turnover))
        elif blocks(kind, wanted.policy, Form.IN_PERSON):
            in_person.append(_spans(bundle, wanted.turnover))
    remote = grid.touched(chain.from_iterable(everyone))
    both = remote | grid.touched(chain.from_iterable(in_person)) if in_person else remote
    shut = grid.touched(chain.from_iterable(closed)) if closed else 0
    return Layout(revision, wanted.policy, both, remote, shut, tuple(own), tuple(marks))


def _spans(bundle: Bundle, turnover: int) -> Iterable[Span]:
    starts, ends = bundle.edges[::2], bundle.edges[1::2]
    return zip(starts, [end + turnover * 60 for end in ends] if turnover else ends, strict=True)


def unbundled(bundle: Bundle) -> Iterator[Event]:
    """The occurrences of a bundle as the slot steps know them."""
    return (_event(bundle.kind, start, end) for start, end in _spans(bundle, 0))


def _event(kind: Kind, start: int, end: int) -> Event:
    categories = tuple(kind.categories.split("\n")) if kind.categories else ()
    return Event(start, end, _BUSY[kind.busy], kind.all_day, kind.recurring, categories, kind.meeting)


def counting(
    own: Iterable[tuple[str, Event]], known: Mapping[str, OwnMeeting], ignoring: str | None, mailbox: MailboxId
) -> list[Event]:
    """Those of our entries in *mailbox* that count like anybody's.

    Left out are entries of cancelled meetings and of those that have another room now, which are on their way out
    of this calendar, and of the meeting that is being moved. The claim of a meeting takes its time anyway; its entry
    counts too, for a person may have moved it a moment ago. An unknown meeting's entry, a copy under another UID, and
    one that a person made a series of, or made her own otherwise, are busy time.
    """
    return [event for uid, event in own if not _left_out(uid, event, known, ignoring, mailbox)]


def _left_out(
    uid: str, event: Event, known: Mapping[str, OwnMeeting], ignoring: str | None, mailbox: MailboxId
) -> bool:
    row = known.get(event.meeting or "")
    if row is None or row.uid != uid:
        return False
    leaves = (not row.wanted or mailbox in row.leaving) and mailbox not in row.hers
    return event.meeting == ignoring or (leaves and not event.recurring)


def counted_events(
    supply: Supply, ids: Collection[MailboxId], start: int, end: int, ignoring: str | None
) -> dict[MailboxId, list[Event]]:
    """The events between two epoch seconds that count, one by one, for explaining and choosing."""
    bundles = supply.events(ids, start, end)
    known = supply.own({one.kind.meeting for listed in bundles.values() for one in listed if one.kind.meeting})
    found: dict[MailboxId, list[Event]] = {}
    for name, listed in bundles.items():
        foreign = [event for one in listed if one.kind.meeting is None for event in unbundled(one)]
        own = [(one.kind.uid, event) for one in listed if one.kind.meeting is not None for event in unbundled(one)]
        found[name] = foreign + counting(own, known, ignoring, name)
    return found
