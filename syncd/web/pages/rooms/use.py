"""How rooms are used, for facilities: figures with their definitions, as a page, on paper and as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Response

from syncd.booking.room_figures import LEADS, Figures, figures
from syncd.booking.room_usage import Ground, play
from syncd.model.digits import digits
from syncd.model.directory import Room, Site
from syncd.model.role import Role
from syncd.model.zones import whole_days
from syncd.roomalloc.demand import Point
from syncd.web.computing import Result, Tell
from syncd.web.pages import charts
from syncd.web.pages.language import N_
from syncd.web.pages.rooms.places import day_of, rooms_at, site_of, today_at
from syncd.web.pages.rooms.told import FIGURES, Told, told_heat, told_shortages
from syncd.web.pages.spreadsheet import download
from syncd.web.pages.visiting import Refusal, Visitor, needs

router = APIRouter(include_in_schema=False)

Using = Annotated[Visitor, Depends(needs(Role.FACILITIES, Role.COORDINATOR, Role.MANAGER))]
LONGEST = timedelta(days=1100)
USUAL = timedelta(days=27)
INVERTED = N_("The last day must not come before the first one. Choose the days again.")
TOO_LONG = N_("Figures are worked out for at most three years at a time. Choose a shorter period.")
NO_ROOMS = N_("No room of this site is on that floor and in that class. Choose others.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know."""

    site: Site
    first: date
    last: date
    floor: int | None
    seats: int | None
    rooms: tuple[Room, ...]

    @property
    def query(self) -> str:
        """The same question as part of an address."""
        chosen = {"site": self.site.id, "from": self.first.isoformat(), "to": self.last.isoformat()}
        more = {"floor": self.floor, "seats": self.seats}
        return urlencode(chosen | {name: str(value) for name, value in more.items() if value is not None})


@router.get("/rooms/use")
def rooms_use(visitor: Using) -> Response:
    """The page; while the figures are worked out it says how far they are."""
    asked = _asked(visitor)
    found = _figures(visitor, asked, patience=0.1) if asked.rooms else Result(None, 0.0)
    return visitor.show(
        "rooms/use.html",
        wide=True,
        asked=asked,
        site=asked.site,
        every=rooms_at(visitor, asked.site),
        sites=list(visitor.deps.directory().sites.values()),
        share=found.share,
        found=_Shown(visitor, asked, found.value) if found.value else None,
    )


@router.get("/rooms/use.csv")
def rooms_use_csv(visitor: Using) -> Response:
    """The figures as a table for a spreadsheet."""
    asked = _asked(visitor)
    found = _figures(visitor, asked, patience=60).value if asked.rooms else None
    if found is None:
        raise Refusal(visitor, NO_ROOMS, 404)
    shown = _Shown(visitor, asked, found)
    return download(shown.rows(), f"rooms-{asked.site.id}-{asked.first}-{asked.last}.csv")


@router.get("/rooms/what-if")
def rooms_what_if(visitor: Using) -> Response:
    """Recorded demand, replayed with a room more and a room less of each class."""
    asked = _asked(visitor)
    work = partial(_played, visitor, asked)
    found = visitor.deps.pages.computing.ask(("what-if", *_key(visitor, asked)), work, 0.1)
    return visitor.show(
        "rooms/what_if.html",
        wide=True,
        asked=asked,
        site=asked.site,
        share=found.share,
        points=found.value,
        chart=_curve(visitor, found.value) if found.value else "",
    )


def _asked(visitor: Visitor) -> Asked:
    site = site_of(visitor)
    last = (
        day_of(visitor, site, "to")
        if visitor.request.query_params.get("to")
        else today_at(visitor, site) - timedelta(days=1)
    )
    first = day_of(visitor, site, "from") if visitor.request.query_params.get("from") else last - USUAL
    if first > last:
        raise Refusal(visitor, INVERTED, 422)
    if last - first > LONGEST:
        raise Refusal(visitor, TOO_LONG, 422)
    floor, seats = (_whole(visitor, name) for name in ("floor", "seats"))
    rooms = [room for room in rooms_at(visitor, site) if floor in (None, room.floor) and seats in (None, room.capacity)]
    return Asked(site, first, last, floor, seats, tuple(rooms))


def _whole(visitor: Visitor, name: str) -> int | None:
    asked = visitor.request.query_params.get(name, "")
    if not asked:
        return None
    number = digits(asked.removeprefix("-"))
    if number is None or len(asked) > 6:
        raise Refusal(visitor, NO_ROOMS, 422)
    return -number if asked.startswith("-") else number


