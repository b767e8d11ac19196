"""Who serves together with us, and who alone may do what; told by the database server's clock, never by a node's.

A lease needs no renewing: it holds for as long as its node is heard of. It spares double work and keeps calls to one
calendar apart; what must never go wrong rests on revisions, epochs and the rule about claims, not on it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.functions import FunctionElement

from syncd.store.instants import moment
from syncd.store.node_tables import LeaseRow, NodeRow
from syncd.store.tables import MeetingRow

DEAD = timedelta(seconds=15)
"""A node that was not heard of for so long is dead; whoever was only away finds out before it writes anywhere."""


class ServerNow(FunctionElement[int]):
    """The server's clock as the statement began, in whole seconds; the simulation teaches SQLite one of its own.

    Not as it runs on: a statement that waits for a lock sees heartbeats as they were when it began, and would take
    whoever was heard of meanwhile for silent.
    """

    type = BigInteger()
    inherit_cache = True


@compiles(ServerNow, "postgresql")
def _server_now(*_how: object, **_more: object) -> str:
    return "CAST(floor(extract(epoch FROM statement_timestamp())) AS BIGINT)"


NOW = ServerNow()
_SILENT = NodeRow.beat <= NOW - int(DEAD.total_seconds())
_LEASES = cast(Table, LeaseRow.__table__)
_ME, _EPOCH = bindparam("me", type_=Text), bindparam("epoch", type_=BigInteger)
_HEARD = _LEASES.c.node.in_(select(NodeRow.id).where(~_SILENT))
"""Of the lease in the way; an EXISTS would be about all leases, for it does not see which one the conflict is with."""


def _taking(wanted: ColumnElement[str]) -> ReturningInsert[tuple[str]]:
    """Take what no living node has; only for who is not given up, or nobody would know whose it is."""
    wish = insert(_LEASES).from_select(
        ["name", "node", "epoch"], select(wanted, _ME, _EPOCH).where(exists().where(NodeRow.id == _ME))
    )
    return wish.on_conflict_do_update(
        index_elements=["name"],
        set_={"node": wish.excluded.node, "epoch": wish.excluded.epoch},
        where=~_HEARD,
    ).returning(_LEASES.c.name)


_TAKE = _taking(bindparam("which", type_=Text))
_TAKE_FREE = _taking(func.unnest(bindparam("names", type_=ARRAY(Text))))
_BEAT = (
    update(NodeRow)
    .where(NodeRow.id == bindparam("me"))
    .values(beat=NOW)
    .returning(NodeRow.id)
    .execution_options(synchronize_session=False)
)
_AHEAD = (
    update(NodeRow)
    .where(NodeRow.beat >= NOW + int(DEAD.total_seconds()))
    .values(beat=NOW)
    .execution_options(synchronize_session=False)
)
"""The server's clock was set back, or another server with another clock took over: who beats on is heard of all the
same, and who does not would pass for living until the clock is where it was."""
_DEAD = select(NodeRow.id).where(_SILENT).with_for_update(skip_locked=True)
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


def left_behind(connection: Connection, served: Collection[str]) -> list[str]:
    """Living nodes whose versions of syncd cannot go on once the database has a layout that serves only *served*."""
    living = select(NodeRow.id).where(~_SILENT, NodeRow.layout.not_in(served)).order_by(NodeRow.id)
    return list(connection.scalars(living))


class Nodes:
    """The tables ``nodes`` and ``leases``, seen from inside one transaction on PostgreSQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def join(self, name: str, role: str, version: str, layout: str) -> None:
        """Say that a node begins.

        :param layout: of the database, the newest that it knows.
        """
        begun = {"id": name, "role": role, "version": version, "layout": layout, "started": NOW, "beat": NOW}
        self._session.execute(insert(NodeRow).values(begun))

    def beat(self, name: str) -> bool:
        """Say that a node is alive; False when it was taken for dead meanwhile, and all it held was given away."""
        self._quickly()
        return self._session.scalar(_BEAT, {"me": name}) is not None

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
        self._session.execute(_AHEAD)
        names = sorted(self._session.scalars(_DEAD))
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

    def take(self, names: Sequence[str], me: str, epoch: int) -> list[str]:
        """Those of these leases that no living node has are *me*'s now; nobody's when *me* was taken for dead.

        Nobody gets one twice at once: this node's own threads neither.

        :param names: sorted, so that no two nodes wait for each other.
        :param epoch: another one each time, so that it can be given back although the answer to this is lost.
        """
        self._quickly()
        one = {"which": names[0]} if len(names) == 1 else {"names": names}
        return list(self._session.scalars(_TAKE if len(names) == 1 else _TAKE_FREE, {"me": me, "epoch": epoch, **one}))

    def give_back(self, names: Collection[str], me: str, epoch: int) -> None:
        """Let others have the leases; nothing happens to those that were not taken so, or are not ours any more."""
        self._quickly()
        ours = (LeaseRow.name.in_(names), LeaseRow.node == me, LeaseRow.epoch == epoch)
        self._session.execute(delete(LeaseRow).where(*ours).execution_options(synchronize_session=False))

    def _quickly(self) -> None:
        """Do not wait for the disk: what is lost with the server is only who was alive."""
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(_QUICKLY)
