"""What we publish of Jobnet's contract is what the program does, and what the reference marks A stands in it.

Sources of facts are keys of reference/jobnet-planner-contract.md.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree

from syncd.config.jobnet import JobnetSection
from syncd.errors import ConfigError
from syncd.web.jobnet.document import texts
from syncd.web.jobnet.mapping import MappingFile, read
from syncd.web.jobnet.messages import (
    MESSAGES,
    CreateQuestion,
    DetailsQuestion,
    OffersQuestion,
    Slot,
    Supervisor,
    TimesQuestion,
)
from syncd.web.jobnet.names import FIELDS, ITEMS, SOAP_REQUIRED, Mark
from syncd.web.jobnet.shapes import Shapes
from syncd.web.jobnet.soap import MESSAGES as ELEMENTS
from syncd.web.jobnet.wsdl import xsd
from syncd.web.jobnet.xml import NotTheSchema, Xml, parse
from syncd.web.jobnet.xsd import parts_of
from tests.environment import ROOT

MAPPING = MappingFile.model_validate({})
REST = Shapes(MAPPING.names("rest"))
SPACE = MAPPING.soap.namespace
SOAP = Xml(SPACE, parts_of(MAPPING.names("soap")), xsd(MAPPING, ELEMENTS))
NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("path", texts())
def test_what_is_published_is_what_the_program_does(path: str) -> None:
    kept = (ROOT / path).read_text(encoding="utf-8")

    assert kept == texts()[path], "run: .venv/bin/python -m syncd.web.jobnet write"


def test_every_field_has_a_name_and_every_collection_its_item() -> None:
    fields = {f"{message.__name__}.{one.name}" for message in MESSAGES for one in msgspec.structs.fields(message)}

    assert fields == FIELDS.keys()
    assert SOAP_REQUIRED <= FIELDS.keys() >= ITEMS.keys()


def test_the_shipped_mapping_file_says_what_is_in_force_without_one() -> None:
    assert MAPPING == read(ROOT / "config" / "jobnet-mapping.toml")


def test_each_name_the_contract_leaves_open_is_listed_as_our_choice() -> None:
    told = "\n".join(MAPPING.choices())
    for generation in ("rest", "soap"):
        for key, field in FIELDS.items():
            name, mark = getattr(field, generation), getattr(field, f"{generation}_mark")
            line = f"{generation}_names.\"{key}\" = '{name}'"
            assert (line in told) == (bool(name) and mark in (Mark.C, Mark.OPEN)), line
    assert "paths.times" in told
    assert "codes.phone" in told
    assert "paths.details" not in told


def test_names_are_met_by_editing_data(tmp_path: Path) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(
        '[rest_names]\n"OffersQuestion.jobcentre" = "JobCenter"\n[paths]\noffers = "/Tilbud"\n[codes]\nphone = 3\n'
    )
    changed = read(file)

    assert (
        "12345"
        == Shapes(changed.names("rest"))
        .read(OffersQuestion, b'{"JobCenter": "12345", "KontaktgruppeType": 1}')
        .jobcentre
    )
    assert ("/Tilbud", 3) == (changed.paths.offers, changed.codes.phone)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[soap_names]\n"OffersQuestion.jobcentre" = "Center"\n', "known for sure"),
        ('[rest_names]\n"Offers.nothing" = "X"\n', "no field"),
        ("[errors]\nno_options = 4769\n", "DFDG's own"),
        ("[errors]\nno_options = 9303\n", "DFDG's own"),
        ('[paths]\noffers = "/{citizen}"\n', "should be like"),
        ("[codes]\nphone = 8\n", "codes of their own"),
        ("version = 2\n", "version"),
        ("[unknown]\n", "unknown key"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=says):
        read(file)


A_NAMES = {
    # EBS3: GetSelfbookInterviewOptionsRequest.
    "OffersQuestion.cpr": "PersonCivilRegistrationIdentifier",
    "OffersQuestion.jobcentre": "JobCenterCode",
    "OffersQuestion.contact_group": "ContactGroupTypeIdentifier",
    "OffersQuestion.category": "PersonCategory",
    "PersonCategory.type": "PersonCategoryTypeIdentifier",
    "PersonCategory.since": "IncidentDate",
    "OffersQuestion.groups": "PersonGroupProjectIdentifierCollection",
    "OffersQuestion.external_operator": "HasExternalOperatorReferral",
    "OffersQuestion.absences": "AbsenceCollection",
    "Absence.identifier": "AbsenceIdentifier",
    # E639: GetBookingDetails.
    "DetailsQuestion.offer": "InterviewOptionID",
    "DetailsQuestion.booking": "BookingIdentifier",
}


def test_names_marked_a_are_the_references() -> None:
    sure = {key: field.soap for key, field in FIELDS.items() if field.soap and field.soap_mark is Mark.A}

    assert A_NAMES == sure
    # IND2: the headers of the citizen and of the request's id.
    assert {"x-civilregistrationIdentifier", "x-requestId"} == {MAPPING.headers.citizen, MAPPING.headers.request}


def test_details_may_leave_out_the_offer_or_the_booking() -> None:
    # E639: InterviewOptionID is optional; BookingIdentifier is sent when the call is part of a rebooking.
    time = "<BookingStartTime>2026-12-01T09:00:00Z</BookingStartTime>"
    cpr = "<PersonCivilRegistrationIdentifier>0101900009</PersonCivilRegistrationIdentifier>"
    guid = "0f8fad5b-d9cb-469f-a165-70867728950e"
    either = (
        ("", f"<InterviewOptionID>{guid}</InterviewOptionID>"),
        ("", f"<BookingIdentifier>{guid}</BookingIdentifier>"),
    )
    for offer, booking in itertools.product(*either):
        text = f'<GetBookingDetailsRequest xmlns="{SPACE}">{cpr}{offer}{booking}{time}</GetBookingDetailsRequest>'
        SOAP.valid(parse(text.encode()))


def test_an_order_holds_what_the_neighbouring_service_asks_for() -> None:
    # ILL: "report fit and book" shows what an order of a booking needs; here details have it, and creation repeats it.
    needed = {
        "PersonCivilRegistrationIdentifier",
        "BookingStartTime",
        "InterviewOptionID",
        "CaseWorkerIdentifier",
        "InterviewContactTypeIdentifier",
    }
    for message in (DetailsQuestion, CreateQuestion):
        assert needed <= {part.name for part in parts_of(MAPPING.names("soap"))[message]}


def test_details_tell_what_the_concept_model_has_of_a_planned_talk() -> None:
    # PLA: rebooking and cancellation with their deadlines, self-booked, times, title, form, type and caseworker.
    told = {"rebooking", "rebooking_deadline", "cancellation", "cancellation_deadline", "self_booked"}
    told |= {"start", "end", "title", "form", "talk_type", "caseworker"}
    for generation in ("rest", "soap"):
        named = {key.removeprefix("Details.") for key in MAPPING.names(generation) if key.startswith("Details.")}
        assert told <= named


def _offers(**changed: str | None) -> etree._Element:
    fields: dict[str, str | None] = {
        "PersonCivilRegistrationIdentifier": "0101900009",
        "JobCenterCode": "12345",
        "ContactGroupTypeIdentifier": "1",
        "PersonCategory": "<IncidentDate>2026-01-01T00:00:00</IncidentDate>",
        "PersonGroupProjectIdentifierCollection": "",
        "HasExternalOperatorReferral": "true",
        "AbsenceCollection": "<Absence><AbsenceIdentifier>1</AbsenceIdentifier><Mere>x</Mere></Absence>",
    }
    inside = "".join(f"<{name}>{text}</{name}>" for name, text in (fields | changed).items() if text is not None)
    return parse(
        f'<GetSelfbookInterviewOptionsRequest xmlns="{SPACE}">{inside}</GetSelfbookInterviewOptionsRequest>'.encode()
    )


@pytest.mark.parametrize(
    ("field", "least"),
    [
        ("PersonCivilRegistrationIdentifier", 1),
        ("JobCenterCode", 1),
        ("ContactGroupTypeIdentifier", 1),
        ("PersonCategory", 0),
        ("PersonGroupProjectIdentifierCollection", 0),
        ("HasExternalOperatorReferral", 1),
        ("AbsenceCollection", 0),
    ],
)
def test_cardinalities_of_the_question_about_offers_are_the_references(field: str, least: int) -> None:
    # EBS3, 4.2.
    SOAP.valid(_offers())
    without = _offers(**{field: None})
    if least:
        with pytest.raises(NotTheSchema):
            SOAP.valid(without)
    else:
        SOAP.valid(without)


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        # Section 7, EBS3.
        ("PersonCivilRegistrationIdentifier", "3112990000", "3102990000"),
        ("PersonCivilRegistrationIdentifier", "0000000000", "0000000001"),
        ("JobCenterCode", "00000", "123456"),
        (
            "PersonGroupProjectIdentifierCollection",
            "<PersonGroupProjectIdentifier>0F8FAD5B-d9cb-469f-a165-70867728950e</PersonGroupProjectIdentifier>" * 2,
            "<PersonGroupProjectIdentifier>{0F8FAD5B-d9cb-469f-a165-70867728950e}</PersonGroupProjectIdentifier>",
        ),
        ("PersonCategory", "<IncidentDate>2026-01-01T00:00:00.1234567+01:00</IncidentDate>", "<IncidentDate/>"),
    ],
)
def test_patterns_are_the_references(field: str, good: str, bad: str) -> None:
    SOAP.valid(_offers(**{field: good}))
    SOAP.read(OffersQuestion, _offers(**{field: good}))
    with pytest.raises(NotTheSchema) as refused:
        SOAP.valid(_offers(**{field: bad}))

    assert "0000000001" not in str(refused.value)


@pytest.mark.parametrize(
    ("field", "length", "fits"),
    [
        # JK, 4.4: the times' caseworkers.
        ("given_name", 50, True),
        ("given_name", 51, False),
        ("middle_name", 41, False),
        ("surname", 40, True),
        ("surname", 41, False),
        ("identifier", 255, True),
        ("identifier", 256, False),
        ("identifier", 0, False),
    ],
)
def test_lengths_of_a_caseworkers_names_are_the_references(field: str, length: int, fits: bool) -> None:
    names: dict[str, Any] = {"given_name": "A", "surname": "B", "identifier": "C"} | {field: "x" * length}
    made = REST[Supervisor](**names)
    if fits:
        REST.written(made)
    else:
        with pytest.raises(msgspec.ValidationError):
            REST.written(made)


def test_a_time_needs_a_form_and_a_caseworker() -> None:
    # JK, 4.4: both collections hold 1-*.
    good: dict[str, Any] = {"start": NINE, "forms": [1], "rebooking": True, "cancellation": True, "caseworkers": [1]}

    REST.written(REST[Slot](**good))
    for empty in ("forms", "caseworkers"):
        with pytest.raises(msgspec.ValidationError):
            REST.written(REST[Slot](**(good | {empty: []})))


def test_a_question_in_json_takes_what_dotnet_writes() -> None:
    body = (
        b'{"BookingOptionIntervalStartTime": "2026-12-01T00:00:00.1234567+01:00", '
        b'"BookingOptionIntervalEndTime": "2026-12-02T00:00:00Z", "CaseWorkerIdentifier": null}'
    )

    assert 2026 == REST.read(TimesQuestion, body).start.year


def test_a_value_beyond_all_calendars_is_not_the_schema() -> None:
    # xs:dateTime knows years of five digits and a 24th hour; we know neither.
    for text in ("12026-12-01T00:00:00Z", "2026-12-01T24:00:00Z", "-0001-12-01T00:00:00Z"):
        with pytest.raises(NotTheSchema):
            SOAP.read(OffersQuestion, _offers(PersonCategory=f"<IncidentDate>{text}</IncidentDate>"))


def test_a_name_in_words_cannot_break_an_answer() -> None:
    made = CreateQuestion(cpr="0101900009", indkaldelse=None, reservation="0f8fad5b-d9cb-469f-a165-70867728950e")
    assert made.caseworker is None
    odd = Supervisor(given_name="<b>&\"'", surname="]]>", identifier="\u00e6\u00f8\u00e5")
    text = "".join(SOAP._texts(odd))

    assert "<CaseWorkerGivenName>&lt;b&gt;&amp;\"'</CaseWorkerGivenName>" in text
    etree.fromstring(f"<x>{text}</x>")


def test_the_section_is_off_without_a_key_and_refused_without_callers() -> None:
    assert not JobnetSection.model_validate({}).on
    wrong: tuple[dict[str, Any], ...] = (
        {"cpr_key": {"env": "K"}},
        {"cpr_key": {"env": "K"}, "trusted_proxies": ["127.0.0.1"]},
        {"jobcentres": {"1234": []}},
        {"trusted_proxies": ["localhost"]},
        {"listen": "0.0.0.0:8443"},
    )
    for given in wrong:
        with pytest.raises(ValueError):
            JobnetSection.model_validate(given)
