"""Notifications of Microsoft Graph: they say where to look, and nothing else of them is used or kept.

Anybody may call; who does not bring the word that a subscription was made with (clientState) changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from hmac import compare_digest

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from syncd.config.notices import PATH
from syncd.errors import StoreError
from syncd.observe.metrics import NOTICES
from syncd.store import Store, notices
from syncd.web.certificates import LISTENER
from syncd.web.deps import Deps

PER_MINUTE = 3000
"""Requests that are answered in the long run; Graph repeats later what was refused, and polls find it anyway."""
MOST = 1000
"""Notifications of one request that are looked at."""
LONGEST_TOKEN = 4096
ENDING = ("subscriptionRemoved", "reauthorizationRequired")

router = APIRouter(include_in_schema=False)


class _Notice(msgspec.Struct, rename="camel"):
    subscription_id: str = ""
    client_state: str | None = None
    lifecycle_event: str | None = None


class _Body(msgspec.Struct):
    value: list[_Notice]


_BODY = msgspec.json.Decoder(_Body)


@router.post(PATH)
async def notified(request: Request) -> Response:
    """Take notifications, or prove that this address is ours (``validationToken``)."""
    deps: Deps = request.app.state.deps
    if deps.notices is None or request.scope["state"].get(LISTENER, "") != deps.notices:
        return Response("Notifications are not taken here.", 404, media_type="text/plain")
    if pause := deps.pace.wait(PATH, PER_MINUTE):
        return Response("Too many at once.", 429, {"Retry-After": str(pause)}, media_type="text/plain")
    token = request.query_params.get("validationToken")
    if token is not None:
        return _proof(token)
    try:
        told = read(await request.body())
    except ValueError:
        return Response("These are no notifications. Nothing was done.", 400, media_type="text/plain")
    return await to_thread.run_sync(_taken, deps, told)


def read(body: bytes) -> list[_Notice]:
    """The first `MOST` notifications of a request.

    :raises ValueError: these are none, or what is beside them is nested without end.
    """
    try:
        return _BODY.decode(body).value[:MOST]
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _proof(token: str) -> Response:
    if len(token) > LONGEST_TOKEN or not token.isprintable():
        return Response("This is no validation token.", 400, media_type="text/plain")
    return Response(token, 200, media_type="text/plain")


def _taken(deps: Deps, told: list[_Notice]) -> Response:
    """202 also for strangers: who guesses learns nothing."""
    try:
        known = _known(deps.store, told)
        NOTICES.labels("stranger").inc(len(told) - len(known))
        NOTICES.labels("taken").inc(len(known))
        if known:
            deps.store.run(lambda tx: _mark(tx.session, known, deps.clock.now()))
    except StoreError:
        return Response("The database cannot be used now.", 503, {"Retry-After": "30"}, media_type="text/plain")
    return Response(status_code=202)


def _known(store: Store, told: list[_Notice]) -> list[_Notice]:
    """Those that bring the word of their subscription."""
    with store.read() as tx:
        digests = notices.digests(tx.session, {one.subscription_id for one in told})
    return [one for one in told if compare_digest(digests.get(one.subscription_id, ""), _digest(one.client_state))]


def _mark(session: Session, known: list[_Notice], now: datetime) -> None:
    """Let the calendars be looked at; also after notifications were missed, or a subscription ended."""
    notices.tell(session, {one.subscription_id for one in known}, now)
    for one in known:
        if one.lifecycle_event in ENDING:  # it ends now, so it is renewed soon, or made anew
            notices.renewed(session, one.subscription_id, now)


def _digest(word: str | None) -> str:
    return sha256((word or "").encode()).hexdigest()
