"""Whatever happens on the server, a completed pass ends with the mirror equal to the calendar.

And whatever does not complete leaves the mirror exactly as it was.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import hypothesis.strategies as st
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from syncd.adapters.memory import MemoryCalendar
from syncd.errors import Throttled, Transient
from syncd.model.busy import Occurrence
from syncd.model.delta import Delta, Since
from syncd.model.directory import Mailbox
from syncd.model.interval import Interval
from syncd.model.mirror import trust
from syncd.ports import Memory
from syncd.store import Store
from syncd.sync.engine import Engine
from syncd.sync.outcome import Outcome, Result
from syncd.sync.plan import Limits
from syncd.sync.timing import Pace, window
from tests.rough_server import NOW, RoughServer, busy, directory

KEYS = [f"k{n}" for n in range(12)]
HORIZON = 10
PACE = Pace(horizon_days=HORIZON, full_every=timedelta(days=4), limits=Limits(share=0.2, least=3))

_template: list[Path] = []


def fresh_database(folder: Path) -> str:
    """An SQLite database with the newest layout; made once, copied afterwards."""
    if not _template:
        path = Path(tempfile.mkdtemp(prefix="syncd-machine-")) / "template.db"
        store = Store(f"sqlite:///{path}")
        store.upgrade()
        store.close()
        _template.append(path)
    shutil.copyfile(_template[0], folder / "syncd.db")
    return f"sqlite:///{folder / 'syncd.db'}"


def spans() -> st.SearchStrategy[tuple[Occurrence, ...]]:
    """A group: no, one or a few instances, some before and some beyond the window."""
    hour = st.integers(-72, 24 * (HORIZON + 5))
    one = st.builds(lambda h, minutes: busy(NOW + timedelta(hours=h), minutes), hour, st.sampled_from([15, 60, 1440]))
    return st.lists(one, max_size=3).map(tuple)


class SyncMachine(RuleBasedStateMachine):
    """One mailbox on a rough server."""

    tokens: ClassVar[bool]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="syncd-machine-"))
        self.store = Store(fresh_database(self.folder))
        self.server = self.make_server()
        self.engine = Engine(self.store, {"test": self.server}, directory(), PACE, elapsed=lambda: 0.0)
        self.now = NOW
        self.held = self.mirror()

    def make_server(self) -> RoughServer:
        return RoughServer(has_tokens=self.tokens)

    @initialize(items=st.dictionaries(st.sampled_from(KEYS), spans(), min_size=5))
    def begin(self, items: dict[str, tuple[Occurrence, ...]]) -> None:
        for key, occurrences in items.items():
            self.server.put(key, *occurrences)
        self.expect_equal(self.run())

    @rule(key=st.sampled_from(KEYS), occurrences=spans())
    def somebody_writes(self, key: str, occurrences: tuple[Occurrence, ...]) -> None:
        self.server.put(key, *occurrences)

    @rule(key=st.sampled_from(KEYS))
    def something_writes_what_cannot_be_understood(self, key: str) -> None:
        self.server.put(key, busy(NOW), broken=True)

    @rule(data=st.data(), count=st.integers(1, 3))
    @precondition(lambda self: self.server.items)
    def somebody_removes(self, data: st.DataObject, count: int) -> None:
        for key in data.draw(st.lists(st.sampled_from(sorted(self.server.items)), max_size=count, unique=True)):
            self.server.remove(key)

    @rule()
    @precondition(lambda self: self.tokens)
    def a_pass_after_the_server_forgot_its_tokens(self) -> None:
        self.server.forget_tokens()
        self.expect_equal(self.run())

    @rule(hours=st.sampled_from([1, 5, 26]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def a_pass(self) -> None:
        self.expect_equal(self.run())

    @rule()
    def a_full_pass(self) -> None:
        self.expect_equal(self.run(full=True))

    @rule()
    def a_person_accepts_the_loss(self) -> None:
        outcome = self.run(accept_loss=True)

        assert outcome.completed
        self.expect_equal(outcome)

    @rule(late=st.booleans(), throttled=st.booleans())
    def a_pass_fails(self, late: bool, throttled: bool) -> None:
        def away() -> None:
            raise Throttled("Busy.", 30) if throttled else Transient("Away.")

        setattr(self.server, "after" if late else "before", away)
        outcome = self.run()
        self.server.before = self.server.after = lambda: None

        assert Result.FAILED == outcome.result
        assert self.held == self.mirror()

    @rule(key=st.sampled_from(KEYS), occurrences=spans())
    def somebody_writes_while_a_pass_reads(self, key: str, occurrences: tuple[Occurrence, ...]) -> None:
        """What changed after the server answered belongs to the next pass."""
        before = dict(self.server.items)
        self.server.after = lambda: self.server.put(key, *occurrences)
        outcome = self.run()
        self.server.after = lambda: None
        after, self.server.items = self.server.items, before
        self.expect_equal(outcome)
        self.server.items = after

    @rule()
    def a_listing_is_empty(self) -> None:
        """Refused, unless nothing much is to be lost; then an honest listing brings all back."""
        ahead = {key for key, o in self.held if o.interval.end > self.now + timedelta(seconds=1)}
        self.server.hidden = frozenset(KEYS)
        outcome = self.run(full=True)
        self.server.hidden = frozenset()
        inside = window(self.now, HORIZON)
        counted = {key for key, o in self.held if key in ahead and o.interval.overlaps(inside)}
        if len(counted) >= PACE.limits.least:
            assert Result.REFUSED == outcome.result
            assert self.held == self.mirror()
        else:
            self.held = self.mirror()
            self.expect_equal(self.run(full=True))

    @rule()
    def another_process_takes_over(self) -> None:
        self.engine = Engine(self.store, {"test": self.server}, directory(), PACE, elapsed=lambda: 0.0)

    def run(self, *, full: bool = False, accept_loss: bool = False) -> Outcome:
        self.now += timedelta(seconds=1)
        return self.engine.sync_mailbox("kim", self.now, full=full, accept_loss=accept_loss, force=True)

    def expect_equal(self, outcome: Outcome) -> None:
        if outcome.completed:
            assert self.server.truth(window(self.now, HORIZON)) == self.mirror()
            assert self.status_is_clean()
        else:
            assert Result.REFUSED == outcome.result
            assert self.held == self.mirror()
        self.held = self.mirror()

    def status_is_clean(self) -> bool:
        with self.store.read() as tx:
            status = tx.mailboxes.status("kim")
        broken = sum(item.broken for item in self.server.items.values())
        return (
            status is not None
            and status.refused is status.problem is None
            and (status.as_of, status.covered, status.unreadable) == (self.now, window(self.now, HORIZON), broken)
        )

    def mirror(self) -> set[tuple[str, Occurrence]]:
        with self.store.read() as tx:
            groups = tx.mailboxes.groups("kim", KEYS)
        return {(key, occurrence) for key, some in groups.items() for occurrence in some}

    @invariant()
    def nothing_is_offered_on_a_calendar_that_is_not_believed(self) -> None:
        with self.store.read() as tx:
            status = tx.mailboxes.status("kim")
        if status is not None and (status.refused or status.unreadable or status.as_of is None):
            assert not trust(status, self.now, timedelta(days=999), window(self.now, HORIZON)).open

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)


class MachineWithTokens(SyncMachine):
    """The server tells what changed since a token (RFC 6578)."""

    tokens = True


class MachineWithListings(SyncMachine):
    """The server only lists versions."""

    tokens = False


class MachineOverMemory(SyncMachine):
    """The adapter that the simulation and the trial mode run on."""

    tokens = True

    def make_server(self) -> RoughServer:
        return MemoryServer()


@dataclass
class MemoryServer(RoughServer):
    """Answers from the in-memory adapter; the rough server's own books stay the truth it is measured by."""

    real: MemoryCalendar = field(default_factory=MemoryCalendar)

    def put(self, key: str, *occurrences: Occurrence, broken: bool = False) -> None:
        super().put(key, *occurrences, broken=broken)
        if broken:
            self.real.spoil("kim", key, f"broken {self.serial}")
        else:
            self.real.put("kim", key, occurrences)

    def remove(self, key: str) -> None:
        super().remove(key)
        self.real.remove("kim", key)

    def forget_tokens(self) -> None:
        self.real.forget_history()

    def changes(self, mailbox: Mailbox, window: Interval, since: Since | None, memory: Memory) -> Delta:
        self.before()
        delta = self.real.changes(mailbox, window, since, memory)
        self.after()
        if not self.hidden:
            return delta
        seen = tuple(group for group in delta.groups if group.key not in self.hidden)
        return replace(delta, groups=seen, present=(delta.present or frozenset()) - self.hidden, unreadable=())


# Without shrinking, which would take longer than the test may: the failing steps are printed as they are.
ENOUGH = settings(
    max_examples=settings().max_examples // 10,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
)
TestMachineWithTokens = MachineWithTokens.TestCase
TestMachineWithTokens.settings = ENOUGH
TestMachineOverMemory = MachineOverMemory.TestCase
TestMachineOverMemory.settings = ENOUGH
TestMachineWithListings = MachineWithListings.TestCase
TestMachineWithListings.settings = ENOUGH
