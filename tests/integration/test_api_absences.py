"""Absences and hand-overs over HTTP, for programs of the staff."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.web_town import Client, Town

TUESDAY = {"caseworker": "anna", "from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z"}


def give(portal: Client, **more: Any) -> dict[str, Any]:
    made = portal.post("/absences", TUESDAY | more)
    assert 201 == made.status_code
    content: dict[str, Any] = made.json()
    assert f"/api/v1/absences/{content['id']}" == made.headers["Location"]
    return content


def test_an_absence_is_given_gets_proposals_and_one_confirmation(town: Town, portal: Client) -> None:
    first = portal.booking("2026-12-01T08:00:00Z", "borger-1", caseworker="anna")
    second = portal.booking("2026-12-01T09:00:00Z", "borger-2", caseworker="anna")
    town.settle()
    absence = give(portal)

    seen = portal.get(f"/absences/{absence['id']}").json()
    assert [("colleague", "bo")] * 2 == [(one["remedy"], one["to"]) for one in seen["proposals"]]
    assert [first["code"], second["code"]] == [one["code"] for one in seen["proposals"]]
    choices = [
        {"meeting": seen["proposals"][0]["meeting"], "remedy": "colleague", "to": "bo"},
        {"meeting": seen["proposals"][1]["meeting"], "remedy": "cancel"},
        {"meeting": "nothing", "remedy": "cancel"},
    ]
    done = portal.post(f"/absences/{absence['id']}/settle", {"choices": choices}, key="once")
    again = portal.post(f"/absences/{absence['id']}/settle", {"choices": choices}, key="once")

    assert (200, done.content) == (done.status_code, again.content)
    assert [None, None] == [one["refused"] for one in done.json()["done"][:2]]
    assert "no meeting" in done.json()["done"][2]["refused"]
    assert "bo" == portal.get(f"/bookings/{first['id']}").json()["caseworker"]
    assert "cancelled" == portal.get(f"/bookings/{second['id']}").json()["state"]
    assert [] == portal.get(f"/absences/{absence['id']}").json()["proposals"]


def test_nothing_is_offered_in_an_absence_until_it_is_ended(portal: Client) -> None:
    before = portal.slots(caseworker="anna")
    absence = give(portal)

    assert before
    assert [] == portal.slots(caseworker="anna")
    assert 204 == portal.http.delete(f"/api/v1/absences/{absence['id']}").status_code
    assert before == portal.slots(caseworker="anna")
    assert 404 == portal.http.delete(f"/api/v1/absences/{absence['id']}").status_code
    assert {"given": [], "suggested": []} == portal.get("/absences").json()


def test_a_meeting_is_handed_over_by_any_of_its_names(town: Town, portal: Client) -> None:
    made = portal.booking(caseworker="anna")
    for name in (made["id"], made["code"]):
        assert ["bo"] == portal.get(f"/meetings/{name}/proposals").json()["colleagues"]

    handed = portal.post(f"/meetings/{made['code']}/handover", {"remedy": "colleague", "to": "bo"}).json()
    town.settle()

    assert (None, False) == (handed["done"][0]["refused"], handed["done"][0]["call"])
    after = portal.get(f"/bookings/{made['id']}").json()
    assert ("bo", made["room"]["id"], "confirmed") == (after["caseworker"], after["room"]["id"], after["state"])


def test_nobody_whose_calendar_is_unknown_gets_a_meeting_and_the_others_are_carried_out(
    town: Town, portal: Client
) -> None:
    first = portal.booking("2026-12-01T08:00:00Z", "borger-1", caseworker="anna")
    second = portal.booking("2026-12-01T09:00:00Z", "borger-2", caseworker="anna")
    meetings = [portal.get(f"/meetings/{one['id']}/proposals").json()["meeting"] for one in (first, second)]
    absence = give(portal)
    with town.store.begin() as tx:
        tx.mailboxes.refuse("bo", "7 of 9 vanished", town.clock.now())
    choices = [
        {"meeting": meetings[0], "remedy": "phone", "to": "bo"},
        {"meeting": meetings[1], "remedy": "cancel"},
    ]

    one = portal.post(f"/meetings/{first['id']}/handover", {"remedy": "colleague", "to": "bo"})
    both = portal.post(f"/absences/{absence['id']}/settle", {"choices": choices})

    assert (200, 200) == (one.status_code, both.status_code)
    refused = [done["refused"] for done in (*one.json()["done"], *both.json()["done"])]
    assert [True, True, False] == ["calendar is not known for that time" in (told or "") for told in refused]
    assert None is refused[2]
    assert "anna" == portal.get(f"/bookings/{first['id']}").json()["caseworker"]


def test_only_programs_of_the_staff_may(rival: Client, portal: Client) -> None:
    made = portal.booking()
    for answer in (
        rival.get("/absences"),
        rival.post("/absences", TUESDAY),
        rival.get("/absences/1"),
        rival.post("/absences/1/settle", {"choices": [{"meeting": "x", "remedy": "cancel"}]}),
        rival.http.delete("/api/v1/absences/1"),
        rival.get(f"/meetings/{made['id']}/proposals"),
        rival.post(f"/meetings/{made['id']}/handover", {"remedy": "cancel"}),
    ):
        assert (403, "staff") == (answer.status_code, answer.json()["right"])


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("/absences", TUESDAY | {"caseworker": "nobody"}, 404, "unknown-caseworker"),
        ("/absences", TUESDAY | {"to": TUESDAY["from"]}, 422, "bad-request"),
        ("/absences/99/settle", {"choices": [{"meeting": "x", "remedy": "cancel"}]}, 404, "unknown-absence"),
        ("/meetings/nothing/handover", {"remedy": "cancel"}, 404, "unknown-booking"),
    ],
)
def test_what_is_not_there_is_said(portal: Client, path: str, body: dict[str, Any], status: int, kind: str) -> None:
    answer = portal.post(path, body)

    assert (status, f"/problems/{kind}") == (answer.status_code, answer.json()["type"])
