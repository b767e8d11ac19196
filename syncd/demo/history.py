"""A year of talks that were held before the visitor came, straight into the town's database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import func, insert, select

from syncd.demo.people import CASEWORKERS, ROOMS, ZONE, DemoRoom, Person
from syncd.model.zones import instant, tzdata
from syncd.store import Store
from syncd.store.instants import epoch
from syncd.store.tables import BookingRow, MeetingRow

DAYS = 365
_OFFERS = {"job": ("jobsamtale", 45), "syge": ("sygeopfoelgning", 30), "unge": ("tryg-samtale", 30)}
_HOURS = (time(8, 30), time(9, 30), time(10, 30), time(13), time(14))
_ID = "abcdefghjkmnpqrstvwxyz0123456789"


def write(folder: Path, now: datetime, today: date, seed: int = 1) -> int:
    """Lay a year of talks before *today* into the database, unless it has some; returns how many."""
    store = Store(f"sqlite:///{folder / 'syncd.sqlite3'}")
    try:
        store.upgrade()
        with store.begin() as tx:
            if tx.session.scalar(select(func.count()).select_from(MeetingRow)):
                return 0
            talks = [one for n in range(DAYS, 0, -1) for one in _day(today - timedelta(days=n), epoch(now), seed)]
            for row, made in ((MeetingRow, _meeting), (BookingRow, _booking)):
                values = [made(one) for one in talks]
                for begin in range(0, len(values), 2000):
                    tx.session.execute(insert(row), values[begin : begin + 2000])
            tx.settings.bump()
            return len(talks)
    finally:
        store.close()


def _day(day: date, now: int, seed: int) -> Iterator[dict[str, Any]]:
    """The talks of a day: each hour, each room once at most."""
    chance = Random(f"{seed}/{day}")
    if day.weekday() > 4:
        return
    for starts in _HOURS[: 3 if day.weekday() == 4 else 5]:
        rooms = chance.sample(ROOMS, len(ROOMS))
        for person in chance.sample(CASEWORKERS, 5):
            room = next((one for one in rooms if _suits(one, person)), None)
            if room is not None and chance.random() < 0.8:
                rooms.remove(room)
                yield _talk(day, starts, person, room, now, chance)


def _suits(room: DemoRoom, person: Person) -> bool:
    if person.team == "unge":
        return "alarm" in room.features
    return room.step_free if person.team == "syge" else True


def _talk(day: date, starts: time, person: Person, room: DemoRoom, now: int, chance: Random) -> dict[str, Any]:
    offer, minutes = _OFFERS[person.team]
    start = epoch(instant(day, starts, ZONE))
    # Citizens book more and more of their talks themselves.
    grown = 0.45 + 0.35 * (1 - min(1.0, (now - start) / (DAYS * 86_400)))
    return {
        "id": "".join(chance.choices(_ID, k=20)),
        "offer": offer,
        "caseworker": person.id,
        "room": room.id,
        "start": start,
        "end": start + 60 * minutes,
        "created": start - 3_600 - 86_400 * int(chance.triangular(0, 20, 6)),
        "client": "portal" if chance.random() < grown else "staff",
        "state": chance.choices(("confirmed", "cancelled", "no-show"), (89, 7, 4))[0],
    }


def _meeting(one: dict[str, Any]) -> dict[str, Any]:
    same = {key: one[key] for key in ("id", "offer", "caseworker", "room", "start", "end", "created")}
    return same | {
        "uid": f"{one['id']}@syncd", "form": "in-person", "room_state": "accepted", "zone": ZONE, "wall_start": "",
        "tzdata": tzdata(), "before": 0, "after": 0, "wanted": one["state"] != "cancelled", "desired_generation": 1,
        "applied_generation": 1, "attempts": 0, "due": None, "owed_since": None, "rewrites_day": 0, "rewrites": 0,
        "attention": None, "conflict": False, "partners": "", "beside": None, "asks": None, "note": None, "link": None,
    }  # fmt: skip


def _booking(one: dict[str, Any]) -> dict[str, Any]:
    same = {key: one[key] for key in ("client", "state", "created")}
    return same | {
        "id": f"b{one['id'][1:]}", "meeting": one["id"], "citizen": f"borger-{one['id'][:6]}", "expires": None,
        "moves": 0, "topic": "", "changed": one["created"],
    }  # fmt: skip
