"""Pushed messages, figures and deadlines over HTTP (reference/jobnet-planner-contract.md; keys in [])."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from io import StringIO
from typing import Any

import httpx2
import pytest

from syncd.adapters.dfdg import wire
from syncd.config.dfdg_names import DfdgNames
from syncd.dfdg.linking import Linker
from syncd.dfdg.reporting import Reporting
from syncd.model.dfdg import About, Class, Deadline, Record, Said
from syncd.store import Store
from syncd.web.deps import Deps
from tests.integration.jobnet_month import PROXY, Agency
from tests.integration.jobnet_town import KEY, JobnetTown
from tests.integration.web_town import NOW, Client, Served, calling
from tests.servers.dfdg import DfdgServer, control, names
from tests.servers.dfdg.push import Push

ANNE = "0101901234"
CALLER = {names.ORGANISATION_CODE: "81", names.USER: "dfdg", names.PURPOSE: "besked"}


class Pushed(Agency):
    """An agency to which messages are sent."""

    def deps(self) -> Deps:
        """With reporting on."""
        reading = partial(wire.heard, DfdgNames())
        linker = Linker(self.store, self.ledger, KEY)
        made = Reporting(self.ledger, linker, ("1", "8"), self.reporter, self.inbox, reading, True, True)
        return replace(super().deps(), reporting=made)


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[Pushed]:
    store = Store(migrated_sqlite_url)
    with DfdgServer(clock=lambda: NOW) as dfdg:
        dfdg.world.citizen(ANNE)
        made = Pushed(store, dfdg=dfdg)
        yield made
        made.client.close()
    store.close()


def push(base: str, content: Any, **headers: str) -> httpx2.Response:
    told = PROXY | CALLER | {name.replace("_", "-"): value for name, value in headers.items()}
    given = {name: value for name, value in told.items() if value}
    return httpx2.post(f"{base}/dfdg/v1/Besked", json=content, headers=given, timeout=20)


def test_a_pushed_summons_is_durable_when_it_is_answered_and_handled_once(town: Pushed, served: Served) -> None:
    """[WSBI] 90000 by push, twice and backwards; the record itself is read."""
    base, start = served.take(town), NOW + timedelta(days=1, hours=3)
    record = control.summoned(town.dfdg, ANNE, 7, start, start + timedelta(minutes=30), caseworker="bo")
    control.changed(town.dfdg, record.id, place="Torvet 1")
    sender = Push(town.dfdg.world, f"{base}/dfdg/v1/Besked", PROXY | CALLER, twice=True, backwards=True)

    assert (2, [], []) == (sender.run(), sender.refused, town.dfdg.world.queue)
    town.clock.at += timedelta(seconds=1)
    assert 1 == town.inbox.handle_due(town.clock.now).done
    assert 0 == town.inbox.handle_due(town.clock.now).done
    with town.store.read() as tx:
        link = tx.jobnet.linked(record.id)
        meeting = tx.meetings.get(tx.bookings.meeting_of(link.booking) or "") if link else None
    assert meeting is not None
    assert ("bo", start) == (meeting.caseworker, meeting.interval.start)


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"X_SSL_Client_Verify": "FAILED"}, {}, 403),
        ({"X_SSL_Client_S_DN": "CN=somebody else"}, {}, 403),
        ({"x_organisationcode": ""}, {}, 400),
        ({"x_requestuseridentifier": ""}, {}, 400),
        ({}, {}, 400),
        ({}, [], 400),
        (
            {},
            {"beskedIdentifier": "1", "entitetIdentifier": 90000, "aendringType": 1, "identifier": 3}
            | {"x": "y" * 70_000},
            413,
        ),
        ({}, {"beskedIdentifier": "1", "entitetIdentifier": 5, "aendringType": 1, "identifier": "x"}, 202),
    ],
)
def test_what_is_no_message_of_dfdgs_is_refused_and_changes_nothing(
    town: Pushed, served: Served, headers: dict[str, str], content: Any, status: int
) -> None:
    """[SEC] the certificate, authority and acting user of every call."""
    answer = push(served.take(town), content, **headers)

    assert status == answer.status_code, answer.text
    with town.store.read() as tx:
        assert 0 == tx.dfdg.messages_waiting(town.clock.now())


def test_figures_and_deadlines_are_told_to_staff_and_nobody_else(town: Pushed, served: Served) -> None:
    base = served.take(town)
    said = Said(NOW + timedelta(days=1), NOW + timedelta(days=1, minutes=30), "bo", 1)
    with town.store.begin() as tx:
        for number, booked in enumerate((True, True, False)):
            about = About(7, booked, "=cmd")
            tx.dfdg.save(Record(f"r{number}", about, said, NOW, class_=Class.OPEN), alive=False)
        tx.dfdg.keep_deadline(Deadline("f1", "c", 7, date(2026, 12, 10), date(2026, 12, 20)), NOW)
    period = {"from": "2026-11-30T00:00:00Z", "to": "2026-12-30T00:00:00Z"}
    with calling(base) as portal, calling(base, "weak") as weak:
        found = portal.get("/jobnet/figures", **period).json()["figures"]
        table = list(csv.reader(StringIO(portal.get("/jobnet/figures.csv", **period).text)))
        days = portal.get("/jobnet/deadlines").json()["deadlines"]
        refused = [weak.get(path, **more).status_code for path, more in _paths(period)]
        wrong = portal.get("/jobnet/figures", **{"from": period["to"], "to": period["from"]})

    assert [("=cmd", 2, 1, 66.7)] == [
        (one["contact_group"], one["self_booked"], one["summoned"], one["share_percent"]) for one in found
    ]
    assert ["'=cmd", "2", "1", "66.7"] == table[1][:4]
    assert [{"day": "2026-12-10", "open": {"7": 1}}] == days
    assert ([403, 403, 403], 422) == (refused, wrong.status_code)


def _paths(period: dict[str, str]) -> list[tuple[str, dict[str, str]]]:
    return [("/jobnet/figures", period), ("/jobnet/figures.csv", period), ("/jobnet/deadlines", {})]


def test_without_jobnet_the_paths_say_so(served: Served, migrated_sqlite_url: str) -> None:
    store = Store(migrated_sqlite_url)
    base = served.take(JobnetTown(store))
    portal: Client
    with calling(base) as portal:
        assert "not-allowed" in portal.get("/jobnet/deadlines").json()["type"]
    assert 404 == push(base, {}).status_code
    store.close()
