"""The commands against an Exchange server, and how fast a change in Outlook reaches what is offered."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from syncd.adapters.ews.categories import with_categories
from syncd.clock import SystemClock
from syncd.config import load
from syncd.daemon import tasks
from syncd.daemon.parts import assemble, open_store, put_in_force
from syncd.errors import Rejected
from syncd.model.interval import Interval
from tests.environment import ROOT, shared
from tests.integration.cli_office import Office, beside_other_tests
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.model import Address

ANNA = "anna@example.dk"


@pytest.fixture
def exchange() -> Iterator[ExchangeServer]:
    with ExchangeServer(shared("reference/ews-xsd")) as server:
        server.account("svc-syncd", "geheim", impersonates=True)
        server.mailbox(ANNA, "Anna Holm")
        server.room("lokale-1@example.dk", "Lokale 1")
        yield server
        assert "\n".join(server.violations) == ""


@pytest.fixture
def office(exchange: ExchangeServer, tmp_path: Path) -> Iterator[Office]:
    (tmp_path / "password").write_text("geheim\n")
    account = f"""
[calendars.exchange]
adapter = "ews"
url = "{exchange.url}"
username = 'DOM\\svc-syncd'
password = {{file = "{tmp_path / "password"}"}}
"""
    with beside_other_tests():
        yield Office(tmp_path, account)


def test_check_says_that_every_mailbox_can_be_read_and_written(office):
    done = office.syncd("check")

    assert done.code == 0, done.out + done.err
    assert done.out.count("can be read and written") == 2


def test_an_endpoint_that_autodiscover_tells_is_shown_by_the_check(exchange, tmp_path):
    (tmp_path / "password").write_text("geheim\n")
    host = exchange.base.partition("//")[2]
    account = f"""
[calendars.exchange]
adapter = "ews"
username = 'DOM\\svc-syncd'
password = {{file = "{tmp_path / "password"}"}}
[calendars.exchange.ews.autodiscover]
hosts = ["{host}"]
url = "{exchange.autodiscover_url}"
"""
    with beside_other_tests():
        done = Office(tmp_path, account).syncd("check")

    assert done.code == 0, done.out + done.err
    assert f"Autodiscover at {host} named {exchange.url}" in " ".join(done.out.split())


def test_check_tells_the_administrator_what_to_do_and_changes_nothing(office, exchange):
    exchange.world.accounts["svc-syncd"].impersonates = False

    done = office.syncd("check", "--json")

    assert done.code == 1
    assert "New-ManagementRoleAssignment" in done.out
    assert not {"CreateItem", "UpdateItem", "DeleteItem"} & exchange.counts.keys()


def test_a_renamed_mailbox_is_named_by_its_new_address_with_what_to_change(office, exchange):
    exchange.world.rename_mailbox(ANNA, "anna.holm@example.dk")

    for command in ("check", "sync"):
        done = office.syncd(command)

        assert done.code == 1, done.out + done.err
        assert 'Write address = "anna.holm@example.dk"' in " ".join((done.out + done.err).split())


def test_a_calendar_is_read_from_the_command_line(office, exchange):
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    exchange.outlook.book(ANNA, start, start + timedelta(hours=1), Subject="Hemmeligt")

    done = office.syncd("sync", "--json")

    assert done.code == 0, done.err
    assert "Hemmeligt" not in done.out
    assert b"Hemmeligt" not in (office.folder / "syncd.sqlite3").read_bytes()


def test_categories_are_put_into_each_caseworkers_list_once(office, exchange):
    first = office.syncd("mailboxes", "prepare")
    again = office.syncd("mailboxes", "prepare")

    assert first.code == again.code == 0, first.out + first.err
    assert "added Selvbook, Lokale, Udeblevet" in first.out
    assert "has them all already" in again.out


def test_rooms_of_the_servers_lists_are_named_with_those_that_are_missing(office, exchange):
    exchange.room("lokale-2@example.dk", "Lokale 2")
    members = ["lokale-1@example.dk", "lokale-2@example.dk"]
    exchange.world.room_lists["rum@example.dk"] = (Address("rum@example.dk", "Rum"), members)

    found = office.syncd("mailboxes", "rooms", "--json").json

    assert [(one["name"], one["known"]) for one in found] == [("Lokale 1", True), ("Lokale 2", False)]


def test_where_no_list_can_be_changed_the_caseworker_is_told_how(tmp_path):
    with beside_other_tests():
        done = Office(tmp_path).syncd("mailboxes", "prepare")

    assert done.code == 1
    assert "Categorize" in done.out


def test_an_owners_own_categories_stay_as_they_are():
    held = (
        b'<categories default="Rod" lastSavedSession="3" xmlns="CategoryList.xsd">'
        b'<category name="selvBook" color="9" guid="{A}"/></categories>'
    )

    data, added = with_categories(held, ("Selvbook", "Lokale"))

    root = etree.fromstring(data)
    assert added == ("Lokale",)
    assert [one.get("name") for one in root] == ["selvBook", "Lokale"]
    assert root[0].get("color") == "9"
    assert root.get("default") == "Rod"


@pytest.mark.parametrize("held", [b"no xml", b"<other/>"])
def test_a_list_that_nobody_understands_is_left_as_it_is(held):
    with pytest.raises(Rejected, match="left as it is"):
        with_categories(held, ("Selvbook",))


def test_a_change_in_outlook_reaches_the_mirror_within_two_seconds(office, exchange):
    clock = SystemClock()
    config = load(office.config)
    parts = assemble(config, open_store(config), clock)
    put_in_force(parts, clock)

    def pass_(seconds: float, done) -> float:
        began = time.monotonic()
        while not done() and time.monotonic() - began < seconds:
            tasks.listen(parts, "exchange", clock, lambda: False, lambda: None)
            time.sleep(0.1)
        return time.monotonic() - began

    def busy() -> list[Interval]:
        now = clock.now()
        with parts.store.read() as tx:
            found = tx.mailboxes.occurrences(["anna"], Interval(now, now + timedelta(days=5)))
        return [one.interval for one in found["anna"]]

    parts.engine.sync_many(list(parts.directory.mailboxes), clock)
    pass_(3, lambda: exchange.counts["GetStreamingEvents"] > 0)
    pass_(1, lambda: False)
    start = clock.now().replace(microsecond=0) + timedelta(days=2)
    exchange.outlook.book(ANNA, start, start + timedelta(hours=1))

    took = pass_(5, lambda: busy() != [])
    parts.close()

    assert busy() == [Interval(start, start + timedelta(hours=1))]
    assert took < 2


@pytest.mark.broad
def test_exchangelib_is_loaded_only_where_an_exchange_mailbox_is_asked():
    line = "import sys, syncd.daemon.parts, syncd.adapters.ews.calendar; print('exchangelib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.strip() == "False"
