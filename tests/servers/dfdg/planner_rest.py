"""Calls a planner in the REST generation (BorgerBooking), as DFDG does for Jobnet; names marked C or ? are guesses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx2

from tests.servers.dfdg import names
from tests.servers.dfdg.jobnet import Choice, PlannerRefused, PlannerSilent, Reserved, Shown, Time
from tests.servers.dfdg.world import Citizen, Deadline, Record

PREFIX = "/v1/BorgerBooking"
"""B BB."""


class RestPlanner:
    """One planner behind one address.

    :param headers: what the proxy in front of it adds, such as whose certificate was shown.
    :param way: another way there than a socket.
    """

    def __init__(
        self,
        base: str,
        headers: dict[str, str] | None = None,
        seconds: float = 20.0,
        way: httpx2.BaseTransport | None = None,
    ) -> None:
        self._http = httpx2.Client(
            base_url=base, timeout=seconds, headers=headers or {}, trust_env=False, transport=way
        )
        self.deadlines: dict[str, Deadline] = {}
        """The citizen's open deadline, which bounds her times (JK)."""
        self.down = False

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def offers(self, citizen: Citizen, coming: Sequence[Record]) -> list[Shown]:
        """E1: the citizen's facts and bookings go along (B BB)."""
        body: dict[str, Any] = {
            "JobcenterKode": citizen.jobcentre,
            "KontaktgruppeType": citizen.group,
            "BookingSamling": [
                {"IndkaldelseId": one.id, "SamtaleType": one.type, "StartTidspunkt": _text(one.start)} for one in coming
            ],
        }
        if citizen.markings:
            body["PersongruppeSamling"] = list(citizen.markings)
        told = self._asked(citizen, "/Moedetilbud", body).get("MoedetilbudSamling", [])
        return [
            Shown(one["MoedetilbudId"], one["SamtaleType"], tuple(one["SamtaleformTypeSamling"]), one.get("Titel", ""))
            for one in told
        ]

    def times(self, citizen: Citizen, offer: Shown, start: datetime, end: datetime, whom: str | None) -> list[Time]:
        """E2."""
        body: dict[str, Any] = {
            "BookingOptionIntervalStartTime": _text(start),
            "BookingOptionIntervalEndTime": _text(end),
            **self._bounds(citizen),
        }
        if whom is not None:
            body["CaseWorkerIdentifier"] = whom
        told = self._asked(citizen, f"/Moedetilbud/{offer.id}/Moedetider", body)
        people = {
            one["id"]: one["Supervisor"]["CaseWorkerIdentifier"] for one in told.get("CaseWorkerToBookCollection", [])
        }
        return [
            Time(
                _moment(one["StartTime"]),
                tuple(one["SamtaleformTypeSamling"]),
                tuple(people[number] for number in one["CaseWorkerIDCollection"]),
                one["RebookingPossible"],
                one["CancellationPossible"],
            )
            for one in told.get("BookingTimeslotCollection", [])
        ]

    def reserve(self, citizen: Citizen, choice: Choice, record: str | None) -> Reserved:
        """E3 for a new booking, E4 for one that moves."""
        body: dict[str, Any] = {
            "StartTidspunkt": _text(choice.start),
            "SamtaleformType": choice.form,
            **self._bounds(citizen),
        }
        if choice.caseworker is not None:
            body["CaseWorkerIdentifier"] = choice.caseworker
        path = f"/Moedetilbud/{choice.offer.id}/Detaljer" if record is None else f"/Booking/{record}/action/reserver"
        told = self._asked(citizen, path, body)
        details = told["Bookingdetaljer"]
        return Reserved(
            told["ReservationId"],
            _moment(details["StartTidspunkt"]),
            _moment(details["SlutTidspunkt"]),
            details["Supervisor"]["CaseWorkerIdentifier"],
            details.get("MoedestedDetalje", {}).get("MoedestedBeskrivelse", ""),
        )

    def create(self, citizen: Citizen, _choice: Choice, reserved: Reserved, record: str, request: str) -> None:
        """E5."""
        self._asked(citizen, f"/Booking/{record}", {"ReservationId": reserved.id}, request)

    def move(self, citizen: Citizen, choice: Choice, reserved: Reserved, record: str, request: str) -> None:
        """E6 is E4 and E5 again (BB)."""
        self.create(citizen, choice, reserved, record, request)

    def cancel(self, citizen: Citizen, record: str, request: str) -> None:
        """E8."""
        self._asked(citizen, f"/Booking/{record}/action/aflys", {}, request)

    def accept(self, citizen: Citizen, record: str, request: str) -> None:
        """E7."""
        self._asked(citizen, f"/Booking/{record}/action/accepter", {}, request)

    def report(self, citizen: Citizen, code: int, text: str, at: datetime, record: str | None = None) -> None:
        """E9: tell the planner of an error (B BB)."""
        body = {"Fejlkode": code, "Fejltekst": text, "FejlOphav": names.JOBNET, "FejlTidspunkt": _text(at)}
        self._asked(citizen, "/Fejlmelding", body | ({"IndkaldelseId": record} if record else {}))

    def raw(self, citizen: Citizen, path: str, content: bytes, kind: str = "application/json") -> httpx2.Response:
        """Whatever a broken caller may send."""
        headers = self._headers(citizen, "raw") | {"Content-Type": kind}
        return self._http.post(PREFIX + path, content=content, headers=headers)

    def _bounds(self, citizen: Citizen) -> dict[str, Any]:
        known = self.deadlines.get(citizen.cpr)
        if known is None:
            return {}
        bounds: dict[str, Any] = {"SidsteAfholdelsesdato": known.latest.isoformat()}
        return bounds | ({"StraksbookingPaakraevet": True} if known.immediate else {})

    def _headers(self, citizen: Citizen, request: str) -> dict[str, str]:
        return {
            names.CITIZEN: citizen.cpr,
            names.REQUEST: request,
            names.ORGANISATION_TYPE: "2",
            names.ORGANISATION_CODE: "81",
            names.USER_TYPE: "1",
            names.USER: citizen.cpr,
            names.PURPOSE: "selvbooking",
        }

    def _asked(self, citizen: Citizen, path: str, body: dict[str, Any], request: str = "question") -> Any:
        if self.down:
            raise PlannerSilent("the planner is down")
        try:
            answer = self._http.post(PREFIX + path, json=body, headers=self._headers(citizen, request))
        except httpx2.HTTPError as error:
            raise PlannerSilent(type(error).__name__) from error
        try:
            told = answer.json()
        except ValueError as error:
            raise PlannerSilent("no JSON") from error
        if answer.status_code >= 500:
            raise PlannerSilent(f"HTTP {answer.status_code}")
        if answer.status_code != 200:
            raise PlannerRefused(int(told.get("Fejlkode", 0)), str(told.get("Fejltekst", "")), answer.status_code)
        return told


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
