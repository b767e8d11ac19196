"""What stands in the body of a caseworker's entry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.booking.steps import draft
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


def test_a_rooms_calendar_says_nothing_but_that_it_is_taken() -> None:
    assert [] == body(Form.IN_PERSON, "r1")
