"""A month of simulated citizens: they book on Jobnet in both generations, move, cancel, miss deadlines; staff and the
case system work beside; servers fail. Afterwards both sides' books are compared, and each citizen's case is judged.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import httpx2
from sqlalchemy import update

from syncd.adapters.dfdg.client import Account, DfdgClient
from syncd.booking.handover import Choice as Decision
from syncd.booking.handover import Handover
from syncd.booking.proposals import Remedy
from syncd.clock import Clock
from syncd.cpr import Cpr
from syncd.dfdg.inbox import Inbox
from syncd.dfdg.ledger import Ledger
from syncd.dfdg.report import Reporter
from syncd.errors import CalendarError
from syncd.model.booking import Meeting
from syncd.model.dfdg import Words
from syncd.model.directory import Caseworker, Directory, Mailbox, MailboxKind, Room, Site
from syncd.model.evidence import Standing
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.publish.recording import Recorder
from syncd.store.instants import epoch
from syncd.store.tables import MailboxRow
from syncd.web.app import build_app
from tests.integration.in_process import Loop, SoapToApp, ToApp, ToDfdg
from tests.integration.jobnet_town import ISSUER, KEY, SUBJECT, JobnetTown
from tests.integration.web_town import NOW, ZONE
from tests.servers.dfdg import DfdgServer, Jobnet, Record, control, names
from tests.servers.dfdg.jobnet import Choice, Planner, PlannerRefused, PlannerSilent, Shown
from tests.servers.dfdg.planner_rest import RestPlanner
from tests.servers.dfdg.planner_soap import SoapPlanner
from tests.servers.dfdg.world import Refused

BASE = "http://127.0.0.1"
PROXY = {"X-SSL-Client-Verify": "SUCCESS", "X-SSL-Client-S-DN": SUBJECT, "X-SSL-Client-I-DN": ISSUER}
DAYS, HOURS = 28, (7, 9, 11, 13, 15)
"""Days of the play, and hours of each day (UTC) at which something happens."""
RULES = """
[offers.jobsamtale]
title = {{da = "Jobsamtale", en = "Job talk"}}
talk_type = "7"
minutes = {{in-person = 30, phone = 30}}
who = [{who}]
step = 30
notice = 60
horizon_days = 42
cancel_notice = 60
reserve = {{hours = ["11:00-12:00"], release_hours = 24, within_days = 10}}

[[hours]]
who = ["everyone"]
days = "mon-fri"
from = "09:00"
to = "15:00"
"""
OUTAGES = {
    "planner": [(NOW + timedelta(days=2, hours=2), NOW + timedelta(days=2, hours=9))],
    "calendars": [(NOW + timedelta(days=3, hours=2), NOW + timedelta(days=3, hours=7))],
    "dfdg": [(NOW + timedelta(days=4, hours=1), NOW + timedelta(days=4, hours=8))],
}
"""What does not work when: our HTTP, the calendars, DFDG's services."""


def directory(people: int, rooms: int) -> Directory:
    """One house."""

    def box(name: str, kind: MailboxKind) -> Mailbox:
        return Mailbox(name, kind, "memory", f"{name}@example.dk", ZONE)

    named = ["anna", "bo", *(f"c{number:03}" for number in range(people - 2))]
    workers = {
        name: Caseworker(name, f"{name.title()} Holm", box(name, MailboxKind.PERSON), "torvet") for name in named
    }
    places = {
        name: Room(name, f"Lokale {name}", box(name, MailboxKind.ROOM), "torvet", 1, 4)
        for name in (f"r{number:03}" for number in range(rooms))
    }
    sites = {"torvet": Site("torvet", "Jobcentret, Torvet 1", ZONE, "Receptionen")}
    return Directory.of("Eksempel Kommune", sites, workers, places)


class _Beside(DfdgClient):
    """The client, with DFDG in the same process."""

    def __init__(self, dfdg: DfdgServer, clock: Clock) -> None:
        super().__init__(Account(dfdg.base, 2, "10101", "syncd", 3), clock, seconds=5)
        self._http.close()
        self._http = httpx2.Client(transport=ToDfdg(dfdg), base_url=dfdg.base, trust_env=False)


