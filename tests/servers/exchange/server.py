"""The simulated Exchange server: `ExchangeServer` for tests, in threads of their own process or as one."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from lxml import etree

from tests.servers.exchange import autodiscover, availability, directory, notify, reading, writing
from tests.servers.exchange.auth import Doorkeeper
from tests.servers.exchange.faults import KINDS, TWISTS, refusal, said
from tests.servers.exchange.http import XML, Handler, Listener
from tests.servers.exchange.outlook import Outlook
from tests.servers.exchange.request import Handler as Operation
from tests.servers.exchange.request import Request, admit
from tests.servers.exchange.schemas import Validator, header_parts
from tests.servers.exchange.tls import Certificates
from tests.servers.exchange.wire import Element, EwsError, Fault, child, children, envelope, fault, local, name
from tests.servers.exchange.world import Account, Mailbox, RoomPolicy, World
from tests.servers.fault_rules import Faults

OPERATIONS: dict[str, Operation] = {
    "GetFolder": reading.get_folder,
    "FindItem": reading.find_item,
    "GetItem": reading.get_item,
    "SyncFolderItems": reading.sync_folder_items,
    "CreateItem": writing.create_item,
    "UpdateItem": writing.update_item,
    "DeleteItem": writing.delete_item,
    "ResolveNames": directory.resolve_names,
    "ExpandDL": directory.expand_dl,
    "GetRoomLists": directory.get_room_lists,
    "GetRooms": directory.get_rooms,
    "GetServerTimeZones": directory.get_server_time_zones,
    "ConvertId": directory.convert_id,
    "GetUserConfiguration": directory.get_user_configuration,
    "UpdateUserConfiguration": directory.update_user_configuration,
    "CreateUserConfiguration": directory.create_user_configuration,
    "GetUserAvailability": availability.get_user_availability,
}
_SEEN = 20_000


@dataclass
class Answer:
    """What goes back, and how.

    :param wire: faults of the wire by kind, with their options.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": XML})
    cookies: list[tuple[str, str]] = field(default_factory=list)
    wire: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stream: Generator[bytes] | None = None


@dataclass(frozen=True)
class Seen:
    """One request that was let in.

    :param mailbox: in whose name; empty if in nobody's.
    """

    operation: str
    mailbox: str
    headers: Mapping[str, str]
    body: bytes


