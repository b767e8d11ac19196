"""Nodes keep each other from calendars: from one for a pass, and from many for a look at all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict

from syncd.daemon.node import Member, Role
from syncd.daemon.together import for_libpq
from syncd.errors import StoreError
from syncd.store import Store


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
