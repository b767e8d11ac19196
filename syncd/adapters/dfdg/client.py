"""Calls DFDG's REST services with our certificate; who acts, for whom and why goes with each call and into the log."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx2

from syncd.adapters import outbound
from syncd.adapters.dfdg import wire
from syncd.adapters.resilience import retry_after
from syncd.clock import Clock
from syncd.config.dfdg_names import DfdgNames
from syncd.cpr import Cpr
from syncd.errors import AccessDenied, Rejected, Throttled, Transient
from syncd.model.dfdg import About, Said
from syncd.observe.logs import canonical_line
from syncd.ports import Caller, DeadlineRead, Handed, HandedOver, Heard, Read

SECONDS = 20.0
LARGEST = 1024 * 1024
"""Bytes of an answer; a longer one is not read."""
LONGEST_REQUEST = 46
"""Characters of a request's id (A IND2)."""
CITIZEN = "1"
"""RequestUserTypeIdentifier of a citizen (A META)."""
NOBODY_ELSE: Mapping[str, str] = {}
_PLAIN = " !#$&'()*+,/:;=?@[]"
"""What a header may hold as it is; other characters of people's names are percent-encoded."""


@dataclass(frozen=True, slots=True)
class Account:
    """How DFDG is reached and who we are there.

    :param certificate: PEM file with our function certificate and its key. :param ca_file: who signs DFDG's own.
    :param organisation_type, organisation_code: the authority on whose behalf we call. :param user: the process.
    """

    url: str
    organisation_type: int
    organisation_code: str
    user: str
    user_type: int
    certificate: Path | None = None
    ca_file: Path | None = None
    names: DfdgNames = field(default_factory=DfdgNames)


