"""Every refusal is a problem document that tells what happened and what to do."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from html import escape

import pytest

from syncd import errors
from syncd.errors import AccessDenied, BookingError, Contention, SlotGone, StoreError, TemporarilyClosed, Throttled
from syncd.web import edge, problems, refusals
from syncd.web.described import example
from tests.unit.web_doubles import RANGE, SLOTS, House, house

SEARCH = f"{SLOTS}/search"
BOOKING_ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, BookingError)]


@pytest.fixture(name="house")
def _house() -> House:
    return house()


@pytest.mark.parametrize("kind", BOOKING_ERRORS)
def test_every_booking_error_is_in_the_catalogue_with_its_status(kind: type[BookingError]) -> None:
    assert kind.status == problems.KINDS[kind.type].status


@pytest.mark.parametrize("kind", BOOKING_ERRORS)
def test_a_booking_error_becomes_its_problem(house: House, kind: type[BookingError]) -> None:
    house.refuse(kind)

    answer = house.portal.get(SLOTS, params=RANGE)

    content = answer.json()
    assert (kind.status, f"/problems/{kind.type}") == (answer.status_code, content["type"])
    assert {"type", "title", "status", "detail", "instance"} <= content.keys()
    assert ("say" in content) is ("support" in content)
    assert (content["status"], content["detail"]) == (answer.status_code, "No.")
    assert "application/problem+json" == answer.headers["content-type"]


def test_facts_stand_beside_the_standard_members_and_never_hide_them(house: House) -> None:
    moment = datetime(2026, 12, 1, 9, tzinfo=UTC)
    house.refuse(SlotGone("Gone.", alternatives=["2026-12-01T10:00:00Z"], since=moment, status=200, nothing=None))

    content = house.portal.get(SLOTS, params=RANGE).json()

    assert (["2026-12-01T10:00:00Z"], "2026-12-01T09:00:00Z") == (content["alternatives"], content["since"])
    assert 409 == content["status"]
    assert "nothing" not in content


def test_temporarily_closed_says_when_to_come_back_and_whom_to_call(house: House) -> None:
    house.refuse(TemporarilyClosed("Too old.", retry_after=45))

    answer = house.portal.get(SLOTS, params=RANGE)

    assert (503, "45") == (answer.status_code, answer.headers["retry-after"])
    assert (45, "Borgerservice, tlf. 12 34 56 78") == (answer.json()["retry_after"], answer.json()["support"])
    assert {"da", "en"} == answer.json()["say"].keys()


@pytest.mark.parametrize("error", [StoreError("/var/lib/syncd is full"), Contention("others won")])
def test_a_database_that_cannot_be_used_asks_for_patience_and_keeps_its_place_to_itself(
    house: House, error: Exception
) -> None:
    house.refuse(error)

    answer = house.portal.get(SLOTS, params=RANGE)

    assert (503, "/problems/store-unavailable") == (answer.status_code, answer.json()["type"])
    assert int(answer.headers["retry-after"]) > 0
    assert "/var/lib" not in answer.text


def test_a_calendar_that_does_not_answer_asks_for_patience(house: House) -> None:
    house.refuse(Throttled("later", 3))

    assert 503 == house.portal.get(SLOTS, params=RANGE).status_code


def test_a_calendar_error_that_patience_cannot_cure_is_a_defect_here(house: House) -> None:
    house.refuse(AccessDenied("password"))

    assert 500 == house.portal.get(SLOTS, params=RANGE).status_code


def test_unknown_paths_and_methods_are_problems_too(house: House) -> None:
    nowhere, wrong = house.portal.get("/api/v1/nowhere"), house.portal.delete("/api/v1/offers")

    assert (404, "/problems/not-found") == (nowhere.status_code, nowhere.json()["type"])
    assert (405, "/problems/method-not-allowed") == (wrong.status_code, wrong.json()["type"])
    assert "GET" == wrong.headers["allow"]


@pytest.mark.parametrize("body", ["{", '{"from": }', "nan,", '{"from": 1e', "[" * 40_000, "9" * 5_000])
def test_a_body_that_is_not_json_is_told_apart_from_wrong_json(house: House, body: str) -> None:
    answer = house.portal.post(SEARCH, content=body, headers={"Content-Type": "application/json"})

    assert (400, "/problems/malformed-body") == (answer.status_code, answer.json()["type"])


def test_a_form_is_not_taken_for_json(house: House) -> None:
    answer = house.portal.post(SEARCH, data={"from": RANGE["from"]})

    assert (415, "/problems/unsupported-media-type") == (answer.status_code, answer.json()["type"])


def test_all_mistakes_come_at_once_each_with_its_place_and_without_what_was_sent(house: House) -> None:
    body = {"from": "2026-12-01T09:00:00", "citizen": {"reference": "010190-1234", "navn": "Hemmelig"}, "a/b~c": 1}

    answer = house.portal.post(SEARCH, json=body)

    content = answer.json()
    assert (422, "/problems/invalid-request") == (answer.status_code, content["type"])
    assert {"#/from", "#/to", "#/citizen/reference", "#/citizen/navn", "#/a~1b~0c"} == {
        one["pointer"] for one in content["errors"]
    }
    assert "010190" not in answer.text
    assert "Hemmelig" not in answer.text


def test_a_time_without_zone_is_refused_with_a_hint(house: House) -> None:
    in_body = house.portal.post(SEARCH, json=RANGE | {"from": "2026-12-01T09:00:00"}).json()
    in_query = house.portal.get(SLOTS, params=RANGE | {"to": "2026-12-02T09:00"}).json()

    assert [("#/from", "add Z or +01:00")] == [(one["pointer"], one["hint"]) for one in in_body["errors"]]
    assert [("query", "to", "add Z or +01:00")] == [(one["in"], one["name"], one["hint"]) for one in in_query["errors"]]


def test_a_plus_that_became_a_blank_is_recognised(house: House) -> None:
    (one,) = house.portal.get(f"{SLOTS}?from=2026-12-01T09:00:00+01:00&to=2026-12-02T09:00:00Z").json()["errors"]

    assert "%2B" in one["hint"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-12-01",
        "1764579600",
        "2026-13-01T09:00:00Z",
        "2026-12-01T25:00:00Z",
        "2026-12-01T09:00:60Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "\uff12026-12-01T09:00:00Z",
    ],
)
def test_what_is_no_time_is_refused(house: House, text: str) -> None:
    assert 422 == house.portal.get(SLOTS, params=RANGE | {"from": text}).status_code
    assert not house.publisher.asked


def test_numbers_are_no_times(house: House) -> None:
    assert 422 == house.portal.post(SEARCH, json=RANGE | {"from": 1764579600}).status_code


def test_an_offset_is_read_and_fractions_of_a_second_are_dropped(house: House) -> None:
    house.portal.get(SLOTS, params=RANGE | {"from": "2026-12-01t10:00:00.123+01:00"})

    (asked,) = house.publisher.asked
    assert datetime(2026, 12, 1, 9, tzinfo=UTC) == getattr(asked[1], "start", None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"to": "2026-12-01T09:00:00Z"}, "earlier"),
        ({"to": "2026-11-01T09:00:00Z"}, "earlier"),
    ],
)
def test_a_range_that_is_inverted_or_empty_is_refused(house: House, changes: dict[str, str], says: str) -> None:
    answer = house.portal.get(SLOTS, params=RANGE | changes)

    assert (422, "/problems/bad-request") == (answer.status_code, answer.json()["type"])
    assert says in answer.json()["detail"]
    assert not house.publisher.asked


def test_a_query_parameter_nobody_knows_is_refused_and_so_is_one_given_twice(house: House) -> None:
    unknown = house.portal.get(SLOTS, params=RANGE | {"caseworkr": "anna"})
    twice = house.portal.get(f"{SLOTS}?from={RANGE['from']}&from={RANGE['from']}&to={RANGE['to']}")
    elsewhere = house.portal.get("/api/v1/rooms", params={"site": "torvet"})

    assert ["caseworkr"] == [one["name"] for one in unknown.json()["errors"]]
    assert ["from"] == [one["name"] for one in twice.json()["errors"]]
    assert [422] * 3 == [one.status_code for one in (unknown, twice, elsewhere)]


@pytest.mark.parametrize("kind", problems.KINDS)
def test_each_type_has_a_page_at_its_own_address(house: House, kind: str) -> None:
    for lang in ("da", "en"):
        answer = house.stranger.get(example(kind)["type"], params={"lang": lang})
        assert 200 == answer.status_code
        assert escape(problems.KINDS[kind].title) in answer.text


def test_every_type_named_in_the_code_is_in_the_catalogue() -> None:
    code = inspect.getsource(edge) + inspect.getsource(refusals)
    named = set(re.findall(r'response\(\s*"([a-z-]+)"', code))

    assert named
    assert named <= problems.KINDS.keys()
