"""What waits for a person, each with what could be done about it as buttons."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import RedirectResponse

from syncd.booking.options import options
from syncd.booking.proposals import Proposal, Remedy
from syncd.model.booking import Meeting
from syncd.model.role import Role
from syncd.model.task import Task, TaskKind
from syncd.store import Tx
from syncd.web.pages.counter.deciding import away_of, proposed, written
from syncd.web.pages.counter.words import ACTING, name_of
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Visitor, needs

router = APIRouter(include_in_schema=False)

SEEING = (Role.STAFF, Role.COORDINATOR, Role.OPERATOR)
Seeing = Annotated[Visitor, Depends(needs(*SEEING))]

WORKED_OUT = 6
"""For so many tasks about meetings proposals are worked out at once; the others have theirs on their own page."""
_COMMAND = re.compile(r"(?: Hvorfor| Why| Se forslag| See proposals)?(?:: syncd [^.;)]*| \(syncd [^)]*\))\.?")

HEADINGS: dict[TaskKind, str] = {
    TaskKind.CALL_CITIZEN: N_("Call the citizen"),
    TaskKind.CITIZEN_NOT_TOLD: N_("A message may not have arrived"),
    TaskKind.ROOM_NEEDED: N_("A room is lacking"),
    TaskKind.LOOK_AT_MEETING: N_("A meeting needs a look"),
    TaskKind.ABSENCE_OPEN: N_("An absence is not settled"),
    TaskKind.ABSENCE_SUGGESTED: N_("Somebody seems to be away"),
    TaskKind.CALENDAR_GONE: N_("A calendar cannot be read"),
    TaskKind.CASEWORKER_LEFT: N_("Somebody has left"),
    TaskKind.SUPPLY_SHORT: N_("Too few times on offer"),
    TaskKind.CASEWORKER_SHORT: N_("Too few times on offer"),
    TaskKind.DEADLINES_SHORT: N_("Too few times on offer"),
    TaskKind.MANY_BOOKINGS: N_("Many bookings by one citizen"),
    TaskKind.DEADLINE_TO_MOVE: N_("A deadline must be moved"),
    TaskKind.REPORT_REFUSED: N_("DFDG refused a report"),
    TaskKind.REPORT_LATE: N_("DFDG does not answer"),
    TaskKind.RECORD_MISSING: N_("DFDG lacks a booking"),
    TaskKind.RECORD_CLASH: N_("Changed in two places"),
    TaskKind.JOBNET_ERRORS: N_("Jobnet reported errors"),
    TaskKind.GROUP_UNREADABLE: N_("A group cannot be read"),
    TaskKind.GROUP_SHRANK: N_("A group shrank"),
    TaskKind.ENTRY_WITHOUT_MEETING: N_("An entry that nobody knows"),
}
ORDER = tuple(HEADINGS)
"""The most urgent first: what a citizen may stand in front of."""
REMEDIES: dict[Remedy, str] = {
    Remedy.COLLEAGUE: N_("Give it to %(who)s"),
    Remedy.PHONE: N_("By telephone with %(who)s"),
    Remedy.NEW_TIME: N_("Move it to %(when)s with %(who)s"),
    Remedy.CANCEL: N_("Cancel it"),
}
OPEN, PROPOSALS, USE = N_("Open the meeting"), N_("See proposals"), N_("Use %(room)s")
MOVE, AGAIN = N_("Move it to %(when)s"), N_("Report it again")


@dataclass(frozen=True, slots=True)
class Deed:
    """A button. :param fields: what it sends; None for one that only leads somewhere."""

    label: str
    path: str
    fields: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One task as it is shown."""

    task: Task
    heading: str
    text: str
    deeds: tuple[Deed, ...] = field(default=())


@router.get("/tasks")
def waiting(visitor: Seeing) -> Response:
    """Everything that waits, the most urgent first."""
    with visitor.deps.store.read() as tx:
        found = sorted(tx.tasks.waiting(), key=lambda one: (ORDER.index(one.kind), one.since, one.id))
        about = {one.about: tx.meetings.get(id) for one in found if (id := _meeting_of(tx, one.about))}
    meetings = {name: one for name, one in about.items() if one is not None}
    worked_out = set([one.about for one in found if one.about in meetings][:WORKED_OUT])
    shown = [_shown(visitor, one, meetings.get(one.about), deep=one.about in worked_out) for one in found]
    return visitor.show("counter/tasks.html", waiting=shown, may_act=visitor.may(*ACTING))


def _meeting_of(tx: Tx, about: str) -> str | None:
    """Id of the meeting that a task is about."""
    kind, _, which = about.partition(":")
    return which if kind == "meeting" else tx.bookings.meeting_of(which) if kind == "booking" else None


