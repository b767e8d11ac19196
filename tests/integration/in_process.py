"""HTTP without sockets, for plays of many thousand calls: the same clients and servers, in one process and thread.

Tests of sockets, TLS and time-outs stand beside (`test_jobnet_rest`, `test_jobnet_soap`, `test_dfdg_client`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import httpx2
import requests
from requests.adapters import BaseAdapter
from starlette.types import ASGIApp, Message, Scope
from urllib3 import HTTPResponse

from tests.servers.dfdg import DfdgServer
from tests.servers.dfdg.http import Request, body_of


class Loop:
    """Runs requests through an ASGI application, one after the other.

    In a thread of its own, because a browser driven by another test leaves a loop running in the one that asks.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._runner = asyncio.Runner()
        self._thread = ThreadPoolExecutor(1)

    def close(self) -> None:
        """Let go of the event loop."""
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    def asked(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, list[Any], bytes]:
        """Status, headers and body of the answer."""
        return self._thread.submit(self._runner.run, self._answer(_scope(method, url, headers), body)).result()

    async def _answer(self, scope: Scope, body: bytes) -> tuple[int, list[Any], bytes]:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return sent[0]["status"], sent[0]["headers"], b"".join(one.get("body", b"") for one in sent[1:])


def _scope(method: str, url: str, headers: Mapping[str, str]) -> Scope:
    parts = urlsplit(url)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": (parts.hostname, parts.port or 80),
        "state": {},
        "extensions": {},
    }


class ToApp(httpx2.BaseTransport):
    """Takes the REST generation's calls to an application."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One call."""
        status, headers, body = self._loop.asked(request.method, str(request.url), request.headers, request.read())
        return httpx2.Response(status, headers=headers, content=body)


class SoapToApp(BaseAdapter):
    """Takes the SOAP generation's calls to an application."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self._loop = loop

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]  # as the library calls it
        """One call."""
        body = request.body or b""
        text = body.encode() if isinstance(body, str) else bytes(body)
        status, headers, content = self._loop.asked(str(request.method), str(request.url), request.headers, text)
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = status, str(request.url), request
        answer.headers.update({name.decode(): value.decode() for name, value in headers})
        answer.raw = HTTPResponse(BytesIO(content), status=status, preload_content=False)
        return answer

    def close(self) -> None:
        """Nothing is held."""


class ToDfdg(httpx2.BaseTransport):
    """Takes what the planner reports and asks to the simulator."""

    def __init__(self, dfdg: DfdgServer) -> None:
        self._dfdg = dfdg

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One call; an answer that is lost ends as it does on the wire."""
        headers = {name.lower(): text for name, text in request.headers.items()}
        query = dict(request.url.params)
        answer = self._dfdg.answer(Request(request.method, request.url.path, query, headers, request.read()))
        if answer.lost:
            raise httpx2.RemoteProtocolError("Server disconnected without sending a response.")
        told = {"Content-Type": "application/json", **answer.headers}
        return httpx2.Response(answer.status, headers=told, content=body_of(answer))
