"""The week of a site's rooms: one small timeline for each room and day."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Response

from syncd.booking.room_board import Bar, RoomBoard
from syncd.model.interval import Interval
from syncd.model.zones import whole_days
from syncd.web.pages.rooms.places import Seeing, boards_of, day_of, part_of, rooms_at, site_of, today_at, whole_day
from syncd.web.pages.rooms.timeline import SPOKEN, Saying, line, scale_of

router = APIRouter(include_in_schema=False)


@router.get("/rooms/week")
def rooms_week(visitor: Seeing) -> Response:
    """All rooms of the site in the week of a day."""
    site = site_of(visitor)
    asked = day_of(visitor, site)
    monday = asked - timedelta(days=asked.weekday())
    part = part_of(visitor, rooms_at(visitor, site))
    found = boards_of(visitor, list(part.rooms), whole_days(monday, monday + timedelta(days=6), site.zone))
    days = [monday + timedelta(days=n) for n in range(7)]
    wholes = {day: whole_day(site, day) for day in days}
    days = days[:5] + [day for day in days[5:] if any(_bars(board, wholes[day]) for board in found)]
    closed = [RoomBoard(board.room, (), known=True) for board in found]
    scales = {day: scale_of(day, site, closed) for day in days}
    saying = Saying(visitor.language, site.zone, {})
    rows = [
        (
            board.room,
            [
                line(RoomBoard(board.room, _bars(board, wholes[day]), board.known), scales[day], site, saying)
                for day in days
            ],
        )
        for board in found
    ]
    return visitor.show(
        "rooms/week.html",
        wide=True,
        site=site,
        sites=list(visitor.deps.directory().sites.values()),
        monday=monday,
        sunday=monday + timedelta(days=6),
        today=today_at(visitor, site),
        week=timedelta(days=7),
        days=days,
        rows=rows,
        part=part,
        spoken=SPOKEN,
    )


def _bars(board: RoomBoard, whole: Interval) -> tuple[Bar, ...]:
    start, end = whole.start, whole.end
    return tuple(bar for bar in board.bars if bar.interval.start < end and start < bar.interval.end)
