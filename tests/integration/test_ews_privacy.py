"""What others wrote into their calendars is neither asked for nor kept; nor does anything of it reach a log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree

from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.adapters.ews.soap import OURS, TIMES
from syncd.adapters.properties import PROPERTY_SET
from syncd.errors import CalendarError
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.entry import Resource
from tests.contract.calendar_contract import LATER, MONDAY, WINDOW, at, draft
from tests.contract.hands import ZONE
from tests.contract.mirror import Mirror
from tests.environment import shared
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.recurrence import Recurrence

ANNA, ROOM = "anna@syncd.test", "r204@syncd.test"
BOX = Mailbox("anna", MailboxKind.PERSON, "main", ANNA, ZONE)
CANARY = "kanariefugl-4711"
TYPES = "{http://schemas.microsoft.com/exchange/services/2006/types}"


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with ExchangeServer(shared("reference/ews-xsd")) as running:
        running.account("svc", "geheim", impersonates=True)
        running.mailbox(ANNA)
        running.mailbox(f"{CANARY}@syncd.test", CANARY)
        running.room(ROOM, "Lokale 2.04")
        others: dict[str, Any] = {
            "Subject": CANARY,
            "Body": ("Text", CANARY),
            "Location": CANARY,
            "Categories": (CANARY, "Selvbook"),
        }
        people = (f"{CANARY}@syncd.test",)
        running.outlook.book(ANNA, at(8).start, at(9).start, **others, people=people)
        running.outlook.book(ANNA, at(8, 40).start, at(9, 40).start, **others)
        series = Recurrence("Daily", MONDAY.date(), times=40)
        running.outlook.book(ANNA, at(14).start, at(15).start, recurrence=series, **others)
        yield running


def everything(server: ExchangeServer) -> tuple[Mirror, str]:
    """All the port does, with one of our own entries among the others; what it gave, and our entry's id."""
    port = EwsCalendar(EwsAccount("main", server.url, "basic", "svc", "geheim", page=30), obeyed=("Selvbook",))
    mirror = Mirror()
    mirror.follow(port, BOX, WINDOW)
    entry = port.create(BOX, draft(room=Resource(ROOM, "Lokale 2.04", invited=True)))
    mirror.follow(port, BOX, WINDOW)
    [found] = port.find(BOX, entry.uid)
    port.update(BOX, found, draft(interval=at(11), generation=2))
    mirror.follow(port, BOX, LATER)
    mirror.follow(port, BOX, LATER, full=True)
    server.faults.add("fault", "FindItem", times=1, code="ErrorInternalServerError", text=CANARY)
    with pytest.raises(CalendarError) as told:
        mirror.follow(port, BOX, WINDOW, full=True)
    assert CANARY not in str(told.value)
    port.check(BOX)
    port.close()
    return mirror, entry.key


def asked(body: bytes) -> tuple[set[str], set[str]]:
    """The properties a request asks for, and the ids it names."""
    root = etree.fromstring(body)
    fields = {one.get("FieldURI", "") for one in root.iter(f"{TYPES}FieldURI")}
    extended = {one.get("PropertySetId", "") for one in root.iter(f"{TYPES}ExtendedFieldURI")}
    shapes = {one.text for one in root.iter(f"{TYPES}BaseShape")}
    assert shapes <= {"IdOnly"}
    assert extended <= {PROPERTY_SET}
    return fields, {one.get("Id", "") for one in root.iter(f"{TYPES}ItemId")}


def test_of_others_only_times_busy_type_ids_and_categories_are_asked_for(server):
    _, ours = everything(server)

    for request in server.seen:
        if request.operation in ("FindItem", "GetItem", "SyncFolderItems"):
            fields, ids = asked(request.body)
            assert fields <= set(TIMES) or ids == {ours}, request.operation
    assert not {"item:Subject", "item:Body", "calendar:Location", "calendar:RequiredAttendees"} & set(TIMES)
    assert "item:Body" not in OURS


def test_of_others_nothing_they_wrote_is_kept(server):
    mirror, _ = everything(server)

    kept = repr((mirror.groups, mirror.unreadable, mirror.since))
    assert len(mirror.groups) > 2
    assert "Selvbook" in kept
    assert CANARY not in kept


def test_nothing_that_was_written_or_sent_reaches_a_log(server, caplog):
    caplog.set_level(logging.DEBUG)

    everything(server)

    assert CANARY not in caplog.text
    assert "Samtale om job" not in caplog.text
    assert "geheim" not in caplog.text
