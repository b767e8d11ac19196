"""The day of a site's rooms as a timeline; and closing and opening rooms from there."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from syncd.errors import SyncdError
from syncd.model.digits import digits
from syncd.model.directory import Site
from syncd.model.interval import Interval
from syncd.model.zones import instant
from syncd.web.pages.language import N_, NN_
from syncd.web.pages.rooms.places import (
    ACTING,
    Acting,
    Seeing,
    boards_of,
    day_of,
    part_of,
    room_of,
    rooms_at,
    site_of,
    today_at,
    whole_day,
)
from syncd.web.pages.rooms.timeline import SPOKEN, Saying, line, scale_of
from syncd.web.pages.typed import typed_day, typed_time
from syncd.web.pages.visiting import Visitor

router = APIRouter(include_in_schema=False)

LONGEST = timedelta(days=366)
NOT_A_SPAN = N_("The end must come after the beginning, within a year, and not be over. Nothing was changed.")
NOT_A_TIME = N_("A time is written like 2026-11-30T08:00. Nothing was changed.")
CLOSED = NN_(
    "The room is closed. %(num)s meeting has another room now.",
    "The room is closed. %(num)s meetings have other rooms now.",
)
MISSING = NN_(
    "For %(num)s meeting no room was found; it is on the list of what waits for a person.",
    "For %(num)s meetings no room was found; they are on the list of what waits for a person.",
)
OPENED = N_("The room is open again.")
WAS_OPEN = N_("The room was not closed then; nothing was changed.")


@router.get("/rooms/day")
def rooms_day(visitor: Seeing) -> Response:
    """All rooms of the site on one day."""
    site = site_of(visitor)
    return _page(visitor, site, day_of(visitor, site))


@router.post("/rooms/day/close")
def close(visitor: Acting) -> Response:
    """Close a room for a while; its meetings get other rooms at once."""
    site = site_of(visitor, visitor.form.get("site", ""))
    room, span = room_of(visitor, site, visitor.form.get("room", "")), _span(visitor, site)
    day = _day_of(visitor, site)
    keeper, now = visitor.deps.pages.keeper, visitor.deps.clock.now()
    if isinstance(span, str) or keeper is None:
        return _page(visitor, site, day, problem=str(span), status=422)
    try:
        kept = keeper.block(room.id, span, visitor.form.get("reason", "").strip()[:120], visitor.actor, now)
    except SyncdError as error:
        return _page(visitor, site, day, problem=str(error), status=409)
    return _back(visitor, site, day, f"closed={len(kept.moves)}&missing={len(kept.missing)}")


@router.post("/rooms/day/open")
def open_again(visitor: Acting) -> Response:
    """Open a room again: the closures that touch a time are removed."""
    site = site_of(visitor, visitor.form.get("site", ""))
    room, span = room_of(visitor, site, visitor.form.get("room", "")), _span(visitor, site)
    keeper, day = visitor.deps.pages.keeper, _day_of(visitor, site)
    if isinstance(span, str) or keeper is None:
        return _page(visitor, site, day, problem=str(span), status=422)
    number = keeper.unblock(room.id, span, visitor.actor, visitor.deps.clock.now())
    return _back(visitor, site, day, f"opened={number}")


def _back(visitor: Visitor, site: Site, day: date, told: str) -> Response:
    where = f"/rooms/day?site={site.id}&day={day.isoformat()}{part_of(visitor, rooms_at(visitor, site)).query()}"
    return RedirectResponse(f"{where}&{told}", 303)


def _day_of(visitor: Visitor, site: Site) -> date:
    try:
        return typed_day(visitor.form.get("day", ""))
    except ValueError:
        return today_at(visitor, site)


def _span(visitor: Visitor, site: Site) -> Interval | str:
    """The span of the form, on the site's clocks; a sentence when it is none."""
    try:
        start, end = (_moment(visitor.form.get(name, ""), site) for name in ("from", "to"))
    except ValueError:
        return visitor.say(NOT_A_TIME)
    now = visitor.deps.clock.now()
    if not start < end or end <= now or end - start > LONGEST or end - now > 2 * LONGEST:
        return visitor.say(NOT_A_SPAN)
    return Interval(start, end)


def _moment(text: str, site: Site) -> datetime:
    wall = typed_time(text)
    if wall.tzinfo is not None:
        raise ValueError(text)
    return instant(wall.date(), wall.time(), site.zone)


def _told(visitor: Visitor) -> list[tuple[str, str]]:
    """What a change did, as it stands in the address after it: (sentence, kind)."""
    asked = {name: digits(value) for name, value in visitor.request.query_params.items()}
    told: list[tuple[str, str]] = []
    if (moved := asked.get("closed")) is not None:
        told.append((visitor.language.count(*CLOSED, moved), "good"))
    if missing := asked.get("missing"):
        told.append((visitor.language.count(*MISSING, missing), "degraded"))
    if (number := asked.get("opened")) is not None:
        told.append((visitor.say(OPENED if number else WAS_OPEN), "good"))
    return told


def _page(visitor: Visitor, site: Site, day: date, problem: str = "", status: int = 200) -> Response:
    part = part_of(visitor, rooms_at(visitor, site))
    found = boards_of(visitor, list(part.rooms), whole_day(site, day))
    scale = scale_of(day, site, found)
    names = {one.id: one.name for one in visitor.deps.directory().caseworkers.values()}
    saying = Saying(visitor.language, site.zone, names)
    lines = [line(board, scale, site, saying) for board in found]
    return visitor.show(
        "rooms/day.html",
        status,
        wide=True,
        site=site,
        sites=list(visitor.deps.directory().sites.values()),
        day=day,
        today=today_at(visitor, site),
        step=timedelta(days=1),
        scale=scale,
        mark=scale.mark(visitor.deps.clock.now()),
        lines=lines,
        part=part,
        spoken=SPOKEN,
        closures=[(board.room, bar) for board in found for bar in board.bars if bar.kind == "closed"],
        may_act=visitor.may(*ACTING) and visitor.deps.pages.keeper is not None,
        opening=(datetime.combine(day, time(8)), datetime.combine(day, time(16))),
        told=_told(visitor),
        problem=problem,
        typed=visitor.form,
    )
