"""Numbers and names planted at every entrance over HTTP are found nowhere afterwards.

Calendars have canaries of their own: `test_privacy_of_calendars`, `test_ews_privacy`, and the Graph contract.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog

from syncd.booking.contacts import Contacts
from syncd.booking.sealing import Seal
from syncd.config.notices import PATH as PATH_OF_NOTICES
from syncd.observe import logs, metrics
from syncd.store import Store, backup
from tests.environment import ROOT
from tests.integration.jobnet_town import Dfdg, JobnetTown
from tests.integration.test_privacy_of_calendars import everything
from tests.integration.web_town import NOW, Client, Served, serving

NUMBERS = ("0303930004", "030393-0004")
"""Like civil registration numbers."""
WORDS = (
    "Anemonemark", "Birkesvend", "Citronsommerfugl", "Duehoeg", "Egernunge", "Fjordhest", "Gransanger",
    "Havtornbusk", "Isfugleflok", "Jordbistade", "Kaempehoej", "Lundsolsort",
)  # fmt: skip
"""Each stands for one kind of entrance, so that a leak is known by its word."""
PATH, QUERY, HEADER, BODY, EXTRA, NAME, MAIL, PAGE, TOKEN, SOAP, USER, NOTICE = WORDS
CITIZEN = "0101900009"
"""The number of somebody who books on Jobnet; used nowhere else."""
DOCUMENT = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8"))
"""Another test holds it to what the application says of itself; to make it anew takes seconds."""


@pytest.fixture(scope="module")
def served(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("canaries") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    with serving(JobnetTown(store).deps()) as running:
        yield running
    store.close()


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[JobnetTown]:
    store = Store(migrated_sqlite_url)
    yield JobnetTown(store, contacts=Contacts(Seal(bytes(range(32)))))
    store.close()


@pytest.fixture
def heard() -> Iterator[StringIO]:
    """What the service logs at its loudest."""
    before, told = structlog.get_config(), StringIO()
    with redirect_stderr(told):
        logs.configure("debug", "json")
        yield told
    structlog.configure(**before)


def planted(value: Any, word: str) -> Any:
    """The same shape with a canary in every text."""
    if isinstance(value, str):
        return word
    if isinstance(value, dict):
        return {key: planted(one, word) for key, one in value.items()}
    return [planted(one, word) for one in value] if isinstance(value, list) else value


def bodies(operation: dict[str, Any]) -> Iterator[Any]:
    """What is sent to one path: spoiled texts, numbers for references, fields nobody knows, and what is no JSON."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if not content:
        return
    schema = DOCUMENT["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    example = schema["examples"][0]
    yield planted(example, BODY)
    for number in NUMBERS:
        yield planted(example, number)
        yield example | {"citizen": {"reference": number}}
    yield example | {EXTRA: EXTRA, "cpr": NUMBERS[0]}


def plant_in_the_interface(client: Client) -> None:
    """Every path of the document, wrong in every way."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            for word in (PATH, NUMBERS[0]):
                url = path.replace("{id}", word).replace("{offer}", word)
                query = {"name": QUERY, "cpr": NUMBERS[1]} | {
                    one["name"]: QUERY for one in operation.get("parameters", ()) if one["in"] == "query"
                }
                for body in [None, *bodies(operation)]:
                    headers = {"Idempotency-Key": uuid.uuid4().hex, "User-Agent": HEADER, "Referer": f"x?{NUMBERS[0]}"}
                    client.http.request(method.upper(), url, params=query if body is None else {}, json=body,
                                        headers=headers)  # fmt: skip
                garbled = f'{{"{EXTRA}": "{NUMBERS[0]}'.encode()
                client.http.request(method.upper(), url, content=garbled, headers={"Content-Type": "application/json"})


def plant_in_bookings(client: Client) -> None:
    """Bookings that succeed, with contact data."""
    contact = {"name": f"{NAME} Berg", "mail": f"{MAIL}@example.dk", "phone": "+45 30 39 30 00"}
    held = client.hold().json()["id"]
    made = client.post("/bookings", {"hold": held, "citizen": {"reference": "borger-1", "contact": contact}})
    assert 201 == made.status_code, made.text


def plant_beside_the_interface(base: str) -> None:
    """Pages, feeds, problems, tokens: everywhere anybody may knock."""
    with httpx2.Client(base_url=base, trust_env=False, timeout=20) as http:
        for url in (
            "/",
            "/sign-in",
            "/problems/",
            "/livez",
            "/readyz",
            f"/{PAGE}",
            f"/feeds/{PAGE}.ics",
            "/dfdg/v1/Besked",
            "/supply",
            "/supply.csv",
            "/citizen",
            "/citizen/card",
        ):
            http.get(url, params={"next": PAGE, "lang": PAGE, "cpr": NUMBERS[0]}, headers={"User-Agent": HEADER})
            http.post(url, data={"user": PAGE, "password": PAGE, "cpr": NUMBERS[1]}, params={"q": PAGE})
        for scheme in ("Bearer", "Basic"):
            http.get("/api/v1/offers", headers={"Authorization": f"{scheme} {TOKEN}"})


def plant_in_notices(served: Served) -> None:
    """What Microsoft 365 tells, and what strangers send to its address."""
    served.app.state.deps = replace(served.app.state.deps, notices="")
    notice = {
        "subscriptionId": NOTICE,
        "clientState": NOTICE,
        "resource": f"users/{NOTICE}/events/{NUMBERS[0]}",
        "resourceData": {"subject": f"{NOTICE} {NUMBERS[1]}"},
    }
    with httpx2.Client(base_url=served.base, trust_env=False, timeout=20) as http:
        assert 202 == http.post(PATH_OF_NOTICES, json={"value": [notice]}).status_code
        http.post(PATH_OF_NOTICES, params={"validationToken": f"{NOTICE} {NUMBERS[0]}"})
        http.post(PATH_OF_NOTICES, json={NOTICE: NUMBERS[0]})


def plant_in_jobnet(caller: Dfdg, town: JobnetTown) -> None:
    """A booking by a citizen's number, and calls that are refused."""
    booking = caller.booked(town.offer(), "2026-12-02T09:00:00Z")
    for body in ({EXTRA: NUMBERS[0]}, {"JobcenterKode": NUMBERS[0]}, [BODY], {"StartTidspunkt": BODY}):
        caller.post("/Moedetilbud", body)
        caller.post(f"/Booking/{booking}/action/reserver", body, **{"x-requestId": NUMBERS[0]})
    caller.post("/Moedetilbud", {}, **{"x-civilregistrationIdentifier": NUMBERS[1]})
    caller.post(f"/Booking/{PATH}", {}, **{"x-requestUserIdentifier": f"{USER} {NUMBERS[0]}"})
    soap = f"<Envelope><{SOAP}>{NUMBERS[0]}</{SOAP}></Envelope>"
    path = town.mapping.soap.path
    for content in (soap, soap[:40], f"<!DOCTYPE x [<!ENTITY e '{SOAP}'>]><x>&e;</x>"):
        headers = caller.headers() | {"Content-Type": "text/xml", "SOAPAction": SOAP}
        caller.http.post(path, content=content.encode(), headers=headers)


def calendars(town: JobnetTown) -> str:
    """All that was written into calendars."""
    return " ".join(
        repr(thing.draft)
        for mailbox in town.directory.mailboxes
        for thing in town.calendars._calendar(mailbox).things.values()
    )


def test_what_is_planted_at_an_entrance_is_found_nowhere(
    town: JobnetTown, served: Served, portal: Client, heard: StringIO, tmp_path: Path, migrated_sqlite_url: str
) -> None:
    plant_in_the_interface(portal)
    plant_in_bookings(portal)
    plant_beside_the_interface(served.base)
    plant_in_notices(served)
    caller = Dfdg(served.base, CITIZEN)
    plant_in_jobnet(caller, town)
    caller.http.close()
    town.settle()
    backup.backup(town.store, tmp_path / "backup.db", NOW)

    places = {
        "the log": heard.getvalue(),
        "metrics": metrics.text().decode(),
        "database and files beside it": everything(migrated_sqlite_url, tmp_path),
        "calendars": calendars(town),
    }
    assert "http.request" in places["the log"]
    assert "borger-1" in places["database and files beside it"], "the search does find what is there"
    assert "jobsamtale" in places["calendars"].lower()
    leaks = {
        place: found
        for place, text in places.items()
        if (found := [one for one in (*WORDS, *NUMBERS, CITIZEN) if one.lower() in text.lower()])
    }
    assert {} == leaks, json.dumps(leaks)
