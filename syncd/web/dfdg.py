"""What staff's programs may ask about Jobnet: figures of self-booking, and open deadlines (right ``staff``)."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from syncd.dfdg.deadlines import per_day
from syncd.dfdg.figures import COLUMNS, Figure, row, told
from syncd.dfdg.reporting import Reporting
from syncd.errors import BadRequest, NotAllowed
from syncd.model.interval import Interval
from syncd.model.zones import wall_clock
from syncd.web.deps import Client, Deps, Service
from syncd.web.described import answers, resource
from syncd.web.inputs import Body, Instant, asked, query_parameters

router = resource("/api/v1/jobnet")
_FIGURE: dict[str, Any] = {
    "contact_group": "1",
    "self_booked": 76,
    "summoned": 24,
    "share_percent": 76.0,
    "left_out": {"joint": 3, "walk-in": 1},
    "from": "2026-11-01T00:00:00Z",
    "to": "2026-12-01T00:00:00Z",
    "rule": "2016: self-booked x 100 / (self-booked + summoned); walk-ins and joint talks left out",
    "coverage": "The case system's summonses are seen by messages. Records are known since 2026-01-05.",
}


class CsvResponse(Response):
    """A table for a spreadsheet."""

    media_type = "text/csv"


class PeriodQuery(Body):
    """Talks that begin from when to when."""

    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]


class FigureAnswer(BaseModel):
    """The share of self-booked talks of one contact group."""

    contact_group: str
    self_booked: int
    summoned: int
    share_percent: Annotated[float | None, Field(description="null when nothing was counted.")]
    left_out: Annotated[dict[str, int], Field(description="Talks that the rule does not count, by reason.")]
    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    rule: str
    coverage: str


class FiguresAnswer(BaseModel):
    """All groups of a period."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"figures": [_FIGURE]}]})
    figures: list[FigureAnswer]


class DayAnswer(BaseModel):
    """Open deadlines that end on one day."""

    day: str
    open: Annotated[dict[str, int], Field(description="How many, by type of talk (Samtaletype).")]


class DeadlinesAnswer(BaseModel):
    """All days with open deadlines."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"deadlines": [{"day": "2026-12-10", "open": {"7": 12, "4": 3}}]}]}
    )
    deadlines: list[DayAnswer]


@router.get(
    "/figures",
    summary="Share of self-booked talks",
    responses=answers(200, FiguresAnswer, "By contact group.", "bad-request", "forbidden", "not-allowed"),
    openapi_extra={"parameters": query_parameters(PeriodQuery)},
)
def read_figures(
    service: Service, client: Client, query: Annotated[PeriodQuery, Depends(asked(PeriodQuery))]
) -> Response:
    """The share as the authority counts it; each figure states its rule, period and coverage."""
    return _json({"figures": [told(one) for one in _figures(service, client, query)]})


@router.get(
    "/figures.csv",
    summary="Share of self-booked talks, as CSV",
    responses={
        **answers(200, None, "By contact group.", "bad-request", "forbidden", "not-allowed"),
        200: {
            "description": "By contact group; safe to open in a spreadsheet.",
            "content": {"text/csv": {"schema": {"type": "string"}, "example": ",".join(COLUMNS)}},
        },
    },
    response_class=CsvResponse,
    openapi_extra={"parameters": query_parameters(PeriodQuery)},
)
def export_figures(
    service: Service, client: Client, query: Annotated[PeriodQuery, Depends(asked(PeriodQuery))]
) -> Response:
    """The same figures for a spreadsheet; no cell of it is a formula."""
    out = StringIO()
    found = _figures(service, client, query)
    csv.writer(out, lineterminator="\r\n").writerows([COLUMNS, *(row(one) for one in found)])
    return CsvResponse(out.getvalue())


@router.get(
    "/deadlines",
    summary="Open deadlines by day",
    responses=answers(200, DeadlinesAnswer, "By day and type of talk.", "forbidden", "not-allowed"),
)
def read_deadlines(service: Service, client: Client) -> Response:
    """How many citizens must book by which day; nobody is named."""
    client.need("staff")
    _reporting(service)
    zone = next(iter(service.directory().sites.values())).zone
    today = wall_clock(service.clock.now(), zone).date()
    with service.store.read() as tx:
        found = per_day(tx.dfdg.deadlines(since=today))
    days = [{"day": f"{one.day}", "open": {str(kind): number for kind, number in one.open.items()}} for one in found]
    return _json({"deadlines": days})


def _figures(service: Deps, client: Any, query: PeriodQuery) -> list[Figure]:
    client.need("staff")
    if query.start >= query.end:
        raise BadRequest("'from' must be earlier than 'to'.")
    reporting = _reporting(service)
    with service.store.read() as tx:
        return reporting.figures(tx, Interval(query.start, query.end))


def _reporting(service: Deps) -> Reporting:
    if service.reporting is None:
        raise NotAllowed("Jobnet is not set up on this installation. Nothing was done.")
    return service.reporting


def _json(content: object) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