class DfdgClient:
    """`syncd.ports.DfdgPort` over HTTP."""

    def __init__(self, account: Account, clock: Clock, seconds: float = SECONDS) -> None:
        self._account, self._names, self._clock = account, account.names, clock
        self._seconds = seconds
        self._http = outbound.client(seconds, _context(account), base_url=account.url)

    def close(self) -> None:
        """Let go of connections; a call under way, and any later one, ends as one that was not answered."""
        self._http.close()

    def create(self, record: str, cpr: Cpr, said: Said, about: About, request: str, caller: Caller) -> HandedOver:
        """See `syncd.ports.DfdgPort`."""
        body = wire.report(self._names, said, about)
        names = self._names.headers
        # What a citizen booked herself is reported in her name, or DFDG refuses it (A META).
        acting = {names.user_type: CITIZEN, names.user: cpr.digits} if about.self_booked else {}
        return self._reported("POST", self._names.paths.create, record, body, cpr, request, caller, acting)

    def update(self, record: str, cpr: Cpr, said: Said, about: About, request: str, caller: Caller) -> HandedOver:
        """See `syncd.ports.DfdgPort`."""
        body = wire.report(self._names, said, about)
        return self._reported("PUT", self._names.paths.update, record, body, cpr, request, caller)

    def annul(self, record: str, cpr: Cpr, request: str, caller: Caller) -> HandedOver:
        """See `syncd.ports.DfdgPort`."""
        return self._reported("DELETE", self._names.paths.annul, record, None, cpr, request, caller)

    def read(self, record: str, caller: Caller) -> Read | None:
        """See `syncd.ports.DfdgPort`."""
        found = self._asked(self._names.paths.read, record, caller)
        return None if found is None else wire.read(self._names, found)

    def deadline(self, deadline: str, caller: Caller) -> DeadlineRead | None:
        """See `syncd.ports.DfdgPort`."""
        found = self._asked(self._names.paths.deadline, deadline, caller)
        return None if found is None else wire.deadline(self._names, found)

    def messages(self, most: int, caller: Caller) -> tuple[Heard, ...]:
        """See `syncd.ports.DfdgPort`."""
        found = self._asked(self._names.paths.messages, "", caller, {self._names.message.count: str(most)})
        return () if found is None else wire.messages(self._names, found)

    def acknowledge(self, message: str, caller: Caller) -> None:
        """See `syncd.ports.DfdgPort`."""
        status, content, answer = self._sent("DELETE", self._names.paths.acknowledge, message, None, {}, caller)
        if not (200 <= status < 300 or status == 404):
            raise self._failure(status, content, answer)

    def _reported(
        self,
        method: str,
        path: str,
        record: str,
        body: bytes | None,
        cpr: Cpr,
        request: str,
        caller: Caller,
        acting: Mapping[str, str] = NOBODY_ELSE,
    ) -> HandedOver:
        if len(request) > LONGEST_REQUEST:
            raise ValueError(f"a request's id has at most {LONGEST_REQUEST} characters")
        named = {self._names.headers.citizen: cpr.digits, self._names.headers.request: request, **acting}
        try:
            status, content, headers = self._sent(method, path, record, body, named, caller)
        except Transient as error:
            return HandedOver(Handed.LATER, str(error))
        code = wire.code(self._names, content)
        says = f"HTTP {status}" + (f", fejlkode {code}." if code else ".")
        return HandedOver(_how(status), says, code, _pause(headers, self._clock))

    def _asked(self, path: str, which: str, caller: Caller, query: Mapping[str, str] | None = None) -> bytes | None:
        status, content, headers = self._sent("GET", path, which, None, {}, caller, query)
        if status == 404:
            return None
        if status != 200:
            raise self._failure(status, content, headers)
        return content

    def _failure(self, status: int, content: bytes, headers: Mapping[str, str]) -> Exception:
        code = wire.code(self._names, content)
        says = f"DFDG answered HTTP {status}" + (f", fejlkode {code}" if code else "")
        if status in (401, 403):
            return AccessDenied(f"{says}: certificate or authority is not accepted. Check [dfdg] and the agreement.")
        if status == 429:
            return Throttled(f"{says}.", _pause(headers, self._clock) or 60.0)
        return Transient(f"{says}; it is tried again.") if status >= 500 or status == 408 else Rejected(f"{says}.")

    def _sent(
        self,
        method: str,
        path: str,
        which: str,
        body: bytes | None,
        named: Mapping[str, str],
        caller: Caller,
        query: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """One request. :raises Transient: no answer, or one that is too long."""
        headers = {**self._metadata(caller), **named, "Content-Type": "application/json", "Accept": "application/json"}
        with canonical_line("dfdg.called", **self._logged(method, path, caller)) as facts:
            if self._http.is_closed:  # a round that began before the configuration was read again
                facts.update(outcome="unanswered", error="closed")
                raise Transient("The connection to DFDG was given up for a new configuration; it is tried again.")
            url = path.replace("{id}", which)
            asked = self._http.build_request(method, url, content=body, headers=headers, params=query)
            try:
                got = outbound.answer(self._http, asked, self._seconds, LARGEST)
            except outbound.TooLarge:
                raise Transient("DFDG's answer is longer than any of its contract; it was not read.") from None
            except httpx2.HTTPError as error:
                facts.update(outcome="unanswered", error=type(error).__name__)
                raise Transient(f"DFDG did not answer ({type(error).__name__}); it is tried again.") from None
            facts["status"] = got.status
            return got.status, got.body, got.headers

    def _metadata(self, caller: Caller) -> dict[str, str]:
        """On behalf of which authority, and who acts (A SEC)."""
        names, account = self._names.headers, self._account
        told = {
            names.organisation_type: str(account.organisation_type),
            names.organisation_code: account.organisation_code,
            names.user_type: str(account.user_type),
            names.user: quote(caller.user or account.user, safe=_PLAIN),
        }
        return told | ({names.purpose: quote(caller.purpose, safe=_PLAIN)} if names.purpose else {})

    def _logged(self, method: str, path: str, caller: Caller) -> dict[str, str]:
        account = self._account
        authority = f"{account.organisation_type}:{account.organisation_code}"
        user = caller.user or account.user
        return {"call": f"{method} {path}", "authority": authority, "user": user, "purpose": caller.purpose}


def _how(status: int) -> Handed:
    if 200 <= status < 300:
        return Handed.TAKEN
    known = {412: Handed.REPEATED, 404: Handed.MISSING, 408: Handed.LATER, 425: Handed.LATER, 429: Handed.LATER}
    return known.get(status, Handed.LATER if status >= 500 or status < 400 else Handed.REFUSED)


def _pause(headers: Mapping[str, str], clock: Clock) -> float | None:
    asked = headers.get("retry-after")
    return retry_after(asked, clock.now()) if asked else None


def _context(account: Account) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=account.ca_file)
    if account.certificate is not None:
        context.load_cert_chain(account.certificate)
    return context
