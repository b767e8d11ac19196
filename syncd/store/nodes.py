"""Who serves together with us, and who alone may do what; told by the database server's clock, never by a node's.

A lease needs no renewing: it holds for as long as its node is heard of. It spares double work and keeps calls to one
calendar apart; what must never go wrong rests on revisions, epochs and the rule about claims, not on it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import (
    BigInteger,
    Connection,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from syncd.store.instants import moment
from syncd.store.node_tables import LeaseRow, NodeRow
from syncd.store.tables import MeetingRow

DEAD = timedelta(seconds=15)
"""A node that was not heard of for so long is dead; whoever was only away finds out before it writes anywhere."""


class ServerNow(FunctionElement[int]):
    """The server's clock as the statement runs, in whole seconds; the simulation teaches SQLite one of its own."""

    type = BigInteger()
    inherit_cache = True


@compiles(ServerNow, "postgresql")
def _server_now(*_how: object, **_more: object) -> str:
    return "CAST(floor(extract(epoch FROM clock_timestamp())) AS BIGINT)"


NOW = ServerNow()
_SILENT = NodeRow.beat <= NOW - int(DEAD.total_seconds())
_HEARD = exists().where(NodeRow.id == LeaseRow.node, ~_SILENT)
_WISH = insert(LeaseRow).values(name=bindparam("which"), node=bindparam("me"), epoch=1)
_TAKE = _WISH.on_conflict_do_update(
    index_elements=["name"],
    set_={"node": _WISH.excluded.node, "epoch": LeaseRow.epoch + 1},
    where=~_HEARD,
).returning(LeaseRow.epoch)
_LEASES = cast(Table, LeaseRow.__table__)
_WISHES = insert(_LEASES).from_select(
    ["name", "node", "epoch"],
    select(func.unnest(bindparam("names", type_=ARRAY(Text))), bindparam("me", type_=Text), literal_column("1")),
)
_TAKE_FREE = _WISHES.on_conflict_do_update(
    index_elements=["name"],
    set_={"node": _WISHES.excluded.node, "epoch": _LEASES.c.epoch + 1},
    where=~_HEARD,
).returning(_LEASES.c.name, _LEASES.c.epoch)
_BEAT = (
    update(NodeRow)
    .where(NodeRow.id == bindparam("me"))
    .values(beat=NOW)
    .returning(NodeRow.id)
    .execution_options(synchronize_session=False)
)
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

    def take(self, which: str, me: str) -> int | None:
        """The lease *which*, unless a living node has it; its epoch, or None.

        Nobody gets it twice at once: this node's own threads neither.
        """
        self._quickly()
        return self._session.scalar(_TAKE, {"which": which, "me": me})

    def give_back(self, which: str, me: str, epoch: int) -> None:
        """Let others have the lease; nothing happens when it is not ours any more."""
        self._quickly()
        ours = (LeaseRow.name == which, LeaseRow.node == me, LeaseRow.epoch == epoch)
        self._session.execute(delete(LeaseRow).where(*ours).execution_options(synchronize_session=False))

    def take_free(self, names: Collection[str], me: str) -> dict[str, int]:
        """Those of the leases that no living node has, with their epochs; see `take`."""
        self._quickly()
        # In one order on all nodes, so that no two wait for each other.
        found = self._session.execute(_TAKE_FREE, {"names": sorted(names), "me": me})
        return {row.name: row.epoch for row in found}

    def give_all_back(self, epochs: Mapping[str, int], me: str) -> None:
        """See `give_back`."""
        self._quickly()
        ours = (LeaseRow.node == me, tuple_(LeaseRow.name, LeaseRow.epoch).in_(sorted(epochs.items())))
        self._session.execute(delete(LeaseRow).where(*ours).execution_options(synchronize_session=False))

    def _quickly(self) -> None:
        """Do not wait for the disk: what is lost with the server is only who was alive."""
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(_QUICKLY)
