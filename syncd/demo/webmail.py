"""A calendar program as staff use it in Microsoft 365: plain Graph over HTTP, knowing nothing of syncd."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2

from syncd.model.interval import Interval
from syncd.model.zones import wall_clock

_SECONDS = 20
_TOP = 100


@dataclass(frozen=True, slots=True)
class WebItem:
    """One entry as its owner sees it."""

    id: str
    uid: str
    summary: str
    start: datetime | None
    end: datetime | None
    location: str
    rooms: tuple[str, ...]


class WebDesk:
    """One person's or room's calendar, opened with that account's own password.

    :param url: root of Graph with its version. :param login: token endpoint.
    """

    def __init__(self, url: str, login: str, owner: str, account: str, password: str) -> None:
        self._calendar = f"{url}/users/{owner}"
        self._http = httpx2.Client(timeout=_SECONDS, headers={"Prefer": 'IdType="ImmutableId", outlook.timezone="UTC"'})
        form = {"grant_type": "client_credentials", "client_id": account, "client_secret": password}
        token = self._http.post(login, data=form).raise_for_status().json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def items(self, span: Interval) -> list[WebItem]:
        """Every entry that touches *span*."""
        bounds = {"startDateTime": _text(span.start), "endDateTime": _text(span.end), "$top": str(_TOP)}
        answer = self._http.get(f"{self._calendar}/calendarView", params=bounds).raise_for_status()
        return [_item(one) for one in answer.json()["value"]]

    def add(self, span: Interval, summary: str, zone: str, categories: tuple[str, ...] = ()) -> str:
        """Put a new entry into the calendar, as its owner would; its id."""
        times = {"start": _moment(span.start, zone), "end": _moment(span.end, zone)}
        body = {"subject": summary, "categories": list(categories), **times}
        return str(self._http.post(f"{self._calendar}/events", json=body).raise_for_status().json()["id"])

    def move(self, item: WebItem, span: Interval, zone: str) -> None:
        """Drag an entry to another time, as its owner would; the room is asked again."""
        body = {"start": _moment(span.start, zone), "end": _moment(span.end, zone)}
        self._http.patch(f"{self._calendar}/events/{item.id}", json=body).raise_for_status()


def _item(row: dict[str, Any]) -> WebItem:
    begins, ends = (
        datetime.fromisoformat(row[edge]["dateTime"].partition(".")[0]).replace(tzinfo=UTC) for edge in ("start", "end")
    )
    guests = row.get("attendees") or ()
    return WebItem(
        id=row["id"],
        uid=row["iCalUId"],
        summary=row.get("subject") or "",
        start=None if row.get("isAllDay") else begins,
        end=None if row.get("isAllDay") else ends,
        location=(row.get("location") or {}).get("displayName") or "",
        rooms=tuple(one["emailAddress"]["address"] for one in guests if one["type"] == "resource"),
    )


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _moment(moment: datetime, zone: str) -> dict[str, str]:
    """A dateTimeTimeZone as clocks in *zone* show it."""
    return {"dateTime": f"{wall_clock(moment, zone):%Y-%m-%dT%H:%M:%S}", "timeZone": zone}
