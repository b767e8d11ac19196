"""A server process that takes bookings, and a database with a hundred thousand of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from sqlalchemy import Table, insert

from syncd.booking.desk import Desk
from syncd.clock import SystemClock
from syncd.config import ClientSection, token_digest
from syncd.daemon.garbage import leave_out, look_seldom
from syncd.model.busy import Stamp
from syncd.observe import logs
from syncd.publish import Publisher, PublishSettings, RulesInForce
from syncd.store import Store
from syncd.store.instants import epoch
from syncd.store.tables import BookingRow, ClaimRow, EntryRow, MeetingRow, OccurrenceRow
from syncd.web.app import build_app
from syncd.web.deps import Deps
from syncd.web.health import Health
from syncd.web.server import server
from tests.bench.slot_town import TOKEN, ZONE, directory

PER_PERSON = 16
"""Meetings of half an hour that one caseworker holds on one day."""


def serve(url: str, people: int, rooms: int, port: int) -> None:
    """Take holds and bookings until killed; calendars count as looked at."""
    store, everybody = Store(url), directory(people, rooms)
    rules = RulesInForce(store, lambda: everybody)
    publisher = Publisher(store, lambda: everybody, PublishSettings(timedelta(days=1)), rules)
    clients = {"bench": ClientSection(token_sha256=(token_digest(TOKEN),), rights=frozenset({"book", "why"}))}
    deps = Deps(
        store=store,
        publisher=publisher,
        desk=Desk(store, publisher, lambda: everybody),
        clock=SystemClock(),
        clients=lambda: clients,
        directory=lambda: everybody,
        rulebook=rules,
        health=lambda: Health(()),
        freshen=lambda *_: None,
        metrics=lambda: b"",
    )
    app = build_app(deps)
    look_seldom()  # as the service does
    leave_out()
    server(app, "127.0.0.1", port).run()


def crowd(store: Store, people: Sequence[str], meetings: int, first: datetime) -> None:
    """Fill a database with settled meetings, each booked, claimed, and standing in its calendar."""
    with store.begin() as tx:
        installation = tx.settings.installation()
        for some in _portions(meetings, 2000):
            rows = [_meeting(number, people, first, installation) for number in some]
            for table, name in (
                (MeetingRow, "meeting"),
                (BookingRow, "booking"),
                (ClaimRow, "claim"),
                (EntryRow, "entry"),
                (OccurrenceRow, "occurrence"),
            ):
                tx.session.execute(insert(cast(Table, table.__table__)), [row[name] for row in rows])
        tx.settings.bump()


def _portions(total: int, size: int) -> Iterator[range]:
    for begin in range(0, total, size):
        yield range(begin, min(total, begin + size))


def _meeting(number: int, people: Sequence[str], first: datetime, installation: str) -> dict[str, dict[str, object]]:
    person = people[number % len(people)]
    place = number // len(people)
    start = epoch(first) + place // PER_PERSON * 86_400 + place % PER_PERSON * 1800
    meeting, end, at = f"m{number:019d}", start + 1800, epoch(first) - 86_400
    stamp = Stamp(installation, meeting, 1, "0" * 40).encode()
    wall = {"zone": ZONE, "wall_start": "2026-01-01T09:00", "tzdata": "bench"}
    counts = {"desired_generation": 1, "applied_generation": 1, "attempts": 0, "rewrites_day": 0, "rewrites": 0}
    return {
        "meeting": {
            "id": meeting, "uid": f"{meeting}@syncd", "offer": "call", "form": "phone", "caseworker": person,
            "room": None, "room_state": "none", "start": start, "end": end, "before": 0, "after": 0, "wanted": True,
            "due": None, "owed_since": None, "attention": None, "conflict": False, "created": at, **wall, **counts,
        },
        "booking": {
            "id": f"b{number:019d}", "meeting": meeting, "client": "bench", "state": "confirmed",
            "citizen": f"c{number}", "expires": None, "moves": 0, "created": at, "changed": at,
        },
        "claim": {"meeting": meeting, "mailbox": person, "start": start, "end": end, "active": True},
        "entry": {
            "meeting": meeting, "mailbox": person, "wanted": True, "key": meeting, "version": "1", "generation": 1,
            "digest": "0" * 40, "missing_since": None,
        },
        "occurrence": {
            "mailbox": person, "key": meeting, "uid": f"{meeting}@syncd", "original_start": None, "start": start,
            "end": end, "busy": "busy", "all_day": False, "recurring": False, "categories": "", "stamp": stamp,
        },
    }  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """``URL PEOPLE ROOMS PORT``."""
    logs.configure("warning", "json")
    serve(arguments[0], int(arguments[1]), int(arguments[2]), int(arguments[3]))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main(sys.argv[1:])
