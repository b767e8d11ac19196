"""What stands in the body of a caseworker's entry."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from syncd.booking.beside import WORDS as BESIDE_WORDS
from syncd.booking.body import WORDS, Around, description
from syncd.booking.steps import draft
from syncd.model.booking import RoomState
from syncd.model.directory import Directory, Site
from syncd.model.offer import Form
from tests.unit.publishing import directory
from tests.unit.test_booking_decide import a_meeting

TITLE = {"da": "Samtale"}
TOWN = replace(
    directory(),
    support="Servicedesk, tlf. 12 34 56 78",
    sites={"hq": Site("hq", "Torvet 1", "Europe/Copenhagen", "Receptionen i stuen")},
)


def body(form: Form, mailbox: str = "anna", town: Directory = TOWN) -> list[str]:
    meeting = replace(a_meeting(), form=form)
    return draft(meeting, town.mailboxes[mailbox], town, TITLE, "installation").description.splitlines()


def test_the_entry_says_whom_to_call_and_where_the_citizen_reports() -> None:
    told = body(Form.IN_PERSON)

    assert "Borgeren melder sig her: Receptionen i stuen" in told
    assert "Spørgsmål? Servicedesk, tlf. 12 34 56 78" == told[-1]


@pytest.mark.parametrize("form", [Form.PHONE, Form.VIDEO])
def test_nobody_reports_at_a_reception_for_a_call(form: Form) -> None:
    assert not [line for line in body(form) if "Receptionen" in line]


def test_what_is_not_configured_leaves_no_empty_line() -> None:
    told = body(Form.IN_PERSON, town=directory())

    assert all(told)
    assert not [line for line in told if "Spørgsmål" in line or "melder sig" in line]


def test_the_entry_leads_to_the_case_and_says_what_could_not_be_had() -> None:
    town = replace(TOWN, case_url="https://sag.example.dk/aftale?id={booking}&kode={reference}")
    troubled = replace(a_meeting(), conflict=True, room=None, room_state=RoomState.MISSING, note="Nærmeste: kl. 12.")
    told = draft(troubled, town.mailboxes["anna"], town, TITLE, "installation", ["b1"]).description.splitlines()

    assert any(line.startswith("Sagen: https://sag.example.dk/aftale?id=b1&kode=") for line in told)
    assert [1, 1] == [sum(said in line for line in told) for said in ("overlapper noget andet", "Nærmeste: kl. 12.")]
    assert "OBS: Der er intet lokale til samtalen." not in told


@pytest.mark.parametrize(
    ("form", "said"), [(Form.PHONE, "Ring til borgeren: 12 34"), (Form.VIDEO, "Link til mødet: 12 34")]
)
def test_the_entry_says_how_the_citizen_is_reached(form: Form, said: str) -> None:
    meeting = replace(a_meeting(), form=form)

    assert said in description("da", meeting, Around(TITLE, reach="12 34")).splitlines()
    assert "12 34" not in description("da", replace(meeting, form=Form.IN_PERSON), Around(TITLE, reach="12 34"))


def test_both_languages_say_the_same_things() -> None:
    holes = {name: sorted(re.findall(r"{\w+}", text)) for name, text in WORDS["da"].items()}
    assert holes == {name: sorted(re.findall(r"{\w+}", text)) for name, text in WORDS["en"].items()}
    beside = {name: sorted(set(re.findall(r"{\w+}", text))) for name, text in BESIDE_WORDS["da"].items()}
    assert beside == {name: sorted(set(re.findall(r"{\w+}", text))) for name, text in BESIDE_WORDS["en"].items()}
    english = draft(a_meeting(), TOWN.mailboxes["anna"], replace(TOWN, language="en"), TITLE, "installation")
    assert "Self-booked talk" == english.summary


def test_a_rooms_calendar_says_nothing_but_that_it_is_taken() -> None:
    assert [] == body(Form.IN_PERSON, "r1")
