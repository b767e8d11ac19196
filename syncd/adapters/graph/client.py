"""One application in one tenant: sends requests, keeps deadlines and pauses, and tells errors in our own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from syncd.adapters.gate import Gate
from syncd.adapters.graph.account import GraphAccount
from syncd.adapters.graph.faults import BUSY, Refusal, error_of, unknown_outcome
from syncd.adapters.graph.meter import Meter
from syncd.adapters.graph.tokens import Tokens
from syncd.adapters.resilience import Call, Calls, retry_after
from syncd.clock import Clock, SystemClock
from syncd.errors import AccessDenied, CalendarError, NotACalendar, Rejected, Throttled, Transient

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

ITEM = 'IdType="ImmutableId", outlook.timezone="UTC"'
"""Prefer of every request: ids that survive a move between folders, and times in UTC."""
TEXT = f'{ITEM}, outlook.body-content-type="text"'
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding may raise: of another shape or cut off, no UTF-8, too deep."""
STALE = 15.0
"""Seconds after which an idle connection is not used again: losing it would leave a write's outcome unknown."""


class Reader(Protocol[T_co]):
    """What turns an answer's body into values: a `msgspec.json.Decoder`, or something like it."""

    def decode(self, content: bytes, /) -> T_co:
        """:raises msgspec.DecodeError: it cannot be read."""
        ...


class _Code(msgspec.Struct):
    code: str | None = None


class _Error(msgspec.Struct):
    error: _Code | None = None


_ERROR = msgspec.json.Decoder(_Error)
_JSON = msgspec.json.Encoder()


