"""Staff book for a citizen who does not book herself; it never counts as self-booked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from itertools import groupby

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from syncd.booking.counter import BARRED, CLIENT, Counter, Ground, Order
from syncd.booking.results import Appointment
from syncd.config.jobnet import CLIENT as JOBNET
from syncd.cpr import PATTERN, Cpr, NotACpr
from syncd.dfdg.linking import Wish
from syncd.errors import BookingError, NotAllowed
from syncd.model.contact import Contact
from syncd.model.offer import Form, Offer, Slot
from syncd.model.zones import wall_clock, whole_days
from syncd.store import Tx
from syncd.web.pages.counter.citizen import NO_CPR
from syncd.web.pages.counter.words import CLOSED, FORMS, GROUNDS, NOT_FITTING, Acting, name_of, said, title_of
from syncd.web.pages.language import N_
from syncd.web.pages.rooms.places import day_of, site_of, today_at
from syncd.web.pages.typed import typed_day, typed_time
from syncd.web.pages.visiting import Visitor

router = APIRouter(include_in_schema=False)

FIELDS = ("offer", "form", "caseworker", "day", "time", "citizen", "ground", "topic", "phone")
SHOWN = 7
"""Days of times on one page."""
NO_TIME = N_("Please choose a time. Nothing was booked; what you wrote is still here.")
NO_CITIZEN = N_("Please write the citizen's reference. Nothing was booked; what you chose is still here.")
IS_CPR = N_("That looks like a civil registration number. Write the reference of the case instead; nothing was booked.")
NO_GROUND = N_("Please say why you book for the citizen. Nothing was booked; what you wrote is still here.")
ANOTHER = N_(
    "A rule forbids it: the citizen has a meeting of this kind already, or it is too late. Nothing was booked."
)


class _Missing(Exception):
    """Something was not filled in. :param text: English."""


@dataclass(frozen=True, slots=True)
class Day:
    """The times of one day."""

    day: date
    slots: tuple[Slot, ...]


@router.get("/bookings/new")
def choose(visitor: Acting) -> Response:
    """Choose an offer and a time, and say for whom."""
    return _page(visitor, dict(visitor.request.query_params))


@router.post("/bookings/new")
def book(visitor: Acting) -> Response:
    """Book it, and with Jobnet have it reported in the citizen's name."""
    typed = {name: visitor.form.get(name, "") for name in visitor.form if name != "cpr"}
    deps, now = visitor.deps, visitor.deps.clock.now()
    try:
        order, cpr = _order(visitor)
        deps.freshen(order.offer, order.start, order.caseworker, now)
        made = deps.store.run(lambda tx: _made(visitor, tx, order, cpr))
    except _Missing as missing:
        return _page(visitor, typed, visitor.say(str(missing)), 422)
    except NotAllowed:
        return _page(visitor, typed, visitor.say(ANOTHER), 409)
    except BookingError as error:
        return _page(visitor, typed, said(visitor, error), error.status)
    return RedirectResponse(f"/bookings/{made.meeting.id}?done=booked", 303)


def _made(visitor: Visitor, tx: Tx, order: Order, cpr: Cpr | None) -> Appointment:
    deps, now = visitor.deps, visitor.deps.clock.now()
    made = Counter(deps.store, deps.desk, deps.contacts).book(order, visitor.actor, now, tx=tx)
    if cpr is not None and deps.reporting is not None:
        wish = Wish(made.meeting.id, cpr, None, order.ground.value, barred=order.ground in BARRED)
        deps.reporting.linker.link(wish, visitor.actor, now, tx=tx)
    return made


def _order(visitor: Visitor) -> tuple[Order, Cpr | None]:
    """What the form says.

    :raises _Missing: something is not filled in.
    """
    form, reporting = visitor.form, visitor.deps.reporting
    at, _, who = form.get("time", "").rpartition("@")
    if not at:
        raise _Missing(NO_TIME)
    if form.get("ground", "") not in set(Ground):
        raise _Missing(NO_GROUND)
    cpr, citizen = (None, _reference(form.get("citizen", ""))) if reporting is None else _number(visitor)
    try:
        start, way = typed_time(at).astimezone(UTC), Form(form.get("form", ""))
    except ValueError:
        raise _Missing(NOT_FITTING) from None
    contact = Contact(phone=form.get("phone", "").strip()[:40] or None)
    client, ground = CLIENT if cpr is None else JOBNET, Ground(form["ground"])
    topic = form.get("topic", "")
    return Order(citizen, form.get("offer", ""), start, who or None, way, ground, contact, topic, client), cpr


