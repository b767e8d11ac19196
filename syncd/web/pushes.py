"""Messages that DFDG sends to us: the caller is known by its certificate, a message is durable when we answer."""

from __future__ import annotations

import json

import structlog
from anyio import to_thread
from fastapi import APIRouter, Request, Response

from syncd.dfdg.reporting import Reporting
from syncd.errors import Rejected, StoreError
from syncd.observe.logs import CPR
from syncd.ports import Heard
from syncd.web.deps import Deps
from syncd.web.jobnet.caller import NotAdmitted, admit

log = structlog.get_logger()
LARGEST_BODY = 64 * 1024
PATH = "/dfdg/v1/Besked"
"""Where messages may be sent; the address is ours to tell."""
NOT_VALIDATED = 1014
ORGANISATION, USER, PURPOSE = "x-organisationCode", "x-requestUserIdentifier", "x-purpose"

router = APIRouter(include_in_schema=False)


@router.post(PATH)
async def push(request: Request) -> Response:
    """Take a message; it is durable when the answer goes out."""
    deps: Deps = request.app.state.deps
    reporting = deps.reporting
    if reporting is None or not reporting.pushed or deps.jobnet is None:
        return _refusal(404, "Messages are not taken here.")
    try:
        admit(deps.jobnet.section, request.scope)
    except NotAdmitted as error:
        return _refusal(403, f"This caller may not call: {error}. Nothing was kept.")
    told = {name: request.headers.get(name, "") for name in (ORGANISATION, USER)}
    if missing := [name for name, value in told.items() if not value]:
        return _refusal(400, f"The header {missing[0]} is missing: on whose behalf, and who acts.")
    body = await request.body()
    if len(body) > LARGEST_BODY:
        return _refusal(413, "The message is too long.")
    facts = {"authority": told[ORGANISATION], "user": CPR.sub("[cpr]", told[USER])}
    purpose = CPR.sub("[cpr]", request.headers.get(PURPOSE, "message"))
    return await to_thread.run_sync(_taken, deps, reporting, body, {**facts, "purpose": purpose})


def _taken(deps: Deps, reporting: Reporting, body: bytes, facts: dict[str, str]) -> Response:
    try:
        heard = _heard(reporting, body)
    except Rejected as error:
        return _refusal(400, str(error))
    try:
        new = reporting.inbox.receive([heard], deps.clock.now()) if heard and reporting.inbox else 0
    except StoreError:
        return _refusal(503, "The message cannot be kept now; send it again.")
    log.info("dfdg.pushed", new=new, message=heard.id if heard else None, **facts)
    return Response(status_code=202)


def _heard(reporting: Reporting, body: bytes) -> Heard | None:
    if reporting.heard is None:
        return None
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Rejected("The message is not JSON. Nothing was kept.") from error
    return reporting.heard(content)


def _refusal(status: int, text: str) -> Response:
    content = json.dumps({"fejlkode": NOT_VALIDATED, "fejltekst": text}).encode()
    return Response(content, status, media_type="application/json")
