"""POSTs that change something: done once per Idempotency-Key, answered the same each time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from fastapi import Response

from syncd.booking.results import Reply
from syncd.observe import metrics
from syncd.points import passing
from syncd.store import Tx
from syncd.web.access import Caller
from syncd.web.deps import Deps
from syncd.web.inputs import Body

Action = Callable[[Tx], tuple[int, dict[str, Any]]]
"""What is to be done in the transaction; gives the status and the content of the answer, with its ``id``."""


def once(service: Deps, client: Caller, key: str, what: str, body: Body, act: Action, now: datetime) -> Reply:
    """Carry out *act*, or repeat the answer it had under the same key.

    :param what: method and path with its ids; together with the body it is what the key stands for.
    :raises KeyReused, KeyInProgress: see `syncd.store.idempotency`.
    """

    def action(tx: Tx) -> Reply:
        status, content = act(tx)
        passing("client.stored")
        return Reply(status, msgspec.json.encode(content), content["id"])

    reply = service.desk.once(client.name, _key(key), fingerprint(what, body), action, now)
    metrics.REPLAYS.inc(reply.replayed)
    passing("client.committed")
    return reply


def fingerprint(what: str, body: Body) -> str:
    """Hash of a request's meaning: not of its blanks, order or spelled-out defaults."""
    text = f"{what}\n{body.model_dump_json(exclude_defaults=True, by_alias=True)}"
    return hashlib.sha256(text.encode()).hexdigest()


def _key(header: str) -> str:
    """The key itself: the draft sends a quoted string (RFC 9651 3.3.3), most clients a bare one."""
    quoted = len(header) > 2 and header.startswith('"') and header.endswith('"')
    return header[1:-1] if quoted else header


def answer(reply: Reply, place: str | None = None) -> Response:
    """The reply over HTTP, byte for byte; with Location when something was made below *place*."""
    headers = {}
    if place is not None and reply.status == 201:
        headers["Location"] = f"{place}/{msgspec.json.decode(reply.body)['id']}"
    # Of what is kept, only the refusal in place of an erased answer is a problem.
    kind = "application/json" if reply.status < 400 else "application/problem+json"
    return Response(reply.body, reply.status, headers=headers, media_type=kind)
