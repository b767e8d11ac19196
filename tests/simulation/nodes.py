"""One to five nodes over one database and one calendar server, in virtual time.

Leases, heartbeats, take-over and fences are the product's own, on the database server's clock. Nodes crash, stand
still in the middle of a look and wake, and are cut off from the database, while the others go on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.compiler import compiles

from syncd.booking.reconcile import LEASE, Look, Reconciler
from syncd.daemon.node import Member, Role
from syncd.errors import StoreError
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.store import Store, schema
from syncd.store.node_tables import NodeRow
from syncd.store.nodes import DEAD, ServerNow
from syncd.store.tables import MeetingRow
from syncd.sync.engine import Engine
from syncd.sync.timing import Pace
from tests.simulation import town
from tests.simulation.lean import opened
from tests.simulation.nothing import Nothing
from tests.simulation.office import Office
from tests.simulation.world import NONE, NOW, Crash, World

UNSERVED = timedelta(seconds=60)
"""After which nothing that a dead node held may still be kept from the others."""
STEP = 5
"""Seconds from one heartbeat to the next."""
SKEWS = (0, 600, -600)
"""Seconds by which the machines' own clocks are wrong."""
TWO_DAYS = Interval(town.at(0), town.at(0) + timedelta(days=2))
_HEARD = (
    update(NodeRow)
    .where(NodeRow.id == bindparam("me"))
    .values(beat=ServerNow())
    .execution_options(synchronize_session=False)
)
_KNOWN = select(NodeRow.id)
_LOOKED = select(MeetingRow.lease, MeetingRow.due).where(MeetingRow.id == bindparam("id"))
_RENAME = "ALTER TABLE meetings RENAME COLUMN attention TO remark"


@compiles(ServerNow, "sqlite")
def _server_now(*_how: object, **_more: object) -> str:
    return "server_now()"


class Line:
    """A node's own line to the database, which may be cut for a while."""

    def __init__(self, store: Store) -> None:
        self._store, self.cut = store, False

    def __getattr__(self, name: str) -> Any:
        if self.cut:
            raise StoreError("The database does not answer.")
        return getattr(self._store, name)


class Node(Member):
    """A node of the simulation: what the world knows of it, beside what it believes itself."""

    def __init__(self, world: NodesWorld, number: int) -> None:
        self.world, self.number, self.skew = world, number, SKEWS[number % len(SKEWS)]
        line: Any = Line(world.store)
        self.line = line
        self.dead = self.frozen = False
        self.look: tuple[Look, datetime] | None = None
        self.wrote = False
        super().__init__(self.line, Role.ALL, world.elapsed, world.wait)
        self.office = world.office_of(self.line)
        mine = self.office
        mine.reconciler = Looking(self, world.parts(mine), world.rules)
        mine.engine = Engine(self.line, mine.ports, mine.directory, Pace(), elapsed=world.elapsed, apart=self.apart)
        with world.as_node(self):
            self.join()
        self.seen()

    @property
    def well(self) -> bool:
        """Whether it can do what it should."""
        return not (self.dead or self.frozen or self.line.cut)

    @property
    def given_up(self) -> bool:
        """Whether the others may have taken it for dead by now, by the one true time."""
        return self.dead or self.world.now - self.heard >= DEAD

    def seen(self) -> None:
        """The database has heard of it."""
        self.heard = self.world.heard[self.name] = self.world.now

    def beat(self) -> None:
        """See `Member.beat`; whom it gives up must have been silent by the one true time."""
        before = self.world.known()
        super().beat()
        for name in before - self.world.known():
            if self.world.now - self.world.heard.get(name, NOW) < DEAD - timedelta(seconds=2):
                self.world.broken.append(f"node {self.number} TOOK OVER from {name}, who was heard of a moment ago")
        self.seen()

    @contextmanager
    def apart(self, mailbox: MailboxId) -> Iterator[bool]:
        """See `Member.apart`; two living nodes at one calendar are a broken promise."""
        inside = self.world.inside[mailbox]
        with super().apart(mailbox) as mine:
            if mine and (others := [one.number for one in inside if not one.given_up]) and not self.given_up:
                self.world.broken.append(f"nodes {others} and {self.number} READ {mailbox} AT A TIME")
            inside.append(self)
            try:
                yield mine
            finally:
                inside.remove(self)

    def _shown(self) -> datetime:
        return self.world.server_time()


