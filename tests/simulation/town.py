"""A small jobcentre for booking tests: who, where and by what rules."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Any

from syncd.model.directory import Caseworker, Directory, Mailbox, MailboxKind, Room, Site
from syncd.model.interval import Interval
from syncd.model.offer import AvailabilityRule, Form, Offer, RoomRequirement, Rulebook

ZONE = "Europe/Copenhagen"
NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""A Monday, 8 o'clock in Copenhagen."""
COVERED = Interval(datetime(2026, 11, 22, 0, 0, tzinfo=UTC), datetime(2027, 1, 31, 0, 0, tzinfo=UTC))


def at(hour: int, minute: int = 0, day: int = 24) -> datetime:
    """A time of day in UTC on a day of November 2026 (the 24th is a Tuesday)."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def directory(people: Iterable[str] = ("anna", "bo"), rooms: Iterable[str] = ("r1", "r2")) -> Directory:
    """One site, with these caseworkers and rooms; all calendars on one server."""
    site = Site("hq", "Jobcenter", ZONE)
    boxes = {
        one: Mailbox(one, kind, "server", f"{one}@example.org", ZONE)
        for names, kind in ((list(people), MailboxKind.PERSON), (list(rooms), MailboxKind.ROOM))
        for one in names
    }
    return Directory.of(
        "Town",
        {"hq": site},
        {one: Caseworker(one, one.title(), box, "hq") for one, box in boxes.items() if box.kind is MailboxKind.PERSON},
        {
            one: Room(one, f"2.{one}", box, "hq", capacity=4)
            for one, box in boxes.items()
            if box.kind is MailboxKind.ROOM
        },
    )


def offer(people: Iterable[str] = ("anna", "bo"), **changes: Any) -> Offer:
    """Talks of 45 minutes in person, in a room, or 30 on the phone."""
    values: dict[str, Any] = {
        "name": "talk",
        "title": {"da": "Jobsamtale"},
        "minutes": {Form.IN_PERSON: 45, Form.PHONE: 30},
        "step": 15,
        "before": 0,
        "after": 0,
        "notice": 60,
        "horizon_days": 60,
        "caseworkers": tuple(people),
        "room": RoomRequirement(seats=2),
    }
    return Offer(**(values | changes))


def rulebook(*offers: Offer) -> Rulebook:
    """Everybody works every day, 8 to 16."""
    offers = offers or (offer(),)
    hours = AvailabilityRule(frozenset(range(7)), time(8), time(16))
    people = {person for one in offers for person in one.caseworkers}
    return Rulebook(1, {one.name: one for one in offers}, dict.fromkeys(sorted(people), (hours,)))
