"""With a portal's token one reads and changes nothing of another client's; asked at every path of the OpenAPI document.

Paths come from the document, so that a new one is asked, too, or fails here until somebody says whose ids it takes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx2
import pytest

from syncd.booking.contacts import Contacts
from syncd.booking.sealing import Seal
from syncd.store import Store
from tests.environment import ROOT
from tests.integration.web_town import Client, Town

DOCUMENT = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8"))
"""Another test holds it to what the application says of itself; to make it anew takes seconds."""
OPERATIONS = [(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods]
CITIZEN, NAME, MAIL, PHONE = "borger-hemmelig-81", "Yrsa Kildegaard", "yrsa@example.dk", "+45 87 65 43 21"
WINDOW = {"from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z"}
QUERY = WINDOW | {"at": "2026-12-01T08:00:00Z", "offer": "jobsamtale", "start": "2026-12-01T08:00:00Z"}


class Others(NamedTuple):
    """What belongs to the portal."""

    booking: str
    meeting: str
    code: str
    hold: str
    absence: str

    def id_for(self, path: str) -> str:
        """What stands for ``{id}`` in a path."""
        family = path.removeprefix("/api/v1/").partition("/")[0]
        known = {"bookings": self.booking, "holds": self.hold, "absences": self.absence, "meetings": self.meeting}
        return known[family]

    def secrets(self) -> set[str]:
        """What no answer may hold."""
        return {self.booking, self.meeting, self.code, self.hold, CITIZEN, NAME, MAIL, PHONE, "87 65 43"}


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[Town]:
    store = Store(migrated_sqlite_url)
    yield Town(store, contacts=Contacts(Seal(bytes(range(32)))))
    store.close()


@pytest.fixture
def others(town: Town, portal: Client) -> Others:
    contact = {"name": NAME, "phone": PHONE, "mail": MAIL}
    held = portal.hold().json()["id"]
    made = portal.post("/bookings", {"hold": held, "citizen": {"reference": CITIZEN, "contact": contact}}).json()
    hold = portal.hold("2026-12-02T08:00:00Z", citizen={"reference": CITIZEN}).json()["id"]
    away = {"caseworker": "anna", "from": "2026-12-01T08:00:00Z", "to": "2026-12-01T16:00:00Z"}
    absence = portal.post("/absences", away).json()["id"]
    with town.store.read() as tx:
        kept = tx.bookings.get(made["id"], "portal")
        assert kept is not None
    return Others(made["id"], kept.meeting, made["code"], hold, absence)


def body_of(operation: dict[str, Any], others: Others) -> dict[str, Any] | None:
    """The document's own example, about somebody else's citizen and hold."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if not content:
        return None
    schema = DOCUMENT["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = json.loads(json.dumps(schema["examples"][0]))
    ours = {"hold": others.hold, "citizen": {"reference": CITIZEN}, "offer": "jobsamtale"}
    found |= {key: value for key, value in ours.items() if key in schema["properties"]}
    for choice in found.get("choices", ()):
        choice["meeting"] = others.meeting
    return found


def asked(client: Client, method: str, path: str, others: Others) -> tuple[httpx2.Response, str]:
    """The answer, and everything that was said in the question."""
    operation = DOCUMENT["paths"][path][method]
    url = path.replace("{offer}", "jobsamtale")
    if "{id}" in url:
        url = url.replace("{id}", others.id_for(path))
    assert "{" not in url, f"{path}: say in this test whose ids it takes"
    query = {one["name"]: QUERY[one["name"]] for one in operation.get("parameters", ()) if one["name"] in QUERY}
    body = body_of(operation, others)
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    answer = client.http.request(method.upper(), url, params=query, json=body, headers=headers)
    return answer, f"{url} {json.dumps(body)}"


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_is_another_clients_is_neither_shown_nor_changed(
    others: Others, portal: Client, rival: Client, method: str, path: str
) -> None:
    before = portal.get(f"/bookings/{others.booking}").json()
    answer, said = asked(rival, method, path, others)

    assert answer.status_code < 500
    if "{id}" in path or path == "/api/v1/bookings":
        assert answer.status_code in (403, 404), answer.text
    found = {secret for secret in others.secrets() if secret in answer.text}
    assert not {secret for secret in found if secret not in said}
    assert before == portal.get(f"/bookings/{others.booking}").json()
    again = portal.post("/bookings", {"hold": others.hold, "citizen": {"reference": CITIZEN}})
    assert 201 == again.status_code, "the hold is still the portal's"


def test_the_search_of_ones_own_citizen_finds_no_booking_of_another_client(others: Others, rival: Client) -> None:
    assert others.booking
    assert {"bookings": []} == rival.post("/bookings/search", {"citizen": {"reference": CITIZEN}}, key=None).json()


def test_a_key_that_another_client_used_repeats_nothing_of_its_answer(
    town: Town, portal: Client, rival: Client
) -> None:
    body = {"offer": "jobsamtale", "start": "2026-12-03T08:00:00Z", "form": "in-person", "caseworker": "anna"}
    first = portal.post("/holds", body, key="the-same-key")
    second = rival.post("/holds", body, key="the-same-key")

    assert (201, 409) == (first.status_code, second.status_code)
    assert first.json()["id"] not in second.text
