"""What is mirrored of each calendar, laid out on a grid and remembered until the calendar changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TypeAlias

from syncd.model.busy import BusyType
from syncd.model.directory import MailboxId
from syncd.model.mirror import MailboxStatus
from syncd.model.offer import Form
from syncd.model.policy import Blocks, Policy
from syncd.slots.blocking import Event, blocks, mark
from syncd.slots.grid import Cells, Grid, Span
from syncd.store.supply import EventFields, OwnMeeting, Supply

_BUSY = {busy.value: busy for busy in BusyType}
KEPT = 20_000
"""Layouts remembered, at about a kilobyte each."""

ROOM_POLICY = Policy(
    blocks={busy: Blocks.NONE if busy is BusyType.FREE else Blocks.ALL for busy in BusyType}, free_all_day_blocks=False
)
"""A room is taken by whatever is not shown as free."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One calendar's events on one grid.

    :param in_person: cells that events take from meetings in person; :param remote: from other meetings.
    :param own: entries with our stamp; whether they count is decided with our own rows.
    :param marks: entries that open time.
    """

    revision: int
    in_person: Cells
    remote: Cells
    own: tuple[tuple[str, Event], ...]
    marks: tuple[Event, ...]

    def taken(self, form: Form) -> Cells:
        """Cells that other people's events take from meetings held as *form*."""
        return self.in_person if form is Form.IN_PERSON else self.remote


Key: TypeAlias = tuple[MailboxId, Grid, int, int]


class Mirror:
    """Layouts of calendars; thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Layout] = OrderedDict()
        self._lock = Lock()

    def layouts(
        self,
        supply: Supply,
        statuses: Mapping[MailboxId, MailboxStatus],
        policies: Mapping[MailboxId, Policy],
        grid: Grid,
        turnover: Mapping[MailboxId, int] | None = None,
    ) -> dict[MailboxId, Layout]:
        """The layouts of the calendars in *policies*; those that changed since the last look are read.

        :param turnover: minutes that each event takes after its end, for rooms.
        """
        rest = turnover or {}
        keys = {name: (name, grid, hash(_fingerprint(policies[name])), rest.get(name, 0)) for name in policies}
        with self._lock:
            known = {name: self._kept.get(key) for name, key in keys.items()}
        found = {name: layout for name, layout in known.items() if layout and layout.revision == _of(statuses, name)}
        stale = [name for name in policies if name not in found]
        events = supply.events(stale, grid.base, grid.end) if stale else {}
        fresh = {
            name: _layout(grid, _of(statuses, name), events[name], policies[name], rest.get(name, 0) * 60)
            for name in stale
        }
        with self._lock:
            for name, layout in fresh.items():
                self._kept[keys[name]] = layout
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found | fresh


def _of(statuses: Mapping[MailboxId, MailboxStatus], name: MailboxId) -> int:
    status = statuses.get(name)
    return -1 if status is None else status.revision


def _fingerprint(policy: Policy) -> tuple[object, ...]:
    return policy.free_all_day_blocks, *sorted(policy.blocks.items())


def _layout(grid: Grid, revision: int, rows: Sequence[EventFields], policy: Policy, after: int) -> Layout:
    own: list[tuple[str, Event]] = []
    marks: list[Event] = []
    everyone: list[Span] = []
    in_person: list[Span] = []
    for row in rows:
        event = event_of(row)
        if row.meeting is not None:
            own.append((row.uid, event))
            continue
        if event.categories and mark(event) is not None:
            marks.append(event)
        elif blocks(event, policy, Form.PHONE):
            everyone.append((event.start, event.end + after))
        elif blocks(event, policy, Form.IN_PERSON):
            in_person.append((event.start, event.end + after))
    remote = grid.touched(everyone)
    return Layout(revision, remote | grid.touched(in_person), remote, tuple(own), tuple(marks))


def event_of(row: EventFields) -> Event:
    """The mirrored occurrence as the slot steps know it."""
    categories = tuple(row.categories.split("\n")) if row.categories else ()
    return Event(row.start, row.end, _BUSY[row.busy], bool(row.all_day), bool(row.recurring), categories, row.meeting)


def counting(own: Collection[tuple[str, Event]], known: Mapping[str, OwnMeeting], ignoring: str | None) -> list[Event]:
    """Those of our entries that count like anybody's.

    Left out are entries of cancelled meetings, which are on their way out of the calendars, and of the meeting that
    is being moved. The claim of a meeting takes its time anyway; its entry counts too, for a person may have moved
    it a moment ago. An unknown meeting's entry, and a copy under another UID, are busy time.
    """
    return [event for uid, event in own if not _left_out(uid, event.meeting or "", known, ignoring)]


def _left_out(uid: str, meeting: str, known: Mapping[str, OwnMeeting], ignoring: str | None) -> bool:
    row = known.get(meeting)
    return row is not None and row.uid == uid and (not row.wanted or meeting == ignoring)
