"""What hangs on walls and doors: opened by an unguessable address, without names, and fresh by itself."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Response

from syncd.booking.room_board import Kind
from syncd.model.directory import Room, Site
from syncd.store.feeds import Feed, FeedKind
from syncd.web.pages.rooms.places import boards_of, part_of, rooms_at, today_at, whole_day
from syncd.web.pages.rooms.standing import by_floor, standing
from syncd.web.pages.visiting import Anybody, Visitor

router = APIRouter(include_in_schema=False)

FRESH = 30
"""Seconds between two looks."""


@router.get("/display/{secret}")
def wall(visitor: Anybody, secret: str) -> Response:
    """All rooms of a site, on a large one those of a floor (``?floor=2``); or the door of a room."""
    feed = _opened(visitor, secret)
    directory = visitor.deps.directory()
    if feed.kind is FeedKind.ROOM:
        return _door(visitor, directory.rooms.get(feed.subject))
    site = directory.sites.get(feed.subject)
    if site is None:
        raise HTTPException(404)
    return _wall(visitor, site)


@router.get("/display/{secret}/{room}")
def door(visitor: Anybody, secret: str, room: str) -> Response:
    """The door of one room of the site."""
    feed = _opened(visitor, secret)
    found = visitor.deps.directory().rooms.get(room)
    if found is None or feed.subject not in (found.site, found.id):
        raise HTTPException(404)
    return _door(visitor, found)


def _opened(visitor: Visitor, secret: str) -> Feed:
    with visitor.deps.store.read() as tx:
        feed = tx.feeds.open(secret)
    if feed is None or feed.kind not in (FeedKind.ROOM, FeedKind.SITE):
        raise HTTPException(404)
    return feed


def _wall(visitor: Visitor, site: Site) -> Response:
    now = visitor.deps.clock.now()
    part = part_of(visitor, rooms_at(visitor, site))
    found = boards_of(visitor, list(part.rooms), whole_day(site, today_at(visitor, site)))
    return visitor.show(
        "rooms/wall.html",
        site=site,
        now=now,
        today=today_at(visitor, site),
        floors=by_floor([standing(board, site, now) for board in found]),
        part=part,
        fresh=FRESH,
    )


def _door(visitor: Visitor, room: Room | None) -> Response:
    if room is None:
        raise HTTPException(404)
    directory, now = visitor.deps.directory(), visitor.deps.clock.now()
    site = directory.sites[room.site]
    (board,) = boards_of(visitor, [room], whole_day(site, today_at(visitor, site)))
    times = [one for one in board.taken if one.end > now]
    return visitor.show(
        "rooms/door.html",
        site=site,
        now=now,
        today=today_at(visitor, site),
        one=standing(board, site, now),
        times=times,
        closed={bar.interval for bar in board.bars if bar.kind is Kind.CLOSED},
        fresh=FRESH,
    )
