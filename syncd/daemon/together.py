"""One node or many: who this process is, by whose clock it lives, and what runs its tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from syncd.clock import Clock, SystemClock
from syncd.daemon.node import BEAT_SECONDS, SINGLE, Member, Membership, Role
from syncd.dispatch.local import LocalDispatcher
from syncd.dispatch.port import Dispatcher, Scope, Task
from syncd.errors import ConfigError
from syncd.store import Store
from syncd.store.engines import FROM_THERE, REACH
from syncd.store.nodes import Nodes


@dataclass(frozen=True, slots=True)
class Together:
    """What differs between one node and many.

    :param first: nobody else serves yet. :param answers: portals and people may ask this one.
    :param heartbeat: what the other nodes expect of it. :param part: tells them that it ends.
    """

    node: Membership
    clock: Clock
    dispatcher: Dispatcher
    first: bool = True
    answers: bool = True
    heartbeat: Task | None = None
    part: Callable[[], None] = lambda: None


def joined(store: Store, role: Role | None, threads: int) -> Together:
    """Begin, alone or among others.

    :raises ConfigError: this database cannot be shared, or is shared by others already; nothing was started.
    :raises StoreError: it cannot be used.
    """
    if role is None:
        _refuse_company(store)
        return Together(SINGLE, SystemClock(), LocalDispatcher(threads))
    if store.sqlite:
        raise ConfigError(
            "syncd run",
            [
                "several nodes need PostgreSQL, and the database is SQLite; nothing was started",
                "leave --role out, or move the data: syncd db move",
            ],
        )
    from syncd.dispatch.cluster import ClusterDispatcher  # a single node starts sooner without it

    member = Member(store, role)
    dispatcher = ClusterDispatcher(for_libpq(store), threads, member.clock, member.keeps, works=role.works)
    others = member.join()
    beat = Task("node.beat", BEAT_SECONDS, lambda _beat: member.beat(), apart=True, scope=Scope.EACH)
    return Together(member, member.clock, dispatcher, not others, role.answers, beat, member.leave)


def _refuse_company(store: Store) -> None:
    """A node that believes to be alone would do everything a second time."""
    if store.sqlite:
        return
    with store.read() as tx:
        others = [node.id for node in Nodes(tx.session).all() if not node.dead]
    if others:
        raise ConfigError(
            "syncd run",
            [
                f"other nodes serve this database together ({', '.join(others)}); nothing was started",
                "start this one with --role all, api or worker, or stop the others first",
            ],
        )


def for_libpq(store: Store) -> str:
    """Where the database is, for libpq, which would take the port in a URL of several hosts for the last one's.

    With our patience for a line that went silent, at both ends.
    """
    from psycopg.conninfo import make_conninfo

    _, given = store.url.get_dialect()().create_connect_args(store.url)
    said = {name: value for name, value in given.items() if name != "context"}
    options = f"{FROM_THERE} {said.pop('options', '')}".rstrip()
    return make_conninfo(**REACH | said, options=options)
