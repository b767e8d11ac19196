"""What is on offer over HTTP: times, freshness, why, rooms."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from syncd.errors import Transient
from syncd.model.pause import Pause
from syncd.store import Store
from syncd.store.pauses import pause, resume
from tests.integration.web_town import NOW, TOKENS, Client, Town

DAY = {"from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z"}
NINE = "2026-12-01T08:00:00Z"
SLOTS = "/offers/jobsamtale/slots"


def test_the_times_of_a_day_with_how_many_can_serve_each(town: Town, portal: Client) -> None:
    town.busy("bo", NOW + timedelta(days=1, hours=1), 60)
    town.sync()

    content = portal.get(SLOTS, **DAY, form="phone", expand="servers").json()

    assert [(8, 0, ["anna"]), (8, 30, ["anna"]), (9, 0, ["anna", "bo"])] == [
        (int(one["start"][11:13]), int(one["start"][14:16]), sorted(one["caseworkers"])) for one in content["slots"][:3]
    ]
    assert "open" == content["status"]
    assert "2026-11-30T07:00:00Z" == content["as_of"]


def test_an_offer_without_times_is_fully_booked(portal: Client) -> None:
    weekend = {"from": "2026-12-05T00:00:00Z", "to": "2026-12-07T00:00:00Z"}

    content = portal.get(SLOTS, **weekend).json()

    assert ("fully-booked", [], []) == (content["status"], content["slots"], content["closed"])


def test_calendars_that_are_too_old_close_the_offer_until_they_are_read_again(town: Town, portal: Client) -> None:
    town.clock.at = NOW + timedelta(hours=1)
    closed = portal.get(SLOTS, **DAY).json()
    hold = portal.hold(NINE)
    town.sync()

    assert ("temporarily-closed", 2) == (closed["status"], sum(one["count"] for one in closed["closed"]))
    assert "Borgerservice, tlf. 12 34 56 78" == closed["support"]
    assert (503, "/problems/temporarily-closed") == (hold.status_code, hold.json()["type"])
    assert "open" == portal.get(SLOTS, **DAY).json()["status"]


def test_maintenance_closes_every_offer_with_its_reason_and_refuses_holds_until_it_ends(
    town: Town, portal: Client
) -> None:
    kept = portal.booking(NINE)
    with town.store.begin() as tx:
        pause(tx, Pause(NOW, "Vi flytter.", "We are moving.", by="cli:test"))
    closed, hold, booking = portal.get(SLOTS, **DAY).json(), portal.hold(), portal.get(f"/bookings/{kept['id']}")
    with town.store.begin() as tx:
        resume(tx, "cli:test", NOW)

    assert ("temporarily-closed", []) == (closed["status"], closed["slots"])
    assert {"da": "Vi flytter.", "en": "We are moving."} == closed["say"]
    assert (503, "/problems/temporarily-closed") == (hold.status_code, hold.json()["type"])
    assert "We are moving." in hold.text
    assert 200 == booking.status_code, "what was booked stays to be seen"
    assert "open" == portal.get(SLOTS, **DAY).json()["status"]


def test_a_calendar_with_an_object_nobody_can_read_closes_only_its_owner(town: Town, portal: Client) -> None:
    town.calendars.spoil("bo", "broken.ics")
    town.sync()

    content = portal.get(SLOTS, **DAY, expand="servers").json()

    assert {"anna"} == {who for one in content["slots"] for who in one["caseworkers"]}
    assert ["bo"] == [who for one in content["closed"] for who in one["caseworkers"]]


def test_a_server_that_does_not_answer_leaves_the_times_standing_for_a_while(town: Town, portal: Client) -> None:
    town.calendars.fail("changes", Transient("no answer"), times=3)
    town.clock.at = NOW + timedelta(minutes=5)
    town.sync()

    content = portal.get(SLOTS, **DAY).json()

    assert ("open", "2026-11-30T07:00:00Z") == (content["status"], content["as_of"])


def test_nothing_new_costs_no_body_and_news_change_the_tag(town: Town, portal: Client) -> None:
    def ask(tag: str | None = None) -> httpx2.Response:
        headers = {} if tag is None else {"If-None-Match": tag}
        return portal.http.get(f"/api/v1{SLOTS}", params=DAY, headers=headers)

    first = ask()
    same = ask(first.headers["etag"])
    portal.hold(NINE)
    other = ask(first.headers["etag"])

    assert ((304, b""), 200) == ((same.status_code, same.content), other.status_code)
    assert first.json()["generation"] < other.json()["generation"]


def test_time_alone_takes_a_slot_away_at_valid_until(town: Town, portal: Client) -> None:
    town.clock.at = NOW - timedelta(minutes=1)
    before = portal.get(SLOTS, **{"from": "2026-11-30T00:00:00Z", "to": "2026-12-01T00:00:00Z"}).json()
    town.clock.at = NOW + timedelta(microseconds=1)
    after = portal.get(SLOTS, **{"from": "2026-11-30T00:00:00Z", "to": "2026-12-01T00:00:00Z"}).json()

    assert "2026-11-30T07:00:00Z" == before["valid_until"]
    assert "2026-11-30T08:00:00Z" == before["slots"][0]["start"]
    assert "2026-11-30T08:30:00Z" == after["slots"][0]["start"]
    assert before["generation"] == after["generation"]


@pytest.mark.parametrize(
    ("path", "params", "status", "kind"),
    [
        ("/offers/ukendt/slots", {}, 404, "unknown-offer"),
        (SLOTS, {"caseworker": "ukendt"}, 404, "unknown-caseworker"),
        (SLOTS, {"form": "video"}, 422, "bad-request"),
        (SLOTS, {"to": "2046-12-01T00:00:00Z"}, 422, "bad-request"),
        (SLOTS, {"to": "2026-12-01T00:00:00Z"}, 422, "bad-request"),
        (SLOTS, {"from": "2026-12-01T00:00:00"}, 422, "invalid-request"),
        (SLOTS, {"caseworker": "a\x00b"}, 422, "invalid-request"),
        (SLOTS, {"caseworker": "a" * 101}, 422, "invalid-request"),
        ("/offers/a%00b/slots", {}, 422, "invalid-request"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(
    portal: Client, path: str, params: dict[str, str], status: int, kind: str
) -> None:
    refused = portal.get(path, **DAY | params)

    assert (status, f"/problems/{kind}") == (refused.status_code, refused.json()["type"])


@pytest.mark.parametrize("year", [2016, 2027, 2150])
def test_a_year_behind_us_or_beyond_the_horizon_has_no_times_and_is_not_called_closed(
    portal: Client, year: int
) -> None:
    content = portal.get(SLOTS, **{"from": f"{year}-03-01T00:00:00Z", "to": f"{year}-12-31T00:00:00Z"}).json()

    assert ("fully-booked", []) == (content["status"], content["slots"])


def test_why_a_time_is_on_offer_or_not(town: Town, portal: Client) -> None:
    town.busy("anna", NOW + timedelta(days=1, hours=1), 30)
    town.sync()

    def why(start: str, who: str = "anna") -> dict[str, object]:
        content: dict[str, object] = portal.get("/why", offer="jobsamtale", caseworker=who, start=start).json()
        return content

    taken, free = why(NINE), why(NINE, "bo")
    outside, past = why("2026-12-01T15:00:00Z"), why("2026-11-27T08:00:00Z")

    assert ["event", "offered", "outside-hours"] == [one["reason"] for one in (taken, free, outside)]
    assert [False, True, False, False] == [one["offered"] for one in (taken, free, outside, past)]
    assert isinstance(taken["says"], dict)
    assert {"da", "en"} == taken["says"].keys()
    assert (NINE, "2026-12-01T08:30:00Z") == (taken["start"], taken["end"])


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"offer": "ukendt"}, 404, "unknown-offer"),
        ({"caseworker": "ukendt"}, 404, "unknown-caseworker"),
        ({"form": "video"}, 422, "bad-request"),
        ({"start": "2026-12-01"}, 422, "invalid-request"),
    ],
)
def test_why_refuses_what_it_cannot_answer(portal: Client, changes: dict[str, str], status: int, kind: str) -> None:
    asked = {"offer": "jobsamtale", "caseworker": "anna", "start": NINE} | changes

    refused = portal.get("/why", **asked)

    assert (status, f"/problems/{kind}") == (refused.status_code, refused.json()["type"])


def test_rooms_are_listed(portal: Client) -> None:
    (room,) = portal.get("/rooms").json()["rooms"]

    assert ("lokale-1", "Lokale 1.07", 4, ["screen"], True) == (
        room["id"],
        room["name"],
        room["capacity"],
        room["features"],
        room["step_free"],
    )


def test_offers_are_those_of_the_rules_in_force(town: Town, portal: Client) -> None:
    before = portal.get("/offers").json()
    with town.store.begin() as tx:
        tx.rules.add('[offers.ny]\ntitle = {da = "Ny"}\nminutes = {phone = 20}\nwho = ["anna"]\n', "test", NOW)
    after = portal.get("/offers").json()

    assert (1, ["jobsamtale", "opfoelgning"]) == (before["rules"], [one["name"] for one in before["offers"]])
    assert (2, ["ny"]) == (after["rules"], [one["name"] for one in after["offers"]])


def test_readers_do_not_wait_for_a_writer(town: Town, portal: Client) -> None:
    entered, leave = threading.Event(), threading.Event()

    def write() -> None:
        with town.store.begin() as tx:
            tx.settings.bump()
            entered.set()
            leave.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    entered.wait(10)
    answer = portal.get(SLOTS, **DAY)
    still_writing = writer.is_alive()
    leave.set()
    writer.join()

    assert (200, True) == (answer.status_code, still_writing)


def test_requests_with_every_kind_of_body_trouble_over_a_real_socket(base: str) -> None:
    headers = {"Authorization": f"Bearer {TOKENS['portal']}", "Content-Type": "application/json"}
    with httpx2.Client(base_url=base, headers=headers, trust_env=False) as raw:
        path = f"/api/v1{SLOTS}/search"
        statuses = [
            raw.post(path, content=body).status_code for body in (b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b"", b"{}")
        ]
        large = raw.post(path, content=b" " * 70_000)
        grown = raw.post(path, content=(b" " * 1_000 for _ in range(70)))

    assert [400, 422, 422, 422, 400, 422, 422] == statuses
    assert (413, 413) == (large.status_code, grown.status_code)
    assert "application/problem+json" == grown.headers["content-type"]


def test_a_store_that_was_never_set_up_is_a_defect_told_as_one(town: Town, portal: Client, tmp_path: Path) -> None:
    town.publisher._store = Store(
        f"sqlite:///{tmp_path / 'empty.db'}"
    )  # the one part of a town that cannot be asked nicely

    assert portal.get(SLOTS, **DAY).status_code in (500, 503)
