"""The finer rules over HTTP: who may book, pages, days, deadlines, seats, topics, and the words that go with them."""

from __future__ import annotations

import json

import pytest

from tests.integration.web_town import NOW, RULES, Client, Town

DAY = {"from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z"}
WEEK = {"from": "2026-12-01T00:00:00Z", "to": "2026-12-08T00:00:00Z"}
NINE = "2026-12-01T08:00:00Z"
SLOTS = "/offers/jobsamtale/slots"
ONE = {"reference": "borger-1"}


def apply(town: Town, more: str, tail: str = "") -> None:
    with town.store.begin() as tx:
        tx.rules.add(RULES.replace("hold_minutes = 10", f"hold_minutes = 10\n{more}", 1) + tail, "test", NOW)


@pytest.fixture
def choosy(town: Town) -> Town:
    apply(town, 'open_to = [{contact_groups = ["1", "8"]}]\nown = "first"')
    return town


def test_an_offer_that_is_not_for_everybody_asks_who_the_citizen_is(choosy: Town, portal: Client) -> None:
    asked = portal.get(SLOTS, **DAY)
    listed = portal.get("/offers").json()["offers"]
    held = portal.hold(NINE)

    assert (422, "/problems/bad-request") == (asked.status_code, asked.json()["type"])
    assert "POST to slots/search" in asked.json()["detail"]
    assert [True, False] == [one["restricted"] for one in listed]
    assert 422 == held.status_code


def test_a_citizen_who_may_not_book_is_told_so_and_not_that_all_is_booked(choosy: Town, portal: Client) -> None:
    inside = portal.post(f"{SLOTS}/search", DAY | {"citizen": ONE | {"contact_group": "8"}}, key=None).json()
    outside = portal.post(f"{SLOTS}/search", DAY | {"citizen": ONE | {"contact_group": "2"}}, key=None).json()
    held = portal.hold(NINE, citizen=ONE | {"contact_group": "2"})

    assert "open" == inside["status"]
    assert ("not-entitled", []) == (outside["status"], outside["slots"])
    assert "kan ikke booke" in outside["say"]["da"]
    assert "Borgerservice, tlf. 12 34 56 78" == outside["support"]
    assert (409, "/problems/not-entitled") == (held.status_code, held.json()["type"])
    assert "kan ikke booke" in held.json()["say"]["da"]


def test_ones_own_caseworker_comes_first_in_times_and_in_holds(choosy: Town, portal: Client) -> None:
    mine = ONE | {"contact_group": "1", "caseworker": "bo"}
    found = portal.post(f"{SLOTS}/search", DAY | {"citizen": mine, "expand": "servers"}, key=None).json()
    held = portal.hold(NINE, citizen=mine).json()

    assert {"bo"} == {who for one in found["slots"] for who in one["caseworkers"]}
    assert "bo" == held["caseworker"]


def test_why_answers_for_a_citizen_too(choosy: Town, portal: Client) -> None:
    about = {"offer": "jobsamtale", "caseworker": "anna", "start": NINE, "form": "phone"}
    everybody = portal.get("/why", **about).json()
    outside = portal.post("/why/search", about | {"citizen": ONE | {"contact_group": "2"}}, key=None).json()
    late = portal.post(
        "/why/search", about | {"citizen": ONE | {"contact_group": "1"}, "latest": "2026-11-30"}, key=None
    ).json()

    assert "offered" == everybody["reason"]
    assert ("not-entitled", "after-latest") == (outside["reason"], late["reason"])
    assert "senest 2026-11-30" in late["says"]["da"]


def test_the_look_for_a_citizen_is_audited_without_the_reference(choosy: Town, portal: Client) -> None:
    portal.post("/why/search", {"offer": "jobsamtale", "caseworker": "anna", "start": NINE, "citizen": ONE}, key=None)
    portal.post(f"{SLOTS}/search", DAY | {"citizen": ONE | {"contact_group": "1"}}, key=None)
    from syncd.store.tables import AuditRow

    with choosy.store.read() as tx:
        rows = [(row.action, row.citizen) for row in tx.session.query(AuditRow).order_by(AuditRow.id)]

    assert "slots.search" in [action for action, _ in rows]
    assert not any(citizen == "borger-1" for _, citizen in rows)


def test_pages_join_without_a_gap_or_an_overlap(portal: Client) -> None:
    whole = portal.get(SLOTS, **WEEK).json()["slots"]
    start, joined, pages = WEEK["from"], [], 0
    while start is not None:
        page = portal.get(SLOTS, **WEEK | {"from": start}, limit="7").json()
        joined += page["slots"]
        start, pages = page.get("next"), pages + 1

    assert whole == joined
    assert pages > 5
    both = portal.get(SLOTS, **WEEK, limit="1").json()
    assert ["in-person", "phone"] == sorted(one["form"] for one in both["slots"])


