"""Workload W of `reference/peers.md` in a database, and a server process that answers from it.

Caseworkers open 09:00 to 18:00 every day, 28 days from tomorrow, meetings of 30 minutes on a grid of 15, and busy
events of 15 to 60 minutes spread evenly over the days at random quarter hours.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, cast

from syncd.booking.desk import Desk
from syncd.clock import SystemClock
from syncd.config import ClientSection, token_digest
from syncd.daemon.garbage import leave_out, look_seldom
from syncd.model.directory import Caseworker, Directory, Mailbox, MailboxKind, Room, Site
from syncd.model.zones import instant, wall_clock
from syncd.observe import logs
from syncd.publish import Publisher, PublishSettings, RulesInForce
from syncd.rulebook import apply_text
from syncd.store import Store
from syncd.store.instants import epoch
from syncd.store.tables import Base
from syncd.web.app import build_app
from syncd.web.deps import Deps
from syncd.web.health import Health
from syncd.web.server import server

ZONE, DAYS, TOKEN = "Europe/Copenhagen", 28, "bench"
RULES = """
[offers.call]
title = {da = "Opkald"}
minutes = {phone = 30}
who = ["everyone"]
horizon_days = 60

[offers.talk]
title = {da = "Samtale"}
minutes = {in-person = 30}
who = ["everyone"]
horizon_days = 60

[[hours]]
who = ["everyone"]
days = "mon-sun"
from = "09:00"
to = "18:00"

[holidays]
public = false
constitution_day = false
christmas_eve = false
new_years_eve = false
"""
OCCURRENCES = Base.metadata.tables["occurrences"]


def directory(people: int, rooms: int) -> Directory:
    """So many caseworkers and rooms on one site."""
    kinds = {"p": MailboxKind.PERSON, "r": MailboxKind.ROOM}

    def box(name: str) -> Mailbox:
        return Mailbox(name, kinds[name[0]], "none", f"{name}@x.dk", ZONE)

    names = [f"p{n:04d}" for n in range(people)]
    return Directory.of(
        "Bench",
        {"hq": Site("hq", "HQ", ZONE)},
        {name: Caseworker(name, name, box(name), "hq") for name in names},
        {name: Room(name, name, box(name), "hq", capacity=4) for name in (f"r{n:02d}" for n in range(rooms))},
    )


def fill(url: str, people: int, rooms: int, events: int) -> Store:
    """A fresh database with that workload; everything read just now."""
    store, everybody, now = Store(url), directory(people, rooms), SystemClock().now()
    store.upgrade()
    apply_text(store, RULES, everybody, "bench", now)
    numbers = random.Random(1)
    with store.begin() as tx:
        tx.mailboxes.ensure(everybody.mailboxes.values())
        covered = epoch(now - timedelta(days=1)), epoch(now + timedelta(days=70))
        tx.session.connection().exec_driver_sql(
            f"UPDATE mailboxes SET as_of={epoch(now)}, full_at={epoch(now)}, covered_start={covered[0]}, "
            f"covered_end={covered[1]}, revision=1"
        )
        for name in everybody.mailboxes:
            rows = [_event(name, n, events, now, numbers) for n in range(events)]
            if rows:
                tx.session.execute(OCCURRENCES.insert(), rows)
        tx.settings.bump()
    return store


def _event(name: str, number: int, events: int, now: datetime, numbers: random.Random) -> dict[str, object]:
    day = first_day(now) + timedelta(days=number * DAYS // events)
    start = epoch(instant(day, time(9), ZONE)) + numbers.randrange(9 * 4) * 900
    end = start + numbers.choice((15, 30, 45, 60)) * 60
    return {
        "mailbox": name, "key": f"e{number}", "uid": f"e{number}", "original_start": None, "start": start, "end": end,
        "busy": "busy", "all_day": False, "recurring": False, "categories": "", "stamp": None,
    }  # fmt: skip


def first_day(now: datetime) -> date:
    """Tomorrow."""
    return wall_clock(now, ZONE).date() + timedelta(days=1)


def window(now: datetime) -> tuple[datetime, datetime]:
    """The 28 days of the workload."""
    first = first_day(now)
    return instant(first, time(), ZONE), instant(first + timedelta(days=DAYS), time(), ZONE)


def change(store: Store, name: str, number: int) -> None:
    """Somebody adds an event, as a pass of the sync engine would write it."""
    now = datetime.now(UTC)
    with store.begin() as tx:
        row = _event(name, number % 900, 900, now, random.Random(number)) | {"key": f"new{number}"}
        tx.session.execute(OCCURRENCES.insert(), [row])
        tx.session.connection().exec_driver_sql("UPDATE mailboxes SET revision = revision + 1 WHERE id = ?", (name,))
        tx.settings.bump()


def serve(url: str, people: int, rooms: int, port: int) -> None:
    """Answer HTTP until killed."""
    store, everybody = Store(url), directory(people, rooms)
    publisher = Publisher(store, lambda: everybody, PublishSettings(timedelta(days=1)))
    rules = RulesInForce(store, lambda: everybody)
    rights = frozenset({"book", "why", "servers"})
    clients = {"bench": ClientSection(token_sha256=(token_digest(TOKEN),), rights=rights)}
    deps = Deps(
        store=store,
        publisher=publisher,
        desk=cast(Desk, None),
        clock=SystemClock(),
        clients=lambda: clients,
        directory=lambda: everybody,
        rulebook=rules,
        health=lambda: Health(()),
        freshen=cast(Any, None),
        metrics=lambda: b"",
    )
    look_seldom()
    leave_out()
    server(build_app(deps), "127.0.0.1", port).run()


def main(arguments: Sequence[str]) -> None:
    """``URL PEOPLE ROOMS PORT``."""
    logs.configure("info", "json")
    serve(arguments[0], int(arguments[1]), int(arguments[2]), int(arguments[3]))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main(sys.argv[1:])
