"""The town in Microsoft 365: the simulated Graph of a checkout, filled with the town, as a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import httpx2

from syncd.demo.children import HOST, ChildFailed, child, port, wait_until
from syncd.demo.event import CANCELLED, PRIVATE, Event
from syncd.demo.hands import GAP, Plug, commands
from syncd.demo.people import CASEWORKERS, DOMAIN, ROOMS, SITE, ZONE
from syncd.demo.radicale import SERVICE_ACCOUNT
from syncd.demo.webmail import WebDesk
from syncd.model.interval import Interval
from syncd.model.zones import instant

NAME = "The simulated Microsoft 365"
_CHECKOUT = Path(__file__).resolve().parents[2]
_START_SECONDS = 30
_BUSY = {"TENTATIVE": "tentative", "FREE": "free", "OOF": "oof", "WORKINGELSEWHERE": "workingElsewhere"}
_DAYS = {
    "MO": "monday",
    "TU": "tuesday",
    "WE": "wednesday",
    "TH": "thursday",
    "FR": "friday",
    "SA": "saturday",
    "SU": "sunday",
}
_KINDS = {"DAILY": "daily", "WEEKLY": "weekly", "MONTHLY": "relativeMonthly", "YEARLY": "absoluteYearly"}
_WEEKS = ("first", "second", "third", "fourth", "last")
_TABLE = """[calendars.cloud]
adapter = "graph"

[calendars.cloud.graph]
tenant = "{tenant}"
client_id = "{account}"
secret = {{file = "secrets/{account}"}}
graph_url = "{url}"
login_url = "{url}"
"""


@dataclass(frozen=True, slots=True)
class GraphHouse:
    """A running simulator.

    :param url: its base, with a slash at the end.
    :param passwords: by account; the town's people, its rooms and the application syncd.
    :param switch: takes it away for a while.
    """

    url: str
    passwords: Mapping[str, str]
    switch: Plug

    @property
    def endpoint(self) -> str:
        """Root of Graph with its version."""
        return f"{self.url}v1.0"

    def table(self) -> str:
        """How syncd is told of it."""
        return _TABLE.format(tenant=DOMAIN, url=self.url.rstrip("/"), account=SERVICE_ACCOUNT)

    def collection(self, _: str) -> str:
        """Nothing: a mailbox is named by its mail address."""
        return ""

    def desk(self, owner: str) -> WebDesk:
        """*owner*'s calendar, opened with that account's own password."""
        login = f"{self.url}{DOMAIN}/oauth2/v2.0/token"
        return WebDesk(self.endpoint, login, f"{owner}@{DOMAIN}", owner, self.passwords[owner])

    def invitation(self, owner: str, span: Interval) -> str:
        """How a visitor looks at *owner*'s calendar in *span*, and plays Outlook there."""
        first = f"{self.endpoint}/users/{owner}@{DOMAIN}/events - as an application; or without one:"
        return first + GAP + commands(self.url, f"{owner}@{DOMAIN}", span, {"subject": "Tandlæge"})


def town(entries: Mapping[str, Sequence[Event]], passwords: Mapping[str, str]) -> dict[str, Any]:
    """The town as the simulator takes it: everybody's mailbox, account and entries."""
    return {
        "applications": [{"client_id": one, "secret": word} for one, word in passwords.items()],
        "mailboxes": [{"email": one.address, "name": one.name} for one in CASEWORKERS],
        "rooms": [
            {
                "email": one.address,
                "name": one.name,
                "delay": 0.3,
                "capacity": one.seats,
                "place": {"building": SITE, "floorNumber": one.floor, "isWheelChairAccessible": one.step_free},
            }
            for one in ROOMS
        ],
        "room_lists": [{"email": f"lokaler@{DOMAIN}", "name": "Lokaler", "members": [one.address for one in ROOMS]}],
        "groups": [{"email": f"alle@{DOMAIN}", "members": [one.address for one in CASEWORKERS]}],
        "entries": [_entry(f"{owner}@{DOMAIN}", event) for owner, events in entries.items() for event in events],
    }


