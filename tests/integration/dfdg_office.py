"""An office that reports to a simulated DFDG over HTTP: booking parts, database and client are real."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from syncd.adapters.dfdg.client import Account, DfdgClient
from syncd.clock import FixedClock
from syncd.config.jobnet import CLIENT
from syncd.cpr import Cpr, CprKey
from syncd.dfdg.inbox import Inbox
from syncd.dfdg.ledger import Ledger
from syncd.dfdg.linking import Linker
from syncd.dfdg.report import Reporter
from syncd.model.dfdg import Words
from syncd.model.jobnet import Link, Origin, Told
from syncd.model.offer import Form
from syncd.store import Tx
from tests.servers.dfdg import DfdgServer, Record, names
from tests.simulation import town
from tests.simulation.office import Office
from tests.simulation.town import NOW

ANNE, BENT, CARL = "0101901234", "3112851111", "1508701230"
WORDS = Words(
    caseworkers={"anna": "RID-ANNA", "bo": "RID-BO"},
    forms={Form.IN_PERSON: 1, Form.PHONE: 2, Form.VIDEO: 8},
    offers={7: ("talk",), 4: ("follow-up",)},
)


@dataclass
class Agency:
    """The office, and DFDG beside it."""

    office: Office
    dfdg: DfdgServer
    clock: FixedClock

    def __post_init__(self) -> None:
        account = Account(self.dfdg.base, 2, "10101", "syncd", 3)
        self.client = DfdgClient(account, self.clock, seconds=5)
        self.key = CprKey(b"k" * 32)
        store, directory = self.office.store, lambda: self.office.directory
        self.words = WORDS
        self.ledger = Ledger(directory, lambda: self.words)
        self.reporter = Reporter(store, self.client, self.ledger, self.key)
        rules = lambda: self.office.rulebook
        self.inbox = Inbox(store, self.client, self.ledger, self.key, directory, rules, deadlines=True)
        self.linker = Linker(store, self.ledger, self.key)

    def book(self, cpr: str, start: datetime, person: str = "anna", form: Form = Form.IN_PERSON) -> Record:
        """A citizen books on Jobnet: the facade books here, DFDG writes its own record."""
        now, citizen = self.clock.now(), self.key.reference(Cpr(cpr))
        record = self.dfdg.world.guid()

        def work(tx: Tx) -> datetime:
            sealed = (self.key.name, self.key.seal(Cpr(cpr)))
            tx.jobnet.see(citizen, sealed, now, Told("10101", str(self.dfdg.world.citizens[cpr].group)))
            held = self.office.desk.hold(CLIENT, "talk", start, person, form, citizen, now, tx=tx)
            made = self.office.desk.book(CLIENT, held.booking.id, citizen, now, tx=tx)
            tx.jobnet.link(Link(record, made.booking.id, CLIENT, citizen, Origin.JOBNET, True, now))
            self.ledger.agreed(tx, record, now)
            return made.meeting.interval.end

        end = self.office.store.run(work)
        code, whom = WORDS.forms[form], WORDS.outside(person)
        made = Record(record, cpr, 7, code, start, end, whom, selfbooked=True, system=names.JOBNET)
        return self.dfdg.world.save(made, names.CREATED, "jobnet")

    def meeting_of(self, record: str) -> str:
        """Id of the meeting behind a record."""
        with self.office.store.read() as tx:
            link = tx.jobnet.linked(record)
            meeting = None if link is None else tx.bookings.meeting_of(link.booking)
        assert meeting is not None
        return meeting

    def report(self) -> int:
        """Find and send what is owed."""
        self.reporter.weigh_changed(self.clock.now())
        return self.reporter.send_due(self.clock.now)

    def listen(self) -> int:
        """Fetch messages and handle them."""
        self.inbox.poll(self.clock.now())
        return self.inbox.handle_due(self.clock.now).done

    def settle(self) -> None:
        """Let everything come to rest: calendars, reports, messages."""
        for _ in range(4):
            self.clock.at += timedelta(minutes=1)
            self.office.settle(self.clock.now(), passes=1)
            self.report()
            self.listen()

    def tasks(self) -> dict[str, str]:
        """What waits for a person, by kind."""
        with self.office.store.read() as tx:
            return {task.kind.value: task.da for task in tx.tasks.waiting()}

    def owed(self) -> int:
        """How many reports are owed."""
        with self.office.store.read() as tx:
            return tx.dfdg.owed()[0]


@contextmanager
def agency(url: str) -> Iterator[Agency]:
    """An agency over a database with the newest schema."""
    people = ("anna", "bo", "cara")
    rules = town.rulebook(town.offer(people), town.offer(people, name="follow-up"))
    office = Office.open(url, directory=town.directory(people), rulebook=rules)
    clock = FixedClock(NOW)
    with DfdgServer(clock=clock.now) as dfdg:
        for cpr in (ANNE, BENT, CARL):
            dfdg.world.citizen(cpr)
        made = Agency(office, dfdg, clock)
        yield made
        made.client.close()
    office.store.close()


def tomorrow(hour: int, minute: int = 0) -> datetime:
    """A time of the day after `NOW`, in UTC."""
    return datetime(2026, 11, 24, hour, minute, tzinfo=UTC)
