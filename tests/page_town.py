"""A believable jobcentre with a past, straight into a database: what pages show, benchmarks measure and pictures tell.

The same for one size and seed every time. Monday 30 November 2026, 09:40 in Copenhagen, is now.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from syncd.booking.desk import Desk
from syncd.booking.keep_rooms import RoomKeeper
from syncd.clock import FixedClock
from syncd.config import LocalAccountSection, PagesSection, SupplySection, TargetSection
from syncd.model.busy import Stamp
from syncd.model.directory import Caseworker, Directory, Mailbox, MailboxKind, Room, Site
from syncd.model.interval import Interval
from syncd.model.zones import instant, tzdata
from syncd.publish import Publisher, PublishSettings, RulesInForce
from syncd.rulebook import apply_text
from syncd.store import Store
from syncd.store.instants import epoch
from syncd.store.tables import Base
from syncd.web.deps import Deps
from syncd.web.health import Check, Health, Standing
from syncd.web.page_parts import PageParts

ZONE = "Europe/Copenhagen"
NOW = datetime(2026, 11, 30, 8, 40, tzinfo=UTC)
TODAY = date(2026, 11, 30)
TABLES = Base.metadata.tables
RULES = """
[offers.jobsamtale]
title = {da = "Jobsamtale", en = "Job talk"}
minutes = {in-person = 45, phone = 30}
who = ["everyone"]
horizon_days = 40
room = {seats = 2}

[offers.opfoelgning]
title = {da = "Opfølgning", en = "Follow-up"}
minutes = {in-person = 30}
who = ["everyone"]
horizon_days = 40
room = {seats = 3}

[offers.netvaerk]
title = {da = "Netværksmøde", en = "Network meeting"}
minutes = {in-person = 60}
who = ["everyone"]
horizon_days = 40
room = {seats = 5}

[offers.sikker]
title = {da = "Samtale med alarm", en = "Talk with alarm"}
minutes = {in-person = 45}
who = ["everyone"]
horizon_days = 40
room = {seats = 2, features = ["alarm"]}

[offers.rehab]
title = {da = "Rehabiliteringsmøde", en = "Rehabilitation meeting"}
minutes = {in-person = 60}
who = ["everyone"]
horizon_days = 40
room = {seats = 8, features = ["video"]}

