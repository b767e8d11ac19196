"""Exactly the times that a citizen like this would be shown, read-only, and why an hour has none.

Nobody is named here: what is asked for says of which kind a citizen is, never who.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Response

from syncd.model.directory import MailboxId, Site
from syncd.model.eligibility import Traits, Whom
from syncd.model.offer import Answer, Form, Offer
from syncd.model.role import Role
from syncd.model.verdict import Reason, Verdict
from syncd.model.zones import instant, wall_clock, whole_days
from syncd.slots.table import SlotTable
from syncd.store.instants import moment
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Refusal, Visitor, needs

router = APIRouter(include_in_schema=False)

Helping = Annotated[Visitor, Depends(needs(Role.STAFF, Role.COORDINATOR, Role.MANAGER))]
FORMS: Mapping[Form, str] = {
    Form.IN_PERSON: N_("in person"),
    Form.PHONE: N_("by telephone"),
    Form.VIDEO: N_("by video"),
}
DAY_HOURS = (8, 16)
"""Hours that are shown at least."""
NO_OFFERS = N_("No offer is in force yet. A coordinator applies the rules first.")
NO_OFFER = N_("There is no offer of that name any more. Choose one from the list.")
NO_DAY = N_("That is not a day within four years of today. A day is written like 2026-11-30.")
NO_FORM = N_("The offer is not held in that form. Choose another one.")
NO_ONE = N_("There is no caseworker of that name. Choose one from the list.")
FURTHEST = timedelta(days=1500)
LONGEST_CODE = 64


@dataclass(frozen=True, slots=True)
class Asked:
    """What staff choose. :param monday: of the week shown. :param why: the hour asked about, on the site's clocks."""

    offer: Offer
    site: Site
    monday: date
    form: Form | None
    whom: Whom
    why: datetime | None

    @property
    def group(self) -> str:
        """The person group; empty when none was chosen."""
        return next(iter(self.whom.traits.groups), "") if self.whom.traits else ""

    def query(self, **more: str) -> str:
        """The same question as part of an address, with something else in it."""
        traits = self.whom.traits or Traits()
        said = {
            "offer": self.offer.name,
            "from": self.monday.isoformat(),
            "form": self.form or "",
            "contact_group": traits.contact_group,
            "category": traits.category,
            "group": self.group,
            "own": traits.caseworker or "",
            "immediate": "1" if self.whom.immediate else "",
            "latest": self.whom.latest.isoformat() if self.whom.latest else "",
        }
        return urlencode({name: value for name, value in (said | more).items() if value})


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of one day. :param times: when one can begin. :param asks: what asks why there are none; empty: over."""

    at: datetime
    times: tuple[str, ...]
    asks: str


@dataclass(frozen=True, slots=True)
class Because:
    """Why an hour has no time. :param example: one of the sentences. :param who: (name, sentence) of each person."""

    number: int
    example: str
    who: tuple[tuple[str, str], ...]


@router.get("/citizen")
def citizen(visitor: Helping) -> Response:
    """The week as the citizen sees it."""
    asked = _asked(visitor)
    answer = _answer(visitor, asked)
    days = _days(asked, answer)
    people = [visitor.deps.directory().caseworkers[one] for one in asked.offer.caseworkers if _known(visitor, one)]
    return visitor.show(
        "citizen/view.html",
        wide=True,
        asked=asked,
        offers=[(one.name, _title(one, visitor)) for one in visitor.deps.rulebook().offers.values()],
        title=_title(asked.offer, visitor),
        forms=[(form, FORMS[form]) for form in asked.offer.forms],
        people=sorted(people, key=lambda one: one.name),
        answer=answer,
        number=len(list(_times(answer))),
        days=days,
        hours=list(_hours(visitor, asked, answer, days)),
        because=_because(visitor, asked) if asked.why else [],
        week=timedelta(days=7),
        today=wall_clock(visitor.deps.clock.now(), asked.site.zone).date(),
    )


def _title(offer: Offer, visitor: Visitor) -> str:
    return offer.title.get(visitor.language.code, next(iter(offer.title.values()), offer.name))


def _known(visitor: Visitor, one: MailboxId) -> bool:
    return one in visitor.deps.directory().caseworkers


def _answer(visitor: Visitor, asked: Asked) -> Answer:
    """What the interface would answer (`syncd.web.slots`)."""
    window = whole_days(asked.monday, asked.monday + timedelta(days=6), asked.site.zone)
    return visitor.deps.publisher.answer(
        asked.offer.name, window, visitor.deps.clock.now(), form=asked.form, whom=asked.whom
    )


def _times(answer: Answer) -> Iterator[datetime]:
    """When one can begin, each once."""
    assert isinstance(answer.slots, SlotTable)
    return (moment(start) for start in sorted({one.start for one in answer.slots.times()}))


def _days(asked: Asked, answer: Answer) -> list[date]:
    """Monday to Friday, and the week-end when it has times."""
    used = {wall_clock(at, asked.site.zone).date() for at in _times(answer)}
    week = [asked.monday + timedelta(days=n) for n in range(7)]
    return week[:5] + [day for day in week[5:] if day in used]


def _hours(visitor: Visitor, asked: Asked, answer: Answer, days: Iterable[date]) -> Iterator[tuple[str, list[Hour]]]:
    """Hour by hour, a cell for each day."""
    found: dict[tuple[date, int], list[str]] = {}
    for at in _times(answer):
        local = wall_clock(at, asked.site.zone)
        found.setdefault((local.date(), local.hour), []).append(visitor.language.clock(at, asked.site.zone))
    first = min((hour for _, hour in found), default=DAY_HOURS[0])
    last = max((hour + 1 for _, hour in found), default=DAY_HOURS[1])
    for hour in range(min(first, DAY_HOURS[0]), max(last, DAY_HOURS[1])):
        row = []
        for day in days:
            at, times = instant(day, time(hour), asked.site.zone), tuple(found.get((day, hour), ()))
            over = at + timedelta(hours=1) <= visitor.deps.clock.now()
            asks = "" if times or over else asked.query(why=f"{day}T{hour:02d}:00")
            row.append(Hour(at, times, asks))
        yield visitor.language.wall(60 * hour), row


def _because(visitor: Visitor, asked: Asked) -> list[Because]:
    """Why nobody has a time at that hour, the most frequent reason first."""
    assert asked.why is not None
    now, code = visitor.deps.clock.now(), visitor.language.code
    verdicts = visitor.deps.publisher.whys(asked.offer.name, asked.why, now, asked.form, whom=asked.whom)
    named = visitor.deps.directory().caseworkers
    reasons: dict[Reason, list[Verdict]] = {}
    for one in verdicts:
        reasons.setdefault(one.reason, []).append(one)
    ordered = sorted(reasons.values(), key=lambda some: -len(some))
    return [
        Because(
            len(some),
            some[0].says[code],
            tuple(sorted((named[one.caseworker].name, one.says[code]) for one in some)),
        )
        for some in ordered
    ]


def _asked(visitor: Visitor) -> Asked:
    """What was chosen.

    :raises Refusal: it cannot be shown; the sentence says what to choose instead.
    """
    query, offer = visitor.request.query_params, offer_of(visitor)
    site = _site(visitor, offer)
    day = day_in(visitor, site, "from") or wall_clock(visitor.deps.clock.now(), site.zone).date()
    form = query.get("form", "")
    if form and form not in offer.minutes:
        raise Refusal(visitor, NO_FORM, 422)
    own = query.get("own", "")
    if own and own not in offer.caseworkers:
        raise Refusal(visitor, NO_ONE, 404)
    codes = {name: query.get(name, "").strip()[:LONGEST_CODE] for name in ("contact_group", "category", "group")}
    groups = frozenset({codes["group"]} - {""})
    traits = Traits(codes["contact_group"], codes["category"], groups, own or None)
    whom = Whom(traits, query.get("immediate") == "1", day_in(visitor, site, "latest"))
    monday = day - timedelta(days=day.weekday())
    return Asked(offer, site, monday, Form(form) if form else None, whom, _hour(visitor, site))


def offer_of(visitor: Visitor) -> Offer:
    """The offer that was chosen, or the first one.

    :raises Refusal: there is none.
    """
    offers, name = visitor.deps.rulebook().offers, visitor.request.query_params.get("offer", "")
    if not offers:
        raise Refusal(visitor, NO_OFFERS, 404)
    if name and name not in offers:
        raise Refusal(visitor, NO_OFFER, 404)
    return offers[name] if name else next(iter(offers.values()))


def _site(visitor: Visitor, offer: Offer) -> Site:
    """The site of the first who serves it."""
    directory = visitor.deps.directory()
    serving = (directory.caseworkers[one].site for one in offer.caseworkers if one in directory.caseworkers)
    name = next(serving, next(iter(directory.sites), ""))
    if name not in directory.sites:
        raise Refusal(visitor, NO_OFFERS, 404)
    return directory.sites[name]


def day_in(visitor: Visitor, site: Site, name: str) -> date | None:
    """A day of the address; None when it has none.

    :raises Refusal: it is no day, or too far away.
    """
    text = visitor.request.query_params.get(name, "")
    if not text:
        return None
    today = wall_clock(visitor.deps.clock.now(), site.zone).date()
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Refusal(visitor, NO_DAY, 422) from None
    if abs(found - today) > FURTHEST:
        raise Refusal(visitor, NO_DAY, 422)
    return found


def _hour(visitor: Visitor, site: Site) -> datetime | None:
    text = visitor.request.query_params.get("why", "")
    if not text:
        return None
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(visitor, NO_DAY, 422) from None
    now = visitor.deps.clock.now()
    if wall.tzinfo is not None or abs(wall.date() - now.date()) > FURTHEST:
        raise Refusal(visitor, NO_DAY, 422)
    return instant(wall.date(), wall.time(), site.zone)
