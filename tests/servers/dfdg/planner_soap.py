"""Calls a planner in the SOAP generation (ExternalBookingService v3), made from the planner's WSDL alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import requests
import zeep
from lxml import etree
from requests.adapters import BaseAdapter
from zeep.exceptions import Fault
from zeep.transports import Transport

from tests.servers.dfdg.jobnet import Choice, PlannerRefused, PlannerSilent, Reserved, Shown, Time
from tests.servers.dfdg.world import Citizen, Deadline, Record

_ORGANISATION = "http://rep.oio.dk/ams.dk/xml/schemas/2005/09/01/"
_METADATA = "http://service.bm.dk/RequestUserMetadata/2015/01/21/"
_USER = "http://service.bm.dk/pjaktass/2015/01/21/RequestUserStructure/"
_USER_TYPE = "http://service.bm.dk/pjaktass/2015/01/21/RequestUserTypeIdentifierCodeList/"
_CODE_LIST = "http://service.bm.dk/pjaktass/2013/06/07/CodeListBase/"
_STRUCTURE = "http://service.bm.dk/pjaktass/2015/01/21/RequestOrganisationStructure/"
"""A META: the namespaces of the sample."""
_HEADER = """<all>
<o:ActiveOrganisationHeader xmlns:o="{organisation}"><o:OrganisationTypeIdentifier>2</o:OrganisationTypeIdentifier>
 <o:OrganisationCode>81</o:OrganisationCode></o:ActiveOrganisationHeader>
<m:RequestUserMetadata xmlns:m="{metadata}" xmlns:u="{user}" xmlns:t="{user_type}" xmlns:c="{code_list}"
 xmlns:s="{structure}"><u:RequestUserStructure><u:UserFullName>Borger</u:UserFullName>
 <t:RequestUserTypeIdentifier><c:CodeListItemIdentifier>1</c:CodeListItemIdentifier></t:RequestUserTypeIdentifier>
 <u:UserIdentifier>{cpr}</u:UserIdentifier></u:RequestUserStructure><s:RequestOrganisationStructure>
 <s:OrganisationTypeIdentifier>2</s:OrganisationTypeIdentifier><s:OrganisationCode>81</s:OrganisationCode>
 </s:RequestOrganisationStructure><m:RegistrationDateTime>2026-11-30T08:00:00.1234567+01:00</m:RegistrationDateTime>
