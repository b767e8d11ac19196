"""The services that a planner calls: IndkaldelseService, Frist and the queue of messages, with faults."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tests.servers.dfdg import control, names
from tests.servers.dfdg.faults import KINDS
from tests.servers.dfdg.http import Answer, Handler, Listener, Request
from tests.servers.dfdg.jobnet import Jobnet, Shown
from tests.servers.dfdg.world import Record, Refused, World
from tests.servers.exchange.tls import Certificates
from tests.servers.fault_rules import Faults

_ROUTES = [
    ("create", "POST", r"/v2/Indkaldelse/([^/]+)"),
    ("update", "PUT", r"/v2/Indkaldelse/([^/]+)"),
    ("delete", "DELETE", r"/v2/Indkaldelse/([^/]+)"),
    ("get", "GET", r"/v2/Indkaldelse/([^/]+)"),
    ("deadline", "GET", r"/v1/Frist/([^/]+)"),
    ("messages", "GET", r"/v1/Besked"),
    ("acknowledge", "DELETE", r"/v1/Besked/([^/]+)"),
]
_WRITES = frozenset({"create", "update", "delete"})
_FIELDS = {key: name for key, name in names.RECORD.items() if key not in ("id", "group", "system", "status")}
_NEEDED = frozenset({"type", "form", "start", "end", "caseworker"})


class DfdgServer:
    """DFDG on loopback.

    :param certificates: TLS with these; a client without a certificate of the same authority is refused (A SEC).
    :param authority: type and code of the only organisation whose caller is known here.
    """

    def __init__(
        self,
        seed: int = 0,
        clock: Callable[[], datetime] | None = None,
        port: int = 0,
        certificates: Certificates | None = None,
        authority: tuple[str, str] = ("2", "10101"),
    ) -> None:
        self.world = World(clock or (lambda: datetime.now(UTC)), seed)
        self.faults = Faults(KINDS, seed)
        self.authority = authority
        self.secure = certificates is not None
        self.seen: list[tuple[str, Request]] = []
        self.hang_seconds = 0.5
        self.pages: Jobnet | None = None
        self.offered: dict[str, Shown] = {}
        self._listener = Listener(("127.0.0.1", port), Handler)
        self._listener.dfdg = self
        if certificates is not None:
            wrap = certificates.context().wrap_socket
            self._listener.socket = wrap(self._listener.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https" if certificates is not None else "http"
        self.base = f"{scheme}://127.0.0.1:{self._listener.server_address[1]}"

    @classmethod
    def secured(cls, folder: Path, make: Callable[[Path, str], Certificates], **more: Any) -> tuple[Self, Certificates]:
        """A server with TLS, and the certificates in *folder*."""
        made = make(folder, "syncd-test-function")
        return cls(certificates=made, **more), made

    def __enter__(self) -> Self:
        threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    def serve(self) -> None:
        """Serve in this thread until interrupted."""
        self._listener.serve_forever()

    def calls(self, operation: str) -> list[Request]:
        """What came for one operation, the oldest first."""
        return [request for name, request in self.seen if name == operation]

    def answer(self, request: Request) -> Answer:
        """The answer to one request."""
        if request.path.startswith("/control/"):
            return control.done(self, request)
        for operation, method, pattern in _ROUTES:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                with self.world.lock:
                    self.seen.append((operation, request))
                    return self._judged(operation, request, match.groups())
        return _error(404, 0, "Ukendt sti.")

    def _judged(self, operation: str, request: Request, found: tuple[str, ...]) -> Answer:
        met = self.faults.met(operation, found[0] if found else "")
        if "unavailable" in met:
            return _error(503, 4769, "Utilgængelig.")
        if "throttle" in met:
            return Answer(429, None, {"Retry-After": str(met["throttle"].get("retry_after", 1))})
        if "drop" in met:
            return Answer(0, lost=True)
        try:
            self._metadata(operation, request)
            if operation in _WRITES and self.world.repeated(request.headers[names.REQUEST]):
                return _error(412, 0, "x-requestId er modtaget før.")
            if "half" in met:
                return _error(500, 9999, "Systemfejl.")
            if "refuse" in met:
                raise Refused(409, int(met["refuse"].get("code", 4005)), "Afvist af en forretningsregel.")
            answer: Answer = getattr(self, f"_{operation}")(request, *found)
        except Refused as refused:
            return _error(refused.status, refused.code, str(refused))
        if "garbage" in met:
            answer = Answer(200, b"<html>Not what you asked for</html>", {"Content-Type": "text/html"})
        return replace(answer, hang=self.hang_seconds if "hang" in met else 0.0, lost="lose" in met)

    def _metadata(self, operation: str, request: Request) -> None:
        """Who calls, for whom, and on whose behalf (A SEC)."""
        if self.secure and not request.certificate:
            raise Refused(403, 4511, "Intet funktionscertifikat.")
        told = request.headers.get(names.ORGANISATION_TYPE), request.headers.get(names.ORGANISATION_CODE)
        if told != self.authority:
            raise Refused(403, 4575, "Kalderen må ikke handle for denne myndighed.")
        if not request.headers.get(names.USER) or not request.headers.get(names.USER_TYPE):
            raise Refused(400, 1014, "RequestUserMetadata mangler.")
        if operation in _WRITES:
            if not 0 < len(request.headers.get(names.REQUEST, "")) <= names.LONGEST_REQUEST:
                raise Refused(400, 1014, "x-requestId mangler eller er for lang.")
            if not re.fullmatch(names.CPR, request.headers.get(names.CITIZEN, "")):
                raise Refused(400, 1001, "CPR-nummeret er ikke velformet.")

    def _create(self, request: Request, record: str) -> Answer:
        if not re.fullmatch(names.GUID, record):
            raise Refused(400, 1014, "Id er ikke en GUID.")
        made = self._read(request, record)
        acting = request.headers.get(names.USER_TYPE), request.headers.get(names.USER)
        if made.selfbooked and acting != ("1", made.cpr):
            raise Refused(409, 4006, "Selvbooket kræver borgeren som bruger.")
        self.world.save(made, names.CREATED, "planner")
        return Answer(201)

    def _update(self, request: Request, record: str) -> Answer:
        known = self.world.records.get(record)
        made = self._read(request, record)
        self.world.save(replace(made, selfbooked=known.selfbooked) if known else made, names.UPDATED, "planner")
        return Answer(204)

    def _delete(self, request: Request, record: str) -> Answer:
        known = self.world.records.get(record)
        if known is not None and known.cpr != request.headers[names.CITIZEN]:
            raise Refused(409, 8107, "Indkaldelsen hører ikke til dette CPR-nummer.")
        self.world.annul(record, "planner", names.PLANNER)
        return Answer(204)

    def _get(self, _request: Request, record: str) -> Answer:
        known = self.world.records.get(record)
        if known is None:
            raise Refused(404, 4001, "Ukendt indkaldelse.")
        group = self.world.citizens[known.cpr].group
        told = {names.RECORD[key]: value for key, value in vars(known).items() if key in names.RECORD}
        times = {names.RECORD[key]: getattr(known, key).isoformat() for key in ("start", "end")}
        return Answer(200, told | times | {names.RECORD["group"]: group})

    def _deadline(self, _request: Request, deadline: str) -> Answer:
        known = self.world.deadlines.get(deadline)
        if known is None:
            raise Refused(404, 4001, "Ukendt frist.")
        told = {
            "fristIdentifier": known.id,
            "samtaleType": known.type,
            "fristDato": known.until.isoformat(),
            "sidsteAfholdelsesdato": known.latest.isoformat(),
            "straksbookingPaakraevet": known.immediate,
            "status": known.status,
        }
        return Answer(200, told)

    def _messages(self, request: Request) -> Answer:
        waiting = self.world.queue[: int(request.query.get("antal", 100))]
        met = self.faults.met("queue", "")
        if "late" in met:
            waiting = waiting[1:]
        if "shuffle" in met:
            self.world.dice.shuffle(waiting)
        if "duplicate" in met:
            waiting = [one for one in waiting for _ in range(2)]
        return Answer(200, {"beskeder": [control.told(one) for one in waiting]})

    def _acknowledge(self, _request: Request, message: str) -> Answer:
        self.world.queue[:] = [one for one in self.world.queue if one.id != message]
        return Answer(204)

    def _read(self, request: Request, record: str) -> Record:
        """What a planner says of a record. :raises Refused: it is not what the contract asks for."""
        try:
            content = request.json()
            missing = [name for key, name in _FIELDS.items() if key in _NEEDED and name not in content]
            unknown = sorted(set(content) - set(_FIELDS.values()))
            if missing or unknown:
                raise Refused(400, 1014, f"Meddelelsen kunne ikke valideres: {missing or unknown}.")
            facts = {key: content[name] for key, name in _FIELDS.items() if name in content}
            times = {key: datetime.fromisoformat(facts[key]).astimezone(UTC) for key in ("start", "end")}
        except (ValueError, TypeError, AttributeError) as error:
            raise Refused(400, 1014, f"Meddelelsen kunne ikke valideres: {error}") from error
        return Record(
            **{**facts, **times, "id": record, "cpr": request.headers[names.CITIZEN], "system": names.PLANNER}
        )


def _error(status: int, code: int, text: str) -> Answer:
    return Answer(status, {"fejlkode": code, "fejltekst": text})