@dataclass
class Agency(JobnetTown):
    """The planner, reporting to a DFDG."""

    dfdg: DfdgServer = field(default_factory=DfdgServer)

    def __post_init__(self) -> None:
        super().__post_init__()
        who = ", ".join(f'"{name}"' for name in self.directory.caseworkers)
        with self.store.begin() as tx:
            tx.rules.add(RULES.format(who=who), "test", NOW)
        self.client = _Beside(self.dfdg, self.clock)
        self.ledger = Ledger(lambda: self.directory, lambda: self.words)
        self.words = Words(
            self.section.caseworkers, {form: self.mapping.codes.form(form) for form in Form}, {7: ("jobsamtale",)}
        )
        self.reporter = Reporter(self.store, self.client, self.ledger, KEY)
        self.inbox = Inbox(
            self.store, self.client, self.ledger, KEY, lambda: self.directory, self.rules, deadlines=True
        )
        self.handover = Handover(self.store, self.publisher, lambda: self.directory)
        self.recorder = Recorder(self.store, self.publisher)
        self.agreed = self.ledger.noted

    def believe(self) -> None:
        """Calendars that nobody changed count as read a moment ago."""
        now = epoch(self.clock.now())
        window = {"covered_start": now - 86_400, "covered_end": now + 60 * 86_400}
        with self.store.begin() as tx:
            tx.session.execute(update(MailboxRow).values(as_of=now, full_at=now, **window))

    def record(self) -> None:
        """Keep the record of what is on offer, as the daemon does without rest."""
        self.recorder._rest = 0.0
        self.recorder.record(self.clock.now())

    def exchange(self) -> None:
        """Reports out, messages in."""
        now = self.clock.now()
        self.reporter.weigh_changed(now)
        self.reporter.send_due(self.clock.now)
        for _ in range(20):
            try:
                new = self.inbox.poll(now)
            except CalendarError:  # DFDG is down; the daemon logs it and asks again
                return
            self.inbox.handle_due(self.clock.now)
            if not new:
                return


@dataclass
class Attempt:
    """One try of a citizen. :param shown: how many times her page had; None when there was no page."""

    at: datetime
    outcome: str
    shown: int | None = None


@dataclass
class Case:
    """One citizen's month. :param until, latest: her newest deadline. :param barred: she is summoned instead."""

    cpr: str
    until: date
    latest: date
    planner: str
    misses: bool = False
    barred: bool = False
    booked: datetime | None = None
    record: str | None = None
    offer: Shown | None = None
    attempts: list[Attempt] = field(default_factory=list)


