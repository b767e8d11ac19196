"""A citizens' portal as the town runs it: a client of syncd's HTTP interface, knowing nothing of its inside."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2

from syncd.model.interval import Interval

_SECONDS = 20
CITIZEN = {"reference": "borger-7f3a"}


@dataclass(frozen=True, slots=True, order=True)
class Time:
    """One time on offer and the caseworkers who can serve it."""

    interval: Interval
    caseworkers: tuple[str, ...]


class Refused(Exception):
    """syncd answered with a problem (RFC 9457); the text is what a person is told.

    :param say: what citizens are told, by language.
    """

    def __init__(self, text: str, say: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.say = say or {}


class Portal:
    """The portal's view of one offer, met in person."""

    def __init__(self, base: str, token: str, offer: str) -> None:
        self._http = httpx2.Client(base_url=base, timeout=_SECONDS, headers={"Authorization": f"Bearer {token}"})
        self._offer = offer

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def search(self, window: Interval) -> dict[str, Any]:
        """syncd's whole answer about the times in *window*, with who serves each."""
        body = {
            "from": window.start.isoformat(),
            "to": window.end.isoformat(),
            "form": "in-person",
            "expand": "servers",
            "citizen": CITIZEN,
        }
        return self.post(f"/api/v1/offers/{self._offer}/slots/search", body)

    def times(self, window: Interval) -> list[Time]:
        """The times on offer in *window*, earliest first."""
        return sorted(
            Time(Interval(_moment(slot["start"]), _moment(slot["end"])), tuple(slot["caseworkers"]))
            for slot in self.search(window)["slots"]
        )

    def hold(self, time: Time, caseworker: str) -> dict[str, Any]:
        """Keep a time for some minutes."""
        start = time.interval.start.isoformat()
        return self.post(
            "/api/v1/holds", {"offer": self._offer, "start": start, "form": "in-person", "caseworker": caseworker}
        )

    def book(self, hold: str, citizen: str = CITIZEN["reference"]) -> dict[str, Any]:
        """Make a hold a booking. :param citizen: the portal's own reference of whom it is for."""
        return self.post("/api/v1/bookings", {"hold": hold, "citizen": {"reference": citizen}})

    def booking(self, booking: str) -> dict[str, Any]:
        """How a booking stands."""
        return self.get(f"/api/v1/bookings/{booking}")

    def get(self, path: str) -> dict[str, Any]:
        """Read something."""
        return _content(self._http.get(path))

    def cancel(self, booking: str) -> dict[str, Any]:
        """Give a booking up."""
        return self.post(f"/api/v1/bookings/{booking}/cancel", {})

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send something that happens once, however often it is sent."""
        return _content(self._http.post(path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())}))


def start_of(booking: dict[str, Any]) -> datetime:
    """When a booking begins."""
    return _moment(booking["start"])


def _content(answer: httpx2.Response) -> dict[str, Any]:
    content: dict[str, Any] = answer.json()
    if answer.is_error:
        text = f"{answer.status_code} {content.get('type')}: {content.get('detail')}"
        raise Refused(text, content.get("say"))
    return content


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
