"""The town's Exchange server: the simulator of a checkout, filled with the town, as a process of its own."""

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
from syncd.demo.outlook import OutlookDesk
from syncd.demo.people import CASEWORKERS, DOMAIN, ROOMS, ZONE
from syncd.demo.radicale import SERVICE_ACCOUNT
from syncd.model.interval import Interval
from syncd.model.zones import instant

_CHECKOUT = Path(__file__).resolve().parents[2]
_START_SECONDS = 30
_BUSY = {"TENTATIVE": "Tentative", "FREE": "Free", "OOF": "OOF", "WORKINGELSEWHERE": "WorkingElsewhere"}
ATTENDANT = {"delay": 0.3, "organizer_in_subject": False}
"""How rooms answer, as docs/howto/exchange.md advises: their calendars tell nobody who meets whom."""
_DAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
_KINDS = {"DAILY": "Daily", "WEEKLY": "Weekly", "MONTHLY": "RelativeMonthly", "YEARLY": "AbsoluteYearly"}
_WEEKS = ("First", "Second", "Third", "Fourth", "Last")
_TABLE = """[calendars.exchange]
adapter = "ews"
url = "{url}"
username = "{account}"
password = {{file = "secrets/{account}"}}
"""


@dataclass(frozen=True, slots=True)
class ExchangeHouse:
    """A running simulator.

    :param url: its base, with a slash at the end.
    :param passwords: by account; the town's people, its rooms and the service account.
    :param switch: takes it away for a while.
    """

    url: str
    passwords: Mapping[str, str]
    switch: Plug

    @property
    def endpoint(self) -> str:
        """Address of its web services."""
        return f"{self.url}EWS/Exchange.asmx"

    def table(self) -> str:
        """How syncd is told of it."""
        return _TABLE.format(url=self.endpoint, account=SERVICE_ACCOUNT)

    def collection(self, _: str) -> str:
        """Nothing: a mailbox is named by its mail address."""
        return ""

    def desk(self, owner: str) -> OutlookDesk:
        """*owner*'s calendar, opened with that account's own password."""
        return OutlookDesk(self.endpoint, owner, self.passwords[owner])

    def invitation(self, owner: str, span: Interval) -> str:
        """How a visitor looks at *owner*'s calendar in *span*, and plays Outlook there."""
        first = f"{self.endpoint} - log in as {owner}, password {self.passwords[owner]}; or without Outlook:"
        return first + GAP + commands(self.url, f"{owner}@{DOMAIN}", span, {"Subject": "Tandlæge"})


def town(entries: Mapping[str, Sequence[Event]], passwords: Mapping[str, str]) -> dict[str, Any]:
    """The town as the simulator takes it: everybody's mailbox, account and entries."""
    people = {one: word for one, word in passwords.items() if one != SERVICE_ACCOUNT}
    accounts = [{"name": one, "password": word, "address": f"{one}@{DOMAIN}"} for one, word in people.items()]
    service = {"name": SERVICE_ACCOUNT, "password": passwords[SERVICE_ACCOUNT], "impersonates": True}
    return {
        "accounts": [*accounts, service],
        "mailboxes": [{"email": one.address, "name": one.name} for one in CASEWORKERS],
        "rooms": [{"email": one.address, "name": one.name, **ATTENDANT} for one in ROOMS],
        "room_lists": [{"email": f"lokaler@{DOMAIN}", "name": "Lokaler", "members": [one.address for one in ROOMS]}],
        "groups": [{"email": f"alle@{DOMAIN}", "name": "Alle", "members": [one.address for one in CASEWORKERS]}],
        "entries": [_entry(f"{owner}@{DOMAIN}", event) for owner, events in entries.items() for event in events],
    }