class Month:
    """The play.

    :param soap: share of citizens whose jobcentre is still on the SOAP generation.
    """

    def __init__(self, town: Agency, citizens: int, seed: int = 1, soap: float = 0.1) -> None:
        self.town, self.dice = town, random.Random(seed)
        self.loop = Loop(build_app(town.deps()))
        self.planners: dict[str, RestPlanner | SoapPlanner] = {
            "rest": RestPlanner(BASE, PROXY, way=ToApp(self.loop)),
            "soap": SoapPlanner(f"{BASE}/ExternalBookingService/v3?wsdl", PROXY, way=SoapToApp(self.loop)),
        }
        self.world = town.dfdg.world
        self.pages = {name: Jobnet(self.world, _typed(planner)) for name, planner in self.planners.items()}
        self.cases: dict[str, Case] = {}
        self.agenda: list[tuple[datetime, int, str, str]] = []
        self.number = itertools.count()
        self.counts: Counter[str] = Counter()
        for number in range(citizens):
            self._enter(number, "soap" if self.dice.random() < soap else "rest")

    def play(self, told: Callable[[str], None] = lambda _: None) -> None:
        """Live through the month. :param told: hears at the end of each day how it goes."""
        for day, hour in itertools.product(range(DAYS), HOURS):
            self.town.clock.at = datetime(2026, 11, 30, hour, tzinfo=UTC) + timedelta(days=day)
            acting = bool(self.agenda) and self.agenda[0][0] <= self.town.clock.at
            if not acting and hour != HOURS[-1]:
                continue  # what waits for another try waits for the evening
            self._weather(acting=acting)
            while self.agenda and self.agenda[0][0] <= self.town.clock.at:
                _, _, cpr, action = heapq.heappop(self.agenda)
                getattr(self, f"_{action}")(self.cases[cpr])
            self._settle()
            if hour == HOURS[-1]:
                told(f"day {day + 1} of {DAYS}: {dict(sorted(self.counts.items()))}")
        self._calm()

    def close(self) -> None:
        """Let go of connections."""
        for planner in self.planners.values():
            planner.close()
        self.loop.close()
        self.town.client.close()

    def _enter(self, number: int, planner: str) -> None:
        """A citizen with a deadline; some are exempted and summoned instead, some will miss it."""
        cpr = f"{1 + number % 28:02}{1 + number // 28 % 12:02}{50 + number // 336 % 50:02}{1000 + number % 9000:04}"
        self.world.citizen(cpr, group=self.dice.choice([1, 2, 5, 8]), jobcentre="12345")
        begins = NOW + timedelta(days=self.dice.randrange(5), hours=self.dice.randrange(9))
        until = (begins + timedelta(days=self.dice.randrange(8, 15))).date()
        case = self.cases[cpr] = Case(cpr, until, until + timedelta(days=7), planner)
        case.barred, case.misses = self.dice.random() < 0.05, self.dice.random() < 0.06
        if case.barred:
            self._at(begins, case, "summon")
            return
        self._at(begins, case, "begin")
        ahead = timedelta(days=self.dice.randrange(0, 7), hours=self.dice.randrange(1, 9))
        self._at(begins + ahead, case, "miss" if case.misses else "book")

    def _at(self, moment: datetime, case: Case, action: str) -> None:
        heapq.heappush(self.agenda, (moment, next(self.number), case.cpr, action))

    def _weather(self, *, acting: bool) -> None:
        """What works this hour.

        :param acting: somebody looks at the times, so that the record of them is kept.
        """
        now = self.town.clock.at
        bad = {what for what, spans in OUTAGES.items() if any(start <= now < end for start, end in spans)}
        for planner in self.planners.values():
            planner.down = "planner" in bad
        self.town.dfdg.faults.clear()
        if "dfdg" in bad:
            self.town.dfdg.faults.add("unavailable")
        else:
            for kind, chance in (("lose", 0.02), ("drop", 0.02), ("half", 0.01)):
                self.town.dfdg.faults.add(kind, "update", chance=chance)
            self.town.dfdg.faults.add("shuffle", "queue", chance=0.2)
            self.town.dfdg.faults.add("duplicate", "queue", chance=0.1)
        if "calendars" not in bad:
            self.town.believe()
        if "planner" not in bad and acting:
            self.town.record()

    def _settle(self) -> None:
        """Write calendars, report, follow; then some caseworkers drag or cancel."""
        self._reconcile()
        self.town.exchange()
        self._reconcile()

    def _reconcile(self) -> None:
        """With an operator who looks and lets writing go on when the outward brake stopped it.

        What a hundred caseworkers drag in two hours happens in one moment here, so it does stop.
        """
        town = self.town
        town.reconciler.run_due(town.clock.now(), 1000)
        while town.reconciler.brake() is not None:
            town.clock.at += timedelta(seconds=1)
            town.reconciler.release_brake("cli:olga", town.clock.now())
            self.counts["let go on after the brake"] += 1
            town.reconciler.run_due(town.clock.now(), 1000)

    def _calm(self) -> None:
        """Everything works again, and comes to rest."""
        for _ in range(6):
            self.town.clock.at += timedelta(minutes=20)
            self.town.dfdg.faults.clear()
            self.town.believe()
            self._settle()

    # What citizens do

    def _begin(self, case: Case) -> None:
        self._deadline(case, case.until, case.latest)

    def _deadline(self, case: Case, until: date, latest: date, *, immediate: bool = False) -> None:
        case.until, case.latest = until, latest
        made = self.world.deadline(case.cpr, names.JOB_TALK, until, latest, immediate=immediate)
        for planner in self.planners.values():
            planner.deadlines[case.cpr] = made

    def _book(self, case: Case) -> None:
        page, now = self.pages[case.planner], self.town.clock.at
        shown: int | None = None
        try:
            offers = page.offers(case.cpr)
            found = page.times(case.cpr, offers[0], days=(case.latest - now.date()).days + 1)
            shown = len(found)
            if not found:
                self._failed(case, "no times", shown)
                return
            time = self.dice.choice(found[:200])
            form = self.dice.choice(time.forms)
            record = page.book(case.cpr, Choice(offers[0], time.start, form, self.dice.choice(time.caseworkers)))
        except PlannerSilent:
            self._failed(case, "no contact", shown)
        except (PlannerRefused, Refused) as refused:
            self._failed(case, f"refused {getattr(refused, 'code', 0)}", shown)
        else:
            case.offer = offers[0]
            self._booked(case, record, shown or 0)

    def _booked(self, case: Case, record: Record, shown: int) -> None:
        now = self.town.clock.at
        case.attempts.append(Attempt(now, "booked", shown))
        case.record, case.booked = record.id, now
        self.counts["booked"] += 1
        what = self.dice.random()
        soon = now + timedelta(days=self.dice.randrange(1, 3), hours=self.dice.randrange(8))
        if record.start < soon + timedelta(hours=4):
            return
        for below, action in (
            (0.15, "move"),
            (0.2, "cancel"),
            (0.24, "drag"),
            (0.26, "cancelled_by_staff"),
            (0.3, "kss"),
        ):
            if what < below:
                self._at(soon, case, action)
                return

    def _failed(self, case: Case, outcome: str, shown: int | None) -> None:
        """Try again later, as long as the deadline lasts."""
        now = self.town.clock.at
        case.attempts.append(Attempt(now, outcome, shown))
        self.counts[outcome] += 1
        later = now + timedelta(hours=self.dice.randrange(1, 6))
        if later.date() <= case.until:
            self._at(later, case, "book")

    def _move(self, case: Case) -> None:
        page, record, offer = self.pages[case.planner], self._held(case), case.offer
        if record is None or offer is None:
            return
        try:
            found = page.times(case.cpr, offer, days=(case.latest - self.town.clock.at.date()).days + 1)
            time = self.dice.choice(found)
            whom = self.dice.choice(time.caseworkers)
            moved = page.move(case.cpr, record.id, Choice(offer, time.start, self.dice.choice(time.forms), whom))
            self.counts["moved"] += 1
            case.booked = min(case.booked or moved.start, self.town.clock.at)
        except (PlannerSilent, PlannerRefused, Refused, IndexError) as error:
            self.counts[f"not moved ({type(error).__name__})"] += 1

    def _cancel(self, case: Case) -> None:
        record = self._held(case)
        if record is None or self.town.clock.at.date() >= case.until:
            return
        try:
            self.pages[case.planner].cancel(case.cpr, record.id)
        except (PlannerSilent, PlannerRefused):
            self.counts["not cancelled"] += 1
            return
        self.counts["cancelled"] += 1
        case.record = case.booked = None
        self._at(self.town.clock.at + timedelta(hours=1), case, "book")

    def _miss(self, case: Case) -> None:
        """She lets her deadline pass, and must book at once the day after (straksbooking)."""
        self._at(
            datetime(case.until.year, case.until.month, case.until.day, 8, tzinfo=UTC) + timedelta(days=1),
            case,
            "at_once",
        )

    def _at_once(self, case: Case) -> None:
        today = self.town.clock.at.date()
        self._deadline(case, today + timedelta(days=3), today + timedelta(days=10), immediate=True)
        self.counts["straksbooking"] += 1
        self._book(case)

    # What staff and the case system do

    def _summon(self, case: Case) -> None:
        self.world.absent(case.cpr, 56)
        who = self.dice.choice(list(self.town.directory.caseworkers))
        day = self.town.clock.at + timedelta(days=self.dice.randrange(8, 14))
        start = day.replace(hour=self.dice.randrange(8, 14), minute=0)
        made = control.summoned(
            self.town.dfdg, case.cpr, 7, start, start + timedelta(minutes=30), caseworker=self.town.words.outside(who)
        )
        case.record, case.booked = made.id, self.town.clock.at
        self.counts["summoned"] += 1

    def _kss(self, case: Case) -> None:
        """The case system gives the talk to somebody else."""
        record = self._held(case)
        if record is not None:
            who = self.dice.choice(list(self.town.directory.caseworkers))
            control.changed(self.town.dfdg, record.id, caseworker=self.town.words.outside(who))
            self.counts["changed in the case system"] += 1

    def _drag(self, case: Case) -> None:
        """The caseworker drags the meeting in Outlook, to the end of its day."""
        found = self._meeting(case)
        if found is None or not self.town.calendars.find(self.town.directory.mailboxes[found.caseworker], found.uid):
            return
        start = found.interval.start.replace(hour=14, minute=self.dice.choice([0, 30]))
        if start > self.town.clock.at:
            span = Interval(start, start + found.interval.duration)
            self.town.calendars.edit(found.caseworker, found.uid, interval=span)
            self.town.engine.sync_mailbox(found.caseworker, self.town.clock.at, force=True)
            self.counts["dragged"] += 1

    def _cancelled_by_staff(self, case: Case) -> None:
        """Staff cancel; the task tells them to move the deadline, and they do."""
        found = self._meeting(case)
        if found is None:
            return
        self.town.handover.carry_out([Decision(found.id, Remedy.CANCEL)], "cli:olga", self.town.clock.at)
        self._settle()
        today = self.town.clock.at.date()
        self._deadline(case, today + timedelta(days=8), today + timedelta(days=14))
        case.record = case.booked = None
        self.counts["cancelled by staff"] += 1
        self._at(self.town.clock.at + timedelta(hours=9), case, "book")

    def _held(self, case: Case) -> Record | None:
        record = self.world.records.get(case.record or "")
        return record if record is not None and record.active and record.start > self.town.clock.at else None

    def _meeting(self, case: Case) -> Meeting | None:
        with self.town.store.read() as tx:
            link = tx.jobnet.linked(case.record) if case.record else None
            meeting_id = tx.bookings.meeting_of(link.booking) if link is not None else None
            meeting = tx.meetings.get(meeting_id) if meeting_id is not None else None
        return (
            meeting if meeting is not None and meeting.wanted and meeting.interval.start > self.town.clock.at else None
        )


