"""The JSON of absences and hand-overs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from syncd.booking.proposals import Remedy
from syncd.booking.watch import Why
from syncd.model.offer import Form
from syncd.web.inputs import Body, Instant, Name

ABSENCE: dict[str, Any] = {
    "id": "7",
    "caseworker": "anna",
    "from": "2026-12-01T07:00:00Z",
    "to": "2026-12-01T16:00:00Z",
    "reachable": False,
}
PROPOSAL: dict[str, Any] = {
    "meeting": "k7mq2xr4c9w0r4tyah5b",
    "code": "K7MQ-2XR4",
    "caseworker": "anna",
    "form": "in-person",
    "start": "2026-12-01T09:00:00Z",
    "end": "2026-12-01T09:30:00Z",
    "remedy": "colleague",
    "to": "bo",
    "new_start": None,
    "call": False,
    "colleagues": ["bo"],
    "by_phone": ["bo"],
    "times": [{"start": "2026-12-02T09:00:00Z", "caseworker": "anna"}],
}
DONE = {"meeting": "k7mq2xr4c9w0r4tyah5b", "code": "K7MQ-2XR4", "remedy": "colleague", "refused": None, "call": True}


def _example(value: dict[str, Any]) -> ConfigDict:
    return ConfigDict(populate_by_name=True, json_schema_extra={"examples": [value]})


class AbsenceRequest(Body):
    """Somebody is away."""

    model_config = Body.model_config | _example({key: ABSENCE[key] for key in ("caseworker", "from", "to")})
    caseworker: Name
    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]
    reachable: Annotated[
        bool, Field(description="They can hold talks by telephone; only those in person are affected.")
    ] = False


class HandoverRequest(Body):
    """What was decided for one meeting."""

    model_config = Body.model_config | _example({"remedy": "colleague", "to": "bo"})
    remedy: Remedy
    to: Annotated[Name | None, Field(description="Who holds it; left out when it is cancelled.")] = None
    start: Annotated[Instant | None, Field(description="The new time, for new-time.")] = None


class ChoiceRequest(HandoverRequest):
    """What was decided for one meeting of an absence."""

    meeting: Name


class SettleRequest(Body):
    """What was decided for all meetings of an absence."""

    model_config = Body.model_config | _example(
        {"choices": [{"meeting": PROPOSAL["meeting"], "remedy": "colleague", "to": "bo"}]}
    )
    choices: Annotated[tuple[ChoiceRequest, ...], Field(min_length=1, max_length=200)]


class AbsenceAnswer(BaseModel):
    """An absence that was given."""

    model_config = _example(ABSENCE)
    id: str
    caseworker: str
    start: Annotated[datetime, Field(alias="from")]
    end: Annotated[datetime, Field(alias="to")]
    reachable: bool


class SuggestedAnswer(BaseModel):
    """An absence that a calendar suggests."""

    caseworker: str
    start: Annotated[datetime, Field(alias="from")]
    end: Annotated[datetime, Field(alias="to")]
    why: Why
    meetings: Annotated[int, Field(description="How many meetings it covers.")]


class AbsencesAnswer(BaseModel):
    """All absences that are not over."""

    model_config = _example({"given": [ABSENCE], "suggested": []})
    given: list[AbsenceAnswer]
    suggested: list[SuggestedAnswer]


class TimeAnswer(BaseModel):
    """Another time."""

    start: datetime
    caseworker: str


class HandoverAnswer(BaseModel):
    """What is proposed for a meeting, and what else could be had."""

    model_config = _example(PROPOSAL)
    meeting: str
    code: Annotated[str, Field(description="The code that stands in the calendar.")]
    caseworker: str
    form: Form
    start: datetime
    end: datetime
    remedy: Remedy
    to: str | None
    new_start: datetime | None
    call: Annotated[bool, Field(description="It is so near that the citizen must be called.")]
    colleagues: Annotated[list[str], Field(description="Who could take it as it is, the least burdened first.")]
    by_phone: Annotated[list[str], Field(description="Who could hold it by telephone.")]
    times: list[TimeAnswer]


class ProposalAnswer(AbsenceAnswer):
    """An absence, with what is proposed for each meeting in it."""

    model_config = _example(ABSENCE | {"proposals": [PROPOSAL]})
    proposals: list[HandoverAnswer]


class ContactAnswer(BaseModel):
    """How the citizen of one booking can be reached; null where the portal said nothing."""

    booking: str
    name: str | None
    birth_date: date | None
    phone: str | None
    mail: str | None


class ContactsAnswer(BaseModel):
    """How the citizens of a meeting can be reached."""

    model_config = _example(
        {
            "contacts": [
                {
                    "booking": "h5b5n2q7xk3c9w0r4tya",
                    "name": "Ada Berg",
                    "birth_date": None,
                    "phone": "+45 12 34 56 78",
                    "mail": None,
                }
            ]
        }
    )
    contacts: list[ContactAnswer]


class DoneAnswer(BaseModel):
    """What became of one choice."""

    meeting: str
    code: str
    remedy: Remedy
    refused: Annotated[
        str | None,
        Field(
            description="Why nothing was changed, such as a colleague who is not free or whose calendar is unknown; "
            "null when it was carried out. To try again, send another Idempotency-Key."
        ),
    ]
    call: Annotated[bool, Field(description="The citizen must be called; a task says so, too.")]


class SettleAnswer(BaseModel):
    """What became of all choices."""

    model_config = _example({"id": "7", "done": [DONE]})
    id: str
    done: list[DoneAnswer]
