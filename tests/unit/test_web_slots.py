"""How slots look over HTTP, and how a client that has them already is spared them."""

from __future__ import annotations

import pytest

from syncd.model.offer import Form
from syncd.web.rendering import REMEMBERED, Question, Renderer, render
from tests.unit.web_doubles import NOW, RANGE, SLOTS, House, answer_of, house, slot

QUESTION = Question("jobsamtale", NOW, NOW, None, None, named=False)


@pytest.fixture(name="house")
def _house() -> House:
    return house()


def test_each_time_comes_once_with_how_many_can_serve_it(house: House) -> None:
    content = house.portal.get(SLOTS, params=RANGE).json()

    assert [("2026-12-01T09:00:00Z", 2), ("2026-12-01T10:00:00Z", 1)] == [
        (one["start"], one["count"]) for one in content["slots"]
    ]
    assert {"start", "end", "form", "count"} == content["slots"][0].keys()
    assert ("open", 7) == (content["status"], content["generation"])
    assert ("2026-11-30T11:59:00Z", "2026-11-30T13:00:00Z") == (content["as_of"], content["valid_until"])


def test_who_serves_a_time_is_named_when_asked(house: House) -> None:
    content = house.portal.get(SLOTS, params=RANGE | {"expand": "servers"}).json()

    assert [["anna", "bo"], ["bo"]] == [one["caseworkers"] for one in content["slots"]]


def test_fully_booked_and_temporarily_closed_are_told_apart_in_both_languages(house: House) -> None:
    house.publisher.answers = answer_of()
    full = house.portal.get(SLOTS, params=RANGE).json()
    house.publisher.answers = answer_of(closed={"anna": "The calendar is too old.", "bo": "The calendar is too old."})
    closed = house.portal.get(SLOTS, params=RANGE).json()

    assert ("fully-booked", "temporarily-closed") == (full["status"], closed["status"])
    assert full["say"]["da"] != closed["say"]["da"]
    assert "support" not in full
    assert "Borgerservice, tlf. 12 34 56 78" == closed["support"]
    assert [{"reason": "The calendar is too old.", "count": 2}] == closed["closed"]


def test_some_closed_calendars_do_not_hide_the_times_of_others(house: House) -> None:
    house.publisher.answers = answer_of(slot(9, "anna"), closed={"bo": "The calendar is too old."})

    content = house.portal.get(SLOTS, params=RANGE | {"expand": "servers"}).json()

    assert ("open", 1, ["bo"]) == (content["status"], len(content["slots"]), content["closed"][0]["caseworkers"])


def test_the_question_reaches_the_publisher_as_it_was_asked(house: House) -> None:
    house.portal.get(SLOTS, params=RANGE | {"caseworker": "bo", "form": "phone"})
    house.portal.post(f"{SLOTS}/search", json=RANGE | {"caseworker": "bo", "form": "phone"})

    first, second = house.publisher.asked
    assert first == second
    assert ("jobsamtale", NOW, "bo", Form.PHONE) == (first[0], *first[2:])


def test_get_and_search_give_the_same_answer(house: House) -> None:
    assert house.portal.get(SLOTS, params=RANGE).content == house.portal.post(f"{SLOTS}/search", json=RANGE).content


@pytest.mark.parametrize("header", ["{}", "W/{}", '"other", {}', "*"])
def test_a_client_that_has_the_answer_is_told_so_without_a_body(house: House, header: str) -> None:
    tag = house.portal.get(SLOTS, params=RANGE).headers["etag"]

    again = house.portal.get(SLOTS, params=RANGE, headers={"If-None-Match": header.format(tag)})

    assert (304, b"", tag) == (again.status_code, again.content, again.headers["etag"])


def test_the_tag_names_the_generation_and_changes_with_the_answer(house: House) -> None:
    first = house.portal.get(SLOTS, params=RANGE).headers["etag"]
    house.publisher.answers = answer_of(slot(9, "anna"), generation=8)

    second = house.portal.get(SLOTS, params=RANGE, headers={"If-None-Match": first})

    assert (200, True, True) == (second.status_code, first.startswith('"7-'), second.headers["etag"].startswith('"8-'))


def test_time_alone_changes_the_tag_though_the_generation_stays() -> None:
    early, late = answer_of(slot(9, "anna"), slot(10, "anna")), answer_of(slot(10, "anna"))

    assert render(QUESTION, early, "").etag != render(QUESTION, late, "").etag


def test_named_and_unnamed_answers_never_share_a_tag_or_a_place_in_memory() -> None:
    renderer, answer = Renderer(), answer_of(slot(9, "anna"))

    plain = renderer.of(QUESTION, answer, "")
    named = renderer.of(QUESTION._replace(named=True), answer, "")

    assert plain.etag != named.etag
    assert b"anna" not in plain.body


def test_an_answer_is_written_out_once_and_a_new_one_anew() -> None:
    renderer, answer, other = Renderer(), answer_of(slot(9, "anna")), answer_of(slot(10, "anna"))

    assert renderer.of(QUESTION, answer, "") is renderer.of(QUESTION, answer, "")
    assert b"T10:00" in renderer.of(QUESTION, other, "").body


def test_memory_for_answers_is_bounded() -> None:
    renderer, answer = Renderer(), answer_of(slot(9, "anna"))
    first = renderer.of(QUESTION, answer, "")
    for number in range(REMEMBERED):
        renderer.of(QUESTION._replace(offer=str(number)), answer, "")

    assert first is not renderer.of(QUESTION, answer, "")


def test_offers_are_listed_with_forms_and_limits(house: House) -> None:
    content = house.portal.get("/api/v1/offers").json()

    (offer,) = content["offers"]
    assert (3, "jobsamtale", 60) == (content["rules"], offer["name"], offer["notice"])
    assert [{"form": "phone", "minutes": 30, "room": False}] == offer["forms"]
