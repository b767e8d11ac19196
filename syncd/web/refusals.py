"""Turns errors into problems: ours by their class, the framework's by what they mean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from syncd.errors import BookingError, KeyMissing, StoreError, TemporarilyClosed, Transient
from syncd.web import problems
from syncd.web.access import Forbidden
from syncd.web.deps import Deps
from syncd.web.pages import refusing

Handler = Callable[[Request, Exception], Awaitable[Response]]

log = structlog.get_logger()

KEY_HEADER = "Idempotency-Key"
_BY_STATUS = {400: "malformed-body", 404: "not-found", 405: "method-not-allowed", 413: "payload-too-large"}
_DETAIL = {
    400: "The body could not be read as JSON, or is nested too deeply. Nothing was changed.",
    404: "There is nothing at this path. /api/v1/openapi.json describes what there is.",
    405: "This path does not take this method; the header Allow lists those it takes.",
}
_HINTS = {
    "naive_time": "add Z or +01:00",
    "blank_offset": "in a URL a plus sign is written %2B; or use Z",
    "extra_forbidden": "leave it out, or check its spelling",
    "unknown_parameter": "leave it out, or check its spelling",
    "civil_registration_number": "send your own opaque reference",
}


def install(app: FastAPI) -> None:
    """Register the translations; whatever is not among them is a defect and ends at the edge."""
    handlers = {BookingError: _booking, StoreError: _store, Transient: _calendar, Forbidden: _forbidden}
    for error, handler in {**handlers, RequestValidationError: _invalid, HTTPException: _http}.items():
        app.add_exception_handler(error, _for_whoever_asks(handler))
    refusing.install(app)


def _for_whoever_asks(handler: Handler) -> Handler:
    """A problem document for programs, a page for people."""

    async def answer(request: Request, error: Exception) -> Response:
        problem = await handler(request, error)
        return refusing.as_page(request, problem) if refusing.wants_page(request) else problem

    return answer


async def _booking(request: Request, error: Exception) -> Response:
    assert isinstance(error, BookingError)
    facts, headers = dict(error.facts) | _whom(request, error.type), {}
    if isinstance(error, TemporarilyClosed):
        facts["retry_after"] = error.retry_after
        headers["Retry-After"] = str(error.retry_after)
    return problems.response(error.type, str(error), _id(request), facts, status=error.status, headers=headers)


async def _store(request: Request, error: Exception) -> Response:
    # The text names the place of the database: for the operator's log, not for a client.
    log.warning("http.store_unavailable", reason=str(error))
    detail = "The database cannot be used at the moment. Nothing was changed; send the same request again."
    return _later(request, "store-unavailable", detail)


async def _calendar(request: Request, error: Exception) -> Response:
    log.warning("http.calendar_unreachable", reason=str(error))
    detail = "A calendar server does not answer at the moment. Nothing was changed; send the same request again."
    return _later(request, "calendar-unreachable", detail)


def _later(request: Request, kind: str, detail: str) -> Response:
    pause = _deps(request).limits.retry_seconds
    facts = {"retry_after": pause} | _whom(request, kind)
    return problems.response(kind, detail, _id(request), facts, headers={"Retry-After": str(pause)})


def _whom(request: Request, kind: str) -> dict[str, Any]:
    """Whom the citizen can call, where a problem has words for the citizen."""
    entry = problems.KINDS.get(kind)
    return {"support": _deps(request).directory().support or None} if entry and entry.say else {}


async def _forbidden(request: Request, error: Exception) -> Response:
    assert isinstance(error, Forbidden)
    return problems.response("forbidden", str(error), _id(request), {"right": error.right})


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _BY_STATUS.get(error.status_code, "invalid-request")
    detail = _DETAIL.get(error.status_code, error.detail)
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return problems.response(kind, detail, _id(request), headers=headers, status=error.status_code)


def _allowed(request: Request) -> str:
    """All methods of the path (RFC 9110 10.2.1); the framework names those of its first route only.

    Where a path is written out, such as /bookings/search, its own methods count, and not those of /bookings/{id}.
    """
    found: dict[str, set[str]] = {}
    for branch in request.app.routes:
        # Routers keep their routes to themselves; ours carry their prefix in each path.
        for route in getattr(getattr(branch, "original_router", None), "routes", (branch,)):
            if route.matches(request.scope)[0] is not Match.NONE:
                found.setdefault(getattr(route, "path", ""), set()).update(getattr(route, "methods", None) or ())
    closest = min(found, key=lambda path: path.count("{"), default="")
    return ", ".join(sorted(found.get(closest, ())))


async def _invalid(request: Request, error: Exception) -> Response:
    """Each mistake with its place; what was sent is not repeated, it may be a citizen's data."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if found[0]["type"] == "json_invalid":
        return problems.response("malformed-body", _DETAIL[400], _id(request), {"position": found[0]["loc"][-1]})
    if any(e["loc"][-1] == KEY_HEADER and e["type"] == "missing" for e in found):
        return await _booking(request, KeyMissing("This request changes something and needs an Idempotency-Key."))
    if any(e["loc"] == ("body",) for e in found) and not _is_json(request):
        return problems.response("unsupported-media-type", "The body must be application/json.", _id(request))
    errors = [_mistake(e) for e in found]
    detail = f"{len(errors)} mistake(s) in the request; nothing was changed."
    return problems.response("invalid-request", detail, _id(request), {"errors": errors})


def _mistake(error: Mapping[str, Any]) -> dict[str, Any]:
    """RFC 9457 3.1.5's shape: detail, and a pointer into the body or the name of a parameter."""
    where, *path = error["loc"]
    place = {"pointer": "#" + "".join(f"/{_escaped(part)}" for part in path)} if where == "body" else {}
    if where != "body":
        place = {"in": str(where), "name": ".".join(map(str, path))}
    hint = _HINTS.get(error["type"])
    return {"detail": error["msg"], **place} | ({"hint": hint} if hint else {})


def _escaped(part: object) -> str:
    """One reference token of a JSON Pointer (RFC 6901 3)."""
    return str(part).replace("~", "~0").replace("/", "~1")


def _is_json(request: Request) -> bool:
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return declared == "application/json" or (declared.startswith("application/") and declared.endswith("+json"))


def _deps(request: Request) -> Deps:
    deps: Deps = request.app.state.deps
    return deps


def _id(request: Request) -> str:
    return str(request.state.request_id)
