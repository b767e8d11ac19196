"""A small office behind real HTTP: SQLite, engine, publisher, desk and reconciler are real, calendars are in memory."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI

from syncd.adapters.memory import MemoryCalendar
from syncd.booking.contacts import Contacts
from syncd.booking.desk import Desk
from syncd.booking.reconcile import Reconciler
from syncd.clock import FixedClock
from syncd.config import ClientSection, token_digest
from syncd.errors import TemporarilyClosed
from syncd.model.busy import BusyType, Occurrence
from syncd.model.directory import Caseworker, Directory, Mailbox, MailboxId, MailboxKind, Room, Site
from syncd.model.interval import Interval
from syncd.observe import metrics
from syncd.publish import Publisher, PublishSettings, RulesInForce
from syncd.rulebook import parse
from syncd.store import Store
from syncd.sync.engine import Engine
from syncd.sync.timing import Pace
from syncd.web.app import build_app
from syncd.web.deps import Deps
from syncd.web.health import Check, Health, Standing
from syncd.web.server import server

NOW = datetime(2026, 11, 30, 7, tzinfo=UTC)
"""A Monday, 08:00 in Copenhagen."""
ZONE = "Europe/Copenhagen"
TOKENS = {"portal": "portal-token", "rival": "rival-token", "weak": "weak-token"}
RULES = """
[offers.jobsamtale]
title = {da = "Jobsamtale", en = "Job talk"}
minutes = {in-person = 30, phone = 30}
who = ["anna", "bo"]
step = 30
notice = 60
horizon_days = 28
hold_minutes = 10
cancel_notice = 60
moves = 2

[offers.opfoelgning]
title = {da = "Opfølgning", en = "Follow-up"}
minutes = {phone = 30}
who = ["anna"]
step = 30
one_future = true