class ExchangeServer:
    """An Exchange server on loopback.

    :param schemas: folder of Microsoft's schemas; every request and answer is judged by them, and an invalid request is
        refused as Exchange does it (ErrorSchemaValidation).
    :param clock: the present instant; the real one if None.
    :param affinity: subscriptions are known to one server of the farm only, and cookies lead there.
    :param minute: real seconds of a streaming connection's minute.
    :param concurrency: requests at a time for one mailbox (EWSMaxConcurrency); more are refused.
    :param streams: streaming connections at a time for one account (HangingConnectionLimit).
    :param tls: speak HTTPS; NTLM is then bound to the channel (Extended Protection), and certificates let accounts in.
    """

    def __init__(
        self,
        schemas: Path | None = None,
        seed: int = 0,
        clock: Callable[[], datetime] | None = None,
        affinity: bool = False,
        minute: float = 60.0,
        concurrency: int = 27,
        streams: int = 10,
        tls: Certificates | None = None,
        port: int = 0,
    ) -> None:
        self.world = World(clock, seed)
        self.faults = Faults(KINDS, seed)
        self.door = Doorkeeper(self.world)
        self.subscriptions = notify.Subscriptions(self.world)
        self.outlook = Outlook(self.world)
        self.validator = Validator(schemas) if schemas else None
        self.affinity, self.minute, self.beat, self.concurrency = affinity, minute, 45.0, concurrency
        self.streams = streams
        self._at_work: Counter[str] = Counter()
        self.seen: list[Seen] = []
        self.counts: Counter[str] = Counter()
        self._listener = Listener(("127.0.0.1", port), Handler)
        self._listener.exchange = self
        self.tls = tls
        if tls is not None:
            self.door.binding = tls.binding()
            wrapped = tls.context().wrap_socket(
                self._listener.socket, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
            )
            self._listener.socket = wrapped
        self.discovery = autodiscover.Discovery(self.world, self.url)
        self._thread: threading.Thread | None = None

    # For tests

    @property
    def base(self) -> str:
        """``http://127.0.0.1:PORT``, or https."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self._listener.server_address[1]}"

    @property
    def url(self) -> str:
        """The service endpoint."""
        return f"{self.base}/EWS/Exchange.asmx"

    @property
    def autodiscover_url(self) -> str:
        """The autodiscover service."""
        return f"{self.base}/autodiscover/autodiscover.svc"

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return f"{self.base}/token"

    @property
    def violations(self) -> list[str]:
        """What Microsoft's schemas did not like."""
        return self.validator.violations if self.validator else []

    def start(self) -> Self:
        """Answer in threads of this process."""
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Answer no more."""
        if self._thread is not None:
            self._listener.shutdown()
        self._listener.server_close()
        self.door.close()

    def serve(self) -> None:
        """Answer until the process ends."""
        self._listener.serve_forever()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def account(self, name: str, password: str, **more: Any) -> Account:
        """Somebody who logs in."""
        made = Account(name, password, **more)
        self.world.accounts[name.lower()] = made
        return made

    def application(self, client_id: str, secret: str) -> None:
        """An application with a token of its own, allowed to impersonate everybody (full_access_as_app)."""
        self.account(client_id, f"never-{secret}-by-password", impersonates=True, application=True)
        self.door.clients[client_id] = (secret, client_id)

    def mailbox(self, email: str, name: str = "", **more: Any) -> Mailbox:
        """A person's mailbox."""
        return self.world.add_mailbox(email, name, **more)

    def room(self, email: str, name: str = "", zone: str = "Romance Standard Time", **policy: Any) -> Mailbox:
        """A room's mailbox; *policy* as in `RoomPolicy`."""
        return self.world.add_mailbox(email, name, zone=zone, policy=RoomPolicy(**policy))

    def forget(self) -> None:
        """Empty what was seen and counted."""
        self.seen.clear()
        self.counts.clear()

    def settle(self, seconds: float = 5.0) -> None:
        """Wait until no message is under way.

        :raises TimeoutError: it takes longer.
        """
        until = time.monotonic() + seconds
        while True:
            with self.world.lock:
                self.world.settle()
                if not self.world.pending():
                    return
            if time.monotonic() > until:
                raise TimeoutError(f"{self.world.pending()} messages are still under way")
            time.sleep(0.005)

    # For HTTP

    def answer(self, account: Account, body: bytes, headers: Mapping[str, str]) -> Answer:
        """What a request that was let in gets."""
        try:
            envelope_in = etree.fromstring(body)
        except etree.XMLSyntaxError:
            return Answer(400, b"", {"Content-Type": "text/plain"})
        holder = child(envelope_in, "s:Body")
        element = next(children(holder), None) if holder is not None else None
        if element is None:
            return self._fault(Fault("ErrorInvalidRequest", "The request has no body."))
        operation = local(element).removesuffix("Request")
        header = child(envelope_in, "s:Header")
        try:
            self._validate_request(header, element)
            with self.world.lock:
                request = admit(self.world, account, operation, element, header, headers)
                self._route(request)
        except Fault as problem:
            return self._fault(problem)
        email = request.mailbox.address.email if request.mailbox else ""
        self._note(Seen(operation, email, headers, body))
        met = dict(self.faults.met(operation, email))
        with self._counted(email) as number:
            if number > self.concurrency:
                met["connections"] = {}
            return self._meet(request, met)

    def discover(self, account: Account, body: bytes, headers: Mapping[str, str]) -> Answer:
        """What a request to the autodiscover service that was let in gets."""
        emails = autodiscover.asked_for(body)
        if not emails:
            return Answer(400, b"", {"Content-Type": "text/plain"})
        self._note(Seen("GetUserSettings", emails[0], headers, body))
        met = self.faults.met("GetUserSettings", emails[0])
        if "hang" in met:
            time.sleep(float(met["hang"].get("seconds", 1.0)))
        if "http" in met:
            kinds = {"Content-Type": "text/html", **met["http"].get("headers", {})}
            return Answer(int(met["http"].get("status", 503)), b"<html></html>", kinds, wire=met)
        with self.world.lock:
            answer = Answer(200, autodiscover.told(self.discovery, body), wire=met)
        if "garbled" in met:
            answer.body = str(met["garbled"].get("text", "<html><body>Log in</body></html>")).encode()
        return answer

    @contextmanager
    def _counted(self, email: str) -> Iterator[int]:
        """How many requests are at work for a mailbox, this one among them."""
        with self.world.lock:
            self._at_work[email] += 1
            number = self._at_work[email]
        try:
            yield number
        finally:
            with self.world.lock:
                self._at_work[email] -= 1

    def _note(self, seen: Seen) -> None:
        self.counts[seen.operation] += 1
        self.seen.append(seen)
        if len(self.seen) > _SEEN:
            del self.seen[: _SEEN // 2]

    def _validate_request(self, header: Element | None, element: Element) -> None:
        if self.validator is None:
            return
        parts = header_parts(header)
        found = [text for part in parts for text in self.validator.check("request header", part)]
        found += self.validator.check("request", element)
        if found:
            raise Fault("ErrorSchemaValidation", f"The request failed schema validation: {found[0]}")

    def _route(self, request: Request) -> None:
        """Find the server of the farm that a request reaches."""
        if not self.affinity:
            return
        anchor = self.world.find(request.headers.get("x-anchormailbox", "")) or request.mailbox
        request.backend = anchor.backend if anchor else "BE01"
        if request.headers.get("x-preferserveraffinity", "").lower() == "true":
            request.backend = request.headers.get("cookie:backend", request.backend)

    def _meet(self, request: Request, met: Mapping[str, Mapping[str, Any]]) -> Answer:
        """Let the faults that a request meets happen around the work."""
        if "hang" in met:
            time.sleep(float(met["hang"].get("seconds", 1.0)))
        if "unauthorized" in met:
            return Answer(401, cookies=[("WWW-Authenticate", one) for one in self.door.challenges()], wire=met)
        if "http" in met:
            return Answer(
                int(met["http"].get("status", 503)),
                b"<html>Service Unavailable</html>",
                {"Content-Type": "text/html"},
                wire=met,
            )
        if "drop" in met:
            return Answer(500, wire=met)
        for kind in ("busy", "mailbox_move", "connections", "error", "fault"):
            if kind in met:
                answer = self._refuse(request, *refusal(kind, met[kind]))
                answer.wire = met
                return answer
        request.twists.update({kind: str(met[kind].get("value", "on")) for kind in met if kind in TWISTS})
        answer = self._work(request)
        answer.wire = {**met, "drop": {}} if "lose" in met else met
        if "garbled" in met:
            answer.body = str(met["garbled"].get("text", "<html><body>Runtime Error</body>")).encode()
        if "cookie" in met:
            answer.cookies = [("Set-Cookie", f"X-BackEndOverrideCookie={met['cookie'].get('value', 'BE99')}; path=/")]
        return answer

    def _refuse(self, request: Request, error: EwsError, status: int) -> Answer:
        if status == 200:
            try:
                return self._good(said(request.operation, request.element, error))
            except Fault as problem:
                return self._fault(problem)
        if status == 503:
            return Answer(503, b"", {"Content-Type": "text/html"})
        return self._fault(error)

    def _work(self, request: Request) -> Answer:
        try:
            with self.world.lock:
                self.world.settle()
                if request.operation == "GetStreamingEvents":
                    return self._streaming(request)
                made = self._dispatch(request)
                self.world.settle()
        except Fault as problem:
            return self._fault(problem)
        except EwsError as problem:
            try:
                made = said(request.operation, request.element, problem)
            except Fault as other:
                return self._fault(other)
        answer = self._good(made)
        if request.operation == "Subscribe":
            cookie = f"X-BackEndOverrideCookie={request.backend or 'BE01'}; path=/"
            answer.cookies.append(("Set-Cookie", cookie))
        return answer

    def _dispatch(self, request: Request) -> Element:
        listening = {
            "Subscribe": notify.subscribe,
            "Unsubscribe": notify.unsubscribe,
            "GetEvents": notify.get_events,
        }
        if act := listening.get(request.operation):
            return act(request, self.subscriptions)
        if work := OPERATIONS.get(request.operation):
            return work(request)
        raise Fault("ErrorInvalidRequest", f"The simulator does not know {request.operation}.")

    def _streaming(self, request: Request) -> Answer:
        minutes = int(child(request.element, "m:ConnectionTimeout").text or 1)  # type: ignore[union-attr]  # the schema asks for it
        key = f"stream/{request.account.name}"
        if self._at_work[key] >= self.streams:
            text = "You have exceeded the available concurrent connections for your account."
            raise Fault("ErrorExceededConnectionCount", text)
        self._at_work[key] += 1
        bodies = notify.stream(request, self.subscriptions, minutes * self.minute, self.beat)
        return Answer(200, stream=self._told(bodies, key))

    def _told(self, bodies: Iterator[Element], key: str) -> Generator[bytes]:
        try:
            for one in bodies:
                yield self._sealed(one)
        finally:
            with self.world.lock:
                self._at_work[key] -= 1

    def _sealed(self, made: Element) -> bytes:
        if self.validator:
            self.validator.check("answer", made)
        for one in made.iter(name("t:Notification")):
            # In a stream real servers say m:Notification, whatever their schema wants.
            one.tag = name("m:Notification")
        return envelope(made)

    def _good(self, made: Element) -> Answer:
        return Answer(200, self._sealed(made))

    def _fault(self, error: EwsError) -> Answer:
        return Answer(500, envelope(fault(error), header=False))
