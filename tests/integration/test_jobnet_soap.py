"""Jobnet's planner contract over SOAP, driven by zeep, which knows of it nothing but our WSDL.

Sources of facts are keys of reference/jobnet-planner-contract.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import zeep
from lxml import etree
from zeep.exceptions import Fault
from zeep.transports import Transport

from syncd.web.jobnet.soap_headers import CODE_LIST, METADATA, ORGANISATION, USER, USER_ORGANISATION, USER_TYPE
from tests.integration.jobnet_town import CPR, ISSUER, OTHER, SUBJECT, Dfdg, JobnetTown, opened
from tests.integration.test_jobnet_refusals import books, counted, turned_away

PATH = "/ExternalBookingService/v3"
SPACE = "http://service.bm.dk/ExternalBookingService/3/"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
CERTIFICATE = {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-S-DN": SUBJECT, "X-SSL-Client-I-DN": ISSUER}
HEADER = f"""
<o:ActiveOrganisationHeader xmlns:o="{ORGANISATION}">
  <o:OrganisationTypeIdentifier>2</o:OrganisationTypeIdentifier><o:OrganisationCode>81</o:OrganisationCode>
</o:ActiveOrganisationHeader>
<m:RequestUserMetadata xmlns:m="{METADATA}" xmlns:u="{USER}" xmlns:t="{USER_TYPE}" xmlns:c="{CODE_LIST}"
    xmlns:o="{USER_ORGANISATION}">
  <u:RequestUserStructure><u:UserFullName>Ada Berg</u:UserFullName>
    <t:RequestUserTypeIdentifier><c:CodeListItemIdentifier>1</c:CodeListItemIdentifier></t:RequestUserTypeIdentifier>
    <u:UserIdentifier>{CPR}</u:UserIdentifier></u:RequestUserStructure>
  <o:RequestOrganisationStructure><o:OrganisationTypeIdentifier>2</o:OrganisationTypeIdentifier>
    <o:OrganisationCode>81</o:OrganisationCode></o:RequestOrganisationStructure>
  <m:RegistrationDateTime>2026-11-30T08:00:00.1234567+01:00</m:RegistrationDateTime>
</m:RequestUserMetadata>"""
QUESTION = f"""<GetSelfbookInterviewOptionsRequest xmlns="{SPACE}">
  <PersonCivilRegistrationIdentifier>{CPR}</PersonCivilRegistrationIdentifier>
  <JobCenterCode>12345</JobCenterCode><ContactGroupTypeIdentifier>1</ContactGroupTypeIdentifier>
  <HasExternalOperatorReferral>false</HasExternalOperatorReferral>
