"""One node or many: who this process is, by whose clock it lives, and what runs its tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncd.clock import Clock, SystemClock
from syncd.daemon.node import BEAT_SECONDS, SINGLE, Member, Membership, Role
from syncd.daemon.occupancy import SERVICE, Holder, Lock, occupy
from syncd.dispatch.local import LocalDispatcher
from syncd.dispatch.port import Dispatcher, Scope, Task
from syncd.errors import ConfigError
from syncd.store import Store
from syncd.store.engines import FROM_THERE, REACH
from syncd.store.nodes import Nodes
from syncd.store.schema import head


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


def occupied(store: Store, role: Role | None) -> Lock:
    """From now on the database is ours, or ours and other nodes'; nothing of it was changed.

    :raises ConfigError: it cannot be shared, or others have it; nothing was started.
    :raises StoreError: it cannot be used.
    """
    if role is None:
        _refuse_company(store)
        return occupy(store, SERVICE, _refused_alone)
    if store.sqlite:
        raise _not_started(
            "several nodes need PostgreSQL, and the database is SQLite",
            "leave --role out, or move the data: syncd db move",
        )
    return occupy(store, f"{SERVICE} --role {role}", _refused_together, shared=True)


def joined(store: Store, role: Role | None, threads: int) -> Together:
    """Begin, alone or among others.

    :raises StoreError: the database cannot be used.
    """
    if role is None:
        return Together(SINGLE, SystemClock(), LocalDispatcher(threads))
    from syncd.dispatch.cluster import ClusterDispatcher  # a single node starts sooner without it

    member = Member(store, role)
    dispatcher = ClusterDispatcher(for_libpq(store), threads, member.clock, member.keeps, works=role.works)
    others = member.join()
    beat = Task("node.beat", BEAT_SECONDS, lambda _beat: member.beat(), apart=True, scope=Scope.EACH)
    return Together(member, member.clock, dispatcher, not others, role.answers, beat, member.leave)


def _refuse_company(store: Store) -> None:
    """A node that believes to be alone would do everything a second time."""
    if store.sqlite or store.revision() != head():
        return
    with store.read() as tx:
        others = [node.id for node in Nodes(tx.session).all() if not node.dead]
    if others:
        raise _in_company(others)


def _refused_alone(holders: Sequence[Holder]) -> ConfigError:
    if all(each.shares for each in holders):
        return _in_company([each.says for each in holders])
    return _refused(holders, "or give this one a database of its own")


def _refused_together(holders: Sequence[Holder]) -> ConfigError:
    return _refused(holders, "and start it with --role, too")


def _refused(holders: Sequence[Holder], otherwise: str) -> ConfigError:
    who = ", ".join(each.says for each in holders)
    if not all(each.serves for each in holders):
        return _not_started(f"`{holders[0].what}` is at work on this database ({who})", "wait until it has ended")
    return _not_started(
        f"a service has this database for itself already ({who})",
        f"stop that one first (systemctl stop syncd), {otherwise}",
    )


def _in_company(others: Sequence[str]) -> ConfigError:
    return _not_started(
        f"other nodes serve this database together ({', '.join(others)})",
        "start this one with --role all, api or worker, or stop the others first",
    )


def _not_started(why: str, remedy: str) -> ConfigError:
    return ConfigError("syncd run", [f"{why}; nothing was started", remedy])


def for_libpq(store: Store) -> str:
    """Where the database is, for libpq, which would take the port in a URL of several hosts for the last one's.

    With our patience for a line that went silent, at both ends.
    """
    from psycopg.conninfo import make_conninfo

    _, given = store.url.get_dialect()().create_connect_args(store.url)
    said = {name: value for name, value in given.items() if name != "context"}
    options = f"{FROM_THERE} {said.pop('options', '')}".rstrip()
    return make_conninfo(**REACH | said, options=options)
