"""Contact data of citizens: sealed, needed for talks by telephone, erased soon after the meeting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from syncd.booking.contacts import Contacts
from syncd.booking.reconcile import Reconciler
from syncd.booking.sealing import Seal
from syncd.model.contact import Contact
from syncd.model.directory import Directory
from syncd.model.offer import Form
from syncd.store import Store
from syncd.store.erasure import erase
from syncd.store.retention import Periods, sweep
from syncd.store.tables import AuditRow, ContactRow, MeetingRow
from tests.integration.web_town import NOW, RULES, Client, Served, Town

KEY, OTHER = bytes(range(32)), bytes(32)
ADA = {"name": "Ada Berg", "birth_date": "1990-02-03", "phone": "+45 12 34 56 78", "mail": "ada@example.dk"}
DAY = timedelta(days=1)


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[Town]:
    store = Store(migrated_sqlite_url)
    yield Town(store, contacts=Contacts(Seal(KEY)))
    store.close()


def booked(portal: Client, contact: dict[str, Any] | None = None, **hold: Any) -> Any:
    held = portal.hold(**hold).json()["id"]
    return portal.post("/bookings", {"hold": held, "citizen": {"reference": "borger-1", "contact": contact or ADA}})


def sealed(town: Town) -> list[bytes]:
    with town.store.read() as tx:
        return list(tx.session.scalars(select(ContactRow.sealed)))


def written(town: Town, caseworker: str) -> str:
    """The body of the one entry in a calendar."""
    [thing] = [one for one in town.calendars._calendar(caseworker).things.values() if one.draft]
    assert thing.draft is not None
    return thing.draft.description


def test_contact_data_are_sealed_and_shown_to_staff_only_with_a_trace(
    town: Town, portal: Client, rival: Client
) -> None:
    made = booked(portal)
    [kept] = sealed(town)
    seen = portal.get(f"/meetings/{made.json()['code']}/contacts")

    assert 201 == made.status_code
    for secret in ("Ada", "1990", "12 34", "ada@"):
        assert secret.encode() not in kept
        assert secret not in made.text
    assert [ADA | {"booking": made.json()["id"]}] == seen.json()["contacts"]
    assert "no-store" == seen.headers["Cache-Control"]
    assert 403 == rival.get(f"/meetings/{made.json()['code']}/contacts").status_code
    with town.store.read() as tx:
        rows = tx.session.execute(select(AuditRow.actor, AuditRow.booking).where(AuditRow.action == "contact.read"))
        assert [("client:portal", made.json()["id"])] == [tuple(row) for row in rows]


def test_without_a_key_they_are_refused_and_nothing_is_booked(town: Town, served: Served, portal: Client) -> None:
    town.contacts = Contacts()
    served.take(town)

    answer = booked(portal)

    assert (422, "/problems/bad-request") == (answer.status_code, answer.json()["type"])
    assert "no key" in answer.json()["detail"]
    assert [] == portal.post("/bookings/search", {"citizen": {"reference": "borger-1"}}).json()["bookings"]


@pytest.mark.parametrize(
    "contact",
    [{"phone": "call me"}, {"mail": "ada"}, {"birth_date": "3.2.1990"}, {"name": "010203-1234"}, {"address": "Torvet"}],
)
def test_what_cannot_be_contact_data_is_refused(portal: Client, contact: dict[str, str]) -> None:
    assert 422 == booked(portal, contact).status_code


def test_a_talk_by_telephone_needs_a_number_where_the_offer_asks_for_it(town: Town, portal: Client) -> None:
    with town.store.begin() as tx:
        tx.rules.add(RULES.replace("moves = 2", 'moves = 2\nnumber = "asked"'), "test", NOW)

    refused = booked(portal, {"name": "Ada"}, form="phone")
    taken = booked(portal, {"phone": "12345678"}, form="phone")
    present = booked(portal, {"name": "Ada"}, start="2026-12-01T09:00:00Z").json()
    later = {"start": "2026-12-02T09:00:00Z", "form": "phone"}
    move = f"/bookings/{present['id']}/reschedule"

    assert (422, 201) == (refused.status_code, taken.status_code)
    assert "needs the citizen's number" in refused.json()["detail"]
    assert 422 == portal.post(move, later).status_code
    assert "in-person" == portal.get(f"/bookings/{present['id']}").json()["form"]
    assert 200 == portal.post(move, later | {"phone": "87654321"}).status_code
    with town.store.read() as tx:
        assert Contact("Ada", None, "87654321", None) == town.contacts.of(tx, present["id"])


def test_they_are_erased_some_days_after_the_meeting_and_with_the_citizen(town: Town, portal: Client) -> None:
    for start in ("08:00", "09:00", "10:00"):
        booked(portal, start=f"2026-12-01T{start}:00Z")
    cancelled = portal.booking("2026-12-01T10:30:00Z", "borger-2")
    with town.store.begin() as tx:
        town.contacts.keep(tx, cancelled["id"], Contact(name="Bo"), NOW)
        tx.session.execute(
            update(MeetingRow).where(MeetingRow.start % 7200 == 0).values(end=MeetingRow.end - 30 * 86_400)
        )
    portal.post(f"/bookings/{cancelled['id']}/cancel", {})

    assert 4 == len(sealed(town))
    swept = sweep(town.store, NOW + DAY / 24, Periods())
    assert 4 - swept.contacts == len(sealed(town)) > 0
    with town.store.begin() as tx:
        erased = erase(tx, "borger-1", NOW + 30 * DAY, "cli:test")
    assert swept.contacts + erased.contacts == 4
    assert [] == sealed(town)


def test_a_new_key_opens_what_the_old_one_sealed_and_nothing_opens_for_another_booking(town: Town) -> None:
    name, content = Seal(KEY).close(b"secret", "b1")

    assert b"secret" == Seal(OTHER, KEY).open(name, content, "b1")
    assert None is Seal(OTHER).open(name, content, "b1")
    assert None is Seal(KEY).open(name, content, "b2")
    assert None is Seal(KEY).open(name, content[:-1] + bytes([content[-1] ^ 1]), "b1")
    assert "Ada" not in repr(Contact(name="Ada Berg"))


@pytest.mark.parametrize("told", [True, False])
def test_the_number_to_call_stands_in_the_calendar_only_where_the_operator_says_so(
    town: Town, portal: Client, told: bool
) -> None:
    made = booked(portal, {"phone": "12345678"}, form="phone").json()
    number = town.contacts.numbers if told else lambda _tx, _bookings: ""
    town.reconciler = Reconciler(
        town.store, lambda: {"memory": town.calendars}, lambda: town.directory, town.rules, number=number
    )
    town.settle()

    assert told == ("Ring til borgeren: 12345678" in written(town, made["caseworker"]))


def test_a_meeting_by_video_tells_its_link_in_the_calendar_and_to_the_portal(town: Town, portal: Client) -> None:
    people = {
        name: replace(one, video=f"https://video.example.dk/{name}") for name, one in town.directory.caseworkers.items()
    }
    known = town.directory
    town.directory = Directory.of(known.organisation, known.sites, people, known.rooms, known.support)
    with town.store.begin() as tx:
        tx.rules.add(RULES.replace('phone = 30}\nwho = ["anna", "bo"]', 'video = 30}\nwho = ["anna"]'), "test", NOW)
    made = portal.booking(form=Form.VIDEO.value)
    town.settle()

    assert "https://video.example.dk/anna" == made["video"]
    assert "Link til mødet: https://video.example.dk/anna" in written(town, "anna")
