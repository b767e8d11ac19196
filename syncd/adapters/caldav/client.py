"""One account on one CalDAV server: session, authentication, deadlines, and errors in our own words."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal, NoReturn, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from caldav.davclient import DAVClient
from caldav.lib import error as caldav_error
from lxml.etree import XMLSyntaxError
from urllib3.exceptions import HTTPError as TransportError

from syncd.adapters.caldav.multistatus import Broken, Garbled, Multistatus, conditions, looks_like_html, parse
from syncd.adapters.caldav.session import Elsewhere, GuardedSession
from syncd.adapters.guarded import TooLarge, never_sent
from syncd.adapters.resilience import Call, Calls, retry_after
from syncd.clock import Clock, SystemClock
from syncd.errors import (
    AccessDenied,
    CalendarError,
    CalendarNotFound,
    NotACalendar,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Transient,
)

MEGABYTE = 1 << 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CaldavAccount:
    """How to reach one server with one user name.

    :param name: of the `[calendars.NAME]` section, for messages.
    :param url: base URL of the server, of a principal, of a calendar home or of one calendar; may contain
        ``{address}``, ``{user}`` (the part before the @) and ``{id}`` of the mailbox, and then names its calendar.
    :param timeout: seconds for one request; a whole call of the port may take ten times as long.
    :param ca_file: PEM file of the authority that signed the server's certificate; None for the system's list.
    :param auth: set it to save one round trip; None asks the server.
    :param max_bytes: longest answer we are willing to hold.
    :param opening_hours: read the hours that owners keep on the server (RFC 7953), and be closed outside them.
    """

    name: str
    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 20.0
    ca_file: str | None = None
    auth: Literal["basic", "digest", "bearer"] | None = None
    max_bytes: int = 64 * MEGABYTE
    opening_hours: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer that was no error, or one the caller wanted to see.

    :param url: where it came from, after redirects.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def etag(self) -> str | None:
        """The ETag header."""
        return self.headers.get("ETag")

    def conditions(self) -> frozenset[str]:
        """Preconditions named in the body (RFC 4918 16), without namespace."""
        return conditions(self.body)


class TooMuch(Rejected):
    """The answer is too large or not XML though the request was right; ask for fewer objects at once."""


class Client:
    """Sends requests for one account.

    `caldav` chooses and builds the authentication; the session is ours, because caldav's own turns errors
    into full downloads and has neither deadline nor retry.
    """

    def __init__(self, account: CaldavAccount, clock: Clock | None = None) -> None:
        self.account = account
        self.calls = Calls()
        self._challenged = Lock()
        self._clock = clock or SystemClock()
        self.session = GuardedSession(self.calls, account.timeout, account.max_bytes)
        self.dav = DAVClient(
            url=account.url.partition("{")[0],
            username=account.username,
            password=account.password,
            auth_type=account.auth,
            timeout=round(account.timeout),
            ssl_verify_cert=account.ca_file or True,
            enable_rfc6764=False,
            rate_limit_handle=False,
        )
        self.dav.session = self.session

    @property
    def host(self) -> str:
        """Name and port of the server, for messages."""
        return urlsplit(self.account.url).netloc.rpartition("@")[2]

    def call(self) -> AbstractContextManager[Call]:
        """Open one call of the port: a total deadline and a count of requests."""
        return self.calls.begin(10 * self.account.timeout)

    def url(self, path: str) -> str:
        """The absolute URL of *path* on the account's server."""
        return urljoin(self.account.url, path)

    def library(self, ask: Callable[[DAVClient], T]) -> T:
        """Ask through caldav's own methods, with errors in our words.

        Only for discovery, where its knowledge of odd servers helps.
        """
        try:
            return ask(self.dav)
        except caldav_error.RateLimitError as error:
            seconds = retry_after(error.retry_after, self._clock.now())
            raise Throttled(f"{self.host} asks for a pause of {seconds:.0f} s.", seconds) from error
        except caldav_error.AuthorizationError as error:
            raise AccessDenied(self._denied(error.status or 401, self.host)) from error
        except (OSError, TransportError) as error:  # RequestException is an OSError
            self._raise_failure("PROPFIND", self.account.url, error, wrote=False)
        except (caldav_error.DAVError, XMLSyntaxError, TypeError, ValueError, AttributeError) as error:
            # A login page with status 200 surfaces as a TypeError.
            raise NotACalendar(
                f"{self.host} does not answer as a CalDAV server when asked for the calendars of user "
                f"{self.account.username!r}; check the URL in the configuration."
            ) from error

    def close(self) -> None:
        """Let go of kept connections."""
        self.session.close()

    def read(
        self, method: str, url: str, body: bytes = b"", depth: str = "0", accept: frozenset[int] = frozenset()
    ) -> Reply:
        """Ask something; statuses in *accept* are returned, all other errors raised.

        :raises Transient, Throttled, AccessDenied, CalendarNotFound, NotACalendar, Rejected: see `syncd.errors`.
        """
        try:
            response = self._send(method, url, body, {"Depth": depth} if method != "GET" else {})
        except (OSError, TransportError, caldav_error.DAVError, ValueError) as error:  # RequestException is an OSError
            self._raise_failure(method, url, error, wrote=False)
        if response.status_code not in accept:
            self._raise_status(method, url, response)
        return _reply(response)

    def multistatus(self, method: str, url: str, body: bytes, depth: str = "0") -> tuple[Multistatus, Reply]:
        """Ask something that is answered by a multistatus.

        :raises NotACalendar: it was answered by something else.
        """
        reply = self.read(method, url, body, depth)
        return self.understood(method, reply), reply

    def understood(self, method: str, reply: Reply) -> Multistatus:
        """The multistatus in *reply*.

        :raises TooMuch: XML that is broken somewhere inside. :raises NotACalendar: something else altogether.
        """
        try:
            return parse(reply.body)
        except Broken as error:
            raise TooMuch(f"{self.host} answered {method} {_path(reply.url)} with {error}.") from error
        except Garbled as error:
            raise NotACalendar(
                f"{self.host} answered {method} {_path(reply.url)} with {error} (status {reply.status}) "
                "instead of CalDAV's XML; check the URL in the configuration, and whether a login page is in the way."
            ) from error

    def write(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """PUT or DELETE once; 404, 409, 412 and other answers that mean "not done" are returned.

        :raises OutcomeUnknown: it was sent, and no answer says what became of it.
        """
        try:
            response = self._send(method, url, body, headers)
        except (OSError, TransportError, caldav_error.DAVError, ValueError) as error:  # RequestException is an OSError
            self._raise_failure(method, url, error, wrote=True)
        reply = _reply(response)
        if response.status_code in (404, 409, 410, 412) or (response.status_code == 403 and reply.conditions()):
            return reply
        if response.status_code in (500, 502, 504):
            raise OutcomeUnknown(
                f"{self.host} answered {method} with {response.status_code}; it may have been done or not. "
                "The entry will be looked up before anything is repeated."
            )
        self._raise_status(method, url, response)
        return reply

    def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
        used = self.dav.auth
        response = self._once(method, url, body, headers)
        challenge = response.headers.get("WWW-Authenticate")
        # Several threads may meet the first challenge at once: what counts is what this very request carried.
        if response.status_code == 401 and challenge and not used and self.account.username:
            with self._challenged:
                if not self.dav.auth:
                    self.dav.build_auth_object(list(self.dav.extract_auth_types(challenge)))
            return self._once(method, url, body, headers)
        return response

    def _once(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
        kind = "text/calendar; charset=utf-8" if method == "PUT" else "application/xml; charset=utf-8"
        content = {"Content-Type": kind} if body else {}
        return self.session.request(
            method,
            url,
            data=body or None,
            headers={"User-Agent": "syncd", "Accept": "text/xml, text/calendar", **content, **headers},
            auth=self.dav.auth,
            verify=self.dav.ssl_verify_cert,
        )

    def _raise_status(self, method: str, url: str, response: requests.Response) -> None:
        """Turn an HTTP error status into an error of ours; return when it is none."""
        status, where = response.status_code, f"{self.host}{_path(url)}"
        if status < 400:
            if method in ("PROPFIND", "REPORT") and status != 207:
                raise NotACalendar(
                    f"{where} answered {method} with status {status}"
                    f"{' and an HTML page' if looks_like_html(response.content) else ''}, not with CalDAV's 207; "
                    "check the URL in the configuration."
                )
            return
        if status in (429, 503):
            self._raise_busy(where, response)
        if status in (401, 403, 407):
            raise AccessDenied(self._denied(status, where))
        if status in (404, 410):
            raise CalendarNotFound(f"{where} does not exist (status {status}); check the URL in the configuration.")
        if status in (405, 501):
            raise NotACalendar(f"{where} does not know {method} (status {status}); check the URL: is it CalDAV?")
        if status >= 500 or status in (408, 423, 425):
            raise Transient(f"{where} answered {method} with an error of its own ({status}); it is tried again later.")
        raise Rejected(f"{where} refused {method} with status {status}{_because(response)}; nothing was changed.")

    def _raise_busy(self, where: str, response: requests.Response) -> NoReturn:
        status, pause = response.status_code, response.headers.get("Retry-After")
        if status == 503 and pause is None:
            raise Transient(f"{where} is not available now (503); it is tried again later.")
        seconds = retry_after(pause, self._clock.now())
        raise Throttled(f"{where} asks for a pause of {seconds:.0f} s (status {status}).", seconds)

    def _denied(self, status: int, where: str) -> str:
        if status == 403:
            return f"{where} is not open to user {self.account.username!r} (403); give it access to this calendar."
        return f"{where} refused user {self.account.username!r} ({status}); check user name and password."

    def _raise_failure(self, method: str, url: str, error: Exception, *, wrote: bool) -> NoReturn:
        """Turn a failure of the transport into an error of ours."""
        raise self._failure(method, url, error, wrote=wrote) from error

    def _unusable_authority(self) -> bool:
        """Whether the file of our own authority is missing or closed to us."""
        named = self.account.ca_file
        return named is not None and not os.access(named, os.R_OK)

    def _failure(self, method: str, url: str, error: Exception, *, wrote: bool) -> CalendarError:
        where = f"{self.host}{_path(url)}"
        match error:
            case Elsewhere():
                return NotACalendar(
                    f"{where} sends us to {error.target}, which looks like a login page or another server and was "
                    "not followed; put the CalDAV URL itself into the configuration."
                )
            case TooLarge():
                return TooMuch(f"{where} answered with {error}; nothing was read.")
            case requests.exceptions.SSLError():
                return Transient(
                    f"No secure connection to {self.host}: its certificate was not accepted. If it is signed by "
                    "your own authority, set ca_file."
                )
            case ValueError():
                return Rejected(f"{where} is no usable URL; check the configuration.")
            case OSError() if not isinstance(error, requests.RequestException) and self._unusable_authority():
                return Transient(
                    f"No secure connection to {self.host}: ca_file '{self.account.ca_file}' cannot be read; nothing "
                    "was sent. Mend the file, or take ca_file out of the configuration."
                )
            case caldav_error.DAVError():
                return AccessDenied(f"{where} wants an authentication that user and password cannot give.")
        if wrote and not never_sent(error):
            return OutcomeUnknown(
                f"The answer of {self.host} to {method} was lost; it may have been done or not. "
                "The entry will be looked up before anything is repeated."
            )
        if isinstance(error, requests.Timeout):
            return Transient(f"{self.host} did not answer {method} in time; it is tried again later.")
        return Transient(f"{self.host} cannot be reached ({_cause(error)}); it is tried again later.")


def _reply(response: requests.Response) -> Reply:
    return Reply(response.url or "", response.status_code, response.headers, response.content)


def _path(url: str) -> str:
    """The path of *url*, without query."""
    return urlsplit(url).path


def _because(response: requests.Response) -> str:
    """The preconditions the server named; they are words of the standard, never content."""
    names = sorted(conditions(response.content))
    return f" ({', '.join(names)})" if names else ""


def _cause(error: Exception) -> str:
    """A word or two about a broken connection."""
    text = repr(error)
    causes = {
        "NameResolutionError": "its name is not known to DNS",
        "refused": "connection refused",
        "unreachable": "network unreachable",
        "reset": "connection reset",
        "RemoteDisconnected": "connection closed without an answer",
    }
    return next((says for mark, says in causes.items() if mark in text), "connection broken")