class Client:
    """Asks Graph for many mailboxes; safe to be used by several threads."""

    def __init__(self, account: GraphAccount, clock: Clock | None = None) -> None:
        self.account = account
        self.calls = Calls()
        self.gate = Gate()
        self.meter = Meter(account.first, account.most)
        self.root = f"{account.graph_url.rstrip('/')}/v1.0"
        self._clock = clock or SystemClock()
        self._lock = Lock()
        self._opened: tuple[httpx2.Client, Tokens] | None = None

    @property
    def host(self) -> str:
        """Name and port of Graph, for messages."""
        return urlsplit(self.account.graph_url).netloc

    @contextmanager
    def call(self, mailbox: str) -> Iterator[Call]:
        """One call of the port: alone for its mailbox, under a deadline, and counted."""
        with self.calls.begin(5 * self.account.timeout) as call, self.gate.turn(mailbox, call.remaining()):
            yield call

    def close(self) -> None:
        """Let go of kept connections."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened[0].close()

    def read(
        self,
        path: str,
        mailbox: str,
        decoder: Reader[T],
        *,
        params: Mapping[str, str] | None = None,
        prefer: str = TEXT,
    ) -> T:
        """The decoded answer to a GET.

        :param path: below the version, ``/users/ADDRESS/…``, or a link that Graph gave.
        :param mailbox: whom it is about: pauses bind her alone.
        :raises CalendarError: see `syncd.adapters.graph.faults.error_of`.
        """
        return self.decoded(decoder, self.ask("GET", path, mailbox, params=params, prefer=prefer), mailbox)

    def ask(
        self,
        method: str,
        path: str,
        mailbox: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        if_match: str | None = None,
        prefer: str = TEXT,
        wrote: bool = False,
    ) -> bytes:
        """The body of a good answer.

        :param if_match: only when the entry still has this ``@odata.etag``.
        :param wrote: it changes something; then it is sent once, and a lost answer is `OutcomeUnknown`.
        :raises CalendarError: see `syncd.adapters.graph.faults.error_of`.
        """
        self.gate.demand(mailbox)
        headers = {"Prefer": prefer} | ({"If-Match": if_match} if if_match else {})
        data = None
        if body is not None:
            data, headers["Content-Type"] = _JSON.encode(body), "application/json"
        url = self._address(path)
        if params:  # httpx2 looks three times at each character of an address that it puts together itself
            url = f"{url}?{urlencode(params, quote_via=quote)}"
        status, answered, content = self._sent(method, url, mailbox, headers, data, wrote)
        if 200 <= status < 300:
            self.meter.went_well()
            self.gate.welcome()
            return content
        raise self._refusal(status, answered, content, mailbox, wrote)

    def decoded(self, decoder: Reader[T], content: bytes, mailbox: str) -> T:
        """*content* as *decoder* has it.

        :raises NotACalendar: it is no JSON at all. :raises Transient: it is JSON of another shape, or cut off.
        """
        try:
            return decoder.decode(content)
        except UNREADABLE as error:
            if not content.lstrip()[:1] == b"{":
                raise NotACalendar(
                    f"{self.host} answered with something that is not Graph's JSON; check graph_url in the "
                    "configuration, and that no login page or filter is in the way."
                ) from error
            raise Transient(f"{self.host} gave an answer for {mailbox} that cannot be read.") from error

    def _open(self) -> tuple[httpx2.Client, Tokens]:
        """Connections and tokens, made at the first request: whoever has no mailbox in the cloud does not load them."""
        from syncd.adapters.graph.connections import connect

        with self._lock:
            if self._opened is None:
                http = connect(self.account, idle=STALE)
                self._opened = http, Tokens(self.account, http)
            return self._opened

    def token(self) -> str:
        """A token of the application, for who wants to know what it says.

        :raises CalendarError: there is none.
        """
        return self._open()[1].get()

    def _address(self, path: str) -> str:
        """The URL of *path*; a link of Graph's is followed only to the host that was configured.

        :raises Rejected: it leads elsewhere.
        """
        if path.startswith("/"):
            return f"{self.root}{path}"
        asked, ours = urlsplit(path), urlsplit(self.root)
        if (asked.scheme, asked.netloc) != (ours.scheme, ours.netloc):
            raise Rejected(f"{self.host} sent a link to another server; it was not followed, and nothing was changed.")
        return path

    def _sent(
        self,
        method: str,
        url: str,
        mailbox: str,
        headers: Mapping[str, str],
        data: bytes | None,
        wrote: bool,
    ) -> tuple[int, httpx2.Headers, bytes]:
        """Status, headers and body; a read is repeated once when its connection turns out to be dead."""
        import httpx2

        tries = 1 if wrote else 2
        for left in reversed(range(tries)):
            try:
                return self._exchange(method, url, headers, data)
            except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError) as error:
                if not left:
                    raise self._failure(error, mailbox, wrote) from error
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise self._failure(error, mailbox, wrote) from error
        raise AssertionError

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None
    ) -> tuple[int, httpx2.Headers, bytes]:
        """Send it; a token may be withdrawn before its time: nothing was done then, so a write may be sent again."""
        http, tokens = self._open()
        for _ in range(2):
            token = tokens.get()
            named = {**headers, "Authorization": f"Bearer {token}"}
            with self.meter.place(self._seconds()):
                status, answered, content = self._once(http, method, url, named, data)
            if status != 401:
                break
            tokens.drop(token)
        return status, answered, content

    def _once(
        self, http: httpx2.Client, method: str, url: str, headers: Mapping[str, str], data: bytes | None
    ) -> tuple[int, httpx2.Headers, bytes]:
        from syncd.adapters.graph.connections import received

        call = self.calls.current
        if call is not None:
            call.requests += 1
        seconds = self._seconds()
        asked = http.build_request(
            method,
            url,
            headers=headers,
            content=data,
            timeout=(min(seconds, 10.0), seconds, seconds, seconds),
        )
        return received(http, asked, seconds, self.account.max_bytes)

    def _seconds(self) -> float:
        """Time for one exchange.

        :raises Transient: the call has none left.
        """
        call = self.calls.current
        left = self.account.timeout if call is None else min(self.account.timeout, call.remaining())
        if left <= 0:
            raise Transient(f"{self.host} took too long; it is tried again later.")
        return left

    def _refusal(
        self, status: int, answered: Mapping[str, str], content: bytes, mailbox: str, wrote: bool
    ) -> CalendarError:
        """An answer that says no, as an error of ours; a pause it asks for is kept."""
        if status == 401:
            reason = f"{self.host} refused the application {self.account.client_id} (401) with a fresh token; is it "
            reason += f"an application of the tenant {self.account.tenant}, and graph_url that of its cloud?"
            self.gate.refused(reason)
            return AccessDenied(reason)
        if 300 <= status < 400:
            return NotACalendar(f"{self.host} sends us elsewhere ({status}); check graph_url in the configuration.")
        said = answered.get("Retry-After")
        pause = None if said is None else retry_after(said, self._clock.now(), default=10.0)
        error = error_of(
            Refusal(status, _code(content), pause), mailbox, self.host, self.account.client_id, wrote=wrote
        )
        if status in BUSY:
            self.meter.throttled(mailbox)
            self.gate.pause(mailbox, error.retry_after if isinstance(error, Throttled) else pause or 0.0)
        return error

    def _failure(self, error: Exception, mailbox: str, wrote: bool) -> CalendarError:
        """A failure of the transport, as an error of ours."""
        import httpx2

        from syncd.adapters.outbound import TooLarge

        if isinstance(error, TooLarge):
            return Rejected(f"{self.host} answered for {mailbox} with {error}; nothing was read.")
        if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
            return Rejected(f"'{self.host}' is no usable address; check graph_url in the configuration.")
        never_sent = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
        if wrote and not never_sent:
            return unknown_outcome(self.host, mailbox)
        if isinstance(error, httpx2.ProxyError):
            return Transient(f"The proxy for {self.host} cannot be reached; it is tried again later.")
        if isinstance(error, httpx2.TimeoutException):
            return Transient(f"{self.host} did not answer for {mailbox} in time; it is tried again later.")
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return Transient(
                f"No secure connection to {self.host}: its certificate was not accepted. If a proxy of yours looks "
                "into connections, set ca_file to its authority."
            )
        return Transient(f"{self.host} cannot be reached; it is tried again later.")


def _code(content: bytes) -> str:
    """The error code in an answer; a word, never content."""
    try:
        found = _ERROR.decode(content).error
    except UNREADABLE:
        return ""
    code = found.code if found is not None and found.code else ""
    return code if code.replace(".", "").replace("_", "").isalnum() and len(code) < 80 else ""
