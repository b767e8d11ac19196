"""One service account on one Exchange server: sends requests, keeps deadlines, and tells errors in our own words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import requests
from urllib3.exceptions import HTTPError as TransportError

from syncd.adapters.ews import advice
from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.answer import Answer, Message, NotSoap, Problem, read_answer
from syncd.adapters.ews.endpoints import Endpoint, Endpoints, host_of
from syncd.adapters.ews.faults import MOVED, error_of
from syncd.adapters.ews.sessions import Sessions
from syncd.adapters.ews.soap import envelope
from syncd.adapters.ews.tokens import Bearer
from syncd.adapters.ews.trouble import failure, garbled, lost, status_error
from syncd.adapters.gate import Gate
from syncd.adapters.guarded import never_sent
from syncd.adapters.resilience import Call, Calls
from syncd.clock import Clock, SystemClock
from syncd.errors import AccessDenied, CalendarError, NotACalendar, OutcomeUnknown, Throttled, Transient

# Their error messages quote whole requests, answers and tickets; ours never do.
for _library in ("exchangelib", "requests_gssapi"):
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)


class Client:
    """Asks one server for many mailboxes; safe to be used by several threads."""

    def __init__(self, account: EwsAccount, clock: Clock | None = None) -> None:
        self.account = account
        self.calls = Calls()
        self.gate = Gate()
        self.sessions = Sessions(account, self.calls)
        self.endpoints = Endpoints(account, self._asked)
        self.build: tuple[int, int, int] | None = None
        self._clock = clock or SystemClock()

    def host(self, mailbox: str) -> str:
        """Name and port of the server that has *mailbox*, for messages; nobody is asked for it."""
        return self.endpoints.host(mailbox)

    @contextmanager
    def call(self, mailbox: str) -> Iterator[Call]:
        """One call of the port: alone for its mailbox, under a deadline, and counted."""
        with self.calls.begin(5 * self.account.timeout) as call, self.gate.turn(mailbox, call.remaining()):
            yield call

    def close(self) -> None:
        """Let go of kept connections."""
        self.sessions.close()

    def ask(self, body: str, mailbox: str, *, wrote: bool = False, itself: bool = False) -> Answer:
        """Send one request for *mailbox*; a fault of the whole request is raised, problems of its parts are not.

        :param wrote: it changes something; then it is sent once, and a lost answer is `OutcomeUnknown`.
        :param itself: the service account asks in its own name; *mailbox* is no mailbox but what is asked about.
        :raises CalendarError: see `syncd.errors`.
        """
        self.gate.demand(mailbox)
        endpoint = self.endpoints.of_account() if itself else self.endpoints.of(mailbox)
        acting = self.account.impersonate and not itself
        data = envelope(body, mailbox if acting else None)
        try:
            answer = self._understood(self._send(endpoint.url, data, mailbox, wrote), endpoint, mailbox, wrote)
        except (OutcomeUnknown, Throttled):
            raise
        except (Transient, NotACalendar):
            self._follow(mailbox)
            raise
        self.build = answer.build or self.build
        if answer.fault is not None:
            self.fail(answer.fault, mailbox, wrote=wrote)
        return answer

    def message(self, body: str, mailbox: str, *, wrote: bool = False, itself: bool = False) -> Message:
        """The one response message of a request, which must be a success."""
        return self.first(self.ask(body, mailbox, wrote=wrote, itself=itself), mailbox, wrote=wrote)

    def first(self, answer: Answer, mailbox: str, *, wrote: bool = False) -> Message:
        """The first response message of an answer, which must be a success."""
        if not answer.messages:
            raise Transient(f"{self.host(mailbox)} gave an empty answer for {mailbox}; it is tried again later.")
        first = answer.messages[0]
        if first.problem is not None:
            self.fail(first.problem, mailbox, wrote=wrote)
        return first

    def fail(self, problem: Problem, mailbox: str, *, wrote: bool = False) -> NoReturn:
        """Raise *problem* as an error of ours, and remember a pause that was asked for."""
        if problem.code in MOVED:
            self._follow(mailbox)
        error = error_of(
            problem.code, mailbox, pause=problem.pause, wrote=wrote, host=self.host(mailbox), primary=problem.primary
        )
        if isinstance(error, Throttled):
            self.gate.pause(mailbox, error.retry_after)
        raise error

    def _follow(self, mailbox: str) -> None:
        """Look up anew where *mailbox* is, when its server does not have it (any more).

        :raises Transient: it is somewhere else; nothing was done at the old place.
        """
        if (now := self.endpoints.moved(mailbox)) is not None:
            raise Transient(f"{mailbox} is at {now.host} now; it is asked there from now on.")

    def _asked(self, url: str, data: bytes, mailbox: str) -> requests.Response:
        """Ask an autodiscover service; see `syncd.adapters.ews.endpoints.Send`."""
        self.gate.demand(mailbox)
        response = self._send(url, data, mailbox, wrote=False)
        self._demand_trust(response, host_of(url))
        if response.status_code >= 400 and response.status_code != 500:
            raise self._unusual(response, host_of(url), mailbox, wrote=False)
        return response

    def _send(self, url: str, data: bytes, mailbox: str, wrote: bool) -> requests.Response:
        """The HTTP answer; a read is repeated once when the connection turns out to be dead."""
        try:
            return self._post(url, data, mailbox, fresh=wrote)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            if wrote or never_sent(error) or isinstance(error, requests.Timeout):
                raise failure(self.account, error, host_of(url), mailbox, wrote=wrote) from error
            return self._again(url, data, mailbox)
        except (OSError, TransportError, KeyError) as error:  # RequestException is an OSError
            raise failure(self.account, error, host_of(url), mailbox, wrote=wrote) from error

    def _again(self, url: str, data: bytes, mailbox: str) -> requests.Response:
        try:
            return self._post(url, data, mailbox, fresh=True)
        except (OSError, TransportError, KeyError) as error:
            raise failure(self.account, error, host_of(url), mailbox, wrote=False) from error

    def _post(self, url: str, data: bytes, mailbox: str, *, fresh: bool) -> requests.Response:
        call = self.calls.current
        seconds = min(call.remaining(), self.account.timeout) if call is not None else self.account.timeout
        with self.sessions.lend(seconds, fresh=fresh) as session:
            headers = {"X-AnchorMailbox": mailbox}
            response = session.post(url, data=data, headers=headers, allow_redirects=False)
            if response.status_code == 401 and isinstance(session.auth, Bearer):
                # A token may be withdrawn before its time; nothing was done, so a write may be sent again, too.
                session.auth.tokens.drop(str(response.request.headers.get("Authorization", "")).partition(" ")[2])
                response = session.post(url, data=data, headers=headers, allow_redirects=False)
            return response

    def _understood(self, response: requests.Response, endpoint: Endpoint, mailbox: str, wrote: bool) -> Answer:
        """The SOAP message in *response*; Exchange sends faults with status 500."""
        self._demand_trust(response, endpoint.host)
        if response.status_code not in (200, 500):
            raise self._unusual(response, endpoint.host, mailbox, wrote)
        try:
            answer = read_answer(response.content)
        except NotSoap as error:
            if wrote:
                raise lost(endpoint.host, mailbox) from error
            raise garbled(self.account, response, endpoint.host, str(error)) from error
        self.gate.welcome()
        return answer

    def _unusual(self, response: requests.Response, host: str, mailbox: str, wrote: bool) -> CalendarError:
        error = status_error(self.account, response, host, mailbox, self._clock.now(), wrote=wrote)
        if isinstance(error, Throttled):
            self.gate.pause(mailbox, error.retry_after)
        return error

    def _demand_trust(self, response: requests.Response, host: str) -> None:
        """Go on only when the server took our word for who we are.

        :raises AccessDenied: it did not; nobody knocks again for a while.
        """
        if response.status_code in (401, 407):
            reason = f"{host} refused the service account ({response.status_code}). "
            reason += advice.refused(self.account.username, self.account.auth)
            self.gate.refused(reason)
            raise AccessDenied(reason)
