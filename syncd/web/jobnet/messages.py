"""The contract's messages, free of any generation's names; `syncd.web.jobnet.names` says what each field is called.

Types, patterns and cardinalities are the reference's where it is marked A or B.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from syncd.cpr import PATTERN

CPR_PATTERN = f"^({PATTERN})$"
GUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"

CprText = Annotated[str, Meta(pattern=CPR_PATTERN, max_length=10)]
Guid = Annotated[str, Meta(pattern=GUID_PATTERN, max_length=36)]
JobCenterCode = Annotated[str, Meta(pattern="^[0-9]{5}$", max_length=5)]
Moment = Annotated[datetime, Meta(extra_json_schema={"format": "date-time"})]
"""xs:dateTime; whether a zone is demanded is the mapping's."""
Code = Annotated[int, Meta(ge=0, le=99_999_999)]
"""An item of one of DFDG's code lists."""
Count = Annotated[int, Meta(ge=0, le=99_999_999)]
CaseWorkerIdentifier = Annotated[str, Meta(min_length=1, max_length=255)]
GivenName = Annotated[str, Meta(min_length=1, max_length=50)]
Name40 = Annotated[str, Meta(min_length=1, max_length=40)]
Words = Annotated[str, Meta(max_length=500)]
LongText = Annotated[str, Meta(max_length=4000)]


