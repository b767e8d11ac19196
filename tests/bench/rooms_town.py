"""A benchmark instance half-way through its month, in a database: the product itself publishes, books and moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from syncd.booking.desk import Desk
from syncd.model.directory import Caseworker, Directory, Mailbox, MailboxKind, Room, Site
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.model.zones import instant, tzdata, whole_days
from syncd.publish import Publisher, PublishSettings
from syncd.roomalloc.instance import Instance, Request
from syncd.roomalloc.replay import Options, Run
from syncd.rulebook import apply_text
from syncd.store import Store
from syncd.store.instants import epoch
from syncd.store.tables import Base

ZONE = "Europe/Copenhagen"
TODAY = date(2026, 11, 1)
NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
SEATS = {"2": 2, "5": 5, "9": 9}
EQUIPMENT = ("", "alarm", "video")
LENGTHS = (30, 45, 60)
TABLES = Base.metadata.tables


def offer_of(seats: int, features: frozenset[str], minutes: int) -> str:
    """The offer that asks for such a room."""
    size = next(least for least in (2, 5, 9) if least >= min(seats, 9))
    return f"t{size}{next(iter(sorted(features)), '')}{minutes}"


def rules() -> str:
    """The nine kinds of the reference, each in three lengths; everybody at work from 8 to 16 on every day."""
    offers = [
        f'[offers.t{seats}{what}{minutes}]\ntitle = {{da = "Samtale"}}\nminutes = {{in-person = {minutes}}}\n'
        f'who = ["everyone"]\nhorizon_days = 40\nroom = {{seats = {seats}, features = {[what] if what else []}}}\n'
        for seats in SEATS
        for what in EQUIPMENT
        for minutes in LENGTHS
    ]
    rest = """
[[hours]]
who = ["everyone"]
days = "mon-sun"
from = "08:00"
to = "16:00"

[holidays]
public = false
constitution_day = false
christmas_eve = false
new_years_eve = false
"""
    return "\n".join(offers) + rest


def directory(found: Instance) -> Directory:
    """The instance's caseworkers and rooms at one site."""

    def box(name: str, kind: MailboxKind) -> Mailbox:
        return Mailbox(name, kind, "none", f"{name}@x.dk", ZONE)

    (layout,) = found.layouts.values()
    floors = {event.caseworker: event.floor for event in found.events if isinstance(event, Request)}
    rooms = {
        space.id: Room(
            space.id,
            space.id,
            box(space.id, MailboxKind.ROOM),
            "hq",
            space.floor,
            space.capacity,
            space.features,
            space.step_free,
            space.turnover,
            time(8),
            time(16),
        )
        for space in layout.spaces
    }
    people = {
        one: Caseworker(one, one, box(one, MailboxKind.PERSON), "hq", floor) for one, floor in sorted(floors.items())
    }
    return Directory.of("Bench", {"hq": Site("hq", "HQ", ZONE)}, people, rooms)


class RoomTown:
    """The product over a database that holds what the allocator accepted in the instance's first *until* days.

    Day *until* of the instance is today.
    """

    def __init__(self, found: Instance, until: int, folder: Path, url: str | None = None) -> None:
        self.now, self.people, self.store = NOW, directory(found), Store(url or f"sqlite:///{folder / 'rooms.db'}")
        self.store.upgrade()
        apply_text(self.store, rules(), self.people, "bench", self.now)
        run = Run(found, Options())
        for event in found.events:
            if event.at < until * 1440 and isinstance(event, Request):
                run.request(event)
        self.booked = list(self._rows(found, run, until))
        self._write()
        self.publisher = Publisher(self.store, lambda: self.people, PublishSettings(timedelta(days=2)))
        self.desk = Desk(self.store, self.publisher, lambda: self.people)

    def window(self, days: int = 21) -> Interval:
        """So many days from tomorrow."""
        return whole_days(TODAY + timedelta(days=1), TODAY + timedelta(days=days), ZONE)

    def _rows(self, found: Instance, run: Run, until: int) -> Iterator[dict[str, Any]]:
        wishes = {event.id: event for event in found.events if isinstance(event, Request)}
        for (_, number), day in run.days.items():
            local = TODAY + timedelta(days=number - until)
            if number <= until:
                continue
            midnight = epoch(instant(local, time(), ZONE))
            for seat in day.seats.values():
                ask, space = seat.ask, day.layout.spaces[seat.room]
                wish = wishes[seat.id]
                offer = offer_of(ask.requirement.seats, ask.requirement.features, wish.minutes)
                start, end = midnight + ask.start * 60, midnight + ask.end * 60
                yield {
                    "id": seat.id,
                    "offer": offer,
                    "caseworker": wish.caseworker,
                    "room": space.id,
                    "start": start,
                    "end": end,
                    "rest": space.turnover * 60,
                }

    def _write(self) -> None:
        with self.store.begin() as tx:
            tx.mailboxes.ensure(self.people.mailboxes.values())
            covered = epoch(self.now - timedelta(days=1)), epoch(self.now + timedelta(days=70))
            tx.session.connection().exec_driver_sql(
                f"UPDATE mailboxes SET as_of={epoch(self.now)}, full_at={epoch(self.now)}, "
                f"covered_start={covered[0]}, covered_end={covered[1]}, revision=1"
            )
            tx.session.execute(TABLES["meetings"].insert(), [_meeting(one) for one in self.booked])
            tx.session.execute(TABLES["claims"].insert(), [claim for one in self.booked for claim in _claims(one)])
            tx.session.execute(TABLES["bookings"].insert(), [_booking(one) for one in self.booked])
            tx.settings.bump()

    def answer(self, offer: str, caseworker: str | None = None, days: int = 21) -> int:
        """How many times are on offer, with one caseworker or all."""
        window = self.window(days)
        return len(self.publisher.answer(offer, window, self.now, caseworker, form=Form.IN_PERSON).slots)


def _meeting(one: dict[str, Any]) -> dict[str, Any]:
    same = {key: one[key] for key in ("id", "offer", "caseworker", "room", "start", "end")}
    return same | {
        "uid": f"{one['id']}@syncd", "form": "in-person", "room_state": "accepted", "zone": ZONE, "wall_start": "",
        "tzdata": tzdata(), "before": 0, "after": 0, "wanted": True, "desired_generation": 1, "applied_generation": 1,
        "attempts": 0, "due": None, "owed_since": None, "rewrites_day": 0, "rewrites": 0, "attention": None,
        "conflict": False, "created": epoch(NOW),
    }  # fmt: skip


def _claims(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for box, rest in ((one["caseworker"], 0), (one["room"], one["rest"])):
        yield {
            "meeting": one["id"], "mailbox": box, "start": one["start"], "end": one["end"] + rest, "active": True,
        }  # fmt: skip


def _booking(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": one["id"], "meeting": one["id"], "client": "bench", "state": "confirmed", "citizen": one["id"],
        "expires": None, "moves": 0, "created": epoch(NOW), "changed": epoch(NOW),
    }  # fmt: skip
