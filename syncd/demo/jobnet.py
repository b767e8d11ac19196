"""Jobnet and DFDG in the town: the simulator of a checkout as a process of its own, and a tour of a citizen's deadline.

A citizen with a deadline books on Jobnet and books again; the caseworker drags, the case system summons. Each step is
seen in the calendars and in DFDG's books.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from syncd.demo.children import HOST, ChildFailed, child, port, wait_until
from syncd.demo.desk import Desk, Entry
from syncd.demo.people import CASEWORKERS, ROOMS, ZONE, DemoRoom, Person
from syncd.demo.tour import NotSeen, seen, when
from syncd.model.interval import Interval

_CHECKOUT = Path(__file__).resolve().parents[2]
_START_SECONDS = 30
SUBJECT, ISSUER = "CN=STAR DFDG (demo),O=Byhavn", "CN=Demo CA,O=Byhavn"
_PROXY = {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-S-DN": SUBJECT, "X-SSL-Client-I-DN": ISSUER}
CITIZEN, OTHER = "0101901234", "3112851111"
"""Made-up civil registration numbers."""
_JOB_TALK = 7
TABLE = """
[jobnet]
cpr_key = {{file = "secrets/cpr"}}
jobcentres = {{10101 = []}}
certificate_subjects = ["{subject}"]
certificate_issuers = ["{issuer}"]
trusted_proxies = ["{host}"]

[dfdg]
url = "{url}"
organisation_code = "10101"
messages = "poll"
poll_seconds = 1
deadlines = true
"""


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running DFDG. :param url: its base address."""

    url: str

    def table(self) -> str:
        """The tables of syncd's configuration."""
        return TABLE.format(subject=SUBJECT, issuer=ISSUER, host=HOST, url=self.url)

    def tell(self, action: str, **asked: Any) -> Any:
        """Let a citizen, the case system or the script do something.

        :raises NotSeen: it could not be done; the text says why.
        """
        answer = httpx2.post(f"{self.url}/control/{action}", json=asked, timeout=60)
        if answer.status_code != 200:
            raise NotSeen(f"{action}: {answer.json()['error']}")
        return answer.json() if answer.content else None


@contextmanager
def serve(folder: Path) -> Iterator[Simulator]:
    """A DFDG with nobody in it yet, while the block lasts.

    :raises ChildFailed: it is not in this installation, or does not start.
    """
    if not (_CHECKOUT / "tests" / "servers" / "dfdg").is_dir():
        raise ChildFailed("the simulated DFDG is not in this installation; use a checkout")
    number, log = port(0), folder / "dfdg.log"
    command = [sys.executable, "-m", "tests.servers.dfdg", "--port", str(number)]
    simulator = Simulator(f"http://{HOST}:{number}")

    def ready() -> bool:
        try:
            return bool(simulator.tell("waiting") == 0)
        except (httpx2.TransportError, NotSeen):
            return False

    with child("dfdg", command, log, _CHECKOUT) as process:
        wait_until("The simulated DFDG", ready, process, log, _START_SECONDS)
        yield simulator


