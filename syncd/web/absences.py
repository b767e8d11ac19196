"""Absences of caseworkers and hand-overs of their meetings, for programs of the staff (right ``staff``)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import Path, Response

from syncd.booking.away import Away
from syncd.booking.handover import Choice, Done, Handover
from syncd.booking.proposals import Proposal
from syncd.booking.texts import reference
from syncd.booking.watch import Watch
from syncd.errors import BadRequest, UnknownAbsence, UnknownBooking, UnknownCaseworker
from syncd.model.absence import Absence
from syncd.model.interval import Interval
from syncd.store import Tx
from syncd.store.overview import meeting_named
from syncd.web.absence_schemas import (
    AbsenceAnswer,
    AbsenceRequest,
    AbsencesAnswer,
    ContactsAnswer,
    HandoverAnswer,
    HandoverRequest,
    ProposalAnswer,
    SettleAnswer,
    SettleRequest,
)
from syncd.web.deps import Client, Deps, Service
from syncd.web.described import WRITES, answers, resource
from syncd.web.inputs import IdempotencyKey, PathName
from syncd.web.once import answer, once

PATH = "/api/v1/absences"
MEETINGS = "/api/v1/meetings"
router = resource(PATH)
meetings = resource(MEETINGS)
Number = Annotated[int, Path(ge=1, le=2**53)]


@router.get("", summary="Absences", responses=answers(200, AbsencesAnswer, "Given and suggested.", "forbidden"))
def list_absences(service: Service, client: Client) -> Response:
    """Absences that were given, and those that calendars suggest: an out-of-office entry, a calendar that vanished."""
    client.need("staff")
    now = service.clock.now()
    with service.store.read() as tx:
        given = [_absence(one) for one in tx.absences.coming(now)]
        suggested = [
            {"caseworker": one.caseworker, **_span(one.interval), "why": one.why, "meetings": one.meetings}
            for one in Watch(service.store, service.directory).suggested(tx, now)
        ]
    return _json({"given": given, "suggested": suggested})


@router.post(
    "",
    status_code=201,
    summary="Give an absence",
    responses=answers(
        201, AbsenceAnswer, "Nothing is offered then.", *WRITES, "unknown-caseworker", "bad-request", Location="It."
    ),
)
def give_absence(service: Service, client: Client, body: AbsenceRequest, key: IdempotencyKey) -> Response:
    """Say that a caseworker is away: the time is not offered, and each meeting in it gets a proposal."""
    client.need("staff")
    now = service.clock.now()
    if body.caseworker not in service.directory().caseworkers:
        raise UnknownCaseworker(f"There is no caseworker {body.caseworker!r}. Nothing was changed.")
    if body.end <= body.start:
        raise BadRequest("The end of an absence is later than its beginning. Nothing was changed.")

    def act(tx: Tx) -> tuple[int, dict[str, Any]]:
        span, actor = Interval(body.start, body.end), f"client:{client.name}"
        made = tx.absences.add(body.caseworker, span, reachable=body.reachable, actor=actor, now=now)
        tx.audit.add(actor, "absence.given", detail=f"{made.caseworker} {span.start.isoformat()}", now=now)
        return 201, _absence(made)

    return answer(once(service, client, key, f"POST {PATH}", body, act, now), PATH)


@router.get(
    "/{id}",
    summary="Proposals for an absence",
    responses=answers(200, ProposalAnswer, "One proposal for each meeting.", "unknown-absence", "forbidden"),
)
def see_absence(service: Service, client: Client, id: Number) -> Response:
    """What is proposed for each meeting that the absence still leaves without anybody."""
    client.need("staff")
    with service.store.read() as tx:
        known = _known(tx, id)
    found = _away(service).proposals(known.caseworker, known.interval, service.clock.now(), reachable=known.reachable)
    return _json(_absence(known) | {"proposals": [_proposal(one) for one in found]})


@router.post(
    "/{id}/settle",
    summary="Carry out what was decided",
    responses=answers(200, SettleAnswer, "What became of each choice.", *WRITES, "unknown-absence"),
)
def settle_absence(service: Service, client: Client, id: Number, body: SettleRequest, key: IdempotencyKey) -> Response:
    """One confirmation for many meetings; what cannot be done is said, and only that is left as it was."""
    client.need("staff")
    now = service.clock.now()

    def act(tx: Tx) -> tuple[int, dict[str, Any]]:
        known = _known(tx, id)
        choices = [Choice(one.meeting, one.remedy, one.to, one.start) for one in body.choices]
        done = _handover(service).carry_out(choices, f"client:{client.name}", now, tx=tx)
        return 200, {"id": str(known.id), "done": [_done(one) for one in done]}

    return answer(once(service, client, key, f"POST {PATH}/{id}/settle", body, act, now))


@router.delete(
    "/{id}",
    status_code=204,
    summary="End an absence",
    responses=answers(204, None, "The time is offered again.", "unknown-absence", "forbidden"),
)
def end_absence(service: Service, client: Client, id: Number) -> Response:
    """The caseworker is back, or it was a mistake; meetings stay as they are."""
    client.need("staff")
    with service.store.begin() as tx:
        _known(tx, id)
        tx.absences.end(id)
        tx.audit.add(f"client:{client.name}", "absence.ended", detail=str(id), now=service.clock.now())
    return Response(None, 204)


@meetings.get(
    "/{id}/proposals",
    summary="Who could take a meeting",
    responses=answers(200, HandoverAnswer, "What could be done.", "unknown-booking", "forbidden"),
)
def see_proposals(service: Service, client: Client, id: PathName) -> Response:
    """Who could take the meeting, by whom it could be held by telephone, and which other times it could have.

    It is named by its id, the id of a booking in it, or the code that stands in the calendar.
    """
    client.need("staff")
    with service.store.read() as tx:
        meeting = meeting_named(tx.session, id)
    found = _away(service).of(meeting, service.clock.now()) if meeting else None
    if found is None:
        raise UnknownBooking("There is no such meeting that is still to be held.")
    return _json(_proposal(found))


@meetings.get(
    "/{id}/contacts",
    summary="How to reach the citizens of a meeting",
    responses=answers(200, ContactsAnswer, "One for each booking that has any.", "unknown-booking", "forbidden"),
)
def see_contacts(service: Service, client: Client, id: PathName) -> Response:
    """Whom reception must call, while the data are kept; the look-up is audited."""
    client.need("staff")
    with service.store.begin() as tx:
        meeting = meeting_named(tx.session, id)
        if meeting is None:
            raise UnknownBooking("There is no such meeting.")
        found = service.contacts.of_meeting(tx, meeting, f"client:{client.name}", service.clock.now())
    names = ("name", "birth_date", "phone", "mail")
    return _json(
        {"contacts": [{"booking": one} | {name: getattr(who, name) for name in names} for one, who in found.items()]}
    )


@meetings.post(
    "/{id}/handover",
    summary="Give a meeting to somebody else",
    responses=answers(
        200,
        SettleAnswer,
        "What became of it.",
        *WRITES,
        "unknown-booking",
    ),
)
def hand_over(service: Service, client: Client, id: PathName, body: HandoverRequest, key: IdempotencyKey) -> Response:
    """A colleague takes it, it is held by telephone, gets another time, or is cancelled; the room stays if it can.

    Nobody whose calendar is unknown then gets it: `refused` says so, and nothing is changed.
    """
    client.need("staff")
    now = service.clock.now()

    def act(tx: Tx) -> tuple[int, dict[str, Any]]:
        meeting = meeting_named(tx.session, id)
        if meeting is None:
            raise UnknownBooking("There is no such meeting. Nothing was changed.")
        choice = Choice(meeting, body.remedy, body.to, body.start)
        [one] = _handover(service).carry_out([choice], f"client:{client.name}", now, tx=tx)
        return 200, {"id": meeting, "done": [_done(one)]}

    return answer(once(service, client, key, f"POST {MEETINGS}/{id}/handover", body, act, now))


def _away(service: Deps) -> Away:
    return Away(service.store, service.publisher, service.directory, service.contacts)


def _handover(service: Deps) -> Handover:
    return Handover(service.store, service.publisher, service.directory)


def _known(tx: Tx, number: int) -> Absence:
    found = tx.absences.get(number)
    if found is None:
        raise UnknownAbsence("There is no absence of this number. Nothing was changed.")
    return found


def _span(span: Interval) -> dict[str, datetime]:
    return {"from": span.start, "to": span.end}


def _absence(one: Absence) -> dict[str, Any]:
    return {"id": str(one.id), "caseworker": one.caseworker, **_span(one.interval), "reachable": one.reachable}


def _done(one: Done) -> dict[str, Any]:
    meeting = one.choice.meeting
    return {
        "meeting": meeting,
        "code": reference(meeting),
        "remedy": one.choice.remedy,
        "refused": one.refused,
        "call": one.call,
    }


def _proposal(one: Proposal) -> dict[str, Any]:
    meeting = one.meeting
    return {
        "meeting": meeting.id,
        "code": reference(meeting.id),
        "caseworker": meeting.caseworker,
        "form": meeting.form,
        "start": meeting.interval.start,
        "end": meeting.interval.end,
        "remedy": one.remedy,
        "to": one.to,
        "new_start": one.start,
        "call": one.call,
        "colleagues": one.affected.colleagues,
        "by_phone": one.affected.by_phone,
        "times": [{"start": slot.interval.start, "caseworker": slot.caseworker} for slot in one.affected.times],
    }


def _json(content: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json", headers={"Cache-Control": "no-store"})