class Message(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base of all: unknown fields are errors, what is left out is not sent."""


class PersonCategory(Message, frozen=True, kw_only=True):
    """Klientkategori."""

    type: Code | None = None
    since: Moment


class Absence(Message, frozen=True, kw_only=True):
    """Why a citizen does not book by herself; what else it holds is not known and not looked at."""

    identifier: Code


class KnownBooking(Message, frozen=True, kw_only=True):
    """A booking the citizen has, sent along because some planners keep no list."""

    indkaldelse: Guid
    talk_type: Code
    start: Moment


class OffersQuestion(Message, frozen=True, kw_only=True):
    """E1: what is told of the citizen, so that offers can be matched."""

    cpr: CprText | None = None
    jobcentre: JobCenterCode
    contact_group: Code
    category: PersonCategory | None = None
    groups: list[Guid] | None = None
    external_operator: bool | None = None
    absences: list[Absence] | None = None
    bookings: list[KnownBooking] | None = None


class Place(Message, frozen=True, kw_only=True):
    """Where a meeting is held."""

    description: Words


class Offer(Message, frozen=True, kw_only=True):
    """A meeting offer, as it is shown to one citizen."""

    id: Guid
    talk_type: Code
    meeting_group: Code
    forms: Annotated[list[Code], Meta(min_length=1)]
    place: Place | None = None
    title: Words | None = None
    minutes: Count | None = None


class OffersAnswer(Message, frozen=True, kw_only=True):
    """E1: the offers."""

    offers: list[Offer] | None = None


class TimesQuestion(Message, frozen=True, kw_only=True):
    """E2: which times."""

    cpr: CprText | None = None
    offer: Guid | None = None
    start: Moment
    end: Moment
    caseworker: CaseWorkerIdentifier | None = None
    latest: date | None = None
    immediate: bool | None = None


class Supervisor(Message, frozen=True, kw_only=True):
    """A caseworker's name and id."""

    given_name: GivenName
    middle_name: Name40 | None = None
    surname: Name40
    identifier: CaseWorkerIdentifier


class CaseWorkerToBook(Message, frozen=True, kw_only=True):
    """A caseworker, with the number by which this answer refers to her."""

    id: Count
    supervisor: Supervisor


class Slot(Message, frozen=True, kw_only=True):
    """A time that can be booked."""

    start: Moment
    forms: Annotated[list[Code], Meta(min_length=1)]
    rebooking: bool
    cancellation: bool
    most: Count | None = None
    seats: Count | None = None
    caseworkers: Annotated[list[Count], Meta(min_length=1)]


class TimesAnswer(Message, frozen=True, kw_only=True):
    """E2: the times."""

    caseworkers: list[CaseWorkerToBook] | None = None
    slots: list[Slot] | None = None


class DetailsQuestion(Message, frozen=True, kw_only=True):
    """E3: the time a citizen chose; it is reserved."""

    cpr: CprText | None = None
    offer: Guid | None = None
    booking: Guid | None = None
    start: Moment
    caseworker: CaseWorkerIdentifier | None = None
    form: Code | None = None
    latest: date | None = None
    immediate: bool | None = None


class ReserveQuestion(Message, frozen=True, kw_only=True):
    """E4: a time for a booking that DFDG gave an id."""

    offer: Guid | None = None
    start: Moment
    caseworker: CaseWorkerIdentifier | None = None
    form: Code | None = None
    latest: date | None = None
    immediate: bool | None = None


class Details(Message, frozen=True, kw_only=True):
    """What the citizen sees of a meeting."""

    talk_type: Code
    form: Code
    start: Moment
    end: Moment
    title: Words
    place: Place | None = None
    link: Words | None = None
    caseworker: Supervisor
    compulsory: bool
    should_accept: bool
    accepted: bool
    rebooking: bool
    rebooking_deadline: Moment | None = None
    cancellation: bool
    cancellation_deadline: Moment | None = None
    self_booked: bool


class ReservedAnswer(Message, frozen=True, kw_only=True):
    """E3 and E4: a reserved time, until when, and its details."""

    reservation: Guid
    until: Moment
    details: Details


class CreateQuestion(Message, frozen=True, kw_only=True):
    """E5: the reservation that becomes a booking; what else is sent must agree with it."""

    cpr: CprText | None = None
    indkaldelse: Guid | None = None
    reservation: Guid
    offer: Guid | None = None
    start: Moment | None = None
    caseworker: CaseWorkerIdentifier | None = None
    form: Code | None = None


class ChangeQuestion(Message, frozen=True, kw_only=True):
    """E6: which booking is cancelled or accepted."""

    cpr: CprText | None = None
    indkaldelse: Guid | None = None


class RescheduleQuestion(Message, frozen=True, kw_only=True):
    """E6: to which time a booking is moved, with or without a reservation."""

    cpr: CprText | None = None
    indkaldelse: Guid | None = None
    start: Moment
    caseworker: CaseWorkerIdentifier | None = None
    reservation: Guid | None = None


class BookingAnswer(Message, frozen=True, kw_only=True):
    """E5 and E6: the booking as it stands now."""

    indkaldelse: Guid
    details: Details


class ReportQuestion(Message, frozen=True, kw_only=True):
    """E9: an error on Jobnet, or in what we answered."""

    offer: Guid | None = None
    indkaldelse: Guid | None = None
    code: Annotated[int, Meta(ge=0, le=2_147_483_647)]
    text: Words | None = None
    origin: Code
    at: Moment


class EmptyAnswer(Message, frozen=True, kw_only=True):
    """Nothing to say."""


class FaultAnswer(Message, frozen=True, kw_only=True):
    """Why nothing was done.

    :param reservation: the time was free still, and is kept anew under this id.
    """

    code: Code
    text: Words
    field: Words | None = None
    reservation: Guid | None = None
    until: Moment | None = None


MESSAGES: tuple[type[Message], ...] = (
    PersonCategory,
    Absence,
    KnownBooking,
    OffersQuestion,
    Place,
    Offer,
    OffersAnswer,
    TimesQuestion,
    Supervisor,
    CaseWorkerToBook,
    Slot,
    TimesAnswer,
    DetailsQuestion,
    ReserveQuestion,
    Details,
    ReservedAnswer,
    CreateQuestion,
    ChangeQuestion,
    RescheduleQuestion,
    BookingAnswer,
    ReportQuestion,
    EmptyAnswer,
    FaultAnswer,
)
"""Every message, parts before what they are parts of."""
