"""Reports on supply by schedule: to a real SMTP server, each exactly once, whatever the server does."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from syncd.clock import FixedClock
from syncd.config import MailSection, PagesSection, ReportSection, SupplySection, TargetSection
from syncd.daemon.parts import Parts
from syncd.daemon.reports import due, send_reports
from syncd.store import Store
from syncd.store.reports import Reports, Standing
from tests.page_town import NOW, PageTown, Size
from tests.servers.mail import MailServer, mail_server

ZONE = "Europe/Copenhagen"
BOTH = ("leder@example.dk", "vice@example.dk")


@pytest.fixture(scope="module")
def running() -> Iterator[MailServer]:
    """A mail server on a free port of loopback."""
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def town(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageTown]:
    """An office with a past."""
    path = tmp_path_factory.mktemp("reports") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    town = PageTown(store, Size(3, 4, 15, 2))
    yield town
    store.close()


@pytest.fixture
def parts(town: PageTown, running: MailServer, tmp_path: Path, request: pytest.FixtureRequest) -> Parts:
    """What the daemon holds; each test has a report of its own name."""
    server, port = running, running.port
    server.forget()
    name = request.node.name.replace("_", "-")[5:40].strip("-")
    report = ReportSection(name=name, to=BOTH, folder=tmp_path)
    config = SimpleNamespace(
        supply=SupplySection(targets={"job": TargetSection(share=80)}, reports=(report,)),
        mail=MailSection(host="127.0.0.1", port=port, security="none", sender="syncd@example.dk"),
        pages=PagesSection(public_url="https://syncd.example.dk"),
        organisation="Eksempel Kommune",
        support="Servicedesk, tlf. 12 34 56 78",
        language="da",
    )
    made = SimpleNamespace(
        config=config,
        store=town.store,
        publisher=town.publisher,
        directory=town.directory,
        reporting=None,
        rulebook=town.rules,
    )
    return cast(Parts, made)


def _standings(parts: Parts) -> dict[str, Standing]:
    name = parts.config.supply.reports[0].name
    with parts.store.read() as tx:
        return {one.recipient: one.standing for one in Reports(tx.session).newest() if one.name == name}


def test_everybody_gets_the_weeks_report_once_as_words_and_table(
    parts: Parts, running: MailServer, tmp_path: Path
) -> None:
    server = running
    for minutes in (0, 1, 20, 60 * 24 * 3):
        send_reports(parts, FixedClock(NOW + timedelta(minutes=minutes)))
    message = server.got[0][1]
    table = next(message.iter_attachments())
    rows = list(csv.reader(io.StringIO(table.get_content().removeprefix("\ufeff")), delimiter=";"))

    assert sorted(BOTH) == sorted(recipient for recipient, _ in server.got)
    assert "Udbud i uge 49, Eksempel Kommune" == message["Subject"]
    assert "måltal 80" in message.get_body().get_content()
    assert "https://syncd.example.dk/supply" in message.get_body().get_content()
    assert "Gruppe" == rows[0][0]
    assert [] == [row for row in rows if row[0] == "Person"]
    assert 1 == len(list(tmp_path.glob("*.csv")))
    assert [] == list(tmp_path.glob(".*"))
    assert {Standing.SENT} == set(_standings(parts).values())


def test_the_next_week_has_a_report_of_its_own(parts: Parts, running: MailServer) -> None:
    for weeks in (0, 1):
        send_reports(parts, FixedClock(NOW + timedelta(weeks=weeks)))

    assert 4 == len(running.got)
    assert 4 == len({(to, message["Message-ID"]) for to, message in running.got})


def test_what_the_server_refused_is_tried_again_later_and_then_sent_once(parts: Parts, running: MailServer) -> None:
    server = running
    server.moods += ["451", "550"]
    send_reports(parts, FixedClock(NOW))
    refused = _standings(parts)
    send_reports(parts, FixedClock(NOW + timedelta(minutes=5)))
    early = len(server.got)
    send_reports(parts, FixedClock(NOW + timedelta(minutes=16)))

    assert [Standing.WAITING] * 2 == [refused[one] for one in BOTH]
    assert 0 == early
    assert sorted(BOTH) == sorted(recipient for recipient, _ in server.got)


def test_what_may_have_been_taken_is_never_sent_again_by_itself(parts: Parts, running: MailServer) -> None:
    server = running
    server.moods += ["break"]
    for hours in range(4):
        send_reports(parts, FixedClock(NOW + timedelta(hours=hours)))
    unknown = _standings(parts)
    report = parts.config.supply.reports[0].name
    again = parts.store.run(lambda tx: Reports(tx.session).again(report, "2026-W49"))
    send_reports(parts, FixedClock(NOW + timedelta(hours=5)))

    assert Standing.UNKNOWN == unknown[BOTH[0]]
    assert 1 == again
    assert 3 == len(server.got), "each once, and once more because somebody said so"


def test_a_service_killed_while_sending_does_not_send_twice(parts: Parts, running: MailServer) -> None:
    report = parts.config.supply.reports[0].name
    assert parts.store.run(lambda tx: Reports(tx.session).take(report, "2026-W49", BOTH[0], NOW))
    for minutes in (1, 11, 60):
        send_reports(parts, FixedClock(NOW + timedelta(minutes=minutes)))

    assert [BOTH[1]] == [recipient for recipient, _ in running.got]
    assert Standing.UNKNOWN == _standings(parts)[BOTH[0]]


def test_of_two_nodes_one_takes_a_report(parts: Parts) -> None:
    report = parts.config.supply.reports[0].name

    assert [True, False] == [
        parts.store.run(lambda tx: Reports(tx.session).take(report, "2026-W49", BOTH[0], NOW)) for _ in range(2)
    ]


def test_a_report_is_due_from_its_hour_on_by_local_clocks() -> None:
    weekly, monthly = (ReportSection(name="x", to=BOTH, every=every, at=time(7)) for every in ("week", "month"))
    monday = datetime(2026, 11, 30, tzinfo=UTC)

    assert None is due(weekly, monday + timedelta(hours=5, minutes=59), ZONE)
    assert "2026-W49" == due(weekly, monday + timedelta(hours=6), ZONE)
    assert "2026-W49" == due(weekly, monday + timedelta(days=6), ZONE)
    assert "2026-11" == due(monthly, monday, ZONE)
    assert None is due(monthly, datetime(2026, 12, 1, 5, tzinfo=UTC), ZONE)
    assert "2026-12" == due(monthly, datetime(2026, 12, 1, 6, tzinfo=UTC), ZONE)
    assert "2026-W53" == due(weekly, datetime(2027, 1, 1, 12, tzinfo=UTC), ZONE)


@pytest.mark.parametrize(
    "address", ["", "leder", "leder@", "a b@example.dk", "x@example.dk\nBcc: y@example.dk", "<x@example.dk>"]
)
def test_what_is_no_address_is_refused_in_the_configuration(address: str) -> None:
    with pytest.raises(ValueError, match="mail address"):
        ReportSection(name="x", to=(address,))
