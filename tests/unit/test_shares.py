"""Calendars are cut into shares that are the same on every node."""

from __future__ import annotations

from collections import Counter

from syncd.daemon.shares import SIZE, Share, cut
from syncd.model.directory import Mailbox, MailboxKind


def boxes(account: str, count: int) -> list[Mailbox]:
    return [
        Mailbox(f"{account}-{number}", MailboxKind.PERSON, account, f"{account}-{number}@example.dk", "UTC")
        for number in range(count)
    ]


def test_every_calendar_is_in_one_share_and_none_is_much_larger_than_the_others() -> None:
    many = boxes("main", 2_000)

    shares = cut(many, alone=False)

    assert Counter(many) == Counter(box for part in shares.values() for box in part)
    assert {Share("main", number, 125) for number in range(125)} == shares.keys()
    assert max(map(len, shares.values())) < 3 * SIZE


def test_two_nodes_cut_alike_whatever_order_they_know_calendars_in() -> None:
    many = [*boxes("main", 40), *boxes("other", 20)]

    first, second = cut(many, alone=False), cut(reversed(many), alone=False)

    assert first.keys() == second.keys()
    assert all(set(first[share]) == set(second[share]) for share in first)


def test_a_node_that_is_alone_reads_an_account_in_one_go() -> None:
    shares = cut([*boxes("main", 40), *boxes("other", 20)], alone=True)

    assert {"main": 40, "other": 20} == {share.name: len(part) for share, part in shares.items()}
