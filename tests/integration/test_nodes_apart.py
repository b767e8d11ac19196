"""Nodes keep each other from calendars: from one for a pass, and from many for a look at all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from syncd.daemon.node import Member, Role
from syncd.daemon.together import for_libpq
from syncd.errors import StoreError
from syncd.store import Store, Tx
from syncd.store.nodes import Nodes


class Line:
    """To the database; it may end before what is said arrives, or before the answer does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.ends = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def run(self, work: Callable[[Tx], Any]) -> Any:
        if self.ends == "before":
            raise StoreError("The line ended.")
        answer = self._store.run(work)
        if self.ends == "after":
            raise StoreError("The line ended.")
        return answer


@pytest.fixture
def members(migrated_postgres_url: str) -> Iterator[tuple[Member, Member]]:
    """Two living nodes that never wait."""
    store, time = Store(migrated_postgres_url), iter(range(10**6))
    both = [Member(store, Role.ALL, elapsed=lambda: float(next(time)), pause=lambda _s: None) for _ in range(2)]
    for member in both:
        member.join()
    yield both[0], both[1]
    store.close()


def test_a_look_at_many_leaves_out_what_another_node_reads(members: tuple[Member, Member]) -> None:
    one, other = members

    with one.apart("anna") as mine, other.together(["carl", "anna", "bo"]) as free:
        assert (True, ["bo", "carl"]) == (mine, sorted(free))


def test_nobody_reads_what_a_look_at_many_is_at_until_it_ends(members: tuple[Member, Member]) -> None:
    one, other = members
    with (
        one.together(["anna", "bo"]) as free,
        other.apart("anna") as meanwhile,
        one.apart("bo") as itself,
        other.together(["bo", "carl"]) as rest,
    ):
        during = (sorted(free), meanwhile, itself, [*rest])
    with other.apart("anna") as afterwards, one.together(["anna", "bo"]) as again:
        after = (afterwards, [*again])

    assert (["anna", "bo"], False, False, ["carl"]) == during
    assert (True, ["bo"]) == after


@pytest.fixture
def broken(members: tuple[Member, Member]) -> tuple[Member, Member, Line]:
    """Two nodes, and the first one's line."""
    line: Any = Line(members[0]._store)
    members[0]._store = members[0]._leases._store = line
    return *members, line


def gets(member: Member, mailbox: str) -> bool:
    with member.apart(mailbox) as mine:
        return mine


@pytest.mark.parametrize("ends", ["before", "after"])
def test_what_could_not_be_given_back_is_free_as_soon_as_the_node_is_heard_of_again(
    broken: tuple[Member, Member, Line], ends: str
) -> None:
    one, other, line = broken
    with one.apart("anna") as mine, one.together(["bo", "carl"]) as free:
        line.ends = ends
    line.ends = ""
    one.beat()

    assert (True, 2) == (mine, len([*free]))
    assert [True] * 6 == [gets(node, box) for node in (one, other) for box in ("anna", "bo", "carl")]


def test_what_was_taken_though_nobody_heard_of_it_is_free_as_soon_as_the_node_is_heard_of_again(
    broken: tuple[Member, Member, Line],
) -> None:
    one, other, line = broken
    line.ends = "after"
    with pytest.raises(StoreError), one.apart("anna"):
        pass
    with pytest.raises(StoreError), one.together(["bo", "carl"]):
        pass
    with pytest.raises(StoreError):
        one.keeps("listen")
    during = [gets(other, box) for box in ("anna", "bo", "carl")]
    line.ends = ""
    one.beat()

    assert [False] * 3 == during
    assert [True] * 3 == [gets(other, box) for box in ("anna", "bo", "carl")]
    other.beat()
    assert other.keeps("listen")


