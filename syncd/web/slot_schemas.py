"""The JSON of times: what may be asked of them and what is answered; each with an example."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from syncd.model.contact import Contact
from syncd.model.eligibility import Traits
from syncd.model.offer import Form
from syncd.model.verdict import Reason
from syncd.web.inputs import Body, Day, Flag, Instant, Name, PageSize, Phone, Reference, Written

SLOT: dict[str, Any] = {"start": "2026-12-01T09:00:00Z", "end": "2026-12-01T09:30:00Z", "form": "in-person", "count": 2}


def example(*values: dict[str, Any]) -> ConfigDict:
    """The part of a model's configuration that shows examples."""
    return ConfigDict(json_schema_extra={"examples": list(values)})


class Text(BaseModel):
    """A sentence in both languages."""

    da: str
    en: str


class Citizen(Body):
    """The citizen, by the client's own reference."""

    model_config = Body.model_config | example({"reference": "borger-7f3a"})
    reference: Reference


class ContactRequest(Body):
    """How the citizen can be reached; kept under seal, and erased soon after the meeting."""

    model_config = Body.model_config | example({"name": "Ada Berg", "phone": "+45 12 34 56 78"})
    name: Annotated[Written | None, Field(description="As staff should say it.")] = None
    birth_date: date | None = None
    phone: Phone | None = None
    mail: Annotated[str | None, Field(max_length=200, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$")] = None

    def contact(self) -> Contact:
        """As the rest of syncd knows it."""
        return Contact(self.name, self.birth_date, self.phone, self.mail)


class BookedCitizen(Citizen):
    """The citizen, and how to reach them where the portal passes it on."""

    model_config = Body.model_config | example(
        {"reference": "borger-7f3a", "contact": {"name": "Ada Berg", "phone": "+45 12 34 56 78"}}
    )
    contact: Annotated[ContactRequest | None, Field(description="Refused where no key to seal it is configured.")] = (
        None
    )


class KnownCitizen(Citizen):
    """The citizen, and what the offer's rules may ask about: codes as the portal passes them."""

    model_config = Body.model_config | example(
        {"reference": "borger-7f3a", "contact_group": "1", "groups": ["0f8fad5b-d9cb-469f-a165-70867728950e"]}
    )
    contact_group: Annotated[Name | None, Field(description="Kontaktgruppe.")] = None
    category: Annotated[Name | None, Field(description="Klientkategori.")] = None
    groups: Annotated[list[Name], Field(max_length=200, description="Persongruppemarkeringer.", default_factory=list)]
    caseworker: Annotated[Name | None, Field(description="The citizen's own caseworker.")] = None

    def traits(self) -> Traits:
        """What the rules see of it."""
        return Traits(self.contact_group or "", self.category or "", frozenset(self.groups), self.caseworker)


class SlotQuery(Body):
    """Which times."""

    start: Annotated[Instant, Field(alias="from", description="Slots begin at or after this.")]
    end: Annotated[Instant, Field(alias="to", description="Slots end at or before this.")]
    caseworker: Annotated[Name | None, Field(description="Only this caseworker's times.")] = None
    form: Annotated[Form | None, Field(description="Only meetings of this form.")] = None
    expand: Annotated[Literal["servers"] | None, Field(description="Name who serves each time (right: servers).")] = (
        None
    )
    immediate: Annotated[Flag, Field(description="For immediate booking: with the times that are kept for it.")] = False
    latest: Annotated[Day | None, Field(description="The last day on which the meeting may be held.")] = None
    limit: Annotated[PageSize | None, Field(description="Most times in one answer; next tells where to go on.")] = None
    view: Annotated[
        Literal["days"] | None, Field(description="Only the days that have times, with how many and the first.")
    ] = None


class SlotSearch(SlotQuery):
    """Which times, and for whom; what says something about a citizen is never part of a URL."""

    model_config = Body.model_config | example(
        {"from": "2026-12-01T00:00:00Z", "to": "2026-12-15T00:00:00Z", "citizen": {"reference": "borger-7f3a"}},
        {
            "from": "2026-12-01T00:00:00Z",
            "to": "2026-12-15T00:00:00Z",
            "latest": "2026-12-10",
            "citizen": {"reference": "borger-7f3a", "contact_group": "1", "caseworker": "anna"},
        },
    )
    citizen: Annotated[KnownCitizen | None, Field(description="The look-up is written to the audit log.")] = None


class WhyQuery(Body):
    """Which time."""

    offer: Name
    caseworker: Name
    start: Annotated[Instant, Field(description="When the meeting would begin.")]
    form: Annotated[Form | None, Field(description="Left out: the form that comes nearest to being on offer.")] = None
    immediate: Annotated[Flag, Field(description="For immediate booking.")] = False
    latest: Annotated[Day | None, Field(description="The last day on which the meeting may be held.")] = None


class WhySearch(WhyQuery):
    """Which time, and for whom."""

    model_config = Body.model_config | example(
        {
            "offer": "jobsamtale",
            "caseworker": "anna",
            "start": "2026-12-01T09:00:00Z",
            "citizen": {"reference": "borger-7f3a", "contact_group": "1"},
        }
    )
    citizen: KnownCitizen


class SlotAnswer(BaseModel):
    """One bookable time."""

    start: datetime
    end: datetime
    form: Form
    count: Annotated[int, Field(description="How many caseworkers can serve it.", ge=1)]
    seats: Annotated[int | None, Field(description="Seats left, of group meetings.")] = None
    caseworkers: Annotated[list[str], Field(description="Who; only with expand=servers.")] = []


class ClosedAnswer(BaseModel):
    """Caseworkers left out, because their calendar cannot be trusted now."""

    reason: str
    count: int
    since: Annotated[datetime | None, Field(description="Since when, as far as it is known.")] = None
    caseworkers: Annotated[list[str], Field(description="Who; only with expand=servers.")] = []


class DayAnswer(BaseModel):
    """A day that has times, by the site's clocks; days without any are left out."""

    date: date
    times: int
    first: datetime


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
        Literal["open", "fully-booked", "temporarily-closed", "not-entitled"],
        Field(
            description="open: there are slots. fully-booked: all calendars are known and there is no time. "
            "temporarily-closed: there is no time in the calendars that can be trusted now, and some cannot. "
            "not-entitled: the offer's rules do not let this citizen book it."
        ),
    ]
    say: Annotated[Text | None, Field(description="What to tell the citizen when there is no slot.")] = None
    support: Annotated[str | None, Field(description="Whom the citizen can call when closed or not entitled.")] = None
    since: Annotated[datetime | None, Field(description="Since when it is temporarily closed, if known.")] = None
    next: Annotated[datetime | None, Field(description="There are more times: the 'from' of the next page.")] = None
    days: Annotated[list[DayAnswer], Field(description="Only with view=days.")] = []
    generation: Annotated[int, Field(description="Grows with every change that can change an answer.")]
    as_of: Annotated[datetime | None, Field(description="Age of the oldest calendar it rests on.")]
    valid_until: Annotated[datetime, Field(description="When time alone changes the answer.")]
    slots: list[SlotAnswer]
    closed: list[ClosedAnswer]


class WhyAnswer(BaseModel):
    """Why a time is on offer, or what took it away."""

    model_config = example(
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