def _key(visitor: Visitor, asked: Asked) -> tuple[object, ...]:
    rules = visitor.deps.rulebook().number
    return (asked.site.id, asked.first, asked.last, asked.floor, asked.seats, rules, len(asked.rooms))


def _figures(visitor: Visitor, asked: Asked, patience: float) -> Result[Figures]:
    work = partial(_worked_out, visitor, asked)
    return visitor.deps.pages.computing.ask(("figures", *_key(visitor, asked)), work, patience)


def _worked_out(visitor: Visitor, asked: Asked, _tell: Tell) -> Figures:
    deps = visitor.deps
    with deps.store.read() as tx:
        window = whole_days(asked.first, asked.last, asked.site.zone)
        return figures(Ground(tx, deps.directory(), deps.rulebook(), window), asked.site.id, list(asked.rooms))


def _played(visitor: Visitor, asked: Asked, tell: Tell) -> list[Point]:
    deps = visitor.deps
    with deps.store.read() as tx:
        window = whole_days(asked.first, asked.last, asked.site.zone)
        worked_out = play(Ground(tx, deps.directory(), deps.rulebook(), window), asked.site.id)
    return worked_out(tell)


def _curve(visitor: Visitor, points: list[Point]) -> str:
    say = visitor.say
    classes = sorted({point.seats for point in points})
    series = {
        visitor.say(N_("%(seats)s seats"), seats=seats): [
            p.accepted / p.wished if p.wished else None for p in points if p.seats == seats
        ]
        for seats in classes
    }
    labels = [say(N_("one room less")), say(N_("as it is")), say(N_("one room more"))]
    words = say(N_("Share of meetings that would have had a room, by class, with one room less and one more"))
    return charts.lines(words, labels, series, said=lambda share: visitor.language.percent(share, 1))


class _Shown:
    """The figures as the page and the CSV tell them."""

    def __init__(self, visitor: Visitor, asked: Asked, found: Figures) -> None:
        self.visitor, self.asked, self.found = visitor, asked, found
        self.speaking = visitor.language
        self.told: list[Told] = [one(visitor, found, asked.site) for one in FIGURES]
        self.heat = told_heat(visitor, found)
        self.shortages = told_shortages(visitor, found)

    @property
    def leads(self) -> list[tuple[str, int]]:
        """Steps of lead time in words, and how many meetings each has."""
        say, edges = self.visitor.say, LEADS
        words = [say(N_("same day")), say(N_("the day before"))]
        words += [say(N_("%(low)s–%(high)s days"), low=low + 1, high=high) for low, high in pairwise(edges[1:])]
        words += [say(N_("more than %(low)s days"), low=edges[-1])]
        return list(zip(words, self.found.leads, strict=True))

    @property
    def lead_chart(self) -> str:
        """A bar for each step, in days."""
        words = self.visitor.say(N_("Meetings by days from booking to meeting"))
        steps = ["0", "1", *(f"{low + 1}–{high}" for low, high in pairwise(LEADS[1:])), f"> {LEADS[-1]}"]
        return charts.bars(words, steps, {words: self.found.leads}, said=self.speaking.number)

    @property
    def spare_chart(self) -> str:
        """A bar for each number of empty seats."""
        words, spare = self.visitor.say(N_("Meetings by empty seats in their room")), self.found.spare
        series = {words: [meetings for meetings, _ in spare.values()]}
        return charts.bars(words, [str(seats) for seats in spare], series, said=self.speaking.number)

    def rows(self) -> list[list[str]]:
        """Everything as rows of text: group, name, value, definition."""
        say, percent = self.visitor.say, self.speaking.percent
        head = [say(N_("Group")), say(N_("Name")), say(N_("Value")), say(N_("Definition"))]
        period = f"{self.asked.first} – {self.asked.last}"
        rows = [head, [say(N_("Period")), self.asked.site.name, period, ""]]
        rows += [[say(N_("Figures")), one.name, one.value, one.means] for one in self.told]
        rows += [[say(N_("Rooms")), row.room.name, percent(row.booked, 1), ""] for row in self.found.rooms]
        rows += [[say(N_("Lead time")), label, str(number), ""] for label, number in self.leads]
        rows += [[say(N_("Empty seats")), str(seats), str(cell[0]), ""] for seats, cell in self.found.spare.items()]
        rows += [[say(N_("In use")), f"{day} {time}", percent(share), ""] for day, time, share in self.heat.cells()]
        rows += [[say(N_("No room")), f"{needs}, {when}", str(times), ""] for needs, when, times in self.shortages]
        return rows