class Looking(Reconciler):
    """Tells the world which look is under way."""

    def __init__(self, node: Node, parts: tuple[Any, ...], rules: Any) -> None:
        ports, directory = parts
        super().__init__(node.line, ports, directory, lambda: rules, chance=lambda: 0.5, node=node)
        self._own = node

    def meeting(self, meeting_id: str, now: datetime, look: Look | None = None) -> Any:
        """See `Reconciler.meeting`."""
        outer = self._own.look, self._own.wrote
        self._own.look, self._own.wrote = (look, self._own.world.now) if look else outer[0], False
        try:
            return super().meeting(meeting_id, now, look)
        finally:
            self._own.look, self._own.wrote = outer


class NodesWorld(World):
    """A `World` served by one to five nodes."""

    flag = " --nodes"
    own_clocks = False
    """A mistake to plant: nodes ask their own machine's clock what time it is."""

    def __post_init__(self) -> None:
        self.many = Random(f"nodes of {self.seed}")
        self.now, self.nodes = NOW, []
        self.at_work: list[Node] = []
        self.inside: defaultdict[str, list[Node]] = defaultdict(list)
        self.standing_still = 0
        self.migrated = False
        self.heard: dict[str, datetime] = {}
        with opened(self.store) as driver:
            driver.create_function("server_now", 0, lambda: int(self.server_time().timestamp()))
        super().__post_init__()
        self.server.before_write = self._may_it

    nodes: list[Node]

    # What a node is made of

    def elapsed(self) -> float:
        """A clock that only runs forward, also while a node stands still."""
        return (self.now - NOW).total_seconds()

    def wait(self, seconds: float) -> None:
        """Somebody waits; nothing else happens meanwhile."""
        self.now += timedelta(seconds=max(1, seconds))

    def server_time(self) -> datetime:
        """What the database server's clock shows; the planted mistake is that a node's own counts."""
        wrong = self.at_work[-1].skew if self.own_clocks and self.at_work else 0
        return self.now + timedelta(seconds=wrong)

    def office_of(self, line: Any) -> Office:
        """The program of one node."""
        kept, self.store = self.store, line
        try:
            return super()._office()
        finally:
            self.store = kept

    def parts(self, office: Office) -> tuple[Any, ...]:
        """What a reconciler works with."""
        return (lambda: office.ports, lambda: office.directory)

    def _office(self) -> Office:
        """All nodes, started anew; any of them answers."""
        self.nodes, self.at_work = [], []
        for number in range(self.many.randint(1, 5)):
            self.nodes.append(Node(self, number))
        return self.nodes[0].office

    # What happens to nodes

    def _happen(self, action: Any) -> None:
        self._live()
        self.office = self._some_node().office
        if self.depth == 0 and self.many.random() < 0.1:
            action = self.many.choice([self.node_is_cut_off, self.newer_version_comes])
        super()._happen(action)
        if self.depth == 0 and self.many.random() < 0.3:
            self._demand_fresh()

    def _live(self) -> None:
        """Time has gone by: who is well was heard of all the while, and looks for those that were not."""
        well = [node for node in self.nodes if node.well and not node.given_up] or [self._replaced()]
        for node in well:
            with self.store.begin() as tx, self.as_node(node):
                tx.session.execute(_HEARD, {"me": node.name})
            node._beaten = self.elapsed()
            node.seen()
        woken = [node for node in self.nodes if node.well and node not in well]
        for node in [self.many.choice(well), *woken]:
            with self.as_node(node):
                node.beat()
        self._demand_served()

    def _some_node(self) -> Node:
        return self.many.choice([node for node in self.nodes if node.well])

    def _replaced(self) -> Node:
        """The supervisor starts a node anew that has died, or an operator one more."""
        self.nodes = [node for node in self.nodes if not node.dead]
        self.nodes.append(Node(self, self.many.randrange(5)))
        return self.nodes[-1]

    @contextmanager
    def as_node(self, node: Node) -> Iterator[None]:
        """What happens inside is this node's doing."""
        self.at_work.append(node)
        try:
            yield
        finally:
            self.at_work.pop()

    def node_is_cut_off(self) -> None:
        """One does not reach the database for a while; its work fails, the others go on."""
        node = self._some_node()
        node.line.cut = True
        self.log.append(f"{self.now:%d %H:%M:%S} node {node.number} is cut off")
        self._time_goes_by(self.many.choice([10, 45, 90]))
        node.line.cut = False

    def _operator_decides(self) -> None:
        self._live()
        self.office = self._some_node().office
        super()._operator_decides()

    def newer_version_comes(self) -> None:
        """A node of the next release starts; its migration would take away what these nodes use."""
        if self.migrated:
            raise Nothing
        node = self._some_node()
        with self.as_node(node), self.store.raw() as connection:
            try:
                schema.demand_served(connection, ["9999"])
            except StoreError:
                raise Nothing from None  # as it should: the operator brings the old ones to the release before first
        with opened(self.store) as driver:
            driver.execute(_RENAME)
        self.migrated = True

    def _work(self, *, sync: bool = True, skew: timedelta = timedelta()) -> None:
        """One node works; whatever its machine's clock shows, it lives by the server's."""
        self._live()
        node = self._some_node()
        kept, self.office = self.office, node.office
        wrong = timedelta(seconds=node.skew if self.own_clocks else 0)
        with self.as_node(node):
            super()._work(sync=sync, skew=wrong)
        self.office = kept
        if node.dead and self.many.random() < 0.7:
            self._replaced()

    def _pass(self, point: str) -> None:
        if not self.at_work:
            super()._pass(point)
            return
        node, fate = self.at_work[-1], self.fate.random()
        if point == "reconcile.recorded" and node.look is not None and node.wrote:
            self.demand_one_more(node.look[0])
        if self.server.faults is NONE:
            return
        if fate < 0.01:
            node.dead = True
            self.log.append(f"{self.now:%d %H:%M:%S} node {node.number} died at {point}")
            raise Crash(point)
        if fate < 0.04 and self.standing_still < 2:
            self._stands_still(node, point)

    def _stands_still(self, node: Node, point: str) -> None:
        """In the middle of its work; the others may take it for dead, and it wakes and knows nothing of it."""
        seconds = self.many.choice([3, 15, 25, 60, 95, 300])
        self.log.append(f"{self.now:%d %H:%M:%S} node {node.number} stands still at {point} for {seconds} s")
        node.frozen = True
        self.standing_still += 1
        try:
            self._time_goes_by(seconds)
        finally:
            node.frozen = False
            self.standing_still -= 1

    def _time_goes_by(self, seconds: int) -> None:
        """The others live on, and work now and then."""
        outer, self.disturbed = self.disturbed, True
        office, about, creating = self.office, self.about, self.creating
        at_work, self.at_work = self.at_work, []
        until = self.now + timedelta(seconds=seconds)
        while self.now < until:
            self.now = min(until, self.now + timedelta(seconds=self.many.choice([STEP, 3 * STEP])))
            self._live()
            self.server.arrive()
            if self.many.random() < 0.4 and self.depth <= 1:
                super()._happen(self._work)
        self.at_work, self.office, self.about, self.creating = at_work, office, about, creating
        self.disturbed = True if outer else self.disturbed

    # What must hold

    def known(self) -> set[str]:
        """Names of all nodes that nobody gave up."""
        with self.store.read() as tx:
            return set(tx.session.scalars(_KNOWN))

    def _demand_served(self) -> None:
        """Of whoever is gone for a minute the others have taken over."""
        gone = [name for name in self.known() if self.now - self.heard.get(name, self.now) >= UNSERVED]
        self.broken += [f"NOBODY TOOK OVER from {name}, who has been gone for a minute" for name in gone]

    def _demand_fresh(self) -> None:
        """What a node answers is never older than the newest committed generation."""
        node = self._some_node()
        with self.as_node(node):
            told = node.office.publisher.answer("talk", TWO_DAYS, self.server_time()).generation
        if told != self.store.generation():
            self.broken.append(f"node {node.number} ANSWERED from generation {told} of {self.store.generation()}")

    def demand_one_more(self, look: Look) -> None:
        """What was written by a look that another one overtook is looked at once more."""
        with self.store.read() as tx:
            row = tx.session.execute(_LOOKED, {"id": look.meeting}).one_or_none()
        if row is not None and row.lease > look.lease and row.due is None:
            self.broken.append(f"{look.meeting} WAS WRITTEN by a look that was overtaken, and nobody looks again")

    def _may_it(self, kind: str, uid: str) -> None:
        """Right before a write leaves a node: it is nobody whom the others have given up, nor one whose leave ended."""
        if not self.at_work:
            return
        node = self.at_work[-1]
        node.wrote = True
        if node.given_up:
            self.broken.append(f"node {node.number} WROTE ({kind} {uid}) though the others had taken it for dead")
        elif node.look is not None and self.now - node.look[1] >= LEASE:
            self.broken.append(f"node {node.number} WROTE ({kind} {uid}) though its leave had ended")
