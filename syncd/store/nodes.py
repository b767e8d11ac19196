"""Who serves together with us, and who alone may do what; told by the database server's clock, never by a node's.

A lease needs no renewing: it holds for as long as its node is heard of. It spares double work and keeps calls to one
calendar apart; what must never go wrong rests on revisions, epochs and the rule about claims, not on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Numeric, bindparam, cast, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from syncd.store.instants import moment
from syncd.store.node_tables import LeaseRow, NodeRow
from syncd.store.tables import MeetingRow

DEAD = timedelta(seconds=20)
"""A node that was not heard of for so long is dead; whoever was only away finds out before it writes anywhere."""

NOW = cast(func.floor(func.extract("epoch", func.clock_timestamp()).cast(Numeric)), BigInteger)
"""The server's clock as the statement runs, in whole seconds."""
_SILENT = NodeRow.beat <= NOW - int(DEAD.total_seconds())
_HEARD = exists().where(NodeRow.id == LeaseRow.node, ~_SILENT)
_WISH = insert(LeaseRow).values(name=bindparam("which"), node=bindparam("me"), epoch=1)
_TAKE = _WISH.on_conflict_do_update(
    index_elements=["name"],
    set_={"node": _WISH.excluded.node, "epoch": LeaseRow.epoch + 1},
    where=~_HEARD,
).returning(LeaseRow.epoch)
_QUICKLY = text("SET LOCAL synchronous_commit = off")


@dataclass(frozen=True, slots=True)
class Node:
    """A node as the others see it.

    :param beat: when it was heard of last, by the database server's clock. :param silent: for how long by now.
    """

    id: str
    role: str
    version: str
    started: datetime
    beat: datetime
    silent: timedelta

    @property
    def dead(self) -> bool:
        """Whether it was silent for too long."""
        return self.silent >= DEAD


class Nodes:
    """The tables ``nodes`` and ``leases``, seen from inside one transaction on PostgreSQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def join(self, name: str, role: str, version: str) -> None:
        """Say that a node begins."""
        self._session.execute(insert(NodeRow).values(id=name, role=role, version=version, started=NOW, beat=NOW))

    def beat(self, name: str) -> bool:
        """Say that a node is alive; False when it was taken for dead meanwhile, and all it held was given away."""
        self._session.execute(_QUICKLY)
        change = update(NodeRow).where(NodeRow.id == name).values(beat=NOW).returning(NodeRow.id)
        return self._session.scalar(change.execution_options(synchronize_session=False)) is not None

    def clock(self) -> datetime:
        """The server's clock now, to the microsecond."""
        shown: datetime = self._session.execute(text("SELECT clock_timestamp()")).scalar_one()
        return shown

    def all(self) -> list[Node]:
        """Every node that began and was not seen to end, by name."""
        found = self._session.execute(select(*NodeRow.__table__.c, NOW.label("now")).order_by(NodeRow.id))
        return [
            Node(
                row.id,
                row.role,
                row.version,
                moment(row.started),
                moment(row.beat),
                timedelta(seconds=row.now - row.beat),
            )
            for row in found
        ]

    def bury(self) -> list[str]:
        """Give away what dead nodes held, and forget them; returns their names.

        Two that look at the same time never both find the same one.
        """
        dead = select(NodeRow.id).where(_SILENT).with_for_update(skip_locked=True)
        names = sorted(self._session.scalars(dead))
        for name in names:
            self.leave(name)
        return names

    def leave(self, name: str) -> None:
        """A node is gone: what it held is free, and meetings it was looking at are due at once."""
        held = update(MeetingRow).where(MeetingRow.leased_by == name, MeetingRow.due.is_not(None))
        for change in (
            held.values(due=0, leased_by=None),
            delete(LeaseRow).where(LeaseRow.node == name),
            delete(NodeRow).where(NodeRow.id == name),
        ):
            self._session.execute(change.execution_options(synchronize_session=False))

    def take(self, which: str, me: str) -> int | None:
        """The lease *which*, unless a living node has it; its epoch, or None.

        Nobody gets it twice at once: this node's own threads neither.
        """
        self._session.execute(_QUICKLY)
        return self._session.scalar(_TAKE, {"which": which, "me": me})

    def give_back(self, which: str, me: str, epoch: int) -> None:
        """Let others have the lease; nothing happens when it is not ours any more."""
        self._session.execute(_QUICKLY)
        ours = (LeaseRow.name == which, LeaseRow.node == me, LeaseRow.epoch == epoch)
        self._session.execute(delete(LeaseRow).where(*ours).execution_options(synchronize_session=False))
