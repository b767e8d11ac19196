"""Fravær: choose who is away and when, see what is proposed for each meeting, and confirm all in one step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from syncd.booking.handover import Choice, Done
from syncd.booking.proposals import Proposal, Remedy
from syncd.booking.texts import reference
from syncd.booking.watch import Watch, Why
from syncd.model.booking import Meeting
from syncd.model.interval import Interval
from syncd.model.zones import instant, wall_clock, whole_days
from syncd.store import Tx
from syncd.web.pages.counter.deciding import SKIP, Unreadable, away_of, handover_of, proposed, read, written
from syncd.web.pages.counter.tasks import REMEDIES
from syncd.web.pages.counter.words import FORMS, NOT_FITTING, Acting, name_of, said, title_of
from syncd.web.pages.language import N_
from syncd.web.pages.rooms.places import site_of
from syncd.web.pages.typed import typed_time
from syncd.web.pages.visiting import Refusal, Visitor

router = APIRouter(include_in_schema=False)

FIELD = "do-"
LONGEST = timedelta(days=366)
WHYS: dict[Why, str] = {
    Why.OUT_OF_OFFICE: N_("the calendar says out of office"),
    Why.VANISHED: N_("the calendar cannot be read"),
}
NOBODY = N_("Please choose who is away. Nothing was changed.")
INVERTED = N_("The end must be after the beginning, and within a year. Nothing was changed.")
NO_TIME = N_("A day and time is written like 2026-11-30T08:00. Nothing was changed.")
NO_ABSENCE = N_("There is no such absence any more. Somebody may have ended it.")
LATER = N_("Nothing now; a task reminds of it")


@dataclass(frozen=True, slots=True)
class Plan:
    """An absence to be. :param number: of one that was given already; None for a new one."""

    caseworker: str
    interval: Interval
    reachable: bool = False
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One meeting, and what could be done with it: the value of the form, and its words."""

    meeting: Meeting
    code: str
    offer: str
    form: str
    room: str
    call: bool
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one meeting. :param refused: why nothing was changed."""

    code: str
    meeting: Meeting | None
    what: str
    refused: str
    call: bool


@router.get("/absence")
def absences(visitor: Acting) -> Response:
    """Who is away, who seems to be, and a form for a new absence."""
    return _front(visitor)


@router.get("/absence/plan")
def plan(visitor: Acting) -> Response:
    """What is proposed, before anything is changed."""
    query = visitor.request.query_params
    wanted, problem = _wanted(visitor, dict(query))
    if wanted is None:
        return _front(visitor, problem, 422 if query.get("caseworker") else 200)
    return _plan_page(visitor, wanted)


@router.get("/absence/{number}")
def given(visitor: Acting, number: int) -> Response:
    """What is proposed for what an absence that was given still leaves without anybody."""
    with visitor.deps.store.read() as tx:
        known = tx.absences.get(number) if 0 < number < 2**53 else None
    if known is None:
        raise Refusal(visitor, NO_ABSENCE, 404)
    return _plan_page(visitor, Plan(known.caseworker, known.interval, known.reachable, known.id))


@router.post("/absence/confirm")
def confirm(visitor: Acting) -> Response:
    """Give the absence, if it is new, and carry out what was decided for every meeting, in one transaction."""
    wanted, problem = _wanted(visitor, dict(visitor.form))
    if wanted is None:
        return _front(visitor, problem, 422)
    try:
        choices = [read(name.removeprefix(FIELD), value) for name, value in visitor.form.items() if FIELD in name[:3]]
    except Unreadable:
        return _plan_page(visitor, wanted, visitor.say(NOT_FITTING), 422)
    decided = [choice for choice in choices if choice is not None]
    done, meetings = visitor.deps.store.run(lambda tx: _carry_out(visitor, tx, wanted, decided))
    results = [_result(visitor, one, meetings.get(one.choice.meeting)) for one in done]
    person, skipped = name_of(visitor.deps.directory(), wanted.caseworker), len(choices) - len(decided)
    return visitor.show(
        "counter/settled.html", 200, person=person, wanted=wanted, zone=_zone(visitor, wanted.caseworker),
        results=results, skipped=skipped,
    )  # fmt: skip


@router.post("/absence/{number}/end")
def end(visitor: Acting, number: int) -> Response:
    """The person is back, or it was a mistake: the time is offered again; meetings stay as they are."""
    now = visitor.deps.clock.now()
    with visitor.deps.store.begin() as tx:
        if 0 < number < 2**53 and tx.absences.end(number):
            tx.audit.add(visitor.actor, "absence.ended", detail=str(number), now=now)
    return RedirectResponse("/absence?ended=1", 303)


def _carry_out(visitor: Visitor, tx: Tx, wanted: Plan, choices: list[Choice]) -> tuple[list[Done], dict[str, Meeting]]:
    deps, now = visitor.deps, visitor.deps.clock.now()
    before = {one.meeting: meeting for one in choices if (meeting := tx.meetings.get(one.meeting)) is not None}
    done = handover_of(deps).carry_out(choices, visitor.actor, now, tx=tx)
    if wanted.number is None and not _known(tx, wanted, now):
        tx.absences.add(wanted.caseworker, wanted.interval, reachable=wanted.reachable, actor=visitor.actor, now=now)
        detail = f"{wanted.caseworker} {wanted.interval.start.isoformat()}"
        tx.audit.add(visitor.actor, "absence.given", detail=detail, now=now)
    return done, before


def _known(tx: Tx, wanted: Plan, now: datetime) -> bool:
    """Whether just this absence was given already: somebody confirmed twice."""
    return any(
        (one.caseworker, one.interval, one.reachable) == (wanted.caseworker, wanted.interval, wanted.reachable)
        for one in tx.absences.coming(now)
    )


def _wanted(visitor: Visitor, typed: dict[str, str]) -> tuple[Plan | None, str]:
    """What a form or an address asks for, or why that cannot be; without times, what the calendar suggests."""
    who, deps = typed.get("caseworker", ""), visitor.deps
    if typed.get("absence", "").isdecimal():
        with deps.store.read() as tx:
            known = tx.absences.get(int(typed["absence"][:15]))
        return (
            (Plan(known.caseworker, known.interval, known.reachable, known.id), "")
            if known
            else (None, visitor.say(NO_ABSENCE))
        )
    if not who:
        return None, visitor.say(NOBODY)
    zone = _zone(visitor, who)
    if not typed.get("from"):
        suggested = _suggested(visitor, who)
        if suggested is None and who not in deps.directory().caseworkers:
            return None, visitor.say(NOBODY)
        today = wall_clock(deps.clock.now(), zone).date()
        return Plan(who, suggested or whole_days(today, today, zone), bool(typed.get("reachable"))), ""
    try:
        start, last = (typed_time(typed[name]) for name in ("from", "to"))
        span = (instant(start.date(), start.time(), zone), instant(last.date(), last.time(), zone))
    except (ValueError, KeyError):
        return None, visitor.say(NO_TIME)
    if not timedelta() < span[1] - span[0] <= LONGEST:
        return None, visitor.say(INVERTED)
    return Plan(who, Interval(*span), bool(typed.get("reachable"))), ""


def _suggested(visitor: Visitor, who: str) -> Interval | None:
    deps = visitor.deps
    with deps.store.read() as tx:
        found = Watch(deps.store, deps.directory).suggested(tx, deps.clock.now())
    return next((one.interval for one in found if one.caseworker == who), None)


def _zone(visitor: Visitor, who: str) -> str:
    directory = visitor.deps.directory()
    person = directory.caseworkers.get(who)
    return directory.sites[person.site].zone if person else site_of(visitor).zone


def _front(visitor: Visitor, problem: str = "", status: int = 200) -> Response:
    deps, now = visitor.deps, visitor.deps.clock.now()
    with deps.store.read() as tx:
        coming = tx.absences.coming(now)
        suggested = Watch(deps.store, deps.directory).suggested(tx, now)
    site = site_of(visitor)
    today = wall_clock(now, site.zone).date()
    typed = dict(visitor.form or visitor.request.query_params)
    return visitor.show(
        "counter/absence.html",
        status,
        coming=[(one, name_of(deps.directory(), one.caseworker)) for one in coming],
        suggested=[(one, name_of(deps.directory(), one.caseworker), WHYS[one.why]) for one in suggested],
        people=sorted(deps.directory().caseworkers.values(), key=lambda one: one.name),
        zone=site.zone,
        typed={"caseworker": "", "reachable": "", "from": f"{today}T07:00", "to": f"{today}T17:00"} | typed,
        problem=problem,
        ended=bool(typed.get("ended")),
    )


def _plan_page(visitor: Visitor, wanted: Plan, problem: str = "", status: int = 200) -> Response:
    deps, now, zone = visitor.deps, visitor.deps.clock.now(), _zone(visitor, wanted.caseworker)
    found = away_of(deps).proposals(wanted.caseworker, wanted.interval, now, reachable=wanted.reachable)
    return visitor.show(
        "counter/plan.html",
        status,
        wide=True,
        wanted=wanted,
        person=name_of(deps.directory(), wanted.caseworker),
        zone=zone,
        rows=[_row(visitor, one) for one in found],
        field=FIELD,
        problem=problem,
    )


def _row(visitor: Visitor, proposal: Proposal) -> Row:
    meeting, deps = proposal.meeting, visitor.deps
    return Row(
        meeting,
        reference(meeting.id),
        title_of(visitor, deps.rulebook().offers, meeting.offer),
        visitor.say(FORMS[meeting.form]),
        name_of(deps.directory(), meeting.room),
        proposal.call,
        tuple(_choices(visitor, proposal).items()),
    )


def _choices(visitor: Visitor, proposal: Proposal) -> dict[str, str]:
    """Everything that could be done, what is proposed first: value and words."""
    meeting, affected = proposal.meeting, proposal.affected
    first = {proposed(proposal): _words(visitor, meeting, proposal.remedy, proposal.to, proposal.start)}
    others: list[tuple[Remedy, str | None, datetime | None]] = [
        *((Remedy.COLLEAGUE, one, None) for one in affected.colleagues),
        *((Remedy.PHONE, one, None) for one in affected.by_phone),
        *((Remedy.NEW_TIME, one.caseworker, one.interval.start) for one in affected.times),
        (Remedy.CANCEL, None, None),
    ]
    every = {written(meeting, *one): _words(visitor, meeting, *one) for one in others}
    return first | every | {f"{meeting.desired_generation}|{SKIP}": visitor.say(LATER)}


def _words(visitor: Visitor, meeting: Meeting, remedy: Remedy, to: str | None, start: datetime | None) -> str:
    when = visitor.language.moment(start, meeting.zone) if start else ""
    return visitor.say(REMEDIES[remedy], who=name_of(visitor.deps.directory(), to), when=when)


def _result(visitor: Visitor, done: Done, meeting: Meeting | None) -> Result:
    choice = done.choice
    what = _words(visitor, meeting, choice.remedy, choice.to, choice.start) if meeting else ""
    refused = said(visitor, done.error) if done.error else ""
    return Result(reference(choice.meeting), meeting, what, refused, done.call)
