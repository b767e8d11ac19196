"""Whether the log is whole, and who looked at a citizen's data, from the command line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from syncd.cli.opening import parts_of
from syncd.store import audit_chain
from tests.integration.cli_office import Office, beside_other_tests


@pytest.fixture(scope="module", autouse=True)
def _quietly() -> Iterator[None]:
    with beside_other_tests():
        yield


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    then = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    with parts_of(office.config) as parts:
        with parts.store.begin() as tx:
            tx.audit.add("client:portal", "booking.read", now=then, booking="b1", citizen="borger-1", purpose="sag 7")
            tx.audit.add("cli:hanne", "contact.read", now=then, booking="b1", citizen="borger-1")
        audit_chain.chain(parts.store)
    return office


def test_a_log_as_it_was_written_is_said_to_be_whole(office: Office) -> None:
    done = office.syncd("audit", "verify")

    assert 0 == done.code
    assert "The log is as it was written." in done.out


def test_a_forged_row_is_named_and_the_command_fails(office: Office) -> None:
    with sqlite3.connect(office.folder / "syncd.sqlite3") as forged:
        forged.execute("UPDATE audit SET actor = 'client:nobody' WHERE action = 'booking.read'")
    done = office.syncd("audit", "verify", "--json")

    assert 1 == done.code
    assert ["the row was changed, or the link before it"] == [fault["says"] for fault in done.json["faults"]]


@pytest.mark.parametrize("head", ["17", "17:zz", f"{10**20}:{'0' * 64}"])
def test_a_head_that_is_none_is_refused_in_a_sentence(office: Office, head: str) -> None:
    done = office.syncd("audit", "verify", "--head", head)

    assert 1 == done.code
    assert "NUMBER:LINK" in done.err


def test_a_citizen_hears_when_and_for_what_and_the_look_is_logged(office: Office) -> None:
    done = office.syncd("audit", "for-citizen", "borger-1", "--json")

    assert [("booking.read", "portal", "sag 7"), ("contact.read", "staff", None)] == [
        (look["action"], look["who"], look["purpose"]) for look in done.json
    ]
    assert "hanne" not in done.out
    assert 1 == len(office.audit("citizen.trail"))


def test_the_log_forgets_a_citizen_and_still_holds(office: Office) -> None:
    done = office.syncd("audit", "forget", "borger-1", "--yes")

    assert "2 row(s) no longer say whom they were about." in done.out
    assert [] == office.syncd("audit", "for-citizen", "borger-1", "--json").json
    assert 0 == office.syncd("audit", "verify").code