@pytest.mark.parametrize("limit", ["1e999", "-1e999", "NaN", "1e400", "1.5", "true", '"7"', "9" * 4000])
def test_a_size_that_is_no_number_is_refused(portal: Client, limit: str) -> None:
    body = json.dumps(WEEK)[:-1] + f', "limit": {limit}}}'

    refused = portal.http.post(
        f"/api/v1{SLOTS}/search", content=body.encode(), headers={"Content-Type": "application/json"}
    )

    assert (422, "#/limit") == (refused.status_code, refused.json()["errors"][0]["pointer"])


def test_days_tell_which_have_times_and_leave_the_others_out(portal: Client) -> None:
    found = portal.get(SLOTS, **WEEK, view="days").json()

    assert [] == found["slots"]
    assert ["2026-12-01", "2026-12-02", "2026-12-03", "2026-12-04", "2026-12-07"] == [
        one["date"] for one in found["days"]
    ]
    assert {"date": "2026-12-01", "times": 6, "first": NINE} == found["days"][0]


def test_a_deadline_ends_times_and_holds(portal: Client) -> None:
    found = portal.get(SLOTS, **WEEK, latest="2026-12-02", view="days").json()
    held = portal.hold("2026-12-03T08:00:00Z", latest="2026-12-02")

    assert ["2026-12-01", "2026-12-02"] == [one["date"] for one in found["days"]]
    assert (409, "/problems/not-allowed") == (held.status_code, held.json()["type"])


def test_what_is_kept_for_immediate_booking_needs_the_word(town: Town, portal: Client) -> None:
    apply(town, 'reserve = {hours = ["09:00-12:00"], release_hours = 1, within_days = 2}')
    kept = portal.get(SLOTS, **DAY).json()
    open_ = portal.get(SLOTS, **DAY, immediate="true").json()
    why = portal.get("/why", offer="jobsamtale", caseworker="anna", start=NINE, form="phone").json()
    refused = portal.hold(NINE)
    given = portal.hold(NINE, immediate=True)

    assert ("fully-booked", "open") == (kept["status"], open_["status"])
    assert (409, 201) == (refused.status_code, given.status_code)
    assert "reserved" == why["reason"]


def test_a_closed_calendar_says_since_when(town: Town, portal: Client) -> None:
    from datetime import timedelta

    town.clock.at = NOW + timedelta(hours=1)
    closed = portal.get(SLOTS, **DAY).json()

    assert "2026-11-30T07:15:00Z" == closed["since"] == closed["closed"][0]["since"]
    assert "temporarily-closed" == closed["status"]


def test_seats_are_counted_down_and_the_offer_says_how_many_there_are(
    town: Town, portal: Client, rival: Client
) -> None:
    apply(town, "seats = 3")
    before = portal.get(SLOTS, **DAY, form="phone").json()["slots"][0]
    first = portal.booking(NINE, form="phone", caseworker="anna")
    second = rival.booking(NINE, "borger-2", form="phone", caseworker="anna")
    after = portal.get(SLOTS, **DAY, form="phone").json()["slots"][0]

    assert [3, 1] == [one["seats"] for one in portal.get("/offers").json()["offers"]]
    assert (6, 4) == (before["seats"], after["seats"])
    assert first["id"] != second["id"]
    assert first["start"] == second["start"]


def test_a_topic_is_one_of_the_offers_and_comes_back_with_the_booking(town: Town, portal: Client) -> None:
    apply(town, 'topics = ["CV", "Uddannelse"]')
    hold = portal.hold(NINE).json()["id"]
    wrong = portal.post("/bookings", {"hold": hold, "citizen": ONE, "topic": "Vejret"})
    made = portal.post("/bookings", {"hold": hold, "citizen": ONE, "topic": "CV"}).json()

    assert 422 == wrong.status_code
    assert "its topics are: CV, Uddannelse" in wrong.json()["detail"]
    assert "CV" == made["topic"] == portal.get(f"/bookings/{made['id']}").json()["topic"]


def test_a_collective_meeting_names_who_takes_part(town: Town, portal: Client) -> None:
    apply(town, 'partners = [["bo"]]')
    made = portal.booking(NINE, caseworker="anna")

    assert (["bo"], "anna") == (made["partners"], made["caseworker"])
    assert NINE not in portal.slots(caseworker="bo")


def test_a_query_for_ten_years_is_refused_with_what_may_be_asked(portal: Client) -> None:
    far = portal.get(SLOTS, **DAY | {"to": "2036-12-01T00:00:00Z"})

    assert 422 == far.status_code
    assert "at most 366 days" in far.json()["detail"]
