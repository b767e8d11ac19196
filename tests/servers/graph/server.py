"""The simulated Graph: which request does what, with which faults, and judged by Microsoft's metadata."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from tests.servers.fault_rules import Faults
from tests.servers.graph import directory
from tests.servers.graph.control import ControlError, control
from tests.servers.graph.delta import Rounds, dated, view
from tests.servers.graph.door import Door
from tests.servers.graph.faults import KINDS, refusal, throttled
from tests.servers.graph.http import Handler, Listener
from tests.servers.graph.outlook import Outlook
from tests.servers.graph.render import Wishes, full
from tests.servers.graph.schema import Validator
from tests.servers.graph.subscriptions import Subscriptions
from tests.servers.graph.wire import GraphError, bad
from tests.servers.graph.world import Instance, Mailbox, RoomPolicy, Values, World
from tests.servers.graph.writing import Writer

_ROUTES = [
    ("delta", "GET", r"/users/([^/]+)/calendarView/(?:microsoft\.graph\.)?delta(?:\(\))?"),
    ("view", "GET", r"/users/([^/]+)/calendarView"),
    ("schedule", "POST", r"/users/([^/]+)/calendar/(?:microsoft\.graph\.)?getSchedule"),
    ("find", "GET", r"/users/([^/]+)/(?:calendar/)?events"),
    ("create", "POST", r"/users/([^/]+)/(?:calendar/)?events"),
    ("get", "GET", r"/users/([^/]+)/events/([^/]+)"),
    ("update", "PATCH", r"/users/([^/]+)/events/([^/]+)"),
    ("delete", "DELETE", r"/users/([^/]+)/events/([^/]+)"),
    ("instances", "GET", r"/users/([^/]+)/events/([^/]+)/instances"),
    ("cancel", "POST", r"/users/([^/]+)/events/([^/]+)/cancel"),
    ("rooms", "GET", r"/places/(?:microsoft\.)?graph\.room()"),
    ("room_lists", "GET", r"/places/microsoft\.graph\.roomlist()"),
    ("rooms_in", "GET", r"/places/([^/]+)/microsoft\.graph\.roomlist/rooms"),
    ("groups", "GET", r"/groups()"),
    ("translate", "POST", r"/users/([^/]+)/translateExchangeIds"),
    ("members", "GET", r"/groups/([^/]+)/transitiveMembers(?:/microsoft\.graph\.user)?"),
    ("subscribe", "POST", r"/subscriptions()"),
    ("renew", "PATCH", r"/subscriptions/([^/]+)"),
    ("unsubscribe", "DELETE", r"/subscriptions/([^/]+)"),
    ("user", "GET", r"/users/([^/]+)"),
]
CHANGES = frozenset(["create", "update", "delete", "cancel"])
_OWN = re.compile(
    r"singleValueExtendedProperties/Any\(ep: ?ep/id eq '([^']+)' and ep/value eq '([^']+)'\)", re.IGNORECASE
)
_ANY = re.compile(r"singleValueExtendedProperties/Any\(ep: ?ep/id eq '([^']+)' and ep/value ne null\)", re.IGNORECASE)
_UID = re.compile(r"iCalUId eq '([^']+)'", re.IGNORECASE)
_EXPANDED = re.compile(r"id eq '([^']+)'", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """One request, as it came; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    operation: str = ""
    mailbox: str = ""


