"""The traps of exchangelib that reference/ews.md tells of open on the simulated Exchange server as they did elsewhere.

They are the client's, so they show that the server is as honest as the one that they were first seen on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from exchangelib import Account, Attendee, CalendarItem, Mailbox
from exchangelib.protocol import FaultTolerance

from tests.contract.exchange_client import ANNA, ROOM, account_of, at, house, plain, utc
from tests.servers.exchange import ExchangeServer


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with house() as running:
        yield running


@pytest.fixture
def anna(server: ExchangeServer) -> Account:
    return account_of(server)


def three(server: ExchangeServer) -> None:
    for day in range(3):
        server.outlook.book(ANNA, utc(8, day), utc(9, day))


def test_1_a_create_whose_answer_is_lost_is_sent_twice_by_a_tolerant_client(server, anna, monkeypatch):
    monkeypatch.setattr(type(anna.protocol), "RETRY_WAIT", 0.05)
    anna.protocol.config.retry_policy = FaultTolerance(max_wait=30)
    anna.protocol.increase_poolsize()
    anna.protocol.increase_poolsize()
    server.faults.add("lose", "CreateItem", times=1)
    item = CalendarItem(
        account=anna,
        folder=anna.calendar,
        start=at(8),
        end=at(9),
        resources=[Attendee(mailbox=Mailbox(email_address=ROOM))],
    )

    item.save(send_meeting_invitations="SendToAllAndSaveCopy")
    server.settle()

    assert len(server.outlook.calendar(ANNA, utc(0), utc(24))) == 2
    answers = [one.attendees[0].response for one in server.outlook.calendar(ANNA, utc(0), utc(24))]
    assert sorted(answers) == ["Accept", "Decline"]


def test_2_a_view_that_never_ends_is_asked_for_again_and_again(server, anna):
    three(server)
    server.faults.add("not_last", "FindItem", times=20)

    seen = list(islice(anna.calendar.view(at(0), at(0, 9)).only("start"), 60))

    assert (len(seen), server.counts["FindItem"]) == (60, 20)


def test_3_a_view_with_a_limit_is_cut_in_silence(server, anna):
    three(server)

    assert len(list(anna.calendar.view(at(0), at(0, 9), max_items=2).only("start"))) == 2


@pytest.mark.filterwarnings("ignore:Cannot convert value")
def test_9_an_all_day_entry_of_a_strange_zone_begins_a_day_early(server, anna):
    server.outlook.book(ANNA, utc(-1, 7), utc(-1, 8), IsAllDayEvent=True)
    server.faults.add("zones", value="Customized Time Zone")

    [seen] = anna.calendar.view(at(0, 5), at(0, 10), max_items=5).only("start", "end", "is_all_day")

    entry = server.outlook.calendar(ANNA, utc(0), utc(0, 20))[0]
    assert (seen.is_all_day, entry.start) == (True, utc(-1, 7))
    # Without a zone that it knows the client takes the date of the instant in UTC: the evening before.
    assert seen.start == utc(-1, 7).date()


def test_10_saving_without_naming_fields_deletes_what_was_not_fetched(server, anna):
    invited = [Attendee(mailbox=Mailbox(email_address=ROOM))]
    item = CalendarItem(
        account=anna, folder=anna.calendar, start=at(8), end=at(9), body="Vigtigt", location="Her", resources=invited
    )
    item.save(send_meeting_invitations="SendToAllAndSaveCopy")
    [partly] = anna.calendar.view(at(0), at(24), max_items=5).only("subject", "start", "end", "changekey")
    partly.save(send_meeting_invitations="SendToNone", conflict_resolution="AlwaysOverwrite")

    [left] = server.outlook.calendar(ANNA, utc(0), utc(24))
    kept: dict[str, Any] = {key: left.values.get(key) for key in ("Body", "Location", "Attendees")}
    assert kept == {"Body": None, "Location": None, "Attendees": ()}
    assert (left.start, plain(partly.start) - left.start) == (utc(8), timedelta())