</GetSelfbookInterviewOptionsRequest>"""


def _envelope(body: str, header: str) -> str:
    return f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'


@pytest.fixture
def town(migrated_sqlite_url: str) -> Iterator[JobnetTown]:
    with opened(migrated_sqlite_url) as made:
        yield made


class Foreign:
    """A client made from our WSDL alone."""

    def __init__(self, base: str) -> None:
        self.session = requests.Session()
        self.session.headers.update(CERTIFICATE)
        self.zeep = zeep.Client(f"{base}{PATH}?wsdl", transport=Transport(session=self.session))
        self.headers = [*etree.fromstring(f"<all>{HEADER}</all>")]

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self.zeep.service, name)
        return lambda **fields: operation(
            **({"PersonCivilRegistrationIdentifier": CPR} | fields), _soapheaders=self.headers
        )

    def offers(self, **more: Any) -> Any:
        fields = {"JobCenterCode": "12345", "ContactGroupTypeIdentifier": 1, "HasExternalOperatorReferral": False}
        return self.GetSelfbookInterviewOptions(**(fields | more))


@pytest.fixture
def foreign(base: str) -> Iterator[Foreign]:
    client = Foreign(base)
    yield client
    client.session.close()


def sent(base: str, body: str | bytes, header: str = HEADER, **headers: str) -> requests.Response:
    """An envelope by hand; a refusal of it must have been counted."""
    text = body if isinstance(body, bytes) else _envelope(body, header).encode()
    given = {"content-type": "text/xml; charset=utf-8"} | CERTIFICATE | headers
    before = turned_away()
    answer = requests.post(f"{base}{PATH}", data=text, headers=given, timeout=20)
    assert turned_away() - before == (answer.status_code >= 400)
    return answer


def fault(answer: requests.Response) -> tuple[str, int]:
    """Who is to blame, and the code."""
    root = etree.fromstring(answer.content)
    return str(root.findtext(".//faultcode")), int(root.findtext(f".//{{{SPACE}}}ErrorCode") or 0)


def test_a_foreign_client_books_moves_and_cancels(town: JobnetTown, foreign: Foreign) -> None:
    # EBS3, E639: the operations; details, creation and rebooking share the reservation.
    # FAQ20: a citizen books, moves and cancels on Jobnet.
    offer = foreign.offers()[0]
    day = {"BookingOptionIntervalStartTime": datetime(2026, 12, 1, tzinfo=UTC)}
    day["BookingOptionIntervalEndTime"] = day["BookingOptionIntervalStartTime"] + timedelta(days=2)
    times = foreign.GetSelfbookTimeslots(InterviewOptionID=offer["InterviewOptionID"], **day)
    slot = times["BookingTimeslotCollection"]["BookingTimeslot"][0]
    chosen = {"InterviewOptionID": offer["InterviewOptionID"], "BookingStartTime": slot["StartTime"]}
    reserved = foreign.GetBookingDetails(**chosen, CaseWorkerIdentifier="bo")
    booking = str(uuid.uuid4())
    made = foreign.CreateBooking(BookingIdentifier=booking, ReservationIdentifier=reserved["ReservationIdentifier"])
    later = datetime(2026, 12, 2, 9, tzinfo=UTC)
    again = foreign.GetBookingDetails(BookingIdentifier=booking, BookingStartTime=later, CaseWorkerIdentifier="bo")
    moved = foreign.RescheduleBooking(
        BookingIdentifier=booking, BookingStartTime=later, ReservationIdentifier=again["ReservationIdentifier"]
    )
    directly = foreign.RescheduleBooking(BookingIdentifier=booking, BookingStartTime=later - timedelta(hours=1))
    accepted = foreign.AcceptBooking(BookingIdentifier=booking)
    ended = foreign.CancelBooking(BookingIdentifier=booking)

    assert 7 == offer["InterviewTypeIdentifier"]
    assert booking == made["BookingIdentifier"]
    assert made["JobnetBookingDetails"]["SelfBooked"]
    assert later == moved["JobnetBookingDetails"]["BookingStartTime"]
    assert later - timedelta(hours=1) == directly["JobnetBookingDetails"]["BookingStartTime"]
    assert accepted["JobnetBookingDetails"]["AcceptedBooking"]
    assert booking == ended["BookingIdentifier"]


def test_both_generations_tell_the_same(town: JobnetTown, base: str, foreign: Foreign) -> None:
    # SEC: SOAP and REST differ in syntax; who may call, and must say who it is, is the same.
    dfdg = Dfdg(base)
    ours = dfdg.times(town.offer()).json()["BookingTimeslotCollection"]
    theirs = foreign.GetSelfbookTimeslots(
        InterviewOptionID=town.offer(),
        BookingOptionIntervalStartTime=datetime(2026, 12, 1, tzinfo=UTC),
        BookingOptionIntervalEndTime=datetime(2026, 12, 2, tzinfo=UTC),
    )["BookingTimeslotCollection"]["BookingTimeslot"]
    dfdg.http.close()

    assert [one["StartTime"] for one in ours] == [one["StartTime"].isoformat() for one in theirs]
    assert [one["CaseWorkerIDCollection"] for one in ours] == [
        one["CaseWorkerIDCollection"]["CaseWorkerID"] for one in theirs
    ]


def test_what_was_told_of_a_citizen_is_matched(town: JobnetTown, foreign: Foreign) -> None:
    # EBS3: kontaktgruppe, klientkategori and persongruppe.
    category = {"PersonCategoryTypeIdentifier": 3, "IncidentDate": datetime(2026, 1, 1, tzinfo=UTC)}
    groups = {"PersonGroupProjectIdentifier": ["0F8FAD5B-D9CB-469F-A165-70867728950E"]}

    assert 1 == len(foreign.offers(PersonCategory=category))
    both = foreign.offers(PersonCategory=category, PersonGroupProjectIdentifierCollection=groups)
    assert 2 == len(both)
    # EBS3: whether she was referred to an external operator is out of use; nothing rests on it.
    assert 1 == len(foreign.offers(PersonCategory=category, HasExternalOperatorReferral=True))


@pytest.mark.parametrize("kind", [56, 57, 75])
def test_an_absence_that_closes_self_booking_closes_the_offers(town: JobnetTown, foreign: Foreign, kind: int) -> None:
    # FRI: absence types 56, 57 and 75; EBS3: AbsenceCollection/Absence/AbsenceIdentifier.
    with pytest.raises(Fault) as refused:
        foreign.offers(AbsenceCollection={"Absence": [{"AbsenceIdentifier": kind}]})

    assert "staff may book" in str(refused.value)
    assert foreign.offers(AbsenceCollection={"Absence": [{"AbsenceIdentifier": 3}]})


def test_the_sample_of_metadata_is_understood_and_its_number_not_logged(
    town: JobnetTown, base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # META: the sample's namespaces, type of user 1 is the citizen, fractional seconds and an offset.
    answer = sent(base, QUESTION)
    logged = "".join(capsys.readouterr())

    assert 200 == answer.status_code, answer.text
    assert "authority=2/81" in logged
    assert "user=citizen" in logged
    assert CPR not in logged
    assert "Ada" not in logged


def test_faults_are_soaps_own_with_the_contracts_code(town: JobnetTown, base: str) -> None:
    # SOAP 1.1 section 6.2: a fault comes with HTTP 500.
    answer = sent(base, QUESTION.replace("12345", "99999"))

    assert 500 == answer.status_code
    assert ("soap:Client", 4770) == fault(answer)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><lolz>&d;</lolz>"""


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>',
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>',
        b'<?xml version="1.0" encoding="utf-16"?>' + '<!DOCTYPE x [<!ENTITY e "e">]><x>&e;</x>'.encode("utf-16"),
        b"<a>" * 2000 + b"</a>" * 2000,
        b"",
        b"no xml",
        b"\x00\x01",
        b"<x/>",
        # Right in everything else.
        b'<!DOCTYPE x [<!ENTITY e "e">]>' + _envelope(QUESTION, HEADER).encode(),
    ],
)
def test_hostile_documents_are_refused(town: JobnetTown, base: str, body: bytes) -> None:
    before = books(town)
    answer = sent(base, body)

    assert ("soap:Client", 1014) == fault(answer)
    assert "hostname" not in answer.text
    assert before == books(town)