@dataclass
class Answer:
    """What goes back.

    :param wire: faults of the wire by kind, with their options.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    wire: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class GraphServer:
    """A Graph service on loopback.

    :param metadata: Microsoft's CSDL; every event, room and schedule in both directions is judged by it.
    :param concurrency: requests at a time for one mailbox; more are answered by 429.
    :param page: the most rows in one page of a round, whatever is asked for.
    :param packs: answer packed (gzip) whoever says that he can unpack it, as Microsoft does.
    """

    directory_page = 999
    """The most rows in one page of everything else."""

    def __init__(
        self,
        metadata: Path | None = None,
        seed: int = 0,
        clock: Callable[[], datetime] | None = None,
        concurrency: int = 4,
        page: int = 200,
        port: int = 0,
        packs: bool = True,
    ) -> None:
        self.world, self.faults, self.door = World(clock, seed), Faults(KINDS, seed), Door()
        self.outlook, self.rounds, self.writer = Outlook(self.world), Rounds(self.world), Writer(self.world)
        self.subscriptions = Subscriptions(self.world)
        self.validator = Validator(metadata) if metadata else None
        self.concurrency, self.page, self.packs = concurrency, page, packs
        self.seen: list[Request] = []
        self._at_work: Counter[str] = Counter()
        self._listener = Listener(("127.0.0.1", port), Handler)
        self._listener.graph = self
        self.base = f"http://127.0.0.1:{self._listener.server_address[1]}"
        self.url = f"{self.base}/v1.0"
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    def serve(self) -> None:
        """Serve in this thread until interrupted."""
        self._listener.serve_forever()

    def mailbox(self, address: str, name: str = "", **more: Any) -> Mailbox:
        """A new, empty mailbox."""
        with self.world.lock:
            box = Mailbox(address.lower(), name or address.partition("@")[0].title(), **more)
            self.world.boxes[box.address] = box
            return box

    def room(self, address: str, name: str = "", **policy: Any) -> Mailbox:
        """A new room with a booking attendant."""
        return self.mailbox(address, name, policy=RoomPolicy(**policy))

    def consent(self, *roles: str) -> None:
        """Give the application permissions for the whole tenant; the next token says so."""
        self.door.roles = roles
        self.world.wide = any(one.startswith("Calendars.") for one in roles)

    def control(self, action: str, body: bytes) -> Answer:
        """What the control interface answers."""
        try:
            return Answer(200, control(self, action, json.loads(body or b"{}")))
        except (ControlError, ValueError) as problem:
            return Answer(400, {"error": str(problem)})

    def count(self, operation: str, mailbox: str = "") -> int:
        """How many such requests came."""
        return sum(1 for one in self.seen if one.operation == operation and mailbox.lower() in ("", one.mailbox))

    def answer(self, came: Request) -> Answer:
        """Do what a request asks, or say no."""
        operation, parts = _route(came)
        mailbox = parts[0].lower() if parts else ""
        request = Request(came.method, came.path, came.query, came.headers, came.body, operation, mailbox)
        self.seen.append(request)
        met = self.faults.met(operation, mailbox)
        try:
            if not self.door.let_in(came.headers.get("authorization")):
                raise GraphError(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
            if operation in CHANGES and mailbox in self.world.boxes and not self.world.boxes[mailbox].writable:
                raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
            with self._working(mailbox):
                if "hang" in met:
                    threading.Event().wait(float(met["hang"].get("seconds", 1.0)))
                if (error := refusal(met)) is not None:
                    raise error
                if "drop" in met:
                    return Answer(503, wire=met)
                with self.world.lock:
                    self.world.settle()
                    answer = getattr(self, f"_{operation}")(request, parts, met)
                    # Whatever others do because of it happens after the answer.
        except GraphError as error:
            return Answer(error.status, error.body(), dict(error.headers))
        answer.wire = met
        return answer  # type: ignore[no-any-return]  # its methods are found by name

    @contextmanager
    def _working(self, mailbox: str) -> Iterator[None]:
        with self.world.lock:
            if mailbox and self._at_work[mailbox] >= self.concurrency:
                raise throttled(1, concurrency=True)
            self._at_work[mailbox] += 1
        try:
            yield
        finally:
            with self.world.lock:
                self._at_work[mailbox] -= 1

    # What a request may ask

    def _unknown(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        raise GraphError(404, "ResourceNotFound", f"Resource not found for the segment {request.path}.")

    def _delta(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        box = self.world.box(parts[0])
        rows, link = self.rounds.page(box, request.query, self._wishes(request), met)
        self._judge("answer", "event", rows)
        key = "@odata.nextLink" if link.startswith("$skip") else "@odata.deltaLink"
        address = f"{self.url}/users/{quote(box.address)}/calendarView/delta?{link}"
        return Answer(200, {"@odata.context": self._context("event"), key: address, "value": rows})

    def _view(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        rows = view(self.world.box(parts[0]), request.query, self._wishes(request))
        return self._listed("event", rows, request, min(int(request.query.get("$top", 10)), 1000))

    def _instances(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        box = self.world.box(parts[0])
        rows = dated(box, self.world.find(box, parts[1]).event, request.query, self._wishes(request))
        return self._listed("event", rows, request, min(int(request.query.get("$top", 10)), 1000))

    def _find(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        box, wishes = self.world.box(parts[0]), self._wishes(request)
        if "empty_page" in met:
            return self._beyond(request)
        events = [*box.events.values()]
        if wanted := request.query.get("$filter"):
            own, uid = _OWN.fullmatch(wanted.strip()), _UID.fullmatch(wanted.strip())
            if (bearing := _ANY.fullmatch(wanted.strip())) is not None:
                events = [one for one in events if bearing[1] in one.extended]
            elif own is not None:
                events = [one for one in events if one.extended.get(own[1]) == own[2]]
            elif uid is not None:
                events = [one for one in events if one.uid == uid[1]]
            else:
                raise bad("The query filter is not played here.", "ErrorInvalidUrlQueryFilter")
        rows = [full(box, one.whole(), wishes) for one in events]
        return self._listed("event", rows, request, int(request.query.get("$top", 10)))

    def _get(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        box = self.world.box(parts[0])
        return self._shown(box, self.world.find(box, parts[1]), request)

    def _create(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        box, body = self.world.box(parts[0]), self._body(request, "event")
        return self._shown(box, self.writer.create(box, body), request, 201)

    def _update(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        box, body = self.world.box(parts[0]), self._body(request, "event")
        one = self.world.find(box, parts[1])
        return self._shown(box, self.writer.change(box, one, body, request.headers.get("if-match")), request)

    def _delete(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        box = self.world.box(parts[0])
        self.writer.delete(box, self.world.find(box, parts[1]), request.headers.get("if-match"))
        return Answer(204)

    def _cancel(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        box = self.world.box(parts[0])
        one = self.world.find(box, parts[1])
        if one.values.get("isOrganizer") is False:
            raise bad("Only the organizer can cancel a meeting.")
        self.writer.delete(box, one, None)
        return Answer(202)

    def _schedule(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        self.world.box(parts[0])
        rows = directory.schedules(self.world, json.loads(request.body), self._wishes(request))
        self._judge("answer", "scheduleInformation", rows)
        return Answer(200, {"@odata.context": self._context("scheduleInformation"), "value": rows})

    def _rooms(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        return self._listed("room", directory.rooms(self.world), request, int(request.query.get("$top", 100)))

    def _room_lists(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        return self._listed("roomList", directory.room_lists(self.world), request, int(request.query.get("$top", 100)))

    def _rooms_in(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        rows = directory.rooms_in(self.world, parts[0])
        return self._listed("room", rows, request, int(request.query.get("$top", 100)))

    def _groups(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        rows = directory.groups(self.world, request.query.get("$filter", ""))
        return self._listed("group", rows, request, int(request.query.get("$top", 100)))

    def _translate(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        rows = directory.translated(self.world, self.world.box(parts[0]), json.loads(request.body))
        self._judge("answer", "convertIdResult", rows)
        return Answer(200, {"@odata.context": self._context("convertIdResult"), "value": rows})

    def _members(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        rows = directory.members(self.world, parts[0])
        for kind in ("user", "group"):
            self._judge("answer", kind, [one for one in rows if one["@odata.type"].endswith(f".{kind}")])
        return self._paged("directoryObject", rows, request, int(request.query.get("$top", 100)))

    def _user(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        row = directory.user(self.world.box(parts[0]))
        self._judge("answer", "user", [row])
        return Answer(200, row)

    def _subscribe(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        body = json.loads(request.body)
        self._judge("request", "subscription", [body])
        row = self.subscriptions.create(body).shown()
        self._judge("answer", "subscription", [row])
        return Answer(201, row)

    def _renew(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        body = json.loads(request.body)
        self._judge("request", "subscription", [body])
        row = self.subscriptions.renew(parts[0], body).shown()
        self._judge("answer", "subscription", [row])
        return Answer(200, row)

    def _unsubscribe(self, request: Request, parts: list[str], met: Mapping[str, Any]) -> Answer:
        del self.subscriptions.known[self.subscriptions.find(parts[0]).id]
        return Answer(204)

    # Form

    def _wishes(self, request: Request) -> Wishes:
        prefer = request.headers.get("prefer", "")
        size = re.search(r"odata\.maxpagesize=(\d+)", prefer)
        named = re.search(r'outlook\.timezone="([^"]+)"', prefer)
        select = request.query.get("$select", "")
        return Wishes(
            immutable='IdType="ImmutableId"' in prefer,
            zone=named[1] if named else "UTC",
            page=min(int(size[1]) if size else 10, self.page),
            select=frozenset(one.strip() for one in select.split(",") if one),
            text='outlook.body-content-type="text"' in prefer,
            extended=_EXPANDED.findall(request.query.get("$expand", "")),
        )

    def _listed(self, name: str, rows: list[Values], request: Request, top: int) -> Answer:
        """A page by `$top` and `$skip`, judged."""
        self._judge("answer", name, rows)
        return self._paged(name, rows, request, top)

    def _beyond(self, request: Request) -> Answer:
        """A page with nothing on it, and the link to where the search goes on."""
        text = "&".join(f"{key}={quote(value)}" for key, value in {**request.query, "$skip": "0"}.items())
        link = f"{self.base}{quote(request.path)}?{text}"
        return Answer(200, {"@odata.context": self._context("event"), "value": [], "@odata.nextLink": link})

    def _paged(self, name: str, rows: list[Values], request: Request, top: int) -> Answer:
        """A page by `$top` and `$skip`, never longer than the server's own."""
        top = min(top, self.directory_page)
        skip = int(request.query.get("$skip", 0))
        found: Values = {"@odata.context": self._context(name), "value": rows[skip : skip + top]}
        if len(rows) > skip + top:
            kept = {**request.query, "$skip": str(skip + top)}
            text = "&".join(f"{key}={quote(value)}" for key, value in kept.items())
            found["@odata.nextLink"] = f"{self.base}{quote(request.path)}?{text}"
        return Answer(200, found)

    def _shown(self, box: Mailbox, one: Instance, request: Request, status: int = 200) -> Answer:
        row = full(box, one, self._wishes(request))
        self._judge("answer", "event", [row])
        return Answer(status, {"@odata.context": self._context("event"), **row})

    def _body(self, request: Request, name: str) -> Values:
        try:
            body = json.loads(request.body)
        except ValueError:
            raise bad("Unable to read JSON request payload.", "BadRequest") from None
        if problems := self._judge("request", name, [body]):
            raise bad(problems[0], "RequestBodyRead")
        return body  # type: ignore[no-any-return]  # judged above

    def _judge(self, direction: str, name: str, rows: list[Values]) -> list[str]:
        return self.validator.check(direction, name, rows) if self.validator else []

    def _context(self, name: str) -> str:
        return f"{self.url}/$metadata#Collection({name})"


def _route(came: Request) -> tuple[str, list[str]]:
    path = came.path.removeprefix("/v1.0")
    for operation, method, pattern in _ROUTES:
        if method == came.method and (match := re.fullmatch(pattern, path)):
            return operation, [one for one in match.groups() if one]
    return "unknown", []
