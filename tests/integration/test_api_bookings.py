"""Hold, book, look up, move and cancel over HTTP, with everything behind it real but the calendar server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from syncd.model.offer import Form
from syncd.store.erasure import erase
from syncd.store.idempotency import Idempotency
from syncd.store.tables import AuditRow
from tests.integration.web_town import NOW, Client, Town

NINE, HALF_PAST, TEN = (f"2026-12-01T{at}:00Z" for at in ("08:00", "08:30", "09:00"))
"""UTC; an hour later on the clocks of Copenhagen."""


def audit(town: Town) -> list[tuple[str, str]]:
    with town.store.read() as tx:
        return [(row.actor, row.action) for row in tx.session.scalars(select(AuditRow).order_by(AuditRow.id))]


def test_the_whole_way_of_a_booking(town: Town, portal: Client) -> None:
    assert NINE in portal.slots()

    held = portal.hold(NINE, caseworker="anna")
    assert (201, "held", "2026-11-30T07:10:00Z") == (held.status_code, held.json()["state"], held.json()["expires"])
    assert f"/api/v1/holds/{held.json()['id']}" == held.headers["location"]
    assert NINE not in portal.slots(caseworker="anna")

    made = portal.post("/bookings", {"hold": held.json()["id"], "citizen": {"reference": "borger-1"}})
    booking = made.json()
    assert (201, "pending", "owed") == (made.status_code, booking["state"], booking["calendars"])
    assert ("pending", True, "lokale-1", "Lokale 1.07") == tuple(
        booking["room"][key] for key in ("state", "announced", "id", "name")
    )
    assert ("Jobcentret, Torvet 1", "Receptionen") == (booking["room"]["site"], booking["room"]["reception"])
    assert "expires" not in booking

    town.settle()
    seen = portal.get(f"/bookings/{booking['id']}").json()
    assert ("confirmed", "written", "accepted") == (seen["state"], seen["calendars"], seen["room"]["state"])

    moved = portal.post(f"/bookings/{booking['id']}/reschedule", {"start": TEN}).json()
    assert (booking["id"], TEN, 1, "owed") == (moved["id"], moved["start"], moved["moves"], moved["calendars"])
    town.settle()
    assert NINE in portal.slots(caseworker="anna")

    ended = portal.post(f"/bookings/{booking['id']}/cancel", {"reason": "citizen"})
    assert (200, "cancelled") == (ended.status_code, ended.json()["state"])
    assert TEN in portal.slots(caseworker="anna")


def test_each_look_up_and_change_of_a_citizens_data_is_audited(town: Town, portal: Client) -> None:
    booking = portal.booking()
    portal.get(f"/bookings/{booking['id']}")
    portal.post("/bookings/search", {"citizen": {"reference": "borger-1"}}, key=None)
    window = {"from": NINE, "to": TEN}
    portal.post("/offers/jobsamtale/slots/search", window | {"citizen": {"reference": "borger-1"}}, key=None)
    portal.post("/offers/jobsamtale/slots/search", window, key=None)

    assert ["hold.made", "booking.made", "booking.read", "citizen.searched", "slots.search"] == [
        action for _, action in audit(town)
    ]
    assert {"client:portal"} == {actor for actor, _ in audit(town)}


def test_a_citizens_bookings_are_found_by_reference_and_only_by_the_client_that_made_them(
    portal: Client, rival: Client
) -> None:
    later = portal.booking(TEN)["id"]
    sooner = portal.booking(NINE)["id"]
    portal.booking(HALF_PAST, citizen="another")
    held_only = portal.hold("2026-12-02T08:00:00Z", citizen={"reference": "borger-1"}).json()["id"]
    portal.http.delete(f"/api/v1/holds/{held_only}")
    search = {"citizen": {"reference": "borger-1"}}

    mine = portal.post("/bookings/search", search, key=None).json()["bookings"]
    theirs = rival.post("/bookings/search", search, key=None).json()["bookings"]

    assert [sooner, later] == [one["id"] for one in mine]
    assert [] == theirs


def test_what_belongs_to_another_client_looks_as_if_it_did_not_exist(portal: Client, rival: Client) -> None:
    booking, hold = portal.booking()["id"], portal.hold(TEN).json()["id"]

    answers = [
        rival.get(f"/bookings/{booking}"),
        rival.post(f"/bookings/{booking}/cancel", {}),
        rival.post(f"/bookings/{booking}/reschedule", {"start": TEN}),
        rival.post("/bookings", {"hold": hold, "citizen": {"reference": "borger-2"}}),
        rival.http.delete(f"/api/v1/holds/{hold}"),
    ]

    assert [404] * 5 == [one.status_code for one in answers]
    assert {"/problems/unknown-booking", "/problems/unknown-hold"} == {one.json()["type"] for one in answers}
    assert "pending" == portal.get(f"/bookings/{booking}").json()["state"]


def test_a_client_without_the_right_may_look_at_times_but_not_book_them(weak: Client) -> None:
    assert weak.slots()
    refused = [
        weak.hold(),
        weak.post("/bookings", {"hold": "x", "citizen": {"reference": "borger-1"}}),
        weak.get("/bookings/x"),
        weak.post("/bookings/x/cancel", {}),
        weak.post("/bookings/x/reschedule", {"start": NINE}),
        weak.post("/bookings/search", {"citizen": {"reference": "borger-1"}}),
        weak.http.delete("/api/v1/holds/x"),
        weak.get("/why", offer="jobsamtale", caseworker="anna", start=NINE),
    ]
    assert [403] * 8 == [one.status_code for one in refused]


def test_a_hold_is_given_back_once_and_for_all(portal: Client) -> None:
    hold = portal.hold(NINE, caseworker="anna").json()["id"]

    first, again = (portal.http.delete(f"/api/v1/holds/{hold}") for _ in range(2))

    assert ((204, b""), (204, b"")) == ((first.status_code, first.content), (again.status_code, again.content))
    assert NINE in portal.slots(caseworker="anna")
    refused = portal.post("/bookings", {"hold": hold, "citizen": {"reference": "borger-1"}})
    assert (410, "/problems/hold-expired") == (refused.status_code, refused.json()["type"])


def test_a_booking_is_not_given_back_as_if_it_were_a_hold(portal: Client) -> None:
    booking = portal.booking()["id"]

    refused = portal.http.delete(f"/api/v1/holds/{booking}")

    assert (404, "/problems/unknown-hold") == (refused.status_code, refused.json()["type"])
    assert "pending" == portal.get(f"/bookings/{booking}").json()["state"]


def test_a_time_that_is_gone_comes_with_others_that_can_be_held(portal: Client) -> None:
    portal.hold(NINE)

    gone = portal.hold(NINE)

    assert (409, "/problems/slot-gone") == (gone.status_code, gone.json()["type"])
    assert "Vælg en anden" in gone.json()["say"]["da"]
    assert 201 == portal.hold(gone.json()["alternatives"][0]).status_code


def test_a_hold_that_ran_out_cannot_be_booked(town: Town, portal: Client) -> None:
    hold = portal.hold().json()["id"]
    town.clock.at = NOW + timedelta(minutes=10)

    late = portal.post("/bookings", {"hold": hold, "citizen": {"reference": "borger-1"}})

    assert (410, "/problems/hold-expired") == (late.status_code, late.json()["type"])


def test_an_event_that_landed_on_a_held_time_is_found_at_booking(town: Town, portal: Client) -> None:
    hold = portal.hold(NINE, caseworker="anna").json()
    town.busy("anna", NOW + timedelta(days=1, hours=1), 30)
    town.sync()

    refused = portal.post("/bookings", {"hold": hold["id"], "citizen": {"reference": "borger-1"}})

    assert (409, "/problems/slot-gone") == (refused.status_code, refused.json()["type"])
    assert NINE == refused.json()["start"]
    assert refused.json()["alternatives"]


def test_rules_for_citizens_are_kept(town: Town, portal: Client) -> None:
    booking = portal.booking()["id"]
    for start in (TEN, NINE):
        portal.post(f"/bookings/{booking}/reschedule", {"start": start})
    too_often = portal.post(f"/bookings/{booking}/reschedule", {"start": TEN})
    town.clock.at = NOW + timedelta(days=1, minutes=30)
    too_late = portal.post(f"/bookings/{booking}/cancel", {})

    assert [(409, "/problems/not-allowed")] * 2 == [
        (one.status_code, one.json()["type"]) for one in (too_often, too_late)
    ]


def test_a_second_future_meeting_is_refused_where_the_offer_allows_one(portal: Client) -> None:
    def wish(start: str) -> dict[str, Any]:
        return {"offer": "opfoelgning", "start": start, "form": Form.PHONE, "citizen": {"reference": "borger-1"}}

    first, second = portal.post("/holds", wish(NINE)), portal.post("/holds", wish(TEN))

    assert (201, 409, "/problems/not-allowed") == (first.status_code, second.status_code, second.json()["type"])


@pytest.mark.parametrize(
    ("changes", "status", "kind"),
    [
        ({"offer": "ukendt"}, 404, "unknown-offer"),
        ({"caseworker": "ukendt"}, 404, "unknown-caseworker"),
        ({"form": "video"}, 422, "bad-request"),
        ({"form": "letter"}, 422, "invalid-request"),
        ({"start": "2026-12-01T09:00:00"}, 422, "invalid-request"),
        ({"start": "2026-12-01T08:07:00Z"}, 409, "slot-gone"),
        ({"start": "2036-12-01T08:00:00Z"}, 409, "slot-gone"),
        ({"start": "2016-12-01T08:00:00Z"}, 409, "slot-gone"),
        ({"surprise": 1}, 422, "invalid-request"),
        ({"citizen": {"reference": "0101901234"}}, 422, "invalid-request"),
        ({"citizen": {"reference": " 010190-1234 "}}, 422, "invalid-request"),
        ({"citizen": {"reference": "010190\u20131234"}}, 422, "invalid-request"),
        ({"citizen": {"reference": "01 01 90 12 34"}}, 422, "invalid-request"),
        ({"citizen": {"reference": "\uff10\uff11\uff10\uff11901234"}}, 422, "invalid-request"),
        ({"citizen": {"reference": "a\x00b"}}, 422, "invalid-request"),
        ({"offer": "a\x00b"}, 422, "invalid-request"),
    ],
)
def test_bad_input_gets_a_precise_answer_and_changes_nothing(
    town: Town, portal: Client, changes: dict[str, Any], status: int, kind: str
) -> None:
    with town.store.read() as tx:
        before = tx.settings.generation()

    refused = portal.hold(**changes)

    assert (status, f"/problems/{kind}") == (refused.status_code, refused.json()["type"])
    with town.store.read() as tx:
        assert before == tx.settings.generation()
    assert [] == audit(town)


def test_calendars_are_looked_at_live_before_a_time_is_reserved_and_none_is_when_they_cannot_be(
    town: Town, portal: Client
) -> None:
    booking = portal.booking(NINE, caseworker="bo")["id"]
    portal.post(f"/bookings/{booking}/reschedule", {"start": TEN})
    town.unreachable = True
    refused = portal.hold(HALF_PAST, caseworker="anna")

    starts = [NOW + timedelta(days=1, minutes=minutes) for minutes in (60, 120, 90)]
    assert [("jobsamtale", at, who) for at, who in zip(starts, ("bo", "bo", "anna"), strict=True)] == town.looked
    assert (503, "30") == (refused.status_code, refused.headers["retry-after"])
    assert "/problems/temporarily-closed" == refused.json()["type"]


def test_the_same_key_gets_the_same_bytes(portal: Client) -> None:
    body = {"offer": "jobsamtale", "start": NINE, "form": "in-person"}
    first = portal.post("/holds", body, key="k1")

    spelled_out = portal.post("/holds", {"caseworker": None} | body, key='"k1"')

    assert (201, first.content) == (spelled_out.status_code, spelled_out.content)
    assert first.headers["location"] == spelled_out.headers["location"]
    assert ["2026-12-01T08:00:00Z"] == [one for one in [first.json()["start"]] if one in portal.slots()]


def test_every_changing_post_can_be_repeated_after_a_lost_answer(portal: Client) -> None:
    hold = portal.hold().json()["id"]
    book = {"hold": hold, "citizen": {"reference": "borger-1"}}
    made = [portal.post("/bookings", book, key="book") for _ in range(2)]
    path = f"/bookings/{made[0].json()['id']}"
    moved = [portal.post(f"{path}/reschedule", {"start": TEN}, key="move") for _ in range(2)]
    ended = [portal.post(f"{path}/cancel", {}, key="end") for _ in range(2)]

    for first, second in (made, moved, ended):
        assert (first.status_code, first.content) == (second.status_code, second.content)
    assert 1 == moved[1].json()["moves"]


def test_a_request_repeated_after_its_citizen_was_erased_hears_that_the_answer_is_gone(
    town: Town, portal: Client
) -> None:
    hold = portal.hold().json()["id"]
    book = {"hold": hold, "citizen": {"reference": "borger-1"}}
    made = portal.post("/bookings", book, key="book").json()["id"]
    portal.post(f"/bookings/{made}/cancel", {}, key="end")
    with town.store.begin() as tx:
        assert (made,) == erase(tx, "borger-1", NOW, "cli:test").bookings

    for path, body, key in (("/bookings", book, "book"), (f"/bookings/{made}/cancel", {}, "end")):
        again = portal.post(path, body, key=key)
        assert (410, "/problems/erased") == (again.status_code, again.json()["type"])
        assert "application/problem+json" == again.headers["content-type"]
        assert "borger-1" not in again.text
    assert 422 == portal.post("/bookings", book | {"hold": "another"}, key="book").status_code


def test_a_key_used_for_anything_else_is_refused_and_nothing_happens(portal: Client) -> None:
    hold = {"offer": "jobsamtale", "start": NINE, "form": "in-person"}
    made = portal.post("/holds", hold, key="k1").json()["id"]

    other_body = portal.post("/holds", hold | {"start": TEN}, key="k1")
    other_path = portal.post("/bookings", {"hold": made, "citizen": {"reference": "borger-1"}}, key="k1")

    assert [(422, "/problems/idempotency-key-reused")] * 2 == [
        (one.status_code, one.json()["type"]) for one in (other_body, other_path)
    ]
    assert TEN in portal.slots()


def test_a_request_whose_first_one_still_runs_is_a_conflict_and_nothing_happens(
    town: Town, portal: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"offer": "jobsamtale", "start": NINE, "form": "in-person"}
    with monkeypatch.context() as patch:
        # Another transaction that holds the key for longer than anybody waits: its row is there, its answer is not.
        patch.setattr(Idempotency, "store", lambda *_: None)
        portal.post("/holds", body, key="k1")
    held = [row for row in audit(town) if row[1] == "hold.made"]

    again = portal.post("/holds", body, key="k1")

    assert (409, "/problems/idempotency-key-in-progress") == (again.status_code, again.json()["type"])
    assert held == [row for row in audit(town) if row[1] == "hold.made"]


def test_one_key_never_speaks_for_two_bookings_though_the_bodies_are_equal(portal: Client) -> None:
    one, other = portal.booking(NINE)["id"], portal.booking(TEN)["id"]
    portal.post(f"/bookings/{one}/cancel", {}, key="k1")

    refused = portal.post(f"/bookings/{other}/cancel", {}, key="k1")

    assert (422, "/problems/idempotency-key-reused") == (refused.status_code, refused.json()["type"])
    assert "pending" == portal.get(f"/bookings/{other}").json()["state"]


def test_keys_belong_to_their_client(portal: Client, rival: Client) -> None:
    body = {"offer": "jobsamtale", "start": NINE, "form": "phone"}

    mine, theirs = portal.post("/holds", body, key="k1"), rival.post("/holds", body, key="k1")

    assert (201, 201) == (mine.status_code, theirs.status_code)
    assert mine.json()["id"] != theirs.json()["id"]


def test_a_refusal_is_not_kept_under_the_key(town: Town, portal: Client) -> None:
    body = {"offer": "jobsamtale", "start": NINE, "form": "in-person"}
    town.unreachable = True
    refused = portal.post("/holds", body, key="k1")
    town.unreachable = False

    assert (503, 201) == (refused.status_code, portal.post("/holds", body, key="k1").status_code)


@pytest.mark.parametrize("path", ["/holds", "/bookings", "/bookings/x/reschedule", "/bookings/x/cancel"])
def test_a_changing_post_without_a_key_is_refused(portal: Client, path: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "/holds": {"offer": "jobsamtale", "start": NINE, "form": "phone"},
        "/bookings": {"hold": "x", "citizen": {"reference": "borger-1"}},
        "/bookings/x/reschedule": {"start": NINE},
        "/bookings/x/cancel": {},
    }

    refused = portal.post(path, bodies[path], key=None)

    assert (400, "/problems/idempotency-key-missing") == (refused.status_code, refused.json()["type"])


@pytest.mark.parametrize("key", ["", "k" * 256, "two words", "tab\tbed"])
def test_a_key_that_cannot_be_one_is_refused(portal: Client, key: str) -> None:
    body = {"offer": "jobsamtale", "start": NINE, "form": "phone"}

    assert portal.post("/holds", body, key=key).status_code in (400, 422)


def test_of_many_who_want_one_time_one_gets_it(portal: Client) -> None:
    def try_it(_: int) -> int:
        return portal.hold(NINE, caseworker="anna").status_code

    with ThreadPoolExecutor(12) as pool:
        statuses = sorted(pool.map(try_it, range(24)))

    assert [201] + [409] * 23 == statuses


def test_many_with_one_key_get_one_answer(portal: Client) -> None:
    body = {"offer": "jobsamtale", "start": NINE, "form": "in-person"}

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: portal.post("/holds", body, key="k1"), range(24)))

    assert {201} == {one.status_code for one in answers}
    assert 1 == len({one.content for one in answers})


def test_a_database_that_cannot_be_written_is_503_and_nothing_is_half_done(town: Town, portal: Client) -> None:
    file = Path(str(town.store.url.database))
    town.store.close()
    whole = file.read_bytes()
    file.write_bytes(b"no database any more" + whole[20:])

    refused = portal.hold()
    file.write_bytes(whole)

    assert (503, "/problems/store-unavailable") == (refused.status_code, refused.json()["type"])
    assert str(file) not in refused.text
    assert 201 == portal.hold().status_code
