"""What the OpenAPI document says about answers: each success with an example, each problem by its types."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, cast

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from syncd.web import problems
from syncd.web.inputs import only_known_parameters

TITLE = "syncd"
VERSION = "1"
DESCRIPTION = """\
Self-booking times of caseworkers, with rooms.

* Every request carries `Authorization: Bearer TOKEN`; bookings and keys belong to the client.
* Every time is sent with its zone (`Z` or `+01:00`) and answered in UTC.
* What says something about a citizen travels in bodies only, never in a URL.
* POSTs that change something need an `Idempotency-Key`; the same key and body repeat the first answer byte by byte.
* Every refusal is a problem document (RFC 9457); its `type` is one of those listed at `/problems/`.
"""
ALWAYS = (
    "unauthorized",
    "payload-too-large",
    "invalid-request",
    "too-many-requests",
    "internal-error",
    "store-unavailable",
)
"""Problems any path may answer with."""
WRITES = (
    "malformed-body",
    "idempotency-key-missing",
    "unsupported-media-type",
    "forbidden",
    "idempotency-key-reused",
    "idempotency-key-in-progress",
    "erased",
)
"""Problems of every POST that changes something."""
_ID = "2f1c9f0e-4a44-4a0e-9a3c-0d5f2f6f3a11"
_FACTS: dict[str, dict[str, Any]] = {
    "slot-gone": {"alternatives": ["2026-12-01T10:00:00Z", "2026-12-01T10:30:00Z"], "support": "Tlf. 12 34 56 78"},
    "temporarily-closed": {"since": "2026-11-30T11:20:00Z", "retry_after": 60, "support": "Tlf. 12 34 56 78"},
    "store-unavailable": {"retry_after": 5},
    "too-many-requests": {"retry_after": 2},
    "calendar-unreachable": {"retry_after": 5},
    "forbidden": {"right": "book"},
    "payload-too-large": {"limit": 65536},
    "invalid-request": {
        "errors": [{"detail": "a time without zone does not say when", "pointer": "#/start", "hint": "add Z or +01:00"}]
    },
}


def resource(path: str, route: type[APIRoute] = APIRoute) -> APIRouter:
    """The paths of one resource, which is named by the end of *path*; query parameters nobody knows are refused."""
    return APIRouter(
        prefix=path,
        tags=[path.rpartition("/")[2]],
        dependencies=[Depends(only_known_parameters)],
        route_class=route,
        generate_unique_id_function=lambda route: route.name,
    )


def answers(status: int, model: type[BaseModel] | None, says: str, *kinds: str, **headers: str) -> dict[int | str, Any]:
    """The ``responses`` of a path: its success, and the problems it may answer with besides `ALWAYS`.

    :param headers: names (underscores for dashes) and meanings of the success's headers.
    """
    success: dict[str, Any] = {"description": says, "headers": _headers(headers)}
    if model is not None:
        sample = cast(dict[str, Any], model.model_config["json_schema_extra"])["examples"][0]
        success |= {"model": model, "content": {"application/json": {"example": sample}}}
    return {status: success, **_refusals((*ALWAYS, *kinds))}


def _headers(named: dict[str, str]) -> dict[str, Any]:
    every = {"X-Request-Id": "Name of this request in syncd's log."}
    given = {name.replace("_", "-"): says for name, says in named.items()}
    return {name: {"description": says, "schema": {"type": "string"}} for name, says in (every | given).items()}


def _refusals(kinds: tuple[str, ...]) -> dict[int | str, Any]:
    by_status: dict[int, list[str]] = {}
    for kind in dict.fromkeys(kinds):
        by_status.setdefault(problems.KINDS[kind].status, []).append(kind)
    return {status: _refusal(status, named) for status, named in sorted(by_status.items())}


def _refusal(status: int, kinds: list[str]) -> dict[str, Any]:
    examples = {kind: {"$ref": f"#/components/examples/{kind}"} for kind in kinds}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(kinds)}",
        "content": {problems.MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }


def example(kind: str) -> dict[str, Any]:
    """How a problem of this kind looks."""
    return problems.document(kind, problems.KINDS[kind].remedy, _ID, _FACTS.get(kind))


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of *app*."""
    document = get_openapi(title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _problem_schema()
    components["examples"] = {
        kind: {"summary": entry.title, "value": example(kind)} for kind, entry in problems.KINDS.items()
    }
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "The token the operator gave this client."}
    }
    document["security"] = [{"bearer": []}]
    return document


def _problem_schema() -> dict[str, Any]:
    names = [problems.PREFIX + kind for kind in problems.KINDS]
    text = {"type": "string"}
    return {
        "title": "Problem",
        "description": "RFC 9457; further members are facts about this occurrence.",
        "type": "object",
        "required": ["type", "title", "status", "detail", "instance"],
        "properties": {
            "type": {"type": "string", "enum": names, "description": "Tells programs what happened."},
            "title": text,
            "status": {"type": "integer"},
            "detail": text | {"description": "For the programmer: what happened, what to do."},
            "instance": text | {"description": "Names this occurrence in syncd's log."},
            "say": {"type": "object", "properties": {"da": text, "en": text}, "description": "For the citizen."},
            "retry_after": {"type": "integer", "description": "Seconds; also the header Retry-After."},
            "alternatives": {"type": "array", "items": text | {"format": "date-time"}},
            "errors": {"type": "array", "items": {"type": "object", "required": ["detail"]}},
        },
    }