def _entry(email: str, event: Event) -> dict[str, Any]:
    """One event in Graph's words; a room's entries stand there by hand."""
    marks = [line.partition("BUSYSTATUS:")[2] for line in event.extra if "BUSYSTATUS:" in line]
    cancelled = event.extra[:1] == CANCELLED
    more: dict[str, Any] = {"showAs": "free" if cancelled else _BUSY[marks[0]] if marks else "busy"}
    if cancelled:
        more["isCancelled"] = True
    if event.rule:
        more["recurrence"] = _recurrence(event.rule, event.day)
        more["skipped"] = [day.isoformat() for day in event.skipped]
        more["moved"] = [(day.isoformat(), _moment(new, at)) for day, new, at in event.moved]
    private = PRIVATE[0] in event.extra
    return {
        "email": email,
        **_times(event),
        "subject": event.summary,
        "sensitivity": "private" if private else "normal",
        **more,
    }


def _times(event: Event) -> dict[str, Any]:
    """Start and end; wall-clock arithmetic, for no entry of the town spans a clock change."""
    if event.starts is None:
        after = event.day + timedelta(days=event.minutes // 1440)
        return {"isAllDay": True, "start": event.day.isoformat(), "end": after.isoformat()}
    hours, minutes = divmod(60 * event.starts.hour + event.starts.minute + event.minutes, 60)
    return {"start": _moment(event.day, event.starts), "end": _moment(event.day, time(hours, minutes))}


def _moment(day: date, at: time) -> str:
    return instant(day, at, ZONE).isoformat()


def _recurrence(rule: str, day: date) -> dict[str, Any]:
    """An RRULE of the town as a patternedRecurrence."""
    parts = dict(part.split("=") for part in rule.split(";"))
    pattern: dict[str, Any] = {"type": _KINDS[parts["FREQ"]], "interval": int(parts.get("INTERVAL", 1))}
    pattern["firstDayOfWeek"] = "monday"
    if parts["FREQ"] == "YEARLY":
        pattern |= {"dayOfMonth": day.day, "month": day.month}
    elif parts["FREQ"] == "MONTHLY":
        pattern |= {"daysOfWeek": [_DAYS[parts["BYDAY"][1:]]], "index": _WEEKS[int(parts["BYDAY"][0]) - 1]}
    elif parts["FREQ"] == "WEEKLY":
        pattern["daysOfWeek"] = [_DAYS[one] for one in parts["BYDAY"].split(",")]
    return {"pattern": pattern, "range": {"type": "noEnd", "startDate": day.isoformat()}}


@contextmanager
def serve(folder: Path, filling: Mapping[str, Any], preferred_port: int = 0) -> Iterator[GraphHouse]:
    """The simulator with *filling* in it, answering while the block lasts; it keeps everything in memory.

    :param preferred_port: taken when it is free; 0 for any.
    :raises ChildFailed: this is no checkout, or it does not start.
    """
    if not (_CHECKOUT / "tests" / "servers" / "graph" / "__main__.py").exists():
        raise ChildFailed("the simulated Microsoft 365 is part of a checkout only; without one, leave --graph out")
    path, log = folder / "town.json", folder / "graph.log"
    path.touch(mode=0o600)
    path.write_text(json.dumps(filling, ensure_ascii=False), encoding="utf-8")
    passwords = {one["client_id"]: one["secret"] for one in filling["applications"]}
    number = port(preferred_port)
    house = GraphHouse(url := f"http://{HOST}:{number}/", passwords, Plug(url))
    command = [sys.executable, "-m", "tests.servers.graph", "--town", str(path), "--port", str(number)]
    with child(NAME, command, log, _CHECKOUT) as process:
        wait_until(NAME, lambda: _answers(house), process, log, _START_SECONDS)
        yield house


def _answers(house: GraphHouse) -> bool:
    """Whether it holds our town; somebody else on the same port would not."""
    try:
        answer = httpx2.post(f"{house.url}control/state", json={}, timeout=5)
    except httpx2.TransportError:
        return False
    return answer.status_code == httpx2.codes.OK and len(answer.json()["mailboxes"]) == len(CASEWORKERS) + len(ROOMS)
