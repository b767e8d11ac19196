"""Rooms now: each room of a site by floor, and the addresses of displays and calendars."""

from __future__ import annotations

from fastapi import APIRouter, Response

from syncd.store.feeds import FeedKind
from syncd.web.pages.rooms.places import (
    Acting,
    Seeing,
    boards_of,
    part_of,
    room_of,
    rooms_at,
    site_of,
    today_at,
    whole_day,
)
from syncd.web.pages.rooms.standing import by_floor, standing, tally
from syncd.web.pages.visiting import Visitor

router = APIRouter(include_in_schema=False)


@router.get("/rooms/now")
def rooms_now(visitor: Seeing) -> Response:
    """How every room of the site stands; on a large one those of a floor."""
    return _page(visitor, site_of(visitor).id)


@router.post("/rooms/now/address")
def address(visitor: Acting) -> Response:
    """Make an address for a wall display of the site, or for a room's door and calendar; it is shown once."""
    site = site_of(visitor, visitor.form.get("site", ""))
    room = visitor.form.get("room", "")
    subject = room_of(visitor, site, room).id if room else site.id
    kind = FeedKind.ROOM if room else FeedKind.SITE
    with visitor.deps.store.begin() as tx:
        now = visitor.deps.clock.now()
        secret = tx.feeds.add(kind, subject, visitor.actor, now)
        tx.audit.add(visitor.actor, "feed.made", detail=f"{kind.value} {subject}", now=now)
    base = visitor.deps.pages.section.public_url or str(visitor.request.base_url).rstrip("/")
    paths = (f"/display/{secret}", f"/feeds/{secret}.ics")[: 2 if room else 1]
    return _page(visitor, site.id, made=(kind.value, subject, tuple(base + path for path in paths)))


def _page(visitor: Visitor, name: str, made: tuple[str, str, tuple[str, ...]] | None = None) -> Response:
    site, now = site_of(visitor, name), visitor.deps.clock.now()
    part = part_of(visitor, rooms_at(visitor, site))
    found = boards_of(visitor, list(part.rooms), whole_day(site, today_at(visitor, site)))
    standings = [standing(board, site, now) for board in found]
    return visitor.show(
        "rooms/now.html",
        wide=True,
        site=site,
        sites=list(visitor.deps.directory().sites.values()),
        now=now,
        floors=by_floor(standings),
        tally=tally(standings),
        part=part,
        made=made,
    )