def _typed(planner: Planner) -> Planner:
    return planner


# The judge


def disagreements(town: Agency) -> list[str]:
    """Where DFDG's books and ours differ, and where a calendar does; empty when all agree."""
    found, now = [], town.clock.now()
    with town.store.read() as tx:
        for record in town.dfdg.world.records.values():
            link = tx.jobnet.linked(record.id)
            booking = tx.bookings.get(link.booking, link.client) if link is not None else None
            meeting = tx.meetings.get(booking.meeting) if booking is not None else None
            if meeting is None or booking is None:
                found += [f"{record.id}: not known here"] if record.active else []
                continue
            live = booking.state.value in ("pending", "confirmed") and meeting.wanted
            if live != record.active:
                found.append(f"{record.id}: {'live' if live else 'ended'} here, {record.status} at DFDG")
                continue
            ours = (meeting.interval.start, meeting.interval.end, town.words.outside(meeting.caseworker))
            if live and ours != (record.start, record.end, record.caseworker):
                found.append(f"{record.id}: {ours} here, {(record.start, record.end, record.caseworker)} at DFDG")
            if live and town.words.forms[meeting.form] != record.form:
                found.append(f"{record.id}: form {meeting.form} here, {record.form} at DFDG")
            if live and meeting.interval.start > now:
                entries = town.calendars.find(town.directory.mailboxes[meeting.caseworker], meeting.uid)
                if [one.interval for one in entries] != [meeting.interval]:
                    found.append(f"{record.id}: the calendar of {meeting.caseworker} has {len(entries)} entries")
    return found


