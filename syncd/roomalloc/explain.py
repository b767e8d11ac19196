"""Why a meeting has the room it has: the tuple it was chosen by, beside those of the next best rooms."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.model.directory import MailboxId
from syncd.roomalloc.cost import cost
from syncd.roomalloc.day import Day, Seat, Standing, stretch
from syncd.roomalloc.layout import bits


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """One room for one meeting; compared field by field, smaller is better.

    :param told: announced meetings that would have to move. :param moves: meetings that would have to move.
    :param waste: capacity classes above need, twice, plus surplus features. :param unpreferred: 0 when preferred.
    :param floors: floors to walk. :param lost: minutes beside it too short for any meeting.
    :param loose: sides that do not touch a neighbour. :param gap: the smaller gap in minutes.
    :param in_the_way: ids of the meetings that would have to move; ``fixed`` tells whether one of them never does.
    """

    fixed: bool
    told: int
    moves: int
    waste: int
    unpreferred: int
    floors: int
    lost: int
    loose: int
    gap: int
    room: MailboxId
    in_the_way: tuple[str, ...] = ()

    def says(self) -> str:
        """The tuple as one line."""
        way = f", taken by {', '.join(self.in_the_way)}" if self.in_the_way else ""
        stuck = " (never moved)" if self.fixed else ""
        return (
            f"{self.room}: moves {self.moves} ({self.told} announced), waste {self.waste}, "
            f"floors {self.floors}{'' if self.unpreferred else ' (preferred)'}, "
            f"lost {self.lost} min, loose sides {self.loose}, gap {self.gap} min{way}{stuck}"
        )


def why(day: Day, meeting: str, others: int = 2) -> tuple[Reason, ...]:
    """The reason for the meeting's room first, then the best *others*, by the same tuple.

    :raises KeyError: no such meeting on this day.
    """
    seat = day.seats[meeting]
    reasons = sorted(_reason(day, seat, room) for room in bits(seat.eligible & ~(1 << seat.room)))
    return (_reason(day, seat, seat.room), *reasons[:others])


def _reason(day: Day, seat: Seat, room: int) -> Reason:
    way = [other for other in day.clashes(seat.first, seat.last).get(room, ()) if other is not seat]
    row = 0
    for other in day.inside[room].values():
        if other is not seat and other not in way:
            row |= stretch(other.first, other.last + day.rest[room])
    waste, unpreferred, floors, lost, loose, gap, _ = cost(day, seat, room, row=row)
    told = sum(other.standing is Standing.ANNOUNCED for other in way)
    fixed = any(other.standing is Standing.FIXED for other in way)
    name, ids = day.layout.spaces[room].id, tuple(sorted(other.id for other in way))
    return Reason(fixed, told, len(way), waste, unpreferred, floors, lost, loose, gap, name, ids)
