"""Numbers and names typed by staff on signed-in pages, and those of citizens who booked, leave by no other way.

What comes in over the interfaces of programs, and before anybody has signed in: `test_canaries`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import time, timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from starlette.testclient import TestClient

from syncd.booking.contacts import Contacts
from syncd.booking.sealing import Seal
from syncd.config import MailSection, PagesSection, ReportSection, SupplySection
from syncd.daemon.parts import Parts
from syncd.daemon.reports import send_reports
from syncd.model.role import Role
from syncd.observe import metrics
from syncd.store import Store
from syncd.web.app import build_app
from syncd.web.pages import ROUTERS
from tests.integration.jobnet_town import JobnetTown
from tests.integration.test_canaries import NUMBERS, calendars, heard
from tests.integration.test_privacy_of_calendars import everything
from tests.integration.test_reports import running
from tests.integration.web_town import TOKENS
from tests.servers.mail import MailServer

__all__ = ["heard", "running"]

WORDS = ("Kvasterod", "Lyngheden", "Mosegrisen", "Nattergalen", "Odderhale")
QUERY, FORM, LAPSED, CITIZEN, RECIPIENT = WORDS
CSRF = re.compile(r'name="csrf" value="([^"]*)"')
FIELDS = (
    "q", "name", "citizen", "cpr", "phone", "mail", "email", "why", "reason", "note", "purpose", "text", "who", "offer",
    "what", "caseworker", "room", "site", "time", "form", "topic", "kind", "day", "from", "to", "value", "do", "seen",
)  # fmt: skip


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[JobnetTown]:
    store = Store(migrated_sqlite_url)
    yield JobnetTown(store, contacts=Contacts(Seal(bytes(range(32)))))
    store.close()


def signed_in(town: JobnetTown) -> TestClient:
    """A browser of somebody with every role."""
    app = build_app(town.deps())
    http = TestClient(
        app, base_url="http://localhost", headers={"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
    )
    with town.store.begin() as tx:
        cookie = tx.visits.add(town.clock.now(), subject="vera", name="Vera", roles=frozenset(Role))
    http.cookies.set("syncd", cookie)
    return http


def booked(http: TestClient) -> str:
    """A portal books for a citizen who left name, number and address. Returns the booking's id."""
    headers = {"Authorization": f"Bearer {TOKENS['portal']}"}
    wish = {"offer": "jobsamtale", "start": "2026-12-01T08:00:00Z", "form": "phone", "caseworker": "anna"}
    hold = http.post("/api/v1/holds", json=wish, headers=headers | {"Idempotency-Key": "1"})
    contact = {"name": f"{CITIZEN} Berg", "mail": f"{CITIZEN}@example.dk", "phone": "+45 30 39 30 00"}
    body = {"hold": hold.json()["id"], "citizen": {"reference": "borger-1", "contact": contact}}
    made = http.post("/api/v1/bookings", json=body, headers=headers | {"Idempotency-Key": "2"})
    assert 201 == made.status_code, made.text
    return str(made.json()["id"])


def pages(method: str) -> list[str]:
    """The addresses of every page that takes *method*."""
    found = {one.path for router in ROUTERS for one in router.routes if method in one.methods}  # type: ignore[attr-defined]  # pages only
    return sorted(found - {"/sign-out", "/sign-in"})


def type_everywhere(http: TestClient, booking: str) -> set[int]:
    """Every page is asked with canaries in its address, and gets a form full of them; the statuses of the answers."""
    token = CSRF.search(http.get("/frames").text)
    assert token
    told = set()
    asked = dict.fromkeys(FIELDS, f"{QUERY} {NUMBERS[0]}")
    for path in pages("GET"):
        told.add(http.get(re.sub(r"{[^}]*}", booking, path), params=asked).status_code)
        told.add(http.get(re.sub(r"{[^}]*}", f"{QUERY}{NUMBERS[0]}", path)).status_code)
    typed = dict.fromkeys(FIELDS, f"{FORM} {NUMBERS[1]}") | {"cpr": NUMBERS[0], "csrf": token[1]}
    for path in pages("POST"):
        told.add(http.post(re.sub(r"{[^}]*}", booking, path), data=typed).status_code)
    http.post("/sign-in", data={"name": FORM, "password": NUMBERS[0], "next": f"/{FORM}"})
    return told


def come_too_late(http: TestClient, town: JobnetTown) -> None:
    """A form that is sent after the visit has run out is kept for its sender, but not what concerns a citizen."""
    town.clock.at += timedelta(hours=20)
    typed = {"offer": "jobsamtale", "phone": LAPSED, "cpr": NUMBERS[0], "citizen": "borger-1"}
    sent = http.post("/bookings/new", data=typed, follow_redirects=False)
    assert (303, "/sign-in?next=/sign-in/resume") == (sent.status_code, sent.headers["location"])


def report(town: JobnetTown, port: int, folder: Path) -> None:
    """The week's report goes out."""
    to = (f"{RECIPIENT}@example.dk",)
    config = SimpleNamespace(
        supply=SupplySection(targets={}, reports=(ReportSection(name="uge", to=to, folder=folder, at=time(0)),)),
        mail=MailSection(host="127.0.0.1", port=port, security="none", sender="syncd@example.dk"),
        pages=PagesSection(public_url="https://syncd.example.dk"),
        organisation="Eksempel Kommune",
        support="Servicedesk",
        language="da",
    )
    parts = SimpleNamespace(
        config=config, store=town.store, publisher=town.publisher, directory=town.directory, reporting=None,
        rulebook=town.rules,
    )  # fmt: skip
    send_reports(cast(Parts, parts), town.clock)


def test_what_staff_type_and_who_booked_is_found_in_no_log_metric_database_calendar_or_report(
    town: JobnetTown, heard: StringIO, running: MailServer, tmp_path: Path, migrated_sqlite_url: str
) -> None:
    server, port = running, running.port
    server.got.clear()
    with signed_in(town) as http:
        statuses = type_everywhere(http, booked(http))
        town.settle()
        come_too_late(http, town)
    report(town, port, tmp_path)

    mails = " ".join(f"{message} {message.get_body().get_content()}" for _, message in server.got)
    places = {
        "the log": heard.getvalue(),
        "metrics": metrics.text().decode(),
        "database and files beside it": everything(migrated_sqlite_url, tmp_path),
        "calendars": calendars(town),
        "reports": mails + " ".join(path.read_text(encoding="utf-8") for path in tmp_path.glob("*.csv")),
    }
    assert {200, 404, 422} <= statuses
    assert not {one for one in statuses if one >= 500}
    assert "http.request" in places["the log"]
    assert "borger-1" in places["database and files beside it"], "the search does find what is there"
    assert "jobsamtale" in places["calendars"].lower()
    assert "Eksempel Kommune" in places["reports"]
    leaks = {place: [one for one in sought(place) if one.lower() in text.lower()] for place, text in places.items()}
    assert {} == {place: found for place, found in leaks.items() if found}, json.dumps(leaks)


def sought(place: str) -> tuple[str, ...]:
    """What must not stand in a place; who gets a report stands on it, and beside it in the database."""
    known = {"reports", "database and files beside it"}
    return (QUERY, FORM, LAPSED, CITIZEN, *NUMBERS, *(() if place in known else (RECIPIENT,)))