def test_what_is_given_back_late_frees_nothing_that_the_node_took_since(broken: tuple[Member, Member, Line]) -> None:
    one, other, line = broken
    with one.apart("anna"):
        line.ends = "after"  # it is free, and the node does not know
    line.ends = ""
    with one.apart("anna") as again:
        one.beat()
        meanwhile = gets(other, "anna")

    assert (True, False) == (again, meanwhile)


def test_a_node_that_was_given_up_takes_nothing_until_it_has_found_out(members: tuple[Member, Member]) -> None:
    one, other = members
    other._store.run(lambda tx: Nodes(tx.session).leave(one.name))
    before = (gets(one, "anna"), one.keeps("listen"))
    one.beat()

    assert (False, False) == before
    assert gets(one, "anna")


def waited(members: tuple[Member, Member], during: Callable[[], object]) -> bool:
    """Whether the second node gets a lease that the first one takes in a transaction that takes its time."""
    one, other = members
    with ThreadPoolExecutor(1) as pool:
        with one._store.begin() as tx:
            assert ["mailbox:anna"] == Nodes(tx.session).take(["mailbox:anna"], one.name, 1)
            asked = pool.submit(gets, other, "anna")
            during()
        return asked.result()


def test_of_two_that_ask_at_the_same_moment_one_gets_it(members: tuple[Member, Member]) -> None:
    assert not waited(members, lambda: Event().wait(0.5))


def test_who_waited_for_a_lease_does_not_take_its_holder_for_dead(members: tuple[Member, Member]) -> None:
    """The holder is heard of while the other one waits; what that one sees of it is as old as its question."""
    one, _ = members
    quiet = text("UPDATE nodes SET beat = beat - 10 WHERE id = :name")
    one._store.run(lambda tx: tx.session.execute(quiet, {"name": one.name}))

    def heard_of() -> None:
        Event().wait(0.5)
        one.beat()
        Event().wait(5)

    assert not waited(members, heard_of)


def test_what_nobody_known_holds_can_be_taken_though_others_hold_something(members: tuple[Member, Member]) -> None:
    one, other = members
    left = text("INSERT INTO leases (name, node, epoch) VALUES ('mailbox:anna', 'gone', 1)")
    one._store.run(lambda tx: tx.session.execute(left))

    with one.apart("bo"):
        assert gets(other, "anna")


def test_a_dead_node_does_not_live_on_because_the_servers_clock_was_set_back(members: tuple[Member, Member]) -> None:
    one, other = members
    store = one._store

    def beaten(seconds: int) -> None:
        change = text("UPDATE nodes SET beat = beat + :by WHERE id = :name")
        store.run(lambda tx: tx.session.execute(change, {"by": seconds, "name": one.name}))

    def living() -> set[str]:
        with store.read() as tx:
            return {node.id for node in Nodes(tx.session).all() if not node.dead}

    with one.apart("anna"):
        beaten(600)
        other.beat()
        at_first = living()
        beaten(-15)
        other.beat()

        assert {one.name, other.name} == at_first
        assert {other.name} == living()
        assert gets(other, "anna")


def test_a_look_at_nothing_asks_nothing(members: tuple[Member, Member]) -> None:
    with members[0].together([]) as free:
        assert [] == [*free]


@pytest.mark.parametrize(
    ("hosts", "host", "port"),
    [
        ("app1,app2:5499", "app1,app2", "5499"),
        ("app1:5498,app2:5499", "app1,app2", "5498,5499"),
        ("app1:5498,app2", "app1,app2", "5498,"),
        ("app1,app2", "app1,app2", ""),
    ],
)
def test_the_engine_looks_for_every_host_of_the_database_at_its_port(hosts: str, host: str, port: str) -> None:
    store = Store(f"postgresql://syncd@{hosts}/syncd?target_session_attrs=read-write")

    told = conninfo_to_dict(for_libpq(store))
    found = (told["host"], str(told.get("port") or ""), told["target_session_attrs"])
    assert (host, port, "read-write") == found


def test_a_port_that_is_none_is_told() -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        Store("postgresql://syncd@app1:many/syncd")
