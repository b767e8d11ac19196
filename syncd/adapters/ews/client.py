"""One service account on one Exchange server: sends requests, keeps deadlines, and tells errors in our own words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError as TransportError

from syncd.adapters.ews import advice
from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.answer import Answer, Message, NotSoap, Problem, read_answer
from syncd.adapters.ews.faults import error_of
from syncd.adapters.ews.sessions import Sessions
from syncd.adapters.ews.soap import envelope
from syncd.adapters.ews.tokens import Bearer
from syncd.adapters.gate import Gate
from syncd.adapters.guarded import TooLarge, never_sent
from syncd.adapters.resilience import Call, Calls, retry_after
from syncd.clock import Clock, SystemClock
from syncd.errors import (
    AccessDenied,
    CalendarError,
    NotACalendar,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Transient,
)

# Its error messages quote whole requests and answers; ours never do.
logging.getLogger("exchangelib").setLevel(logging.CRITICAL + 1)


class Client:
    """Asks one server for many mailboxes; safe to be used by several threads."""

    def __init__(self, account: EwsAccount, clock: Clock | None = None) -> None:
        self.account = account
        self.calls = Calls()
        self.gate = Gate()
        self.sessions = Sessions(account, self.calls)
        self.build: tuple[int, int, int] | None = None
        self._clock = clock or SystemClock()

    @property
    def host(self) -> str:
        """Name and port of the server, for messages."""
        return urlsplit(self.account.url).netloc.rpartition("@")[2]

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
        acting = self.account.impersonate and not itself
        data = envelope(body, mailbox if acting else None)
        answer = self._understood(self._send(data, mailbox, wrote), mailbox, wrote)
        self.build = answer.build or self.build
        if answer.fault is not None:
            self.fail(answer.fault, mailbox, wrote=wrote)
        return answer

    def message(self, body: str, mailbox: str, *, wrote: bool = False, itself: bool = False) -> Message:
        """The one response message of a request, which must be a success."""
        answer = self.ask(body, mailbox, wrote=wrote, itself=itself)
        if not answer.messages:
            raise Transient(f"{self.host} gave an empty answer for {mailbox}; it is tried again later.")
        first = answer.messages[0]
        if first.problem is not None:
            self.fail(first.problem, mailbox, wrote=wrote)
        return first

    def fail(self, problem: Problem, mailbox: str, *, wrote: bool = False) -> None:
        """Raise *problem* as an error of ours, and remember a pause that was asked for."""
        error = error_of(
            problem.code, mailbox, pause=problem.pause, wrote=wrote, host=self.host, primary=problem.primary
        )
        if isinstance(error, Throttled):
            self.gate.pause(mailbox, error.retry_after)
        raise error

    def _send(self, data: bytes, mailbox: str, wrote: bool) -> requests.Response:
        """The HTTP answer; a read is repeated once when the connection turns out to be dead."""
        try:
            return self._post(data, mailbox, fresh=wrote)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            if wrote or never_sent(error) or isinstance(error, requests.Timeout):
                raise self._failure(error, mailbox, wrote) from error
            return self._again(data, mailbox)
        except (OSError, TransportError, KeyError) as error:  # RequestException is an OSError
            raise self._failure(error, mailbox, wrote) from error

    def _again(self, data: bytes, mailbox: str) -> requests.Response:
        try:
            return self._post(data, mailbox, fresh=True)
        except (OSError, TransportError, KeyError) as error:
            raise self._failure(error, mailbox, wrote=False) from error

    def _post(self, data: bytes, mailbox: str, *, fresh: bool) -> requests.Response:
        call = self.calls.current
        seconds = min(call.remaining(), self.account.timeout) if call is not None else self.account.timeout
        with self.sessions.lend(seconds, fresh=fresh) as session:
            headers = {"X-AnchorMailbox": mailbox}
            response = session.post(self.account.url, data=data, headers=headers, allow_redirects=False)
            if response.status_code == 401 and isinstance(session.auth, Bearer):
                # A token may be withdrawn before its time; nothing was done, so a write may be sent again, too.
                session.auth.tokens.drop(str(response.request.headers.get("Authorization", "")).partition(" ")[2])
                response = session.post(self.account.url, data=data, headers=headers, allow_redirects=False)
            return response

    def _understood(self, response: requests.Response, mailbox: str, wrote: bool) -> Answer:
        """The SOAP message in *response*; Exchange sends faults with status 500."""
        status = response.status_code
        if status in (401, 407):
            reason = f"{self.host} refused the service account ({status}). "
            reason += advice.refused(self.account.username, self.account.auth)
            self.gate.refused(reason)
            raise AccessDenied(reason)
        if status in (200, 500):
            try:
                answer = read_answer(response.content)
            except NotSoap as error:
                raise self._garbled(response, mailbox, wrote, str(error)) from error
            self.gate.welcome()
            return answer
        raise self._status(response, mailbox, wrote)

    def _garbled(self, response: requests.Response, mailbox: str, wrote: bool, why: str) -> CalendarError:
        if wrote:
            return self._unknown(mailbox)
        if response.status_code == 500 or "xml" in response.headers.get("Content-Type", ""):
            return Transient(
                f"{self.host} answered with {why} (status {response.status_code}); it is tried again later."
            )
        return NotACalendar(
            f"{self.host} answered with {why} instead of Exchange's SOAP; check the url in the configuration: it "
            "should end in /EWS/Exchange.asmx, and no login page may be in the way."
        )

    def _status(self, response: requests.Response, mailbox: str, wrote: bool) -> CalendarError:
        """An HTTP status without SOAP, as an error of ours."""
        status = response.status_code
        if status in (429, 503):
            seconds = retry_after(response.headers.get("Retry-After"), self._clock.now(), default=10.0)
            self.gate.pause(mailbox, seconds)
            return Throttled(f"{self.host} asks for a pause of {seconds:.0f} s for {mailbox} ({status}).", seconds)
        if status in (301, 302, 303, 307, 308, 404, 405):
            return NotACalendar(
                f"{self.host} has no Exchange web service at this URL (status {status}); check the url in the "
                "configuration: Get-WebServicesVirtualDirectory | Format-List InternalUrl,ExternalUrl"
            )
        if status == 403:
            return AccessDenied(
                f"{self.host} does not let programs in (403): Get-OrganizationConfig | Format-List Ews*; "
                f"Get-CASMailbox {mailbox} | Format-List Ews*"
            )
        if wrote and status >= 500:
            return self._unknown(mailbox)
        if status >= 500 or status in (408, 440, 449):
            return Transient(f"{self.host} answered with an error of its own ({status}); it is tried again later.")
        return Rejected(f"{self.host} refused a request for {mailbox} with status {status}; nothing was changed.")

    def _failure(self, error: Exception, mailbox: str, wrote: bool) -> CalendarError:
        """A failure of the transport, as an error of ours."""
        if isinstance(error, TooLarge):
            return Rejected(f"{self.host} answered for {mailbox} with {error}; nothing was read.")
        if isinstance(error, requests.exceptions.SSLError):
            if self.account.certificate and "CERTIFICATE_VERIFY_FAILED" not in str(error):
                return Transient(f"{self.host} {advice.NOT_KNOWN_BY_CERTIFICATE}")
            return Transient(
                f"No secure connection to {self.host}: its certificate was not accepted. If it is signed by your own "
                "authority, set ca_file; if it has expired, the Exchange administrator renews it: "
                "Get-ExchangeCertificate | Format-List Subject,NotAfter,Services"
            )
        if wrote and not never_sent(error):
            return self._unknown(mailbox)
        if isinstance(error, requests.exceptions.ProxyError):
            return Transient(f"The proxy for {self.host} cannot be reached; it is tried again later.")
        if isinstance(error, requests.Timeout):
            return Transient(f"{self.host} did not answer for {mailbox} in time; it is tried again later.")
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
            return Rejected(f"'{self.host}' is no usable address; check the url in the configuration.")
        return Transient(f"{self.host} cannot be reached; it is tried again later.")

    def _unknown(self, mailbox: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"The answer of {self.host} to a change in {mailbox} was lost; it may have been done or not. "
            "The entry will be looked up before anything is repeated."
        )