@dataclass(slots=True)
class JobnetTour:
    """One citizen's deadline, from the case system's letter to the talk.

    :param base, token: syncd's address, and a client that staff use. :param open_calendar: somebody's own calendar.
    """

    dfdg: Simulator
    base: str
    token: str
    window: Interval
    open_calendar: Callable[[str], Desk]
    record: str = ""
    uid: str = ""
    start: datetime | None = None
    person: Person = CASEWORKERS[0]
    opened: dict[str, Desk] = field(default_factory=dict)

    def steps(self) -> Mapping[str, Callable[[], str]]:
        """What happens → the step that sees to it and answers what it saw."""
        return {
            "The case system sets a deadline, and syncd hears of it": self.deadline,
            "Jobnet shows the citizen an offer and its times": self.offered,
            "She books on Jobnet; DFDG writes its own record": self.booked,
            "Caseworker's and room's calendars have the meeting": self.in_the_calendars,
            "Her deadline is met": self.met,
            "She books another time; the calendars follow": self.moved,
            "The caseworker drags the meeting; DFDG hears of it once": self.dragged,
            "The case system summons somebody; the calendar gets it, with a room": self.summoned,
            "She cancels on Jobnet; both sides' books agree": self.cancelled,
        }

    def deadline(self) -> str:
        """The message 90001 arrives, and the deadline is counted."""
        self.dfdg.tell("planner", url=self.base, headers=_PROXY)
        for cpr in (CITIZEN, OTHER):
            self.dfdg.tell("citizen", cpr=cpr)
        until = (self.window.start + timedelta(days=10)).date()
        latest = (self.window.start + timedelta(days=14)).date()
        self.dfdg.tell("deadline", cpr=CITIZEN, type=_JOB_TALK, until=f"{until}", latest=f"{latest}")
        days = seen("the deadline", lambda: self._deadlines() or None, lambda: "no open deadline")
        return f"{sum(days[0]['open'].values())} open deadline on {days[0]['day']}; the talk at the latest on {latest}"

    def offered(self) -> str:
        """Jobnet's pages, by way of DFDG."""
        offers, times = self.dfdg.tell("offers", cpr=CITIZEN), self._times()
        return f"“{offers[0]['title']}” with {len(times)} times, the first {when(_moment(times[0]['start']))}"

    def booked(self) -> str:
        """The second day's first time, with whoever can hold it."""
        choice = self._another(self._times())
        made = self.dfdg.tell("book", cpr=CITIZEN, **choice)
        self.record = made["id"]
        self._learn(made)
        return f"{when(self._start())} with {self.person.name}; DFDG's record {self.record[:8]}… is self-booked"

    def in_the_calendars(self) -> str:
        """An independent look at both."""
        item = self._find(self.person.id)
        self.uid = item.uid
        room = self._room(item)
        return f"{self.person.name} has “{item.summary}”, {room.name} is invited and has it too"

    def met(self) -> str:
        """DFDG settles the deadline and says so; syncd counts it no more."""
        seen("no open deadline", lambda: not self._deadlines(), self._deadlines)
        return "no open deadline is left; the supply guard counts it no more"

    def moved(self) -> str:
        """Reserve and create again on the same record."""
        former = self._start()
        made = self.dfdg.tell("move", cpr=CITIZEN, record=self.record, **self._another(self._times(), later=1))
        self._learn(made)
        item = self._find(self.person.id)
        return f"from {when(former)} to {when(self._start())}; {self._room(item).name} has it now"

    def dragged(self) -> str:
        """The caseworker's hand is obeyed, and DFDG's record follows; one receipt is mailed."""
        receipts = len(self.dfdg.tell("receipts"))
        item, former = self._find(self.person.id), self._start()
        span = Interval.at(former - timedelta(days=1), 45)
        self._calendar(self.person.id).move(item, span, ZONE)
        self.start = span.start
        held = seen("DFDG's record at the new time", lambda: self._held(span.start), lambda: self.dfdg.tell("books"))
        mailed = len(self.dfdg.tell("receipts")) - receipts
        return f"from {when(former)} to {when(_moment(held['start']))}; {mailed} receipt was mailed to the citizen"

    def summoned(self) -> str:
        """A summons becomes a meeting that citizens cannot move."""
        person = CASEWORKERS[1]
        start = self._start() + timedelta(hours=2)
        end = start + timedelta(minutes=45)
        facts = {"start": start.isoformat(), "end": end.isoformat(), "caseworker": person.id}
        self.dfdg.tell("summon", cpr=OTHER, type=_JOB_TALK, **facts)
        calendar = self._calendar(person.id)

        def look() -> Entry | None:
            found = [one for one in calendar.items(Interval.at(start, 1)) if one.start == start and one.rooms]
            return found[0] if found else None

        item = seen(f"the summons in {person.name}'s calendar", look, lambda: calendar.items(Interval.at(start, 1)))
        return f"{when(start)} with {person.name} in {self._room(item).name}; nobody reported it back"

    def cancelled(self) -> str:
        """Nothing is left in the calendar; what DFDG holds, syncd holds."""
        self.dfdg.tell("cancel", cpr=CITIZEN, record=self.record)
        calendar, span = self._calendar(self.person.id), Interval.at(self._start(), 1)
        seen("her calendar without it", lambda: all(i.uid != self.uid for i in calendar.items(span)), lambda: self.uid)
        left = self.dfdg.tell("books")
        days = seen("the deadline open again", lambda: self._deadlines() or None, lambda: "none")
        return f"DFDG has {len(left)} record left, the summons; the deadline of {days[0]['day']} is open again"

    def close(self) -> None:
        """Let go of all calendars."""
        for calendar in self.opened.values():
            calendar.close()

    def _deadlines(self) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx2.get(f"{self.base}/api/v1/jobnet/deadlines", headers=headers, timeout=20)
        answer.raise_for_status()
        found: list[dict[str, Any]] = json.loads(answer.content)["deadlines"]
        return found

    def _times(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.dfdg.tell("times", cpr=CITIZEN)
        return found

    def _another(self, times: list[dict[str, Any]], later: int = 0) -> dict[str, Any]:
        """A time in person on another day than tomorrow or the present one, as a choice."""
        after = max(self.window.start + timedelta(days=1), (self.start or self.window.start) + timedelta(days=later))
        held = [one for one in times if _moment(one["start"]) > after and 1 in one["forms"]]
        if not held:
            raise NotSeen(f"another day with a time in person; {len(times)} times are offered")
        return {"start": held[0]["start"], "form": 1, "caseworker": held[0]["caseworkers"][0]}

    def _learn(self, made: Mapping[str, Any]) -> None:
        self.start = _moment(made["start"])
        self.person = next(one for one in CASEWORKERS if one.id == made["caseworker"])

    def _held(self, start: datetime) -> dict[str, Any] | None:
        books: list[dict[str, Any]] = self.dfdg.tell("books")
        return next((one for one in books if one["id"] == self.record and _moment(one["start"]) == start), None)

    def _start(self) -> datetime:
        if self.start is None:
            raise NotSeen("a booking: the step before failed")
        return self.start

    def _calendar(self, owner: str) -> Desk:
        if owner not in self.opened:
            self.opened[owner] = self.open_calendar(owner)
        return self.opened[owner]

    def _find(self, owner: str) -> Entry:
        calendar, start = self._calendar(owner), self._start()

        def look() -> Entry | None:
            found = [one for one in calendar.items(Interval.at(start, 1)) if one.start == start and one.rooms]
            return next((one for one in found if self.uid in ("", one.uid)), None)

        return seen(f"the meeting in the calendar of {owner} at {when(start)}", look, lambda: "it is not there")

    def _room(self, item: Entry) -> DemoRoom:
        """The room that is invited, whose own calendar has the meeting, too."""
        room = next(one for one in ROOMS if one.address in item.rooms)
        calendar, start = self._calendar(room.id), item.start or self._start()
        span = Interval.at(start, 1)
        seen(
            f"{room.name} with the meeting", lambda: any(i.uid == item.uid for i in calendar.items(span)), lambda: "not"
        )
        return room


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
