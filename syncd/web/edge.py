"""The outermost layer: who is calling, how much may be sent, what every answer carries, and one log line."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from time import perf_counter
from typing import Any

import structlog
from prometheus_client import Histogram
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncd.observe.logs import frames
from syncd.observe.metrics import BOOKING_REQUESTS, BOOKING_SECONDS, HTTP_SECONDS
from syncd.web import problems
from syncd.web.access import Caller, caller_of
from syncd.web.certificates import certificate_of
from syncd.web.deps import Deps
from syncd.web.pages import refusing

log = structlog.get_logger()

API = "/api/"
BOOK = "/api/v1/bookings"
LISTENER = "tls"
"""Our own listener whose certificates count for clients of the API."""
OPEN = frozenset({"/api/v1/openapi.json"})
"""Paths below /api/ that anybody may read: the description of the interface."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # Most answers concern a citizen; those that do not say so themselves.
    "Cache-Control": "no-store",
}
_HEADERS = [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in HEADERS.items()]
"""As ASGI has them."""
_SECURED = (b"strict-transport-security", b"max-age=31536000")
"""From our own listener; a proxy in front of us says it itself."""


@dataclass(slots=True)
class Visit:
    """What is known about one request while it is served."""

    scope: Scope
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    began: float = field(default_factory=perf_counter)
    caller: Caller | None = None
    status: int = 0

    @property
    def route(self) -> str:
        """The path's template; never the path itself, which carries ids."""
        return str(getattr(self.scope.get("route"), "path_format", "-"))

    def facts(self) -> dict[str, Any]:
        """The keys of the log line."""
        return {
            "method": self.scope["method"],
            "route": self.route,
            "status": self.status,
            "duration_ms": round(1000 * (perf_counter() - self.began), 1),
            "client": self.caller.name if self.caller else None,
        }


class Edge:
    """ASGI middleware around the whole application; one of the three fences where any exception ends."""

    def __init__(self, app: ASGIApp, deps: Deps) -> None:
        self._app = app
        self._deps = deps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = Visit(scope)
        scope.setdefault("state", {})["request_id"] = visit.id
        with structlog.contextvars.bound_contextvars(request_id=visit.id):
            try:
                await self._admit(visit, receive, _dressed(visit, send))
            except Exception as error:
                await self._defect(visit, error, _dressed(visit, send))
            finally:
                _record(visit)

    async def _admit(self, visit: Visit, receive: Receive, send: Send) -> None:
        scope, headers = visit.scope, Headers(scope=visit.scope)
        limit = self._deps.limits.body_bytes
        refusal = None
        visit.caller = self._caller(scope, headers)
        if visit.caller is None and scope["path"].startswith(API) and scope["path"] not in OPEN:
            refusal = _unauthorized(visit)
        elif _declared(headers) > limit:
            refusal = problems.response("payload-too-large", _too_large(limit), visit.id, {"limit": limit})
        elif visit.caller is not None and (pause := self._pause(visit.caller)):
            refusal = _too_many(visit, pause)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        scope["state"]["caller"] = visit.caller
        await self._app(scope, _bounded(receive, limit), send)

    def _caller(self, scope: Scope, headers: Headers) -> Caller | None:
        deps, given = self._deps, headers.get("authorization")
        shown = certificate_of(deps.tls, scope, LISTENER)
        return caller_of(deps.clients(), given, deps.issuer, deps.clock.now(), shown)

    def _pause(self, caller: Caller) -> int:
        return self._deps.pace.wait(caller.name, self._deps.clients()[caller.name].per_minute)

    async def _defect(self, visit: Visit, error: Exception, send: Send) -> None:
        # Texts of unforeseen exceptions may quote a citizen's data; names and places in our code cannot.
        log.error("http.defect", error=type(error).__name__, where=frames(error), route=visit.route)
        if visit.status:
            return  # the answer has begun; the server closes the connection
        detail = "Something in syncd broke; whether anything was changed can be seen by asking again with the same key."
        facts = {"support": self._deps.directory().support or None}
        answer = problems.response("internal-error", detail, visit.id, facts)
        if refusing.wants_page(Request(visit.scope)):
            answer = refusing.as_page(Request(visit.scope), answer)
        await answer(visit.scope, _nothing, send)


def _dressed(visit: Visit, send: Send) -> Send:
    """Send, with the headers every answer carries, noting the status."""

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            visit.status = message["status"]
            given = message["headers"] = list(message.get("headers", ()))
            names = {name for name, _ in given}
            ours = [*_HEADERS, _SECURED] if visit.scope.get("scheme") == "https" else _HEADERS
            given += [header for header in ours if header[0] not in names]
            given.append((b"x-request-id", visit.id.encode("ascii")))
        await send(message)

    return dressed


def _bounded(receive: Receive, limit: int) -> Receive:
    """Receive, refusing a body that grows beyond *limit* bytes without having said so."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413, _too_large(limit))
        return message

    return bounded


def _declared(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length[:12]) if length.isascii() and length.isdecimal() else 0


def _too_large(limit: int) -> str:
    return f"A body may have at most {limit} bytes. Nothing was changed."


def _unauthorized(visit: Visit) -> Any:
    detail = (
        "No known client sends this token, or shows the certificate that belongs to it. Send the header "
        "Authorization: Bearer TOKEN."
    )
    return problems.response("unauthorized", detail, visit.id, headers={"WWW-Authenticate": 'Bearer realm="syncd"'})


def _too_many(visit: Visit, pause: int) -> Any:
    detail = "This client sends more requests than its configuration allows (per_minute). Nothing was changed."
    facts, headers = {"retry_after": pause}, {"Retry-After": str(pause)}
    return problems.response("too-many-requests", detail, visit.id, facts, headers=headers)


def _result(status: int) -> str:
    """What became of a request to book: a 4xx is the portal's or the citizen's matter, a 5xx is ours."""
    if status < 400:
        return "booked"
    return "failed" if status >= 500 else "gone" if status in (409, 410) else "refused"


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


@lru_cache(1024)
def _seconds(route: str, status: int) -> Histogram:
    """The metric of one route and status, which takes longer to find than to count in."""
    return HTTP_SECONDS.labels(route, str(status))


def _record(visit: Visit) -> None:
    facts = visit.facts()
    took = perf_counter() - visit.began
    _seconds(facts["route"], visit.status).observe(took)
    if (visit.scope["method"], facts["route"]) == ("POST", BOOK):
        BOOKING_SECONDS.observe(took)
        BOOKING_REQUESTS.labels(_result(visit.status)).inc()
    (log.warning if visit.status >= 500 else log.info)("http.request", **facts)
