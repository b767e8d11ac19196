"""Whom reception must call today: changes so near that no letter arrives in time; to print, and each look audited."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Response

from syncd.booking.texts import reference
from syncd.model.booking import Meeting
from syncd.model.contact import Contact
from syncd.model.task import Task, TaskKind
from syncd.web.pages.counter.tasks import spoken
from syncd.web.pages.counter.words import Acting, name_of
from syncd.web.pages.visiting import Visitor

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One citizen to call. :param contacts: what is kept of how she can be reached."""

    task: Task
    text: str
    code: str
    meeting: Meeting | None
    who: str
    contacts: tuple[Contact, ...]


@router.get("/absence/calls")
def calls(visitor: Acting) -> Response:
    """The list, without numbers."""
    return _page(visitor, numbers=False)


@router.post("/absence/calls")
def numbers(visitor: Acting) -> Response:
    """The list with names and numbers where they are kept; the look at each is written down."""
    return _page(visitor, numbers=True)


def _page(visitor: Visitor, *, numbers: bool) -> Response:
    deps, now = visitor.deps, visitor.deps.clock.now()
    with deps.store.begin() as tx:
        found = []
        for task in tx.tasks.waiting(TaskKind.CALL_CITIZEN):
            name = task.about.partition(":")[2]
            meeting = tx.meetings.get(name)
            kept = deps.contacts.of_meeting(tx, name, visitor.actor, now, "call") if numbers else {}
            who = name_of(deps.directory(), meeting.caseworker) if meeting else ""
            text = spoken(task, visitor.language.code)
            found.append(Call(task, text, reference(name), meeting, who, tuple(kept.values())))
    found.sort(key=lambda one: (one.meeting is None, one.meeting.interval if one.meeting else None))
    return visitor.show("counter/calls.html", calls=found, numbers=numbers, now=now)
