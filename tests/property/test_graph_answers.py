"""Whatever stands in an event of Graph: it is an occurrence, nothing, or unreadable, and spoils no other event."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.adapters.graph import directory, schedule, subscriptions
from syncd.adapters.graph.account import GraphAccount
from syncd.adapters.graph.client import Client
from syncd.adapters.graph.entry import WHOLE_DECODER, entry_of, item_of
from syncd.adapters.graph.kept import remember_single
from syncd.adapters.graph.rows import PAGES, Moment, Row
from syncd.adapters.graph.wire import BEYOND, Unusable, occurrence
from syncd.errors import CalendarError

ZONE = "Europe/Copenhagen"
CLIENT = Client(GraphAccount("main", "t", "app-1"))
DATES = [
    *("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59", "9999-12-31T23:59:59-12:00"),
    *("2026-10-25T02:30:00.0000000", "2026-03-29T02:30:00", "2026-12-01T24:00:00", "2026-W01-1", "20261201", ""),
]
ZONES = ["UTC", "", "Romance Standard Time", "tzone://Microsoft/Custom", "../../etc/passwd", "a\0b", "Europe", None]
TEXTS = st.one_of(st.sampled_from(DATES), st.sampled_from(ZONES), st.text(max_size=8))
ODD = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), TEXTS, st.lists(TEXTS, max_size=2))
MOMENT = st.one_of(ODD, st.fixed_dictionaries({}, optional={"dateTime": TEXTS, "timeZone": TEXTS}))
EVENT = st.fixed_dictionaries(
    {"start": MOMENT, "end": MOMENT},
    optional={
        **dict.fromkeys(("type", "seriesMasterId", "originalStart", "showAs", "transactionId", "iCalUId"), ODD),
        **dict.fromkeys(("isAllDay", "isCancelled", "isOrganizer"), ODD),
        **dict.fromkeys(("categories", "organizer", "singleValueExtendedProperties", "@removed", "@odata.etag"), ODD),
    },
)
ENTRY = st.fixed_dictionaries(
    {"attendees": st.lists(st.one_of(ODD, st.fixed_dictionaries({"type": TEXTS, "emailAddress": ODD})), max_size=2)},
    optional=dict.fromkeys(("subject", "location", "onlineMeeting", "body", "sensitivity", "isOnlineMeeting"), ODD),
)
GOOD = {
    "id": "good",
    "start": {"dateTime": "2026-12-01T09:00:00.0000000", "timeZone": "UTC"},
    "end": {"dateTime": "2026-12-01T10:00:00.0000000", "timeZone": "UTC"},
}
BOMBS = [
    b"[" * 60_000,
    b'{"value":' * 10_000,
    b'{"value":[{"id":"\xff"}]}',
    b"\0",
    b"",
    b"null",
    b"{}",
    b'{"value":[1]}',
]


def seen(row: Row) -> str:
    """What becomes of a row."""
    try:
        one = occurrence(row, ZONE, ("selvbook",), None)
        assert remember_single("u", None, one)
    except Unusable as error:
        return str(error)
    return "nothing" if one is None else "taken"


def test_no_date_and_no_zone_ends_a_reading() -> None:
    told = {
        seen(Row("i", start=Moment(start, zone), end=Moment(end, zone), is_all_day=days, original_start=start))
        for start, end, zone, days in product(DATES, DATES, ZONES, (False, True))
    }

    assert {"taken", "nothing", BEYOND} < told


@settings(max_examples=150, deadline=None, derandomize=True)
@given(event=EVENT)
def test_an_odd_event_spoils_no_other_one(event: dict[str, Any]) -> None:
    page = json.dumps({"value": [{**event, "id": "odd"}, GOOD]}).encode()

    odd, good = CLIENT.decoded(PAGES, page, "anna").value

    assert ("odd", "good", "taken") == (odd.id, good.id, seen(good))
    assert seen(odd)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(event=EVENT, more=ENTRY)
def test_an_odd_entry_of_ours_is_an_entry_or_trouble_that_passes(event: dict[str, Any], more: dict[str, Any]) -> None:
    body = json.dumps({**event, **more, "id": "odd"}).encode()

    try:
        entry = entry_of(item_of(CLIENT.decoded(WHOLE_DECODER, body, "anna"), ZONE))
    except CalendarError:
        return
    assert "odd" == entry.key


@pytest.mark.parametrize(
    "decoder",
    [PAGES, WHOLE_DECODER, schedule._DECODER, subscriptions._ANSWER, directory._THINGS, directory._PLACES],
    ids=["events", "entry", "schedules", "subscription", "members", "rooms"],
)
def test_bytes_that_are_no_answer_are_trouble_of_ours(decoder: Any) -> None:
    refused = set()
    for content in BOMBS:
        try:
            CLIENT.decoded(decoder, content, "anna")
        except CalendarError:
            refused.add(content)

    # What is JSON of another shape may be an answer without anything in it; what is no JSON at all is none.
    assert {b"[" * 60_000, b'{"value":' * 10_000, b"\0", b"", b"null"} <= refused