@pytest.mark.parametrize(
    "lie",
    [
        ("http://service.bm.dk/ExternalBookingService/3/", "http://service.bm.dk/ExternalBookingService/4/"),
        ("GetSelfbookInterviewOptionsRequest", "GetSomethingRequest"),
        ("<JobCenterCode>12345</JobCenterCode>", "<JobCenterCode>1234</JobCenterCode>"),
        ("<JobCenterCode>12345</JobCenterCode>", ""),
        ("</HasExternalOperatorReferral>", "</HasExternalOperatorReferral><Andet/>"),
        ("false", "maybe"),
    ],
)
def test_a_message_that_is_not_as_the_schema_says_is_refused(town: JobnetTown, base: str, lie: tuple[str, str]) -> None:
    # E639: every planner speaks version 3, and no other.
    answer = sent(base, QUESTION.replace(*lie))

    assert ("soap:Client", 1014) == fault(answer)


@pytest.mark.parametrize("name", ["CreateMoedetidReservation", "CreateFejlmelding"])
def test_what_only_the_rest_generation_has_is_refused_with_what_to_do(town: JobnetTown, base: str, name: str) -> None:
    # E639, 4.1: E4 is part of GetBookingDetails here, and E9 came with BB.
    before = books(town)
    answer = sent(base, f'<{name}Request xmlns="{SPACE}"/>')

    assert ("soap:Client", 1014) == fault(answer)
    assert "GetBookingDetails" in answer.text
    assert "REST alone" in answer.text
    assert before == books(town)


def test_a_refused_value_is_not_repeated(town: JobnetTown, base: str) -> None:
    # EBS3: the pattern of a number is part of the schema, so a malformed one is 1014 here.
    answer = sent(base, QUESTION.replace(CPR, "3201900009"))

    assert ("soap:Client", 1014) == fault(answer)
    assert "3201900009" not in answer.text
    unknown = sent(base, QUESTION.replace(CPR, "0000000000"))
    assert ("soap:Client", 1010) == fault(unknown)


@pytest.mark.parametrize("part", ["OrganisationTypeIdentifier", "OrganisationCode", "UserIdentifier"])
def test_a_call_that_does_not_say_who_is_refused(town: JobnetTown, base: str, part: str) -> None:
    # SEC: authority and acting user, as SOAP headers.
    import re

    before = counted("offers", "not_validated")
    header = re.sub(rf"<(\w:{part})>[^<]*</\1>", "", HEADER, count=1)
    answer = sent(base, QUESTION, header)

    assert ("soap:Client", 1014) == fault(answer)
    assert part in answer.text
    assert before + 1 == counted("offers", "not_validated")


def test_certificate_size_method_and_media_are_refused_as_faults(town: JobnetTown, base: str) -> None:
    wrong = sent(base, QUESTION, **{"X-SSL-Client-S-DN": "CN=Somebody"})
    large = sent(base, QUESTION + " " * 70_000)
    typed = sent(base, QUESTION, **{"content-type": "application/json"})
    method = requests.put(f"{base}{PATH}", data=b"", headers=CERTIFICATE, timeout=20)

    assert [403, 413, 415, 405] == [one.status_code for one in (wrong, large, typed, method)]
    assert [4575, 1014, 1014, 1014] == [fault(one)[1] for one in (wrong, large, typed, method)]


def test_another_citizens_booking_is_8107(town: JobnetTown, base: str, foreign: Foreign) -> None:
    dfdg = Dfdg(base)
    booking = dfdg.booked(town.offer())
    dfdg.http.close()
    with pytest.raises(Fault) as refused:
        foreign.CancelBooking(PersonCivilRegistrationIdentifier=OTHER, BookingIdentifier=booking)

    assert "8107" in etree.tostring(refused.value.detail).decode()
