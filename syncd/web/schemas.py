"""The JSON that goes in and out, as the OpenAPI document describes it; each with an example."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from syncd.model.booking import BookingState, RoomState
from syncd.model.offer import Form
from syncd.model.verdict import Reason
from syncd.web.inputs import Body, Instant, Name, Reference

SLOT: dict[str, Any] = {"start": "2026-12-01T09:00:00Z", "end": "2026-12-01T09:30:00Z", "form": "in-person", "count": 2}
HOLD: dict[str, Any] = {
    "id": "h5b5n2q7xk3c9w0r4tya",
    "code": "K7MQ-2XR4",
    "offer": "jobsamtale",
    "caseworker": "anna",
    "form": "in-person",
    "start": "2026-12-01T09:00:00Z",
    "end": "2026-12-01T09:30:00Z",
    "zone": "Europe/Copenhagen",
    "state": "held",
    "expires": "2026-11-30T12:10:00Z",
    "room": {"state": "pending", "id": "lokale-1", "name": "Lokale 1.07"},
    "moves": 0,
    "created": "2026-11-30T12:00:00Z",
}
BOOKING = {k: v for k, v in HOLD.items() if k != "expires"} | {"state": "pending", "calendars": "owed"}


def _example(*values: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": list(values)})


class Citizen(Body):
    """The citizen, by the client's own reference."""

    model_config = Body.model_config | _example({"reference": "borger-7f3a"})
    reference: Reference


class SlotQuery(Body):
    """Which times."""

    start: Annotated[Instant, Field(alias="from", description="Slots begin at or after this.")]
    end: Annotated[Instant, Field(alias="to", description="Slots end at or before this.")]
    caseworker: Annotated[Name | None, Field(description="Only this caseworker's times.")] = None
    form: Annotated[Form | None, Field(description="Only meetings of this form.")] = None
    expand: Annotated[Literal["servers"] | None, Field(description="Name who serves each time (right: servers).")] = (
        None
    )


class SlotSearch(SlotQuery):
    """Which times, and for whom; what says something about a citizen is never part of a URL."""

    model_config = Body.model_config | _example(
        {"from": "2026-12-01T00:00:00Z", "to": "2026-12-15T00:00:00Z", "citizen": {"reference": "borger-7f3a"}}
    )
    citizen: Annotated[Citizen | None, Field(description="The look-up is written to the audit log.")] = None


class WhyQuery(Body):
    """Which time."""

    offer: Name
    caseworker: Name
    start: Annotated[Instant, Field(description="When the meeting would begin.")]
    form: Annotated[Form | None, Field(description="Left out: the form that comes nearest to being on offer.")] = None


class HoldRequest(Body):
    """A time to be kept for some minutes."""

    model_config = Body.model_config | _example(
        {"offer": "jobsamtale", "start": "2026-12-01T09:00:00Z", "form": "in-person"},
        {"offer": "jobsamtale", "start": "2026-12-01T10:00:00+01:00", "form": "phone", "caseworker": "anna"},
    )
    offer: Name
    start: Annotated[Instant, Field(description="The start of a slot.")]
    form: Form
    caseworker: Annotated[Name | None, Field(description="Left out: syncd chooses among those free.")] = None
    citizen: Annotated[Citizen | None, Field(description="Lets limits per citizen be checked now already.")] = None


class BookRequest(Body):
    """A hold to be made a booking."""

    model_config = Body.model_config | _example(
        {"hold": "h5b5n2q7xk3c9w0r4tya", "citizen": {"reference": "borger-7f3a"}}
    )
    hold: Name
    citizen: Citizen


class RescheduleRequest(Body):
    """A new time for a booking; its own time counts as free."""

    model_config = Body.model_config | _example({"start": "2026-12-02T09:00:00Z"})
    start: Instant
    caseworker: Annotated[Name | None, Field(description="Left out: as before.")] = None
    form: Annotated[Form | None, Field(description="Left out: as before.")] = None


class CancelRequest(Body):
    """A booking to be given up."""

    model_config = Body.model_config | _example({}, {"reason": "citizen"})
    reason: Annotated[
        Literal["citizen", "staff"] | None, Field(description="Who gives it up; kept in the audit log.")
    ] = None


class BookingSearch(Body):
    """Whose bookings."""

    model_config = Body.model_config | _example({"citizen": {"reference": "borger-7f3a"}})
    citizen: Citizen


class Text(BaseModel):
    """A sentence in both languages."""

    da: str
    en: str


class FormAnswer(BaseModel):
    """A way to hold the meeting."""

    form: Form
    minutes: int
    room: Annotated[bool, Field(description="Whether it takes place in a room of ours.")]


class OfferAnswer(BaseModel):
    """What can be booked; minutes throughout, except horizon_days."""

    name: str
    title: Annotated[dict[str, str], Field(description="By language.")]
    talk_type: str
    topics: list[str]
    forms: list[FormAnswer]
    step: int
    notice: Annotated[int, Field(description="A slot begins at least this much later than now.")]
    horizon_days: int
    hold_minutes: int
    cancel_notice: Annotated[int, Field(description="Citizens may move or cancel until so long before the start.")]
    moves: Annotated[int | None, Field(description="How often a booking may be moved; null for any number.")]


