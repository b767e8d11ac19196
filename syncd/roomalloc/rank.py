"""Which rooms suit a meeting, best first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from syncd.model.directory import MailboxId, Room, Site
from syncd.model.interval import Interval
from syncd.model.offer import RoomRequirement
from syncd.model.zones import instant, wall_clock
from syncd.roomalloc.layout import suits as suits
from syncd.roomalloc.layout import wasted as wasted

SHORTEST = 30
"""Minutes of the shortest meeting unless told otherwise: a smaller gap is lost."""


@dataclass(frozen=True, slots=True, order=True)
class Rank:
    """Why one free room comes before another; compared field by field, smaller is better.

    :param waste: capacity classes above need, twice, plus surplus features.
    :param unpreferred: 0 when a team of the caseworker prefers this room.
    :param floors: floors between caseworker and room.
    :param lost: minutes of gaps beside the meeting that are too short for any meeting.
    :param loose: sides (0 to 2) on which the meeting does not touch its neighbour.
    :param gap: the smaller gap in minutes.
    :param room: the stable id: the same question always has the same answer.
    """

    waste: int
    unpreferred: int
    floors: int
    lost: int
    loose: int
    gap: int
    room: MailboxId


def choose(
    rooms: Iterable[Room],
    requirement: RoomRequirement,
    interval: Interval,
    busy: Mapping[MailboxId, Sequence[Interval]],
    *,
    site: Site,
    floor: int = 0,
    teams: Collection[str] = (),
    closures: Mapping[MailboxId, Sequence[Interval]] | None = None,
    shortest: int = SHORTEST,
) -> tuple[MailboxId, ...]:
    """Ids of the rooms that can take a meeting now without moving another one, best first; empty when none can.

    A room is eligible when it is at *site*, has the seats, features and step-free access asked for, is open (wall
    clock of the site) and not closed during the meeting, and is free from its start until ``room.turnover`` minutes
    after its end. Best is smallest that fits, then preferred by one of the *teams*, nearest floor, least
    fragmentation, lowest id (`Rank`).

    :param rooms: the candidates; rooms of other sites are skipped.
    :param interval: the meeting itself, without anybody's buffers; turnover is added here.
    :param busy: what takes each room, in any order; overlaps are allowed. Each span must already end with its
        turnover: store `claim(room, interval)` for own meetings, and pass foreign events through it as well.
    :param floor: where the caseworker sits.
    :param closures: spans in which a room cannot be used; a meeting's turnover may run into one.
    :param shortest: minutes of the shortest meeting anybody books, for the fragmentation.
    """
    here = [room for room in rooms if room.site == site.id]
    sizes = tuple(sorted({room.capacity for room in here}))
    spare = timedelta(minutes=shortest)
    ranks = []
    for room in here:
        taken = busy.get(room.id, ())
        if not suits(room, requirement) or not is_open(room, interval, site, (closures or {}).get(room.id, ())):
            continue
        if any(claim(room, interval).overlaps(span) for span in taken):
            continue
        lost, loose, gap = fragmentation(room, interval, taken, site, spare)
        waste = wasted(room, requirement, sizes)
        unpreferred = int(not set(teams) & set(room.preferred_by))
        ranks.append(Rank(waste, unpreferred, abs(room.floor - floor), lost, loose, gap, room.id))
    return tuple(rank.room for rank in sorted(ranks))


def is_open(room: Room, interval: Interval, site: Site, closures: Sequence[Interval] = ()) -> bool:
    """Whether the whole meeting lies in the room's opening hours of its day and outside all *closures*."""
    if any(interval.overlaps(closure) for closure in closures):
        return False
    day = wall_clock(interval.start, site.zone).date()
    hours = room.open_on(day.weekday())
    if hours is None or (hours[0] is not None and interval.start < instant(day, hours[0], site.zone)):
        return False
    return hours[1] is None or interval.end <= instant(day, hours[1], site.zone)


def claim(room: Room, interval: Interval) -> Interval:
    """The span of the room's time that a meeting takes: until its turnover is over."""
    return interval.padded(timedelta(), timedelta(minutes=room.turnover))


def fragmentation(
    room: Room, interval: Interval, taken: Sequence[Interval], site: Site, shortest: timedelta
) -> tuple[int, int, int]:
    """Minutes of unusable gaps, loose sides and the smaller gap that the meeting leaves beside it in this room."""
    day = wall_clock(interval.start, site.zone).date()
    turnover = timedelta(minutes=room.turnover)
    far = timedelta(days=1)
    first, last = room.open_on(day.weekday()) or (None, None)
    opens = instant(day, first, site.zone) if first else interval.start - far
    closes = instant(day, last, site.zone) + turnover if last else interval.end + turnover + far
    ends = [span.end for span in taken if span.end <= interval.start]
    starts = [span.start for span in taken if span.start >= interval.end]
    gaps = (interval.start - max([opens, *ends]), min([closes, *starts]) - interval.end - turnover)
    lost = sum((gap for gap in gaps if timedelta() < gap < shortest + turnover), timedelta())
    loose = sum(gap > timedelta() for gap in gaps)
    return lost // timedelta(minutes=1), loose, min(gaps) // timedelta(minutes=1)
