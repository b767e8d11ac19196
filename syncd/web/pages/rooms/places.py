"""Which site, which rooms, which day a page about rooms is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import Depends

from syncd.booking.room_board import Look, RoomBoard, boards
from syncd.model.digits import digits
from syncd.model.directory import Room, Site
from syncd.model.interval import Interval
from syncd.model.role import Role
from syncd.model.zones import wall_clock, whole_days
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Refusal, Visitor, needs

SEEING = (Role.FACILITIES, Role.COORDINATOR, Role.MANAGER, Role.STAFF, Role.OPERATOR)
ACTING = (Role.FACILITIES, Role.COORDINATOR)
FURTHEST = 1500
"""Days before or after today that can be shown."""
MOST = 120
"""Rooms drawn on one page; a site with more is shown floor by floor."""

Seeing = Annotated[Visitor, Depends(needs(*SEEING))]
Acting = Annotated[Visitor, Depends(needs(*ACTING))]

NO_SITE = N_("There is no site of that name. Choose one from the list on the page of rooms.")
NO_ROOM = N_("There is no room of that name at this site. Choose one from the list on the page of rooms.")
NO_DAY = N_("That is not a day within four years of today. A day is written like 2026-11-30.")
NO_SITES = N_("No site is configured yet.")


def site_of(visitor: Visitor, asked: str | None = None) -> Site:
    """The site that was asked for, or the first one.

    :raises Refusal: there is none of that name.
    """
    sites = visitor.deps.directory().sites
    if not sites:
        raise Refusal(visitor, NO_SITES, 404)
    name = asked if asked is not None else visitor.request.query_params.get("site", "")
    if not name:
        return next(iter(sites.values()))
    if name not in sites:
        raise Refusal(visitor, NO_SITE, 404)
    return sites[name]


def rooms_at(visitor: Visitor, site: Site) -> list[Room]:
    """The site's rooms by floor and name."""
    rooms = (room for room in visitor.deps.directory().rooms.values() if room.site == site.id)
    return sorted(rooms, key=lambda room: (room.floor, room.name, room.id))


def room_of(visitor: Visitor, site: Site | None, name: str) -> Room:
    """The room of that id, at that site when one is given.

    :raises Refusal: there is none.
    """
    room = visitor.deps.directory().rooms.get(name)
    if room is None or (site is not None and room.site != site.id):
        raise Refusal(visitor, NO_ROOM, 404)
    return room


@dataclass(frozen=True, slots=True)
class Part:
    """The rooms of a site that one page draws.

    :param floors: all floors to choose from; none when everything is shown.
    :param floor: the one that is shown. :param page, pages: which part of it, from 0, and of how many.
    """

    rooms: tuple[Room, ...]
    floors: tuple[int, ...] = ()
    floor: int = 0
    page: int = 0
    pages: int = 1

    def query(self, floor: int | None = None, page: int = 0) -> str:
        """What an address needs to lead to a part: to this one, or to another."""
        if not self.floors:
            return ""
        return f"&floor={self.floor}&page={self.page}" if floor is None else f"&floor={floor}&page={page}"


def part_of(visitor: Visitor, rooms: list[Room]) -> Part:
    """Everything, or the floor and page that were asked for; the first ones when that is none of theirs."""
    if len(rooms) <= MOST:
        return Part(tuple(rooms))
    asked = visitor.form or visitor.request.query_params
    floors = tuple(sorted({room.floor for room in rooms}))
    floor = next((one for one in floors if str(one) == asked.get("floor", "")), floors[0])
    here = [room for room in rooms if room.floor == floor]
    pages = -(-len(here) // MOST)
    page = min(digits(asked.get("page", "")) or 0, pages - 1)
    return Part(tuple(here[page * MOST : (page + 1) * MOST]), floors, floor, page, pages)


def today_at(visitor: Visitor, site: Site) -> date:
    """The date on the site's clocks."""
    return wall_clock(visitor.deps.clock.now(), site.zone).date()


def day_of(visitor: Visitor, site: Site, name: str = "day") -> date:
    """The day that was asked for, or today.

    :raises Refusal: it is no day, or too far away.
    """
    today, asked = today_at(visitor, site), visitor.request.query_params.get(name, "")
    if not asked:
        return today
    try:
        found = date.fromisoformat(asked)
    except ValueError:
        raise Refusal(visitor, NO_DAY, 422) from None
    if abs(found - today) > timedelta(days=FURTHEST):
        raise Refusal(visitor, NO_DAY, 422)
    return found


def boards_of(visitor: Visitor, rooms: list[Room], window: Interval) -> list[RoomBoard]:
    """What stands in these rooms."""
    deps = visitor.deps
    with deps.store.read() as tx:
        return boards(Look(tx, deps.directory(), deps.clock.now(), deps.publisher.max_age), rooms, window)


def whole_day(site: Site, day: date) -> Interval:
    """The day on the site's clocks."""
    return whole_days(day, day, site.zone)
