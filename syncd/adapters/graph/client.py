"""One application in one tenant: sends requests, keeps deadlines and pauses, and tells errors in our own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
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

    from syncd.adapters.line import Line
    from syncd.adapters.outbound import Answer

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
        self._site, self._base = _parted(self.root)
        self._opened: tuple[Line, Tokens, httpx2.Client] | None = None

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
            opened[2].close()

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
        target = self._target(path)
        if params:
            target = f"{target}?{_query(tuple(params.items()))}"
        status, answered, content = self._sent(method, target, mailbox, headers, data, wrote)
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

    def _open(self) -> tuple[Line, Tokens]:
        """Connections and tokens, made at the first request: whoever has no mailbox in the cloud does not load them."""
        from syncd.adapters.graph.connections import connect

        with self._lock:
            if self._opened is None:
                line, http = connect(self.account, idle=STALE)
                self._opened = line, Tokens(self.account, http), http
            return self._opened[:2]

    def token(self) -> str:
        """A token of the application, for who wants to know what it says.

        :raises CalendarError: there is none.
        """
        return self._open()[1].get()

    def _target(self, path: str) -> str:
        """Path and query of a request; a link of Graph's is followed only to the host that was configured.

        :raises Rejected: it leads elsewhere.
        """
        if path.startswith("/"):
            return f"{self._base}{path}"
        if not path.startswith(f"{self._site}/"):
            raise Rejected(f"{self.host} sent a link to another server; it was not followed, and nothing was changed.")
        return path.removeprefix(self._site)

    def _sent(
        self, method: str, target: str, mailbox: str, headers: Mapping[str, str], data: bytes | None, wrote: bool
    ) -> Answer:
        """The answer, whatever it is; a read is repeated once when its connection turns out to be dead."""
        import httpx2

        tries = 1 if wrote else 2
        for left in reversed(range(tries)):
            try:
                return self._exchange(method, target, headers, data)
            except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError) as error:
                if not left:
                    raise self._failure(error, mailbox, wrote) from error
            except httpx2.HTTPError as error:
                raise self._failure(error, mailbox, wrote) from error
        raise AssertionError

    def _exchange(self, method: str, target: str, headers: Mapping[str, str], data: bytes | None) -> Answer:
        """Send it; a token may be withdrawn before its time: nothing was done then, so a write may be sent again."""
        line, tokens = self._open()
        for _ in range(2):
            token = tokens.get()
            named = {**headers, "Authorization": f"Bearer {token}"}
            with self.meter.place(self._seconds()):
                if (call := self.calls.current) is not None:
                    call.requests += 1
                answer = line.answer(method, target, named, data, self._seconds(), self.account.max_bytes)
            if answer.status != 401:
                break
            tokens.drop(token)
        return answer

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
        said = answered.get("retry-after")
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
        if isinstance(error, httpx2.UnsupportedProtocol):
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


@lru_cache(maxsize=512)
def _query(params: tuple[tuple[str, str], ...]) -> str:
    """As it stands in a request line; what is asked of one mailbox is asked of a thousand others."""
    return urlencode(params, quote_via=quote)


def _parted(root: str) -> tuple[str, str]:
    """Scheme with host and port, and the path."""
    parts = urlsplit(root)
    return f"{parts.scheme}://{parts.netloc}", parts.path


def _code(content: bytes) -> str:
    """The error code in an answer; a word, never content."""
    try:
        found = _ERROR.decode(content).error
    except UNREADABLE:
        return ""
    code = found.code if found is not None and found.code else ""
    return code if code.replace(".", "").replace("_", "").isalnum() and len(code) < 80 else ""