[[hours]]
who = ["everyone"]
days = "mon-fri"
from = "09:00"
to = "12:00"
"""


def _mailbox(name: str, kind: MailboxKind) -> Mailbox:
    return Mailbox(name, kind, "memory", f"{name}@example.dk", ZONE)


def directory() -> Directory:
    """Two caseworkers and one room in one house."""
    people = {
        name: Caseworker(name, name.title(), _mailbox(name, MailboxKind.PERSON), "torvet") for name in ("anna", "bo")
    }
    rooms = {
        "lokale-1": Room(
            "lokale-1",
            "Lokale 1.07",
            _mailbox("lokale-1", MailboxKind.ROOM),
            "torvet",
            1,
            4,
            frozenset({"screen"}),
            step_free=True,
        )
    }
    sites = {"torvet": Site("torvet", "Jobcentret, Torvet 1", ZONE, "Receptionen")}
    return Directory.of("Eksempel Kommune", sites, people, rooms, "Borgerservice, tlf. 12 34 56 78")


def clients() -> dict[str, ClientSection]:
    """A portal that may do everything, another portal, and one that may do nothing."""
    rights: dict[str, frozenset[Any]] = {
        "portal": frozenset({"book", "why", "servers", "evidence", "staff"}),
        "rival": frozenset({"book", "why"}),
        "weak": frozenset(),
    }
    return {
        name: ClientSection(token_sha256=(token_digest(token),), rights=rights[name]) for name, token in TOKENS.items()
    }


@dataclass
class Town:
    """The office, its calendars and its clock."""

    store: Store
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    calendars: MemoryCalendar = field(default_factory=MemoryCalendar)
    directory: Directory = field(default_factory=directory)
    looked: list[tuple[str, datetime, str | None]] = field(default_factory=list)
    unreachable: bool = False
    contacts: Contacts = field(default_factory=Contacts)
    health: Health = field(
        default_factory=lambda: Health(
            (Check("database", Standing.GOOD, "Databasen svarer.", "The database answers."),)
        )
    )

    def __post_init__(self) -> None:
        self.rules = RulesInForce(self.store, lambda: self.directory)
        settings = PublishSettings(max_age=timedelta(minutes=15))
        self.publisher = Publisher(self.store, lambda: self.directory, settings, self.rules)
        self.engine = Engine(self.store, {"memory": self.calendars}, self.directory, Pace())
        self.desk = Desk(self.store, self.publisher, lambda: self.directory)
        self.reconciler = Reconciler(self.store, lambda: {"memory": self.calendars}, lambda: self.directory, self.rules)
        parse(RULES, self.directory, 1)
        with self.store.begin() as tx:
            tx.rules.add(RULES, "test", NOW)
        self.sync()

    def sync(self) -> None:
        """Read every calendar."""
        for mailbox in self.directory.mailboxes:
            self.engine.sync_mailbox(mailbox, self.clock.now(), force=True)

    def settle(self) -> None:
        """Write what is owed, then read what came of it."""
        self.reconciler.run_due(self.clock.now())
        self.sync()
        self.reconciler.run_due(self.clock.now())

    def busy(self, who: MailboxId, start: datetime, minutes: int) -> None:
        """Somebody puts an event into a calendar."""
        uid = uuid.uuid4().hex
        self.calendars.put(who, uid, [Occurrence(uid, None, Interval.at(start, minutes), BusyType.BUSY)])

    def freshen(self, offer: str, start: datetime, caseworker: MailboxId | None, _now: datetime) -> None:
        """Remember who was to be looked at live."""
        self.looked.append((offer, start, caseworker))
        if self.unreachable:
            raise TemporarilyClosed("The calendar cannot be read just now.", retry_after=30)

    def deps(self) -> Deps:
        """What the daemon would hand over."""
        known = clients()
        return Deps(
            store=self.store,
            publisher=self.publisher,
            desk=self.desk,
            clock=self.clock,
            clients=lambda: known,
            directory=lambda: self.directory,
            rulebook=self.rules,
            health=lambda: self.health,
            freshen=self.freshen,
            metrics=metrics.text,
            contacts=self.contacts,
        )


@contextmanager
def calling(base: str, name: str = "portal") -> Iterator[Client]:
    """A client, until the block ends."""
    client = Client(base, name)
    try:
        yield client
    finally:
        client.http.close()


@dataclass
class Served:
    """An application behind a port of loopback; what stands behind it can be changed."""

    base: str
    app: FastAPI

    def take(self, town: Town) -> str:
        """Let this town answer from now on; returns the base URL."""
        self.app.state.deps = town.deps()
        return self.base


@contextmanager
def serving(deps: Deps) -> Iterator[Served]:
    """The HTTP interface over *deps* on a free port."""
    app = build_app(deps)
    web = server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=web.run, daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{_port(web, thread)}", app)
    finally:
        web.should_exit = True
        thread.join(10)


def _port(web: uvicorn.Server, thread: threading.Thread) -> int:
    deadline = time.monotonic() + 10
    while not web.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    return int(web.servers[0].sockets[0].getsockname()[1])


class Client:
    """One client of the interface."""

    def __init__(self, base: str, name: str = "portal") -> None:
        self.http = httpx2.Client(
            base_url=base, timeout=20, headers={"Authorization": f"Bearer {TOKENS[name]}"}, trust_env=False
        )

    def get(self, path: str, **params: str) -> httpx2.Response:
        """GET below /api/v1."""
        return self.http.get(f"/api/v1{path}", params=params)

    def post(self, path: str, body: dict[str, Any], key: str | None = "new") -> httpx2.Response:
        """POST below /api/v1; with a key of its own unless one, or None, is given."""
        value = uuid.uuid4().hex if key == "new" else key
        return self.http.post(f"/api/v1{path}", json=body, headers={} if value is None else {"Idempotency-Key": value})

    def slots(self, day: str = "2026-12-01", **params: str) -> list[str]:
        """The starts on offer that day."""
        window = {"from": f"{day}T00:00:00Z", "to": f"{day}T23:59:59Z"}
        content = self.get("/offers/jobsamtale/slots", **window | params).json()
        return [one["start"] for one in content["slots"]]

    def hold(self, start: str = "2026-12-01T08:00:00Z", **more: Any) -> httpx2.Response:
        """Hold a time in person."""
        return self.post("/holds", {"offer": "jobsamtale", "start": start, "form": "in-person"} | more)

    def booking(self, start: str = "2026-12-01T08:00:00Z", citizen: str = "borger-1", **more: Any) -> dict[str, Any]:
        """Hold and book."""
        hold = self.hold(start, **more).json()["id"]
        made = self.post("/bookings", {"hold": hold, "citizen": {"reference": citizen}})
        content: dict[str, Any] = made.json()
        return content