class OffersAnswer(BaseModel):
    """The offers in force."""

    model_config = _example(
        {
            "rules": 3,
            "offers": [
                {
                    "name": "jobsamtale",
                    "title": {"da": "Jobsamtale", "en": "Job talk"},
                    "talk_type": "",
                    "topics": [],
                    "forms": [{"form": "in-person", "minutes": 30, "room": True}],
                    "step": 15,
                    "notice": 120,
                    "horizon_days": 28,
                    "hold_minutes": 10,
                    "cancel_notice": 60,
                    "moves": 3,
                }
            ],
        }
    )
    rules: Annotated[int, Field(description="Number of the revision of the rules.")]
    offers: list[OfferAnswer]


class SlotAnswer(BaseModel):
    """One bookable time."""

    start: datetime
    end: datetime
    form: Form
    count: Annotated[int, Field(description="How many caseworkers can serve it.", ge=1)]
    caseworkers: Annotated[list[str], Field(description="Who; only with expand=servers.")] = []


class ClosedAnswer(BaseModel):
    """Caseworkers left out, because their calendar cannot be trusted now."""

    reason: str
    count: int
    caseworkers: Annotated[list[str], Field(description="Who; only with expand=servers.")] = []


class SlotsAnswer(BaseModel):
    """Times on offer, and how far they can be trusted."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "offer": "jobsamtale",
                    "from": "2026-12-01T00:00:00Z",
                    "to": "2026-12-15T00:00:00Z",
                    "status": "open",
                    "generation": 412,
                    "as_of": "2026-11-30T11:59:41Z",
                    "valid_until": "2026-11-30T12:15:00Z",
                    "slots": [SLOT],
                    "closed": [],
                }
            ]
        },
    )
    offer: str
    start: Annotated[datetime, Field(alias="from")]
    end: Annotated[datetime, Field(alias="to")]
    status: Annotated[
        Literal["open", "fully-booked", "temporarily-closed"],
        Field(
            description="open: there are slots. fully-booked: all calendars are known and there is no time. "
            "temporarily-closed: there is no time in the calendars that can be trusted now, and some cannot."
        ),
    ]
    say: Annotated[Text | None, Field(description="What to tell the citizen when there is no slot.")] = None
    support: Annotated[str | None, Field(description="Whom the citizen can call when closed.")] = None
    generation: Annotated[int, Field(description="Grows with every change that can change an answer.")]
    as_of: Annotated[datetime | None, Field(description="Age of the oldest calendar it rests on.")]
    valid_until: Annotated[datetime, Field(description="When time alone changes the answer.")]
    slots: list[SlotAnswer]
    closed: list[ClosedAnswer]


class RoomOfMeeting(BaseModel):
    """The room of a meeting, and whether it is settled."""

    state: RoomState
    id: str | None = None
    name: str | None = None


class HoldAnswer(BaseModel):
    """A time kept for some minutes."""

    model_config = _example(HOLD)
    id: str
    code: Annotated[str, Field(description="Short code that stands in the caseworker's calendar too.")]
    offer: str
    caseworker: str
    form: Form
    start: datetime
    end: datetime
    zone: Annotated[str, Field(description="IANA zone whose clocks the citizen goes by.")]
    state: BookingState
    room: RoomOfMeeting
    expires: Annotated[datetime | None, Field(description="Until when the time is kept.")] = None
    moves: Annotated[int, Field(description="How often the citizen moved it.")]
    created: datetime


class BookingAnswer(HoldAnswer):
    """A booking."""

    model_config = _example(BOOKING)
    calendars: Annotated[
        Literal["owed", "written"],
        Field(description="Whether every calendar was seen to hold the meeting; owed ones are written until they do."),
    ]


class BookingsAnswer(BaseModel):
    """A citizen's bookings with this client."""

    model_config = _example({"bookings": [BOOKING]})
    bookings: list[BookingAnswer]


class WhyAnswer(BaseModel):
    """Why a time is on offer, or what took it away."""

    model_config = _example(
        {
            "offered": False,
            "reason": "event",
            "says": {
                "da": "Optaget i kalenderen (optaget) 09:00–10:00.",
                "en": "Taken in the calendar (busy) 09:00–10:00.",
            },
            "offer": "jobsamtale",
            "caseworker": "anna",
            "form": "in-person",
            "start": "2026-12-01T08:30:00Z",
            "end": "2026-12-01T09:15:00Z",
            "facts": {"busy": "busy", "start": "2026-12-01T08:00:00Z", "end": "2026-12-01T09:00:00Z"},
            "counts": {"grid": 96, "hours": 26, "events": 19, "claims": 17, "notice": 17, "horizon": 17},
        }
    )
    offered: bool
    reason: Reason
    says: Text
    offer: str
    caseworker: str
    form: Form
    start: datetime
    end: datetime
    facts: Annotated[dict[str, str], Field(description="What the sentence rests on; never an event's subject.")]
    counts: Annotated[dict[str, int], Field(description="How many of the day's candidates survived each step.")]


class RoomAnswer(BaseModel):
    """A room that meetings can be given."""

    id: str
    name: str
    site: str
    floor: int
    capacity: int
    features: list[str]
    step_free: bool


class RoomsAnswer(BaseModel):
    """All rooms."""

    model_config = _example(
        {
            "rooms": [
                {
                    "id": "lokale-1",
                    "name": "Lokale 1.07",
                    "site": "torvet",
                    "floor": 1,
                    "capacity": 4,
                    "features": ["screen"],
                    "step_free": True,
                }
            ]
        }
    )
    rooms: list[RoomAnswer]