[[hours]]
who = ["everyone"]
days = "mon-fri"
from = "08:00"
to = "16:00"
"""
OFFERS = (
    ("jobsamtale", 45, 2, 50),
    ("opfoelgning", 30, 3, 27),
    ("netvaerk", 60, 5, 12),
    ("sikker", 45, 2, 6),
    ("rehab", 60, 8, 5),
)
"""Name, minutes, people, and how often of 100."""
BUSY_HOURS = {8: 0.55, 9: 0.9, 10: 0.95, 11: 0.7, 12: 0.35, 13: 0.8, 14: 0.7, 15: 0.35}
WEEKDAYS = (0.95, 1.0, 0.95, 0.9, 0.6)
FIRST = ("Anna", "Bo", "Camilla", "Dorte", "Erik", "Freja", "Gert", "Hanne", "Ib", "Jette", "Karen", "Lars", "Mette")
LAST = ("Holm", "Lund", "Kjær", "Bak", "Dam", "Friis", "Juhl", "Krogh", "Munk", "Nygaard", "Ravn", "Skov", "Toft")


@dataclass(frozen=True)
class Size:
    """How large it is. :param back, ahead: days of meetings before and after today."""

    rooms: int = 9
    people: int = 24
    back: int = 35
    ahead: int = 6
    sites: int = 1


SMALL, LARGE = Size(), Size(60, 200, 365, 10)


def _box(name: str, kind: MailboxKind) -> Mailbox:
    return Mailbox(name, kind, "none", f"{name}@example.dk", ZONE)


def directory(size: Size) -> Directory:
    """Rooms of three classes on up to five floors, and people on every floor."""
    sites = {"torvet": Site("torvet", "Jobcentret, Torvet 1", ZONE, "Receptionen i stuen")}
    if size.sites > 1:
        sites["havnen"] = Site("havnen", "Ungeindsatsen, Havnegade 12", ZONE, "Receptionen")
    rooms, per_floor = {}, max(3, -(-size.rooms // 5))
    for n in range(size.rooms):
        floor, place = divmod(n, per_floor)
        seats = (3, 3, 3, 6, 3, 6, 3, 12)[n % 8] if size.rooms > 12 else (3, 3, 6, 3, 3, 6, 3, 3, 12)[n % 9]
        features = {"alarm"} if seats == 3 and n % 4 == 0 else {"video"} if seats == 12 or n % 8 == 3 else set()
        if seats == 12:
            features |= {"alarm"}
        name = f"lokale-{floor}{place + 1:02d}"
        rooms[name] = Room(
            name, f"Lokale {floor}.{place + 1:02d}", _box(name, MailboxKind.ROOM), "torvet", floor, seats,
            frozenset(features), floor == 0, 0, time(8), time(16),
        )  # fmt: skip
    if size.sites > 1:
        rooms["havn-1"] = Room("havn-1", "Kajen", _box("havn-1", MailboxKind.ROOM), "havnen", 0, 4)
    people = {}
    for n in range(size.people):
        first, last = FIRST[n % len(FIRST)], LAST[n // len(FIRST) % len(LAST)]
        name = f"p{n:03d}"
        floor = n % max(1, -(-size.rooms // per_floor))
        team = ("job", "syge", "unge", "integration")[n % 4]
        people[name] = Caseworker(name, f"{first} {last}", _box(name, MailboxKind.PERSON), "torvet", floor, (team,))
    return Directory.of("Eksempel Kommune", sites, people, rooms, "Lokaleservice, tlf. 12 34 56 78")


@dataclass
class PageTown:
    """The office in a database. :param moves: how many meetings had other rooms before."""

    store: Store
    size: Size = SMALL
    seed: int = 1
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    moves: int = 0

    def __post_init__(self) -> None:
        self.directory = directory(self.size)
        self.painted = max(room for room in self.directory.rooms if room.startswith("lokale"))
        self.rules = RulesInForce(self.store, lambda: self.directory)
        self.publisher = Publisher(self.store, lambda: self.directory, PublishSettings(timedelta(hours=4)), self.rules)
        self.keeper = RoomKeeper(self.store, lambda: self.directory, self.rules, timedelta(hours=4))
        apply_text(self.store, RULES, self.directory, "test", NOW)
        self._write()

    def _write(self) -> None:
        days = [TODAY + timedelta(days=n) for n in range(-self.size.back, self.size.ahead + 1)]
        meetings = [one for day in days if day.weekday() < 5 for one in self._day(day)]
        with self.store.begin() as tx:
            tx.mailboxes.ensure(self.directory.mailboxes.values())
            covered = epoch(NOW - timedelta(days=1)), epoch(NOW + timedelta(days=70))
            tx.session.connection().exec_driver_sql(
                f"UPDATE mailboxes SET as_of={epoch(NOW)}, full_at={epoch(NOW)}, revision=1, "
                f"covered_start={covered[0]}, covered_end={covered[1]}"
            )
            for table, make in (
                ("meetings", _meeting), ("bookings", _booking), ("claims", _claims), ("occurrences", self._occurrences),
                ("audit", self._audit),
            ):  # fmt: skip
                rows = [row for one in meetings for row in make(one)]
                for begin in range(0, len(rows), 5000):
                    tx.session.execute(TABLES[table].insert(), rows[begin : begin + 5000])
            self._more(tx)
            tx.settings.bump()

    def _day(self, day: date) -> Iterator[dict[str, Any]]:
        """The meetings of a day, room by room; what fits best comes first, as the allocator would have it."""
        chance = Random(f"{self.seed}/{day}")
        free_at = dict.fromkeys(self.directory.caseworkers, 0)
        people = itertools.cycle(chance.sample(sorted(free_at), len(free_at)))
        for room in (room for room in self.directory.rooms.values() if room.site == "torvet"):
            if day == TODAY and room.id == self.painted:
                continue
            minute = 8 * 60
            while minute < 15 * 60 + 30:
                rate = BUSY_HOURS[minute // 60] * WEEKDAYS[day.weekday()] * (1.0 if room.capacity < 6 else 0.7)
                if chance.random() > rate:
                    minute += 15
                    continue
                wanted = [one for one in OFFERS if one[2] <= room.capacity and _has(room, one[0])]
                offer, length, party, _ = chance.choices(wanted, [_liking(room, one) for one in wanted])[0]
                if minute + length > 16 * 60:
                    break
                person = next(people)
                if free_at[person] <= minute:
                    free_at[person] = minute + length
                    yield self._one(day, room, person, offer, minute, length, party, chance)
                    minute += length
                minute += 0 if chance.random() < 0.7 else 15

    def _one(
        self, day: date, room: Room, person: str, offer: str, minute: int, length: int, party: int, chance: Random
    ) -> dict[str, Any]:
        start = epoch(instant(day, time(minute // 60, minute % 60), ZONE))
        state = chance.choices(("confirmed", "cancelled", "no-show"), (88, 8, 4 if day < TODAY else 0))[0]
        who = chance.choices(("portal", "staff", "beside"), (78, 17, 5))[0]
        lead = max(0, int(chance.triangular(0, 22, 7)))
        name = f"m{day:%y%m%d}{room.id[-3:]}{minute:04d}"
        others = [one.id for one in self.directory.rooms.values() if one.site == room.site and one.id != room.id]
        moved = chance.choice(others) if chance.random() < 0.06 and others else None
        return {
            "id": name, "offer": offer, "caseworker": person, "room": room.id, "start": start,
            "end": start + 60 * length,
            "created": start - 86_400 * lead - 3600, "state": state, "who": who, "moved": moved,
            "told": chance.random() < 0.25, "rest": room.turnover * 60,
            "pending": day == TODAY and start > epoch(NOW) and chance.random() < 0.06,
        }  # fmt: skip

    def _occurrences(self, one: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The room's calendar holds what is to come, as synchronised."""
        if one["end"] > epoch(NOW - timedelta(days=1)) and one["state"] != "cancelled" and not one["pending"]:
            stamp = Stamp("00000000", one["id"], 1, "0" * 40).encode()
            yield _occurrence(one["room"], one["id"], f"{one['id']}@syncd", one["start"], one["end"], stamp)

    def _audit(self, one: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if one["moved"] and one["created"] + 7200 < epoch(NOW):
            self.moves += 1
            action = "meeting.room-changed" if one["told"] else "meeting.room-rearranged"
            yield {
                "at": one["created"] + 7200, "actor": "syncd", "action": action, "booking": None, "meeting": one["id"],
                "citizen": None, "purpose": None, "detail": f"{one['moved']} > {one['room']}",
            }  # fmt: skip

    def _more(self, tx: Any) -> None:
        """What others put into rooms, a closed room, and times that had none."""
        chance, rooms = Random(self.seed), sorted(room for room in self.directory.rooms if room.startswith("lokale"))
        direct = []
        for n in range(-1, self.size.ahead + 1):
            day = TODAY + timedelta(days=n)
            for room in chance.sample(rooms, max(1, len(rooms) // 6)) if day.weekday() < 5 else ():
                start = epoch(instant(day, time(16, chance.choice((0, 15))), ZONE))
                direct.append(_occurrence(room, f"d{n}{room}", f"d{n}{room}@outlook", start, start + 3600, None))
        tx.session.execute(TABLES["occurrences"].insert(), direct)
        closed = Interval(instant(TODAY, time(7), ZONE), instant(TODAY + timedelta(days=1), time(7), ZONE))
        tx.rooms.close(self.painted, closed, "Maling af vægge")
        short = []
        for n in range(-self.size.back, 0):
            day = TODAY + timedelta(days=n)
            if day.weekday() < 5:
                for hour in chance.sample((9, 10, 10, 13), 2):
                    offer, length, _, _ = chance.choices(OFFERS, (30, 10, 10, 10, 40))[0]
                    start = epoch(instant(day, time(hour, chance.choice((0, 15, 30))), ZONE))
                    short.append(
                        {
                            "site": "torvet",
                            "offer": offer,
                            "start": start,
                            "minutes": length,
                            "seen": start - 86_400,
                            "refused": int(chance.random() < 0.2),
                        }
                    )
        unique = {(one["offer"], one["start"]): one for one in short}
        tx.session.execute(TABLES["room_shortages"].insert(), list(unique.values()))

    def deps(self, *accounts: LocalAccountSection, section: PagesSection | None = None) -> Deps:
        """What the daemon would hand over."""
        return Deps(
            store=self.store,
            publisher=self.publisher,
            desk=Desk(self.store, self.publisher, lambda: self.directory),
            clock=self.clock,
            clients=dict,
            directory=lambda: self.directory,
            rulebook=self.rules,
            health=lambda: Health((Check("database", Standing.GOOD, "Databasen svarer.", "The database answers."),)),
            freshen=lambda *_: None,
            metrics=lambda: b"",
            pages=PageParts(
                section or PagesSection(accounts=accounts, portal_url="https://jobnet.dk"),
                keeper=self.keeper,
                supply=SupplySection(
                    targets={"job": TargetSection(share=80, talks=60), "syge": TargetSection(share=75)}
                ),
            ),
        )

    def unreadable(self, room: str) -> None:
        """Let a room's calendar be too old to be believed."""
        with self.store.begin() as tx:
            boxes = TABLES["mailboxes"]
            tx.session.execute(boxes.update().where(boxes.c.id == room).values(as_of=epoch(NOW - timedelta(days=2))))
            tx.settings.bump()

    def expecting(self, quota: int = 1500) -> None:
        """Teams with targets and expectations, and people without free time for each of the usual reasons.

        Needs at least eight people: p003 is busy for months, p004 cannot be read, p005 is off; *quota* is how
        many minutes a week one of the team integration may be booked.
        """
        modes = {"job": 12, "syge": 10, "unge": 12}
        more = "".join(f'[teams.{team}]\nmode = "live"\nexpected_per_week = {n}\n' for team, n in modes.items())
        more += f'[teams.integration]\nmode = "live"\nminutes_per_week = {quota}\nexpected_per_week = 8\n'
        more += '[[exceptions]]\nwho = ["p005"]\nfirst = 2026-11-01\nlast = 2027-02-28\nwhy = "Orlov"\n'
        text = RULES.replace('"08:00"\nto = "16:00"', '"09:00"\nto = "10:30"').replace(
            "horizon_days = 40", "horizon_days = 40\nsupply = [{to_days = 8, at_least = 400}]", 1
        )
        apply_text(self.store, text + more, self.directory, "test", NOW)
        self.unreadable("p004")
        busy = _occurrence("p003", "long", "long@outlook", epoch(NOW), epoch(NOW + timedelta(days=69)), None)
        with self.store.begin() as tx:
            tx.session.execute(TABLES["occurrences"].insert(), [busy])
            tx.settings.bump()

    def without(self, *rooms: str) -> None:
        """Let the configuration know only these rooms."""
        self.directory = replace(self.directory, rooms={name: self.directory.rooms[name] for name in rooms})


def _has(room: Room, offer: str) -> bool:
    return {"sikker": "alarm", "rehab": "video"}.get(offer, "") in {*room.features, ""}


def _liking(room: Room, offer: tuple[str, int, int, int]) -> float:
    """How often a kind of meeting is in such a room: small ones seldom in large rooms."""
    return offer[3] * (3.0 if offer[2] > room.capacity / 3 else 0.4)


def _meeting(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    same = {key: one[key] for key in ("id", "offer", "caseworker", "room", "start", "end", "created")}
    yield same | {
        "uid": f"{one['id']}@syncd", "form": "in-person", "room_state": "pending" if one["pending"] else "accepted",
        "zone": ZONE, "wall_start": "", "tzdata": tzdata(), "before": 0, "after": 0,
        "wanted": one["state"] != "cancelled",
        "desired_generation": 1, "applied_generation": 0 if one["pending"] else 1, "attempts": 0, "due": None,
        "owed_since": None, "rewrites_day": 0, "rewrites": 0, "attention": None, "conflict": False, "partners": "",
        "beside": f"own-{one['id']}" if one["who"] == "beside" else None, "asks": None, "note": None,
    }  # fmt: skip


def _claims(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if one["end"] > epoch(NOW - timedelta(days=1)) and one["state"] != "cancelled":
        for box, rest in ((one["caseworker"], 0), (one["room"], one["rest"])):
            yield {
                "meeting": one["id"],
                "mailbox": box,
                "start": one["start"],
                "end": one["end"] + rest,
                "active": True,
            }


def _booking(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if one["who"] != "beside":
        yield {
            "id": f"b{one['id']}", "meeting": one["id"], "client": one["who"], "state": one["state"],
            "citizen": f"borger-{one['id']}", "expires": None, "moves": 0, "topic": "", "created": one["created"],
            "changed": one["created"],
        }  # fmt: skip


def _occurrence(room: str, key: str, uid: str, start: int, end: int, stamp: str | None) -> dict[str, Any]:
    return {
        "mailbox": room, "key": key, "uid": uid, "original_start": None, "start": start, "end": end, "busy": "busy",
        "all_day": False, "recurring": False, "categories": "", "stamp": stamp, "guest": False,
    }  # fmt: skip