@router.post("/tasks/{number}/done")
def done(visitor: Seeing, number: int) -> Response:
    """Take it off the list, because somebody has seen to it."""
    now = visitor.deps.clock.now()
    with visitor.deps.store.begin() as tx:
        found = tx.tasks.done(number, visitor.actor, now) if 0 < number < 2**53 else None
        if found is not None:
            tx.audit.add(visitor.actor, "task.done", now=now, detail=f"{found.kind} {found.about}")
            if found.kind is TaskKind.JOBNET_ERRORS:
                seen = tx.jobnet.reports_done(now)
                tx.audit.add(visitor.actor, "jobnet.errors_seen", detail=f"{seen} report(s)", now=now)
    return RedirectResponse("/tasks", 303)


@router.post("/tasks/{number}/retry")
def retry(visitor: Seeing, number: int) -> Response:
    """Report again what DFDG refused."""
    with visitor.deps.store.read() as tx:
        found = next((one for one in tx.tasks.waiting(TaskKind.REPORT_REFUSED) if one.id == number), None)
    if found is not None and visitor.deps.reporting is not None:
        record = found.about.partition(":")[2]
        visitor.deps.reporting.retry(record, visitor.actor, visitor.deps.clock.now())
    return RedirectResponse("/tasks", 303)


def spoken(task: Task, language: str) -> str:
    """The task's sentence without the commands for those at a command line."""
    text = task.da if language == "da" else task.en
    if task.kind is TaskKind.ROOM_NEEDED:  # its times and rooms are buttons
        text = re.split(r" \((?:fastholdt|pinned)|\. ", text)[0]
    for said in ("Ring til borgeren: ", "Call the citizen: "):  # that is the heading
        text = text.removeprefix(said)
    short = _COMMAND.sub(".", text).strip()
    return f"{short[0].upper()}{short[1:].rstrip('.')}."


def _shown(visitor: Visitor, task: Task, meeting: Meeting | None, *, deep: bool) -> Waiting:
    heading = visitor.say(HEADINGS[task.kind])
    return Waiting(task, heading, spoken(task, visitor.language.code), tuple(_deeds(visitor, task, meeting, deep=deep)))


def _deeds(visitor: Visitor, task: Task, meeting: Meeting | None, *, deep: bool) -> Iterator[Deed]:
    which = task.about.partition(":")[2]
    if task.kind in (TaskKind.ABSENCE_SUGGESTED, TaskKind.CALENDAR_GONE, TaskKind.CASEWORKER_LEFT):
        yield Deed(visitor.say(PROPOSALS), f"/absence/plan?caseworker={which}")
    elif task.kind is TaskKind.ABSENCE_OPEN:
        yield Deed(visitor.say(PROPOSALS), f"/absence/{which}")
    elif task.kind is TaskKind.REPORT_REFUSED and visitor.deps.reporting is not None:
        yield Deed(visitor.say(AGAIN), f"/tasks/{task.id}/retry", {})
    if meeting is None:
        return
    open_ = meeting.wanted and meeting.interval.end > visitor.deps.clock.now()
    if open_ and deep and visitor.may(*ACTING):
        if task.kind is TaskKind.ROOM_NEEDED:
            yield from _rooms(visitor, meeting)
        elif task.kind is TaskKind.LOOK_AT_MEETING and meeting.conflict:
            yield from _remedy(visitor, away_of(visitor.deps).of(meeting.id, visitor.deps.clock.now()))
    yield Deed(visitor.say(OPEN), f"/bookings/{meeting.id}")


def _rooms(visitor: Visitor, meeting: Meeting) -> Iterator[Deed]:
    """Rooms at the same time that fall short of something, and other times with a room."""
    deps, now = visitor.deps, visitor.deps.clock.now()
    with deps.store.read() as tx:
        found = options(tx, deps.directory(), deps.rulebook(), meeting, now, deps.publisher.max_age)
    if found is None:
        return
    for room in found.instead[:1] if deps.pages.keeper else ():
        fields = {"room": room.id, "seen": meeting.room or ""}
        yield Deed(visitor.say(USE, room=room.name), f"/bookings/{meeting.id}/room", fields)
    for interval, _ in found.times[:2]:
        when = visitor.language.moment(interval.start, meeting.zone)
        do = written(meeting, Remedy.NEW_TIME, meeting.caseworker, interval.start)
        yield Deed(visitor.say(MOVE, when=when), f"/bookings/{meeting.id}/decide", {"do": do})


def _remedy(visitor: Visitor, proposal: Proposal | None) -> Iterator[Deed]:
    """The one that is proposed; cancelling is for a person to think of."""
    if proposal is None or proposal.remedy is Remedy.CANCEL:
        return
    when = visitor.language.moment(proposal.start, proposal.meeting.zone) if proposal.start else ""
    label = visitor.say(REMEDIES[proposal.remedy], who=name_of(visitor.deps.directory(), proposal.to), when=when)
    yield Deed(label, f"/bookings/{proposal.meeting.id}/decide", {"do": proposed(proposal)})
