"""Streaming notifications tell within two seconds where something happened; polling does not depend on them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

import pytest

from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.model.directory import Mailbox, MailboxKind
from tests.contract.calendar_contract import at
from tests.contract.hands import ZONE
from tests.environment import shared
from tests.servers.exchange import ExchangeServer

PEOPLE = ("anna@syncd.test", "bo@syncd.test", "cilla@syncd.test")
EVERYBODY = {"anna", "bo", "cilla"}
BOXES = [Mailbox(one.partition("@")[0], MailboxKind.PERSON, "main", one, ZONE) for one in PEOPLE]


@pytest.fixture(params=[False, True], ids=["one server", "a farm with affinity"])
def server(request) -> Iterator[ExchangeServer]:
    with ExchangeServer(shared("reference/ews-xsd"), affinity=request.param, minute=0.5) as running:
        running.account("svc", "geheim", impersonates=True)
        for number, address in enumerate(PEOPLE):
            running.mailbox(address, backend=f"BE0{number}") if request.param else running.mailbox(address)
        yield running
        assert "\n".join(running.violations) == ""


@pytest.fixture
def port(server: ExchangeServer) -> Iterator[EwsCalendar]:
    port = EwsCalendar(EwsAccount("main", server.url, "ntlm", "DOM\\svc", "geheim", connections=1))
    assert heard(port, 5, EVERYBODY) == EVERYBODY  # what happened before anybody listened
    yield port
    port.close()


def heard(port: EwsCalendar, seconds: float, wanted: AbstractSet[str] = frozenset()) -> set[str]:
    """Everything told until something was, and all of *wanted*, or time is up."""
    until = time.monotonic() + seconds
    told: set[str] = set()
    while time.monotonic() < until and not (told and told >= wanted):
        told |= port.heard(BOXES)
        time.sleep(0.05)
    return told


def test_a_change_is_told_within_two_seconds_and_only_for_its_mailbox(server, port):
    server.outlook.book(PEOPLE[1], at(9).start, at(9).end)

    assert heard(port, 2) == {"bo"}


def test_doubled_and_late_events_are_told_once_and_late(server, port):
    server.subscriptions.twice, server.subscriptions.late = True, 0.3
    server.outlook.book(PEOPLE[2], at(9).start, at(9).end)

    assert heard(port, 3) == {"cilla"}
    assert heard(port, 0.5) == set()


def test_lost_subscriptions_are_made_anew_and_everybody_is_looked_at(server, port):
    server.subscriptions.drop(PEOPLE[0])

    assert heard(port, 6, EVERYBODY) == EVERYBODY
    server.outlook.book(PEOPLE[0], at(9).start, at(9).end)
    assert heard(port, 2) == {"anna"}


def test_a_stream_that_is_cut_off_begins_again(server, port):
    server.faults.add("cut", "GetStreamingEvents", times=1, after=1)
    server.subscriptions.drop()

    assert heard(port, 10, EVERYBODY) == EVERYBODY


def test_listening_takes_no_place_of_requests(server, port):
    began = time.monotonic()

    assert port.find(BOXES[0], "m1@syncd.test") == ()
    assert time.monotonic() - began < 2


def test_a_mailbox_that_is_closed_to_us_does_not_keep_the_others_from_being_heard(server):
    stranger = Mailbox("nobody", MailboxKind.PERSON, "main", "a-nobody@syncd.test", ZONE)
    port = EwsCalendar(EwsAccount("main", server.url, "basic", "svc", "geheim"))
    until = time.monotonic() + 6
    told: set[str] = set()
    while time.monotonic() < until and "bo" not in told:
        told |= port.heard([stranger, *BOXES])
        time.sleep(0.05)
    port.close()

    assert "bo" in told
    assert "nobody" not in told


def test_nobody_is_listened_for_when_it_is_switched_off(server):
    port = EwsCalendar(EwsAccount("main", server.url, "basic", "svc", "geheim", streaming=False))

    assert port.heard(BOXES) == frozenset()
    assert server.counts["Subscribe"] == 0
