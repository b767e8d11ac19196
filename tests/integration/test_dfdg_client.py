"""DFDG is called with a function certificate, and its answers become what the port promises ([SEC], [IND2])."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from syncd.adapters.dfdg.client import Account, DfdgClient
from syncd.clock import FixedClock
from syncd.cpr import Cpr
from syncd.errors import AccessDenied, Rejected, Throttled, Transient
from syncd.model.dfdg import About, Said
from syncd.ports import Caller, Handed
from tests.servers.dfdg import DfdgServer, names
from tests.servers.exchange.tls import certificates

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
GUID = "11111111-2222-4333-8444-555555555555"
CALLER = Caller("report", "Søren Æble")
SAID = Said(NOW.replace(day=24), NOW.replace(day=24, hour=8), "RID-ANNA", 1)


@pytest.fixture(scope="module")
def dfdg() -> Iterator[DfdgServer]:
    with DfdgServer(clock=lambda: NOW) as server:
        server.world.citizen("0101901234")
        yield server


@pytest.fixture
def client(dfdg: DfdgServer) -> Iterator[DfdgClient]:
    made = DfdgClient(Account(dfdg.base, 2, "10101", "syncd", 3), FixedClock(NOW), seconds=5)
    yield made
    dfdg.faults.clear()
    made.close()


def test_a_function_certificate_is_shown_and_the_authority_of_the_server_is_checked(tmp_path: Path) -> None:
    """[SEC] all services over HTTPS, called with a client certificate."""
    server, made = DfdgServer.secured(tmp_path, certificates)
    both = tmp_path / "function.pem"
    both.write_bytes(made.client.read_bytes() + made.client_key.read_bytes())
    base: dict[str, Any] = {"organisation_type": 2, "organisation_code": "10101", "user": "syncd", "user_type": 3}
    with server:
        for shown, trusted, error in (
            (both, made.authority, None),
            (None, made.authority, AccessDenied),
            (both, None, Transient),
        ):
            account = Account(server.base, certificate=shown, ca_file=trusted, **base)
            client = DfdgClient(account, FixedClock(NOW), seconds=5)
            if error is None:
                assert client.read(GUID, CALLER) is None
            else:
                with pytest.raises(error):
                    client.read(GUID, CALLER)
            client.close()


def test_a_name_with_danish_letters_travels_in_a_header(dfdg: DfdgServer, client: DfdgClient) -> None:
    """[META] the acting user of a call made for a person."""
    client.read(GUID, CALLER)
    assert "S%C3%B8ren %C3%86ble" == dfdg.calls("get")[-1].headers[names.USER]


@pytest.mark.parametrize(
    ("fault", "error"),
    [("unavailable", Transient), ("throttle", Throttled), ("drop", Transient), ("garbage", Rejected)],
)
def test_a_question_that_cannot_be_answered_says_whether_to_ask_again(dfdg, client, fault, error) -> None:
    dfdg.faults.add(fault, "messages")
    with pytest.raises(error):
        client.messages(10, CALLER)


def test_a_report_ends_in_one_of_five_ways_and_never_raises(dfdg: DfdgServer, client: DfdgClient) -> None:
    """[IND2] 412 on a repeated id of a request, which has at most 46 characters."""
    cpr, stranger, about = Cpr("0101901234"), Cpr("0101901235"), About(7, False)
    ended = [
        client.create(GUID, cpr, SAID, about, "a", CALLER).how,
        client.create(GUID, cpr, SAID, about, "a", CALLER).how,
        client.update(GUID.replace("1", "9"), cpr, SAID, about, "b", CALLER).how,
        client.update(GUID, stranger, SAID, about, "c", CALLER).how,
    ]
    dfdg.faults.add("throttle", "delete", retry_after=7)
    late = client.annul(GUID, cpr, "d", CALLER)

    assert [Handed.TAKEN, Handed.REPEATED, Handed.MISSING, Handed.MISSING] == ended
    assert (Handed.LATER, 7.0) == (late.how, late.retry_after)
    with pytest.raises(ValueError, match="46"):
        client.annul(GUID, cpr, "x" * 47, CALLER)


def test_a_connection_given_up_for_a_new_configuration_is_a_call_to_be_repeated(dfdg: DfdgServer) -> None:
    """A round that began before a reload ends with the old client: its report stays owed, nothing breaks."""
    old = DfdgClient(Account(dfdg.base, 2, "10101", "syncd", 3), FixedClock(NOW), seconds=5)
    old.close()
    before = len(dfdg.seen)

    assert Handed.LATER is old.annul(GUID, Cpr("0101901234"), "e", CALLER).how
    with pytest.raises(Transient, match="new configuration"):
        old.messages(10, CALLER)
    assert before == len(dfdg.seen)
