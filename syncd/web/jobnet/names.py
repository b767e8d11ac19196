"""What each field is called in each generation, how sure that is, and from which page it is known.

A row is: name in REST, mark, name in SOAP, mark, source keys (reference/jobnet-planner-contract.md), meaning.
An empty name means that the generation has no such field. Names marked C or ? are our choices until the real Swagger
or WSDL is at hand: the mapping file can change them, as it can those marked B; what is marked A stands.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Mark(StrEnum):
    """How sure a fact is, as the reference has it."""

    A = "A"
    """Read on a published page."""
    B = "B"
    """Read on a draft, an old version or a comparison of versions."""
    C = "C"
    """Inferred."""
    OPEN = "?"
    """Unknown; our choice."""

    @property
    def ours(self) -> bool:
        """Whether the contract leaves it to us until it is known."""
        return self in (Mark.C, Mark.OPEN)


A, B, C, OPEN = Mark.A, Mark.B, Mark.C, Mark.OPEN


class Field(NamedTuple):
    """The names of one field.

    :param rest, soap: empty where the generation has no such field.
    """

    rest: str
    rest_mark: Mark
    soap: str
    soap_mark: Mark
    source: str
    about: str


_CPR = Field("", C, "PersonCivilRegistrationIdentifier", A, "EBS3", "the citizen; a header in REST")
_CPR_C = _CPR._replace(soap_mark=C, source="EBS3, JK")
_WORKER = Field("CaseWorkerIdentifier", B, "CaseWorkerIdentifier", B, "JK", "one caseworker, by the case system's id")
_LATEST = Field("SidsteAfholdelsesdato", C, "InterviewDateLimit", C, "JK", "the last day it may be held")
_IMMEDIATE = Field("StraksbookingPaakraevet", C, "ImmediateBookingRequired", C, "JK", "immediate booking")
_OFFER_PATH = Field("", B, "InterviewOptionID", B, "BB, JK", "the offer; in the path in REST")
_OFFER = Field("MoedetilbudId", B, "InterviewOptionID", B, "BB, JK", "the offer")
_START = Field("StartTidspunkt", C, "BookingStartTime", B, "JK, ILL", "when it begins")
_FORM = Field("SamtaleformType", C, "InterviewContactTypeIdentifier", B, "ILL, JK", "how it is held")
_RESERVATION = Field("ReservationId", OPEN, "ReservationIdentifier", OPEN, "E639", "the reserved time")
_INDKALDELSE = Field("", B, "BookingIdentifier", B, "BB, ILL", "the booking; in the path in REST")
_PLACE = Field("MoedestedDetalje", C, "InterviewLocationDetail", B, "BB, JK", "where it is held")
_FORMS = Field("SamtaleformTypeSamling", C, "InterviewContactTypeCollection", C, "BB, JK", "how it can be held")

FIELDS: dict[str, Field] = {
    "PersonCategory.type": Field("KlientkategoriType", OPEN, "PersonCategoryTypeIdentifier", A, "EBS3", "its code"),
    "PersonCategory.since": Field("Haendelsesdato", OPEN, "IncidentDate", A, "EBS3", "when she was put into it"),
    "Absence.identifier": Field("", B, "AbsenceIdentifier", A, "EBS3", "absence type"),
    "KnownBooking.indkaldelse": Field("IndkaldelseId", OPEN, "", C, "BB", "which booking"),
    "KnownBooking.talk_type": Field("SamtaleType", OPEN, "", C, "BB", "which type of talk"),
    "KnownBooking.start": Field("StartTidspunkt", OPEN, "", C, "BB", "when it begins"),
    "OffersQuestion.cpr": _CPR,
    "OffersQuestion.jobcentre": Field("JobcenterKode", OPEN, "JobCenterCode", A, "EBS3", "her jobcentre, five digits"),
    "OffersQuestion.contact_group": Field(
        "KontaktgruppeType", OPEN, "ContactGroupTypeIdentifier", A, "EBS3", "kontaktgruppe"
    ),
    "OffersQuestion.category": Field("Klientkategori", OPEN, "PersonCategory", A, "EBS3", "klientkategori"),
    "OffersQuestion.groups": Field(
        "PersongruppeSamling", OPEN, "PersonGroupProjectIdentifierCollection", A, "EBS3", "persongruppemarkeringer"
    ),
    "OffersQuestion.external_operator": Field(
        "", B, "HasExternalOperatorReferral", A, "EBS3, BB", "out of use; gone in REST"
    ),
    "OffersQuestion.absences": Field("", B, "AbsenceCollection", A, "EBS3, BB", "out of use; gone in REST"),
    "OffersQuestion.bookings": Field("BookingSamling", OPEN, "", C, "BB", "bookings the citizen has"),
    "Place.description": Field(
        "MoedestedBeskrivelse", C, "InterviewLocationDescription", B, "BB, JK", "the place, in words"
    ),
    "Offer.id": _OFFER,
    "Offer.talk_type": Field("SamtaleType", B, "InterviewTypeIdentifier", B, "BB, JK", "type of talk"),
    "Offer.meeting_group": Field("MoedeGruppeType", B, "InterviewFormTypeIdentifier", B, "BB, JK", "joint or alone"),
    "Offer.forms": _FORMS,
    "Offer.place": _PLACE,
    "Offer.title": Field("Titel", OPEN, "InterviewTitle", OPEN, "BB", "what the talk is called"),
    "Offer.minutes": Field("Varighed", OPEN, "Duration", OPEN, "BB", "minutes"),
    "OffersAnswer.offers": Field("MoedetilbudSamling", B, "InterviewOptionCollection", B, "BB, JK", "the offers"),
    "TimesQuestion.cpr": _CPR_C,
    "TimesQuestion.offer": _OFFER_PATH,
    "TimesQuestion.start": Field(
        "BookingOptionIntervalStartTime", B, "BookingOptionIntervalStartTime", B, "JK", "from when"
    ),
    "TimesQuestion.end": Field(
        "BookingOptionIntervalEndTime", B, "BookingOptionIntervalEndTime", B, "JK", "until when"
    ),
    "TimesQuestion.caseworker": _WORKER,
    "TimesQuestion.latest": _LATEST,
    "TimesQuestion.immediate": _IMMEDIATE,
    "Supervisor.given_name": Field("CaseWorkerGivenName", B, "CaseWorkerGivenName", B, "JK", "given name"),
    "Supervisor.middle_name": Field("CaseWorkerMiddleName", B, "CaseWorkerMiddleName", B, "JK", "middle name"),
    "Supervisor.surname": Field("CaseWorkerSurname", B, "CaseWorkerSurname", B, "JK", "surname"),
    "Supervisor.identifier": _WORKER._replace(about="the case system's id"),
    "CaseWorkerToBook.id": Field("id", B, "id", B, "JK", "the number slots refer to"),
    "CaseWorkerToBook.supervisor": Field("Supervisor", B, "Supervisor", B, "JK", "who it is"),
    "Slot.start": Field("StartTime", B, "StartTime", B, "JK", "when it begins"),
    "Slot.forms": _FORMS,
    "Slot.rebooking": Field("RebookingPossible", B, "RebookingPossible", B, "JK", "may it be moved later"),
    "Slot.cancellation": Field("CancellationPossible", B, "CancellationPossible", B, "JK", "may it be cancelled later"),
    "Slot.most": Field("MaksimaltMoededeltagerantal", B, "MaksimaltMoededeltagerantal", B, "JK", "seats in all"),
    "Slot.seats": Field("AvailableNoOfSeats", B, "AvailableNoOfSeats", B, "JK", "seats left"),
    "Slot.caseworkers": Field("CaseWorkerIDCollection", B, "CaseWorkerIDCollection", B, "JK", "who can hold it"),
    "TimesAnswer.caseworkers": Field(
        "CaseWorkerToBookCollection", C, "CaseWorkerToBookCollection", C, "JK", "who can be booked"
    ),
    "TimesAnswer.slots": Field("BookingTimeslotCollection", B, "BookingTimeslotCollection", B, "JK", "the times"),
    "DetailsQuestion.cpr": _CPR_C,
    "DetailsQuestion.offer": _OFFER_PATH._replace(soap_mark=A, source="BB, E639"),
    "DetailsQuestion.booking": Field("IndkaldelseId", C, "BookingIdentifier", A, "E639", "the booking to be moved"),
    "DetailsQuestion.start": _START,
    "DetailsQuestion.caseworker": _WORKER,
    "DetailsQuestion.form": _FORM,
    "DetailsQuestion.latest": _LATEST,
    "DetailsQuestion.immediate": _IMMEDIATE,
    "ReserveQuestion.offer": _OFFER._replace(soap=""),
    "ReserveQuestion.start": _START._replace(soap=""),
    "ReserveQuestion.caseworker": _WORKER._replace(soap="", rest_mark=C),
    "ReserveQuestion.form": _FORM._replace(soap=""),
    "ReserveQuestion.latest": _LATEST._replace(soap=""),
    "ReserveQuestion.immediate": _IMMEDIATE._replace(soap=""),
    "Details.talk_type": Field("SamtaleType", C, "InterviewTypeIdentifier", C, "PLA", "type of talk"),
    "Details.form": _FORM,
    "Details.start": _START,
    "Details.end": Field("SlutTidspunkt", C, "BookingEndTime", C, "ILL, PLA", "when it ends"),
    "Details.title": Field("Titel", C, "InterviewTitle", C, "PLA", "what the talk is called"),
    "Details.place": _PLACE._replace(soap_mark=C),
    "Details.link": Field("DigitaltMoedelink", C, "DigitalMeetingLink", C, "IND1", "where a digital meeting is held"),
    "Details.caseworker": Field("Supervisor", C, "Supervisor", C, "PLA", "who holds it"),
    "Details.compulsory": Field("Moedepligt", C, "CompulsoryAttendance", B, "ILL", "whether attendance is compulsory"),
    "Details.should_accept": Field(
        "SkalAccepteres", C, "CitizenShouldAcceptBooking", B, "ILL", "whether the citizen is asked to accept"
    ),
    "Details.accepted": Field("Accepteret", C, "AcceptedBooking", B, "ILL", "whether she has"),
    "Details.rebooking": Field("OmbookingMulig", C, "ReBookingPossible", B, "ILL", "may it be moved"),
    "Details.rebooking_deadline": Field("OmbookingFrist", C, "ReBookingDeadline", B, "ILL", "until when"),
    "Details.cancellation": Field("AflysningMulig", C, "CancellationPossible", B, "ILL", "may it be cancelled"),
    "Details.cancellation_deadline": Field("AflysningFrist", C, "CancellationDeadline", B, "ILL", "until when"),
    "Details.self_booked": Field("Selvbooket", B, "SelfBooked", B, "ILL, IND1", "whether the citizen booked it"),
    "ReservedAnswer.reservation": _RESERVATION,
    "ReservedAnswer.until": Field("ReserveretTil", OPEN, "ReservedUntil", OPEN, "E639", "until when the time is kept"),
    "ReservedAnswer.details": Field("Bookingdetaljer", C, "JobnetBookingDetails", B, "BB, ILL", "the details"),
    "CreateQuestion.cpr": _CPR_C._replace(source="ILL"),
    "CreateQuestion.indkaldelse": _INDKALDELSE._replace(soap_mark=C),
    "CreateQuestion.reservation": _RESERVATION,
    "CreateQuestion.offer": _OFFER._replace(rest_mark=C, source="ILL"),
    "CreateQuestion.start": _START,
    "CreateQuestion.caseworker": _WORKER._replace(rest_mark=C),
    "CreateQuestion.form": _FORM,
    "ChangeQuestion.cpr": _CPR_C,
    "ChangeQuestion.indkaldelse": _INDKALDELSE._replace(soap_mark=C),
    "RescheduleQuestion.cpr": _CPR_C._replace(rest=""),
    "RescheduleQuestion.indkaldelse": _INDKALDELSE._replace(source="JK"),
    "RescheduleQuestion.start": _START._replace(rest=""),
    "RescheduleQuestion.caseworker": _WORKER._replace(rest=""),
    "RescheduleQuestion.reservation": _RESERVATION._replace(rest=""),
    "BookingAnswer.indkaldelse": Field("IndkaldelseId", C, "BookingIdentifier", B, "ILL", "the booking"),
    "BookingAnswer.details": Field("Bookingdetaljer", C, "JobnetBookingDetails", B, "BB, ILL", "the details"),
    "ReportQuestion.offer": Field("MoedetilbudId", B, "", B, "BB", "the offer, if it is about one"),
    "ReportQuestion.indkaldelse": Field("IndkaldelseId", B, "", B, "BB", "the meeting, if it is about one"),
    "ReportQuestion.code": Field("Fejlkode", B, "", B, "BB", "which error"),
    "ReportQuestion.text": Field("Fejltekst", B, "", B, "BB", "what was written"),
    "ReportQuestion.origin": Field("FejlOphav", B, "", B, "BB", "30 DFDG or 32 Jobnet"),
    "ReportQuestion.at": Field("FejlTidspunkt", B, "", B, "BB", "when it was registered"),
    "FaultAnswer.code": Field("Fejlkode", OPEN, "ErrorCode", OPEN, "BB, JK", "which error"),
    "FaultAnswer.text": Field("Fejltekst", OPEN, "ErrorText", OPEN, "BB, JK", "what happened and what to do"),
    "FaultAnswer.field": Field("Felt", OPEN, "Field", OPEN, "–", "which part of the message is wrong"),
    "FaultAnswer.reservation": _RESERVATION._replace(about="the time is free still and kept anew"),
    "FaultAnswer.until": Field("ReserveretTil", OPEN, "ReservedUntil", OPEN, "–", "until when it is kept"),
}
"""By message and field."""

ITEMS: dict[str, tuple[str, Mark, str]] = {
    "OffersQuestion.groups": ("PersonGroupProjectIdentifier", A, "EBS3"),
    "OffersQuestion.absences": ("Absence", A, "EBS3"),
    "Offer.forms": ("SamtaleformType", B, "JK"),
    "OffersAnswer.offers": ("InterviewOption", B, "JK"),
    "Slot.forms": ("SamtaleformType", B, "JK"),
    "Slot.caseworkers": ("CaseWorkerID", B, "JK"),
    "TimesAnswer.caseworkers": ("CaseWorkerToBook", B, "JK"),
    "TimesAnswer.slots": ("BookingTimeslot", B, "JK"),
}
"""What one item of a collection is called in SOAP; in JSON a collection is an array."""

SOAP_REQUIRED = frozenset(
    {
        "OffersQuestion.cpr",
        "OffersQuestion.external_operator",
        "TimesQuestion.cpr",
        "TimesQuestion.offer",
        "DetailsQuestion.cpr",
        "CreateQuestion.cpr",
        "CreateQuestion.indkaldelse",
        "ChangeQuestion.cpr",
        "ChangeQuestion.indkaldelse",
        "RescheduleQuestion.cpr",
        "RescheduleQuestion.indkaldelse",
    }
)
"""Fields that SOAP demands (cardinality 1) and REST carries elsewhere or has no more."""
OPEN_ENDED = frozenset({"Absence"})
"""Messages of which only the beginning is known: what follows is let pass."""