def _entry(email: str, event: Event) -> dict[str, Any]:
    """One event in the words of the simulator's town; a room's entries stand there by hand."""
    start = _moment(event.day, event.starts)
    whole = event.starts is None
    end = _moment(event.day + timedelta(days=event.minutes // 1440), None) if whole else _end(event)
    marks = [line.partition("BUSYSTATUS:")[2] for line in event.extra if "BUSYSTATUS:" in line]
    more: dict[str, Any] = {"LegacyFreeBusyStatus": _BUSY[marks[0]] if marks else "Busy", "IsAllDayEvent": whole}
    if event.extra[:1] == CANCELLED:
        more |= {"IsCancelled": True, "LegacyFreeBusyStatus": "Free"}
    if event.rule:
        more["recurrence"] = _recurrence(event.rule, event.day)
        more["skipped"] = [_moment(day, event.starts) for day in event.skipped]
        more["moved"] = [(_moment(day, event.starts), _moment(new, at)) for day, new, at in event.moved]
    private = PRIVATE[0] in event.extra
    return {
        "email": email,
        "start": start,
        "end": end,
        "UID": event.uid,
        "Subject": event.summary,
        "Sensitivity": "Private" if private else "Normal",
        **more,
    }


def _moment(day: date, at: time | None) -> str:
    return instant(day, at or time(), ZONE).isoformat()


def _end(event: Event) -> str:
    """Wall-clock arithmetic, for no entry of the town spans a clock change."""
    assert event.starts is not None
    hours, minutes = divmod(60 * event.starts.hour + event.starts.minute + event.minutes, 60)
    return _moment(event.day, time(hours, minutes))


def _recurrence(rule: str, day: date) -> dict[str, Any]:
    """An RRULE of the town as Exchange says it."""
    parts = dict(part.split("=") for part in rule.split(";"))
    made: dict[str, Any] = {"kind": _KINDS[parts["FREQ"]], "start": day.isoformat(), "first_day": "Monday"}
    made["interval"] = int(parts.get("INTERVAL", 1))
    if parts["FREQ"] == "YEARLY":
        return made | {"day": day.day, "month": f"{day:%B}"}
    if parts["FREQ"] == "MONTHLY":
        return made | {"days": [_DAYS[parts["BYDAY"][1:]]], "week": _WEEKS[int(parts["BYDAY"][0]) - 1]}
    return made | {"days": [_DAYS[one] for one in parts.get("BYDAY", "").split(",") if one]}


@contextmanager
def serve(folder: Path, filling: Mapping[str, Any], preferred_port: int = 0) -> Iterator[ExchangeHouse]:
    """The simulator with *filling* in it, answering while the block lasts; it keeps everything in memory.

    :param preferred_port: taken when it is free; 0 for any.
    :raises ChildFailed: this is no checkout, or it does not start.
    """
    if not (_CHECKOUT / "tests" / "servers" / "exchange" / "__main__.py").exists():
        raise ChildFailed("the simulated Exchange server is part of a checkout only; without one, leave --exchange out")
    path, log = folder / "town.json", folder / "exchange.log"
    path.touch(mode=0o600)
    path.write_text(json.dumps(filling, ensure_ascii=False), encoding="utf-8")
    passwords = {one["name"]: one["password"] for one in filling["accounts"]}
    number = port(preferred_port)
    house = ExchangeHouse(url := f"http://{HOST}:{number}/", passwords, Plug(url))
    command = [sys.executable, "-m", "tests.servers.exchange", "--town", str(path), "--port", str(number)]
    with child("The simulated Exchange server", command, log, _CHECKOUT) as process:
        name = "The simulated Exchange server"
        wait_until(name, lambda: _answers(house), process, log, _START_SECONDS)
        yield house


def _answers(house: ExchangeHouse) -> bool:
    """Whether it holds our town; somebody else on the same port would not."""
    try:
        answer = httpx2.post(f"{house.url}control/state", json={}, timeout=5)
    except httpx2.TransportError:
        return False
    return answer.status_code == httpx2.codes.OK and len(answer.json()["mailboxes"]) == len(CASEWORKERS) + len(ROOMS)