def verdicts(month: Month) -> Iterator[tuple[str, str]]:
    """How each citizen's month ended: ``in time``, or by what is documented; ``unexplained`` must never come."""
    for case in month.cases.values():
        yield case.cpr, _verdict(month, case)


def _verdict(month: Month, case: Case) -> str:
    record = month.world.records.get(case.record or "")
    if record is not None and record.active and case.booked is not None:
        if case.barred:
            return "summoned"
        if case.booked.date() <= case.until and record.start.date() <= case.latest:
            return "in time"
        return "moved past the last day by staff" if record.system != names.JOBNET else "unexplained: late"
    proofs = [_proof(month, case, attempt.at) for attempt in case.attempts] or [
        _proof(month, case, month.town.clock.at)
    ]
    return "documented" if all(proofs) else "unexplained: no proof"


def _proof(month: Month, case: Case, at: datetime) -> bool:
    """Whether the record tells what she could have booked at that instant, or that nothing could be."""
    window = Interval(at, at + timedelta(days=max(1, (case.latest - at.date()).days + 1)))
    with month.town.store.read() as tx:
        seen = tx.evidence.seen("jobsamtale", at, window)
    down = not seen.watched  # nobody kept the record: that is the proof that nothing could be booked
    closed = seen.since is not None and seen.since.standing is Standing.TEMPORARILY_CLOSED
    return down or closed or seen.since is not None


def references(month: Month) -> set[str]:
    """The citizens' references, for whoever looks for numbers in clear."""
    return {KEY.reference(Cpr(cpr)) for cpr in month.cases}
