"""The JSON that goes in and out, as the OpenAPI document describes it; each with an example."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from syncd.booking.states import Standing
from syncd.model.booking import BookingState, RoomState
from syncd.model.contact import Contact
from syncd.model.eligibility import Own, Whom
from syncd.model.offer import Form
from syncd.web.inputs import Body, Day, Flag, Instant, Name, Phone
from syncd.web.slot_schemas import BookedCitizen, Citizen, KnownCitizen, Text, example

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
    "room": {
        "state": "pending",
        "announced": False,
        "site": "Jobcentret, Torvet 1",
        "reception": "Receptionen i stuen",
    },
    "moves": 0,
    "created": "2026-11-30T12:00:00Z",
}
BOOKING = {k: v for k, v in HOLD.items() if k != "expires"} | {
    "state": "pending",
    "calendars": "owed",
    "standing": "room-pending",
    "say": {"da": "Din tid er bestilt.", "en": "Your time is booked."},
    "conflict": False,
    "attention": False,
}


class HoldRequest(Body):
    """A time to be kept for some minutes."""

    model_config = Body.model_config | example(
        {"offer": "jobsamtale", "start": "2026-12-01T09:00:00Z", "form": "in-person"},
        {"offer": "jobsamtale", "start": "2026-12-01T10:00:00+01:00", "form": "phone", "caseworker": "anna"},
    )
    offer: Name
    start: Annotated[Instant, Field(description="The start of a slot.")]
    form: Form
    caseworker: Annotated[Name | None, Field(description="Left out: syncd chooses among those free.")] = None
    citizen: Annotated[
        KnownCitizen | None, Field(description="Lets limits per citizen, and who may book, be checked now already.")
    ] = None
    immediate: Annotated[Flag, Field(description="For immediate booking: with the times that are kept for it.")] = False
    latest: Annotated[Day | None, Field(description="The last day on which the meeting may be held.")] = None

    def whom(self) -> Whom:
        """For whom the time is."""
        return Whom(self.citizen.traits() if self.citizen else None, self.immediate, self.latest)


class BookRequest(Body):
    """A hold to be made a booking."""

    model_config = Body.model_config | example(
        {"hold": "h5b5n2q7xk3c9w0r4tya", "citizen": {"reference": "borger-7f3a"}}
    )
    hold: Name
    citizen: BookedCitizen
    topic: Annotated[Name | None, Field(description="One of the offer's topics.")] = None

    def contact(self) -> Contact:
        """How the citizen can be reached, as far as the portal says."""
        return self.citizen.contact.contact() if self.citizen.contact else Contact()


class RescheduleRequest(Body):
    """A new time for a booking; its own time counts as free."""

    model_config = Body.model_config | example({"start": "2026-12-02T09:00:00Z"})
    start: Instant
    caseworker: Annotated[Name | None, Field(description="Left out: as before.")] = None
    form: Annotated[Form | None, Field(description="Left out: as before.")] = None
    phone: Annotated[Phone | None, Field(description="The citizen's number, when it becomes a talk by phone.")] = None
    immediate: Annotated[Flag, Field(description="For immediate booking: with the times that are kept for it.")] = False
    latest: Annotated[Day | None, Field(description="The last day on which the meeting may be held.")] = None

    def whom(self) -> Whom:
        """For whom the time is; who may book was asked when it was booked."""
        return Whom(immediate=self.immediate, latest=self.latest, staff=True)


class CancelRequest(Body):
    """A booking to be given up."""

    model_config = Body.model_config | example({}, {"reason": "citizen"})
    reason: Annotated[
        Literal["citizen", "staff"] | None, Field(description="Who gives it up; kept in the audit log.")
    ] = None


class BookingSearch(Body):
    """Whose bookings."""

    model_config = Body.model_config | example({"citizen": {"reference": "borger-7f3a"}})
    citizen: Citizen


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
    cancel_notice: Annotated[int, Field(description="Citizens may cancel until so long before the start.")]
    move_notice: Annotated[int, Field(description="Citizens may move it until so long before the start.")]
    cancellable: Annotated[bool, Field(description="Whether citizens may cancel at all.")]
    seats: Annotated[int, Field(description="Citizens per meeting; more than one: a group meeting.")]
    restricted: Annotated[bool, Field(description="Not for everybody: ask with what is known of the citizen.")]
    own: Annotated[Own, Field(description="What the citizen's own caseworker means.")]
    moves: Annotated[int | None, Field(description="How often a booking may be moved; null for any number.")]


class OffersAnswer(BaseModel):
    """The offers in force."""

    model_config = example(
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
                    "move_notice": 60,
                    "cancellable": True,
                    "seats": 1,
                    "restricted": False,
                    "own": "any",
                    "moves": 3,
                }
            ],
        }
    )
    rules: Annotated[int, Field(description="Number of the revision of the rules.")]
    offers: list[OfferAnswer]


class RoomOfMeeting(BaseModel):
    """Where to come: the house and where to report; the room itself once it is announced."""

    state: RoomState
    announced: Annotated[bool | None, Field(description="Whether the room may be told; until then it can change.")] = (
        None
    )
    site: Annotated[str | None, Field(description="The house, as people call it.")] = None
    reception: Annotated[str | None, Field(description="Where citizens report.")] = None
    id: str | None = None
    name: str | None = None


class HoldAnswer(BaseModel):
    """A time kept for some minutes."""

    model_config = example(HOLD)
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
    topic: Annotated[str | None, Field(description="What the citizen wants to talk about.")] = None
    partners: Annotated[list[str], Field(description="Who else takes part, of a collective meeting.")] = []
    created: datetime


class BookingAnswer(HoldAnswer):
    """A booking."""

    model_config = example(BOOKING)
    calendars: Annotated[
        Literal["owed", "written"],
        Field(description="Whether every calendar was seen to hold the meeting; owed ones are written until they do."),
    ]
    standing: Annotated[Standing, Field(description="How it stands, in one word; see the page on states.")]
    say: Annotated[Text | None, Field(description="What to tell the citizen.")]
    video: Annotated[str | None, Field(description="Where a meeting by video is held.")] = None
    conflict: Annotated[bool, Field(description="A human put something so that both overlap; nothing is moved back.")]
    attention: Annotated[bool, Field(description="A task asks a person of the staff to look at it.")]


class BookingsAnswer(BaseModel):
    """A citizen's bookings with this client."""

    model_config = example({"bookings": [BOOKING]})
    bookings: list[BookingAnswer]


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

    model_config = example(
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
