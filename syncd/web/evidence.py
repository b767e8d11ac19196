"""What was on offer then, for auditors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from syncd.errors import BadRequest
from syncd.model.eligibility import Traits
from syncd.model.evidence import Standing
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.publish.past import Past, past
from syncd.publish.statement import disturbances
from syncd.web.deps import Client, Service
from syncd.web.described import answers, resource
from syncd.web.inputs import Body, Instant, Name, PathName, asked, query_parameters

router = resource("/api/v1/offers")


class EvidenceQuery(Body):
    """Seen when, and which times."""

    at: Annotated[Instant, Field(description="As seen at this time.")]
    start: Annotated[Instant, Field(alias="from", description="Times begin at or after this.")]
    end: Annotated[Instant, Field(alias="to", description="Times begin before this.")]
    contact_group: Annotated[Name | None, Field(description="Only for citizens of this contact group.")] = None
    category: Annotated[Name | None, Field(description="Only for citizens of this client category.")] = None
    group: Annotated[Name | None, Field(description="Only for citizens in this person group.")] = None

    @property
    def traits(self) -> Traits | None:
        """The class of citizens asked about; None for everybody."""
        if self.contact_group is None and self.category is None and self.group is None:
            return None
        groups = frozenset([self.group] if self.group else [])
        return Traits(self.contact_group or "", self.category or "", groups)


class PeriodQuery(Body):
    """From when to when."""

    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]


class PastTime(BaseModel):
    """One time that could have been booked."""

    form: Form
    start: datetime


class EvidenceAnswer(BaseModel):
    """What was on offer at one instant."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "offer": "jobsamtale",
                    "at": "2026-11-30T11:00:00Z",
                    "from": "2026-12-01T00:00:00Z",
                    "to": "2026-12-08T00:00:00Z",
                    "on_record": True,
                    "status": "open",
                    "rules": 3,
                    "entitled": None,
                    "times": [{"form": "in-person", "start": "2026-12-01T09:00:00Z"}],
                }
            ]
        },
    )
    offer: str
    at: datetime
    start: Annotated[datetime, Field(alias="from")]
    end: Annotated[datetime, Field(alias="to")]
    on_record: Annotated[bool, Field(description="False: syncd was not running, and nothing could be booked.")]
    status: Annotated[Standing | None, Field(description="null: the offer was not in force.")]
    rules: Annotated[int | None, Field(description="Number of the revision of the rules then.")]
    entitled: Annotated[
        bool | None, Field(description="Whether this class of citizens could book it then; null when none was named.")
    ]
    times: list[PastTime]


class ClosedReason(BaseModel):
    """Why calendars were left out."""

    reason: str
    calendars: int


class DisturbanceAnswer(BaseModel):
    """One span in which the offer could not be booked."""

    offer: str
    start: Annotated[datetime, Field(alias="from")]
    end: Annotated[datetime, Field(alias="to")]
    minutes: int
    why: Annotated[
        Literal["closed", "down"], Field(description="closed: calendars not trusted; down: syncd was not running.")
    ]
    reasons: list[ClosedReason]
    times_before: Annotated[int, Field(description="How many times were on offer just before.")]
    times_after: Annotated[int | None, Field(description="And just after; null while it lasts.")]


class DisturbancesAnswer(BaseModel):
    """Every such span of a period."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "offer": "jobsamtale",
                    "disturbances": [
                        {
                            "offer": "jobsamtale",
                            "from": "2026-11-30T11:20:00Z",
                            "to": "2026-11-30T12:05:00Z",
                            "minutes": 45,
                            "why": "closed",
                            "reasons": [{"reason": "The server does not answer.", "calendars": 12}],
                            "times_before": 118,
                            "times_after": 112,
                        }
                    ],
                }
            ]
        }
    )
    offer: str
    disturbances: list[DisturbanceAnswer]


@router.get(
    "/{offer}/evidence",
    summary="What was on offer then",
    responses=answers(200, EvidenceAnswer, "From the record.", "bad-request", "forbidden"),
    openapi_extra={"parameters": query_parameters(EvidenceQuery)},
)
def read_evidence(
    service: Service, client: Client, offer: PathName, query: Annotated[EvidenceQuery, Depends(asked(EvidenceQuery))]
) -> Response:
    """Which times of the offer could have been booked, as seen at an instant; needs the right `evidence`."""
    client.need("evidence")
    if query.at > service.clock.now():
        raise BadRequest("'at' lies ahead; ask for the slots instead.")
    with service.store.read() as tx:
        window = _window(query.start, query.end)
        found = past(tx, service.directory(), offer, query.at, window, query.traits)
    return _json(_told(found))


@router.get(
    "/{offer}/disturbances",
    summary="When the offer could not be booked",
    responses=answers(200, DisturbancesAnswer, "From the record.", "bad-request", "unknown-offer", "forbidden"),
    openapi_extra={"parameters": query_parameters(PeriodQuery)},
)
def read_disturbances(
    service: Service, client: Client, offer: PathName, query: Annotated[PeriodQuery, Depends(asked(PeriodQuery))]
) -> Response:
    """Spans in which calendars could not be trusted, or syncd was not running; needs the right `evidence`."""
    client.need("evidence")
    window = _window(query.start, min(query.end, service.clock.now().replace(microsecond=0)))
    with service.store.read() as tx:
        found = disturbances(tx, service.rulebook(), window, (offer,))
    return _json({"offer": offer, "disturbances": [one.told() for one in found]})


def _window(start: Any, end: Any) -> Interval:
    if start >= end:
        raise BadRequest("'from' must be earlier than 'to', and in the past for disturbances.")
    return Interval(start, end)


def _told(found: Past) -> dict[str, object]:
    seen = found.seen
    return {
        "offer": seen.offer,
        "at": seen.at,
        "from": seen.window.start,
        "to": seen.window.end,
        "on_record": seen.watched,
        "status": seen.since.standing if seen.since else None,
        "rules": seen.since.rules if seen.since else None,
        "entitled": found.entitled,
        "times": [{"form": form, "start": start} for form, starts in found.times.items() for start in starts],
    }


def _json(content: object) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