def _reference(text: str) -> str:
    """The citizen's reference, which is no civil registration number."""
    reference = text.strip()[:100]
    if not reference:
        raise _Missing(NO_CITIZEN)
    if re.fullmatch(PATTERN, reference.replace("-", "").replace(" ", "")):
        raise _Missing(IS_CPR)
    return reference


def _number(visitor: Visitor) -> tuple[Cpr, str]:
    assert visitor.deps.reporting is not None
    try:
        cpr = Cpr(visitor.form.get("cpr", "").replace("-", "").replace(" ", ""))
    except NotACpr:
        raise _Missing(NO_CPR) from None
    return cpr, visitor.deps.reporting.linker.reference(cpr)


def _page(visitor: Visitor, typed: dict[str, str], problem: str = "", status: int = 200) -> Response:
    deps, rules = visitor.deps, visitor.deps.rulebook()
    offers = {name: title_of(visitor, rules.offers, name) for name in rules.offers}
    offer = rules.offers.get(typed.get("offer", ""))
    form = _form(offer, typed.get("form", ""))
    found, closed = _times(visitor, offer, form, typed) if offer and form else ([], "")
    people = sorted(offer.caseworkers if offer else (), key=lambda one: name_of(deps.directory(), one))
    return visitor.show(
        "counter/making.html",
        status,
        offers=sorted(offers.items(), key=lambda one: one[1]),
        offer=offer,
        form_=form,
        forms=FORMS,
        grounds=GROUNDS,
        people=[(one, name_of(deps.directory(), one)) for one in people if one in deps.directory().caseworkers],
        days=found,
        first=_first(visitor, typed),
        last=_first(visitor, typed) + timedelta(days=SHOWN - 1),
        shown=timedelta(days=SHOWN),
        zone=site_of(visitor).zone,
        by_number=deps.reporting is not None,
        typed=dict.fromkeys(FIELDS, "") | typed,
        problem=problem or closed,
    )


def _form(offer: Offer | None, asked: str) -> Form | None:
    if offer is None:
        return None
    return Form(asked) if asked in {form.value for form in offer.forms} else offer.forms[0]


def _first(visitor: Visitor, typed: dict[str, str]) -> date:
    site = site_of(visitor)
    if visitor.request.method == "GET":
        return day_of(visitor, site)
    at = typed.get("time", "").rpartition("@")[0]
    try:
        return typed_day(typed["day"]) if typed.get("day") else wall_clock(typed_time(at), site.zone).date()
    except ValueError:
        return today_at(visitor, site)


def _times(visitor: Visitor, offer: Offer, form: Form, typed: dict[str, str]) -> tuple[list[Day], str]:
    """The times on offer, and why there are none when calendars cannot be trusted."""
    zone, first, now = site_of(visitor).zone, _first(visitor, typed), visitor.deps.clock.now()
    who = typed.get("caseworker") or None
    window = whole_days(first, first + timedelta(days=SHOWN - 1), zone)
    try:
        answer = visitor.deps.publisher.answer(
            offer.name, window, now, caseworker=who if who in offer.caseworkers else None, form=form
        )
    except BookingError as error:
        return [], said(visitor, error)
    closed = visitor.say(CLOSED) if answer.closed and not answer.slots else ""
    return list(_by_day(answer.slots if who else _once(answer.slots), zone)), closed


def _once(slots: Iterable[Slot]) -> Iterable[Slot]:
    """Each time once, whoever could hold it."""
    return {slot.interval: slot for slot in slots}.values()


def _by_day(slots: Iterable[Slot], zone: str) -> Iterable[Day]:
    for day, some in groupby(sorted(slots), key=lambda slot: wall_clock(slot.interval.start, zone).date()):
        yield Day(day, tuple(some))