</m:RequestUserMetadata></all>"""


class SoapPlanner:
    """One planner behind one address.

    :param wsdl: address of its description. :param headers: what the proxy in front of it adds.
    :param way: another way there than a socket.
    """

    def __init__(self, wsdl: str, headers: dict[str, str] | None = None, way: BaseAdapter | None = None) -> None:
        self._session = requests.Session()
        self._session.headers.update(headers or {})
        if way is not None:
            self._session.mount("http://", way)
        self._service = zeep.Client(wsdl, transport=Transport(session=self._session)).service
        self.deadlines: dict[str, Deadline] = {}
        self.down = False

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def offers(self, citizen: Citizen, _coming: Sequence[Record]) -> list[Shown]:
        """E1 (A EBS3)."""
        found = self._asked(
            citizen,
            "GetSelfbookInterviewOptions",
            JobCenterCode=citizen.jobcentre,
            ContactGroupTypeIdentifier=citizen.group,
            HasExternalOperatorReferral=False,
        )
        return [
            Shown(
                one["InterviewOptionID"],
                one["InterviewTypeIdentifier"],
                tuple(one["InterviewContactTypeCollection"]["SamtaleformType"]),
            )
            for one in found or []
        ]

    def times(self, citizen: Citizen, offer: Shown, start: datetime, end: datetime, whom: str | None) -> list[Time]:
        """E2."""
        found = self._asked(
            citizen,
            "GetSelfbookTimeslots",
            InterviewOptionID=offer.id,
            BookingOptionIntervalStartTime=start,
            BookingOptionIntervalEndTime=end,
            **({"CaseWorkerIdentifier": whom} if whom else {}),
            **self._bounds(citizen),
        )
        if not found or not found["BookingTimeslotCollection"]:
            return []
        workers = found["CaseWorkerToBookCollection"]["CaseWorkerToBook"]
        people = {one["id"]: one["Supervisor"]["CaseWorkerIdentifier"] for one in workers}
        return [
            Time(
                one["StartTime"].astimezone(UTC),
                tuple(one["InterviewContactTypeCollection"]["SamtaleformType"]),
                tuple(people[number] for number in one["CaseWorkerIDCollection"]["CaseWorkerID"]),
            )
            for one in found["BookingTimeslotCollection"]["BookingTimeslot"]
        ]

    def reserve(self, citizen: Citizen, choice: Choice, record: str | None) -> Reserved:
        """E3: it reserves, too; the booking's id goes along when it is to be moved (A E639)."""
        which = {"BookingIdentifier": record} if record else {"InterviewOptionID": choice.offer.id}
        found = self._asked(
            citizen,
            "GetBookingDetails",
            **which,
            BookingStartTime=choice.start,
            InterviewContactTypeIdentifier=choice.form,
            **({"CaseWorkerIdentifier": choice.caseworker} if choice.caseworker else {}),
            **self._bounds(citizen),
        )
        details = found["JobnetBookingDetails"]
        place = details["InterviewLocationDetail"]
        return Reserved(
            found["ReservationIdentifier"],
            details["BookingStartTime"].astimezone(UTC),
            details["BookingEndTime"].astimezone(UTC),
            details["Supervisor"]["CaseWorkerIdentifier"],
            place["InterviewLocationDescription"] if place else "",
        )

    def create(self, citizen: Citizen, _choice: Choice, reserved: Reserved, record: str, _request: str) -> None:
        """E5."""
        self._asked(citizen, "CreateBooking", BookingIdentifier=record, ReservationIdentifier=reserved.id)

    def move(self, citizen: Citizen, choice: Choice, reserved: Reserved, record: str, _request: str) -> None:
        """E6."""
        self._asked(
            citizen,
            "RescheduleBooking",
            BookingIdentifier=record,
            BookingStartTime=choice.start,
            ReservationIdentifier=reserved.id,
        )

    def cancel(self, citizen: Citizen, record: str, _request: str) -> None:
        """E8."""
        self._asked(citizen, "CancelBooking", BookingIdentifier=record)

    def accept(self, citizen: Citizen, record: str, _request: str) -> None:
        """E7."""
        self._asked(citizen, "AcceptBooking", BookingIdentifier=record)

    def _bounds(self, citizen: Citizen) -> dict[str, Any]:
        known = self.deadlines.get(citizen.cpr)
        if known is None:
            return {}
        return {"InterviewDateLimit": known.latest} | ({"ImmediateBookingRequired": True} if known.immediate else {})

    def _asked(self, citizen: Citizen, operation: str, **fields: Any) -> Any:
        if self.down:
            raise PlannerSilent("the planner is down")
        call: Callable[..., Any] = getattr(self._service, operation)
        try:
            return call(PersonCivilRegistrationIdentifier=citizen.cpr, **fields, _soapheaders=_metadata(citizen.cpr))
        except Fault as fault:
            code = fault.detail.findtext(".//{*}ErrorCode") if fault.detail is not None else None
            raise PlannerRefused(int(code or 0), str(fault.message)) from fault
        except requests.RequestException as error:
            raise PlannerSilent(type(error).__name__) from error


def _metadata(cpr: str) -> list[Any]:
    """On whose behalf, and who acts: the citizen (A META)."""
    text = _HEADER.format(
        organisation=_ORGANISATION,
        metadata=_METADATA,
        user=_USER,
        user_type=_USER_TYPE,
        code_list=_CODE_LIST,
        structure=_STRUCTURE,
        cpr=cpr,
    )
    return [*etree.fromstring(text)]
