"""The sign-in provider, asked under the rules of `syncd.adapters.outbound` by a library that brings requests along."""

from __future__ import annotations

from typing import Any

import httpx2
import requests
from requests.adapters import BaseAdapter

from syncd.adapters import outbound

SECONDS = 10.0
"""For a whole exchange."""
LARGEST = 256 * 1024
"""Bytes of an answer: a description, a set of keys, or tokens."""


class Bounded(BaseAdapter):
    """Sends requests' requests: https only, addresses looked at, no redirect, bounded in time and size."""

    def send(self, request: requests.PreparedRequest, *_args: Any, **_more: Any) -> requests.Response:
        """Send *request* and read its whole answer.

        :raises requests.ConnectionError: it failed, or a rule forbids it; the text is the reason's name.
        """
        headers = {name: value for name, value in request.headers.items() if name.lower() != "accept-encoding"}
        try:
            with outbound.client(SECONDS) as http:
                asked = http.build_request(
                    request.method or "GET", request.url or "", headers=headers, content=request.body
                )
                got = outbound.answer(http, asked, SECONDS, LARGEST)
        except httpx2.HTTPError as error:
            raise requests.ConnectionError(type(error).__name__) from None
        return _as_requests(request, got)

    def close(self) -> None:
        """Nothing is kept open."""


def bind(session: requests.Session) -> None:
    """Let *session* send in no other way, whatever the environment says."""
    session.trust_env = False
    for scheme in ("https://", "http://"):  # plain to this machine only, which `outbound` sees to
        session.mount(scheme, Bounded())


def _as_requests(request: requests.PreparedRequest, got: outbound.Answer) -> requests.Response:
    response = requests.Response()
    response.status_code, response.request, response.url = got.status, request, request.url or ""
    response.headers.update(got.headers)
    response._content = got.body
    response._content_consumed = True  # type: ignore[attr-defined]  # as reading it to the end does
    response.encoding = "utf-8"
    return response
