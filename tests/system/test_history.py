"""The history checker finds each kind of lie: else a storm it calls good proves nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.system.history import judge, spans

BOOKING = {
    "id": "b1",
    "state": "confirmed",
    "start": "2026-12-01T09:00:00Z",
    "end": "2026-12-01T09:30:00Z",
    "caseworker": "anna",
    "form": "in-person",
    "room": {"id": "r1"},
}
EVENT = (
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\nDTSTART;TZID=Europe/Copenhagen:20261201T1{hour}000\r\n"
    "DTEND;TZID=Europe/Copenhagen:20261201T1{hour}3000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
).replace("000\r\nDTEND", "0000\r\nDTEND")


def event(hour: int = 0) -> str:
    """An event of half an hour, from ten (or so many hours later) in Copenhagen."""
    return EVENT.format(hour=hour)


def line(status: int | None = 201, key: str = "k1", path: str = "/bookings", **changes: Any) -> dict[str, Any]:
    """One line of a journal."""
    return {"key": key, "path": path, "body": {}, "status": status, "answer": json.dumps(BOOKING | changes)}


def found(lines: list[dict[str, Any]], standing: dict[str, Any] | None, anna: list[str], room: list[str]) -> list[str]:
    """What the checker says."""
    return judge(lines, lambda _name: standing, {"anna": anna, "r1": room}).broken


def test_it_has_nothing_to_say_when_all_is_right() -> None:
    assert [] == found([line(None), line(), line()], BOOKING, [event()], [event()])


def test_a_room_that_is_not_announced_may_be_any() -> None:
    standing = BOOKING | {"room": {"announced": False}}

    assert [] == found([line()], standing, [event()], [event()])


def test_times_are_read_in_their_zone() -> None:
    ((start, end),) = spans(event())

    assert (start.isoformat(), end.isoformat()) == ("2026-12-01T09:00:00+00:00", "2026-12-01T09:30:00+00:00")


@pytest.mark.parametrize(
    ("lines", "standing", "anna", "room", "says"),
    [
        ([line()], None, [], [], "ACKNOWLEDGED AND LOST"),
        ([line()], BOOKING, [], [event()], "anna lacks"),
        ([line()], BOOKING, [event()], [event(), event(2)], "r1 holds 01 11:00, which nobody booked"),
        ([line()], BOOKING, [event(), event()], [event()], "BOOKED TWICE"),
        ([line()], BOOKING | {"room": {"announced": False}}, [event()], [], "no room holds 01 09:00"),
        ([line()], BOOKING | {"room": {"announced": False}}, [event()], [event(2)], "r1 holds 01 11:00"),
        ([line()], BOOKING | {"state": "pending"}, [event()], [event()], "never came to rest"),
        ([line()], BOOKING | {"state": "cancelled"}, [], [], "was said to be confirmed, and is cancelled"),
        ([line()], BOOKING | {"caseworker": "bo", "room": None}, [], [], "its caseworker was said"),
        ([line(), line(state="pending")], BOOKING, [event()], [event()], "answered in 2 ways"),
        ([line(), line(None, "k2")], BOOKING, [event()], [event()], "never answered"),
        ([line(), line(200, "k2", "/bookings/b1/cancel", state="cancelled")], BOOKING, [event()], [event()], "is conf"),
    ],
)
def test_it_finds(
    lines: list[dict[str, Any]], standing: dict[str, Any] | None, anna: list[str], room: list[str], says: str
) -> None:
    assert any(says in one for one in found(lines, standing, anna, room))
