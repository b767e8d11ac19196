"""In which order the calendars are told of a plan: give the room back, see it free, then invite the next one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.roomalloc.allocate import Move


class Kind(StrEnum):
    """What one step does."""

    GIVE_BACK = "give-back"
    """Take the room off the meeting's entry; for a while the meeting has none."""
    SEE_FREE = "see-free"
    """Wait until the room's calendar was seen without these meetings."""
    INVITE = "invite"
    """Put the room on the meeting's entry."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan. :param after: for SEE_FREE the meetings that must be gone from the room."""

    kind: Kind
    meeting: str
    room: MailboxId
    after: tuple[str, ...] = ()


def in_order(
    moves: Sequence[Move], spans: Mapping[str, Interval], newcomer: tuple[str, MailboxId] | None = None
) -> list[Step]:
    """The steps of a plan, ends of chains first; in a ring of exchanges one meeting waits without a room.

    A room that nobody leaves is invited without waiting.

    :param spans: the time each meeting takes in its room, turnover included; also of the newcomer.
    :param newcomer: the meeting the plan is for, and its room.
    """
    arriving = {move.meeting: move.room for move in moves} | (dict([newcomer]) if newcomer else {})
    leaving = {move.meeting: move.origin for move in moves}
    waits = {
        meeting: tuple(
            sorted(
                other
                for other, origin in leaving.items()
                if origin == room and other != meeting and spans[other].overlaps(spans[meeting])
            )
        )
        for meeting, room in arriving.items()
    }
    steps: list[Step] = []
    given: set[str] = set()
    for meeting in _ends_first(arriving, waits):
        for other in (*waits[meeting], meeting):
            if other in leaving and other not in given:
                given.add(other)
                steps.append(Step(Kind.GIVE_BACK, other, leaving[other]))
        if waits[meeting]:
            steps.append(Step(Kind.SEE_FREE, meeting, arriving[meeting], waits[meeting]))
        steps.append(Step(Kind.INVITE, meeting, arriving[meeting]))
    return steps


def _ends_first(meetings: Iterable[str], waits: Mapping[str, Collection[str]]) -> list[str]:
    """Those whose room is left by others come after those others, rings apart."""
    order: list[str] = []
    seen: set[str] = set()

    def visit(meeting: str) -> None:
        if meeting in seen:
            return
        seen.add(meeting)
        for other in waits[meeting]:
            visit(other)
        order.append(meeting)

    for meeting in sorted(meetings):
        visit(meeting)
    return order


def own_fault(room: MailboxId, span: Interval, ours: Iterable[tuple[MailboxId, Interval]]) -> bool:
    """Whether a decline may come from an earlier item of our own that still stands in the room's calendar.

    Then it is no answer: the invitation is repeated once the item is gone.

    :param ours: room and span of every entry of ours that was seen there and is to go.
    """
    return any(other == room and taken.overlaps(span) for other, taken in ours)
