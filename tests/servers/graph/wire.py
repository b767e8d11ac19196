"""Graph's words for errors, times and names."""

from __future__ import annotations

import base64
import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

WINDOWS = {
    "romance standard time": "Europe/Copenhagen",
    "w. europe standard time": "Europe/Berlin",
    "gmt standard time": "Europe/London",
    "pacific standard time": "America/Los_Angeles",
}
_FRACTION = re.compile(r"\.(\d{1,6})\d*")


class GraphError(Exception):
    """An answer that says no.

    :param code: Graph's word for it, such as ErrorItemNotFound.
    """

    def __init__(self, status: int, code: str, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.headers = status, code, text, headers or {}

    def body(self) -> dict[str, Any]:
        """The JSON that goes with the status."""
        return {"error": {"code": self.code, "message": self.text}}


def not_found() -> GraphError:
    """404 of an event that is not there."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def bad(text: str, code: str = "ErrorInvalidRequest") -> GraphError:
    """400."""
    return GraphError(400, code, text)


def zone(name: str) -> ZoneInfo:
    """An IANA or Windows name.

    :raises GraphError: nobody knows it.
    """
    try:
        return ZoneInfo(WINDOWS.get(name.casefold(), name))
    except (KeyError, ValueError):
        raise bad(f"A time zone with the specified ID could not be found: {name}", "TimeZoneNotSupported") from None


def instant(value: Any) -> datetime:
    """A dateTimeTimeZone in UTC; an offset inside the text wins over the zone beside it.

    :raises GraphError: it cannot be read.
    """
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r".\1", value["dateTime"]))
    except (KeyError, TypeError, ValueError):
        raise bad("The property 'dateTime' cannot be read.", "ErrorPropertyValidationFailure") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone(value.get("timeZone") or "UTC"))
    return moment.astimezone(UTC)


def day(value: Any) -> date:
    """The date of an all-day event's bound: its zone is ignored, its time must be midnight."""
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r".\1", value["dateTime"]))
    except (KeyError, TypeError, ValueError):
        raise bad("The property 'dateTime' cannot be read.", "ErrorPropertyValidationFailure") from None
    if (moment.hour, moment.minute) != (0, 0):
        raise bad("An all-day event must begin and end at midnight.", "ErrorInvalidRequest")
    return moment.date()


def shown(moment: datetime, name: str) -> dict[str, str]:
    """An instant as Graph writes it in the zone that `Prefer: outlook.timezone` asked for."""
    local = moment.astimezone(zone(name))
    return {"dateTime": f"{local:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": name}


def shown_day(value: date, name: str) -> dict[str, str]:
    """A day's midnight, in whichever zone was asked for."""
    return {"dateTime": f"{value}T00:00:00.0000000", "timeZone": name}


def stamp(moment: datetime) -> str:
    """An Edm.DateTimeOffset."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def midnight(value: date, name: str) -> datetime:
    """When a day begins in a zone, in UTC."""
    return datetime.combine(value, datetime.min.time(), zone(name)).astimezone(UTC)


def bound(text: str) -> datetime:
    """startDateTime and endDateTime of a view: the offset in the text counts, without one it is UTC."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise bad(f"The value '{text}' is not a date.", "ErrorInvalidParameter") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def sealed(text: str) -> str:
    """Opaque, and safe in a URL."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def opened(text: str) -> str:
    """What `sealed` was given; empty when it was not."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return ""
