"""One day of a site's rooms as it is inside a transaction, for whoever puts rooms right."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from syncd.model.directory import Directory, Room, Site
from syncd.model.interval import Interval
from syncd.model.mirror import MailboxStatus, trust
from syncd.model.offer import Rulebook
from syncd.model.zones import whole_days
from syncd.publish.booked import Booked
from syncd.publish.moving import Moving, Plans
from syncd.publish.rooms import RoomTime
from syncd.roomalloc.day import Day
from syncd.slots.grid import QUARTER, Grid, Span
from syncd.store import Tx
from syncd.store.instants import epoch
from syncd.store.supply import Supply

NEVER = (0, 0)
"""What is covered of a calendar that cannot be trusted."""
MAX_AGE = timedelta(minutes=15)
"""How old the mirror of a room's calendar may be, unless told otherwise (``sync.max_age_seconds``)."""


def rooms_of(
    tx: Tx,
    directory: Directory,
    rulebook: Rulebook,
    site: Site,
    day: date,
    now: datetime,
    max_age: timedelta = MAX_AGE,
    ignoring: str | None = None,
) -> Day:
    """Everybody in the site's rooms on a local day, read in *tx*.

    Holds that ran out still take their rooms: nobody's hold is ended by a clock that is ahead. Unknown time is never
    free time: rooms whose calendar cannot be trusted keep whom they have and take nobody.

    :param ignoring: a meeting that is being given another place: its own time counts as free.
    """
    window = whole_days(day, day, site.zone)
    grid = Grid.over(epoch(window.start), epoch(window.end), QUARTER)
    supply = Supply(tx.session, tx.settings.installation())
    rooms = [room for room in directory.rooms.values() if room.site == site.id]
    ids = [room.id for room in rooms]
    statuses, closures = tx.mailboxes.statuses(), supply.closures(ids, grid.base, grid.end)
    halls = [_hall(room, statuses.get(room.id), closures[room.id], window, now, max_age) for room in rooms]
    holds = supply.holds()
    booked = {room: Booked.of(text, holds) for room, text in supply.claim_texts(ids, grid.base, grid.end).items()}
    moving = Moving(
        supply, directory, rulebook, grid, epoch(now), halls, booked, ignoring, Plans(), supply.pinned(), holding=True
    )
    return moving.day(site, day)


def _hall(
    room: Room, status: MailboxStatus | None, closures: list[Span], window: Interval, now: datetime, max_age: timedelta
) -> RoomTime:
    known = trust(status, now, max_age, window).window
    return RoomTime(room, 0, (epoch(known.start), epoch(known.end)) if known else NEVER, closures)
