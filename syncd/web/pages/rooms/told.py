"""Each figure of the page for facilities in words: its name, its value, and what exactly it means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from syncd.booking.room_figures import Figures
from syncd.model.directory import Site
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Visitor


@dataclass(frozen=True, slots=True)
class Told:
    """One figure. :param means: its definition. :param more: what belongs to it, such as when the peak was."""

    name: str
    value: str
    means: str
    more: str = ""


Figure = Callable[[Visitor, Figures, Site], Told]


def _booked(visitor: Visitor, found: Figures, _site: Site) -> Told:
    hours = tuple(visitor.language.number(number) for number in found.hours)
    return Told(
        visitor.say(N_("Utilisation")),
        visitor.language.percent(found.usage.booked, 1),
        visitor.say(N_(
                "Booked hours of bookable hours. Bookable: opening hours on working days, without closures, closing "
                "days and Danish holidays. Booked: meetings that were not given back."
            )),
        visitor.say(N_("%(booked)s of %(bookable)s hours"), booked=hours[0], bookable=hours[1]),
    )  # fmt: skip


def _peak(visitor: Visitor, found: Figures, _site: Site) -> Told:
    speaking, peak = visitor.language, found.peak
    when = f"{speaking.day(peak.day, 'short')} {speaking.wall(peak.minute)}" if peak else ""
    return Told(
        visitor.say(N_("Most rooms at once")),
        visitor.say(N_("%(rooms)s of %(all)s"), rooms=peak.rooms if peak else 0, all=len(found.rooms)),
        visitor.say(N_("The largest number of rooms in use at one instant, and the first time it was reached.")),
        when,
    )


def _peak95(visitor: Visitor, found: Figures, _site: Site) -> Told:
    return Told(
        visitor.say(N_("Most rooms on a busy day")),
        str(found.usage.peak95),
        visitor.say(N_("On 95 of 100 days no more rooms than this were in use at once.")),
    )


def _fit(visitor: Visitor, found: Figures, _site: Site) -> Told:
    return Told(
        visitor.say(N_("Too large rooms")),
        visitor.language.percent(found.usage.oversized, 1),
        visitor.say(N_("Meetings in a room with twice the seats they asked for or more.")),
    )


def _seats(visitor: Visitor, found: Figures, _site: Site) -> Told:
    return Told(
        visitor.say(N_("Seats in use")),
        visitor.language.percent(found.usage.occupancy, 1),
        visitor.say(N_("People of seats, over the hours in which rooms were in use.")),
    )


def _lead(visitor: Visitor, found: Figures, _site: Site) -> Told:
    days = found.usage.lead_days
    return Told(
        visitor.say(N_("Booked ahead")),
        visitor.say(N_("%(days)s days"), days=visitor.language.number(days, 1)) if days is not None else "–",
        visitor.say(N_("Median number of days from booking to meeting.")),
    )


def _released(visitor: Visitor, found: Figures, _site: Site) -> Told:
    number = visitor.language.number
    return Told(
        visitor.say(N_("Given back")),
        visitor.say(N_("%(hours)s hours"), hours=number(found.usage.released_hours, 1)),
        visitor.say(N_(
                "Hours of meetings that were cancelled before they began, and the part in which the room was used "
                "after all."
            )),
        visitor.say(N_("%(hours)s hours used again"), hours=number(found.usage.rebooked_hours, 1)),
    )  # fmt: skip


def _moved(visitor: Visitor, found: Figures, _site: Site) -> Told:
    number = visitor.language.number
    return Told(
        visitor.say(N_("Moved")),
        visitor.say(N_("%(moves)s of 100"), moves=number(found.usage.moves, 1))
        if found.usage.moves is not None
        else "–",
        visitor.say(N_("Changes of room per 100 meetings, and those after people had been told.")),
        visitor.say(N_("%(told)s after people were told"), told=number(found.usage.told or 0, 1)),
    )


def _no_show(visitor: Visitor, found: Figures, _site: Site) -> Told:
    return Told(
        visitor.say(N_("Did not come")),
        visitor.language.percent(found.usage.no_show, 1) if found.tracked else "–",
        visitor.say(N_("Meetings whose citizen was noted as not having come, of those that were not cancelled.")),
        "" if found.tracked else visitor.say(N_("Nobody notes it here.")),
    )


def _suppressed(visitor: Visitor, found: Figures, _site: Site) -> Told:
    withheld, refused = (sum(getattr(row, name) for row in found.shortages) for name in ("withheld", "refused"))
    return Told(
        visitor.say(N_("Lacked a room")),
        visitor.say(N_("%(times)s times"), times=visitor.language.number(withheld + refused)),
        visitor.say(N_(
                "Times that were not offered, or asked for in vain, because every suitable room was taken; each once. "
                "Hours with fewer than five are left out."
            )),
        visitor.say(N_("%(refused)s of them were asked for"), refused=visitor.language.number(refused)),
    )  # fmt: skip


FIGURES: tuple[Figure, ...] = (
    _booked, _peak, _suppressed, _seats, _fit, _peak95, _lead, _released, _moved, _no_show,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heat:
    """The heat map as a table. :param rows: (weekday, shares by half-hour; None where too few meetings were)."""

    times: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]

    def cells(self) -> Iterator[tuple[str, str, float]]:
        """Each cell that tells something: weekday, time, share of the rooms."""
        for day, shares in self.rows:
            for time, share in zip(self.times, shares, strict=True):
                if share is not None:
                    yield day, time, share


def told_heat(visitor: Visitor, found: Figures) -> Heat:
    """Weekdays and half-hours, with everything in between."""
    speaking, halves = visitor.language, [half for _, half in found.heat]
    if not halves:
        return Heat((), ())
    span = range(min(halves), max(halves) + 1)
    days = sorted({day for day, _ in found.heat})
    rows = tuple((speaking.weekday(day), tuple(found.heat.get((day, half)) for half in span)) for day in days)
    return Heat(tuple(speaking.wall(30 * half) for half in span), rows)


def told_shortages(visitor: Visitor, found: Figures, most: int = 12) -> list[tuple[str, str, int]]:
    """What was lacking most: the kind of room, when in the week, how often."""
    speaking = visitor.language
    return [
        (
            _needs(visitor, row.needs),
            f"{speaking.weekday(row.weekday)} {speaking.wall(60 * row.hour)}",
            row.withheld + row.refused,
        )
        for row in found.shortages[:most]
    ]


def _needs(visitor: Visitor, needs: str) -> str:
    """What a meeting asks of a room, in the visitor's language (`syncd.roomalloc.catalogue.described`)."""
    seats, *features = needs.split(", ")
    words = [visitor.say(N_("%(seats)s seats"), seats=seats.partition(" ")[0])]
    return ", ".join(
        [*words, *(visitor.say(N_("step-free access")) if one == "step-free access" else one for one in features)]
    )
