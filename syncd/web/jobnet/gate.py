"""The facade's own outermost layer: certificate, size, who acts for whom, one log line; each error in its form."""

from __future__ import annotations

from time import perf_counter

import structlog
from anyio import to_thread
from starlette.datastructures import URL, Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from syncd.errors import StoreError, Transient
from syncd.observe.logs import frames
from syncd.observe.metrics import HTTP_SECONDS, JOBNET_CALLS
from syncd.web.jobnet.caller import NotAdmitted, admit
from syncd.web.jobnet.exchange import Answered, Generation, Received, Visit
from syncd.web.jobnet.facade import Facade
from syncd.web.jobnet.refusals import Kind, Refused
from syncd.web.jobnet.rest import Rest
from syncd.web.jobnet.soap import Soap

log = structlog.get_logger()

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
LARGEST_BODY = 64 * 1024


class Gate:
    """ASGI middleware: takes the paths of the contract while there is a facade, and lets everything else pass."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._facade: Facade | None = None
        self._generations: tuple[Generation, ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        one = self._generation(scope) if scope["type"] == "http" else None
        if one is None:
            await self._app(scope, receive, send)
            return
        visit = Visit()
        answered = await self._answered(one, scope, receive, visit)
        visit.status = answered.status
        _record(visit)
        headers = dict(HEADERS) | dict(answered.headers)
        response = Response(answered.body, answered.status, headers=headers, media_type=one.media_type)
        await response(scope, receive, send)

    def _generation(self, scope: Scope) -> Generation | None:
        facade: Facade | None = scope["app"].state.deps.jobnet
        if facade is not self._facade:
            self._facade = facade
            self._generations = () if facade is None else (Rest(facade), Soap(facade))
        return next((one for one in self._generations if one.ours(scope["path"])), None)

    async def _answered(self, one: Generation, scope: Scope, receive: Receive, visit: Visit) -> Answered:
        try:
            return await self._admitted(one, scope, receive, visit)
        except Refused as refusal:
            visit.outcome = refusal.kind.value
            return one.refusal(refusal)
        except (StoreError, Transient) as error:
            log.warning("jobnet.unavailable", reason=type(error).__name__)
            visit.outcome = "unavailable"
            text = "The planner cannot answer at the moment. Nothing was changed; send the same call again."
            return one.refusal(Refused(Kind.NO_OPTIONS, text, 503))
        except Exception as error:
            return one.refusal(_defect(error, visit))

    async def _admitted(self, one: Generation, scope: Scope, receive: Receive, visit: Visit) -> Answered:
        try:
            admit(one.facade.section, scope)
        except NotAdmitted as error:
            raise Refused(Kind.NOT_AUTHORISED, f"This caller may not call: {error}. Nothing was done.", 403) from None
        headers = Headers(scope=scope)
        body = await _body(headers, receive)
        url, query = str(URL(scope=scope).replace(query="")), scope["query_string"].decode("latin-1")
        received = Received(scope["method"], scope["path"], query, url, headers, body, one.facade.clock.now())
        return await to_thread.run_sync(one.answer, received, visit)


def _defect(error: Exception, visit: Visit) -> Refused:
    # Texts of unforeseen exceptions may quote a citizen's data; names and places in our code cannot.
    log.error("jobnet.defect", error=type(error).__name__, where=frames(error), operation=visit.operation)
    visit.outcome = "defect"
    return Refused(Kind.NO_OPTIONS, "Something in the planner broke; the fault is noted.", 500)


async def _body(headers: Headers, receive: Receive) -> bytes:
    """The whole body.

    :raises Refused: it is too large, whatever it says of itself.
    """
    declared = headers.get("content-length", "0")
    taken = bytearray()
    more = True
    while more:
        if len(taken) > LARGEST_BODY or (declared.isdigit() and int(declared[:12]) > LARGEST_BODY):
            text = f"A body may have at most {LARGEST_BODY} bytes. Nothing was changed."
            raise Refused(Kind.NOT_VALIDATED, text, 413)
        message = await receive()
        taken += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    if len(taken) > LARGEST_BODY:
        raise Refused(Kind.NOT_VALIDATED, f"A body may have at most {LARGEST_BODY} bytes. Nothing was changed.", 413)
    return bytes(taken)


def _record(visit: Visit) -> None:
    seconds = perf_counter() - visit.began
    JOBNET_CALLS.labels(visit.operation, visit.outcome).inc()
    HTTP_SECONDS.labels(f"jobnet:{visit.operation}", str(visit.status)).observe(seconds)
    line = {"operation": visit.operation, "status": visit.status, "outcome": visit.outcome}
    spent = round(1000 * seconds, 1)
    (log.warning if visit.status >= 500 else log.info)("jobnet.call", **line, duration_ms=spent, **visit.facts)
