"""Whatever people do in Outlook, the simulated server's ways of telling it agree with each other."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from exchangelib import Account

from tests.contract.exchange_client import ANNA, ROOM, account_of, at, house, plain, utc
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.recurrence import DAYS, Recurrence
from tests.servers.exchange.wire import EwsError

ZONES = ("Romance Standard Time", "GMT Standard Time", "Eastern Standard Time", "UTC")


class Human:
    """Somebody who clicks about in one calendar."""

    def __init__(self, server: ExchangeServer, seed: int) -> None:
        self.server, self.dice = server, random.Random(seed)
        self.gestures = (
            self.single,
            self.series,
            self.move,
            self.shorten,
            self.delete,
            self.label,
            self.zone,
            self.rule,
        )

    def act(self) -> None:
        """One gesture; what Outlook does not let her do, she leaves."""
        try:
            self.dice.choice(self.gestures)()
        except EwsError as refusal:
            if refusal.code not in ("ErrorOccurrenceCrossingBoundary", "ErrorItemNotFound"):
                raise

    def single(self) -> None:
        start = self.some_time()
        rooms = (ROOM,) if self.dice.random() < 0.4 else ()
        self.server.outlook.book(ANNA, start, start + timedelta(minutes=self.dice.choice((30, 60, 600))), rooms=rooms)

    def series(self) -> None:
        start = self.some_time()
        days = tuple(self.dice.sample(DAYS[:5], 2))
        rule = Recurrence("Weekly", start.date(), days=days, times=self.dice.choice((3, 8)), first_day="Monday")
        self.server.outlook.book(ANNA, start, start + timedelta(hours=1), recurrence=rule)

    def some_time(self) -> datetime:
        return utc(self.dice.randrange(6, 16), self.dice.randrange(20))

    def pick(self) -> dict[str, Any]:
        """An entry, or one date of a series."""
        shown = self.server.outlook.calendar(ANNA, utc(0), utc(0, 40))
        if not shown:
            raise EwsError("ErrorItemNotFound", "the calendar is empty")
        one = self.dice.choice(shown)
        date_only = one.dated in ("Occurrence", "Exception") and self.dice.random() < 0.7
        return {"email": ANNA, "uid": one.entry.uid, "original": one.original if date_only else None}

    def move(self) -> None:
        self.server.outlook.move(**self.pick(), start=self.some_time())

    def shorten(self) -> None:
        self.server.outlook.shorten(**self.pick(), minutes=self.dice.choice((15, 45)))

    def delete(self) -> None:
        self.server.outlook.delete(**self.pick())

    def label(self) -> None:
        picked = self.pick()
        self.server.outlook.categorize(ANNA, picked["uid"], self.dice.choice("ABC"), original=picked["original"])

    def zone(self) -> None:
        self.server.outlook.change_zone(ANNA, self.pick()["uid"], self.dice.choice(ZONES), self.dice.random() < 0.5)

    def rule(self) -> None:
        uid = self.pick()["uid"]
        entry = self.server.outlook.entry(ANNA, uid)
        if entry and entry.recurrence:
            self.server.outlook.change_series(ANNA, uid, times=self.dice.randrange(1, 6))


def view(account: Account) -> list[tuple[Any, ...]]:
    """The window as a client reads it."""
    found = account.calendar.view(at(0), at(0, 40), max_items=1000).only("start", "end", "original_start", "type", "id")
    return [(one.id, plain(one.start), plain(one.end), one.type) for one in found]


@pytest.mark.parametrize("seed", range(2))
def test_what_changes_in_a_view_is_told_by_sync_and_nothing_else_is_seen(seed):
    with house(seed=seed, clock=lambda: utc(8, -8)) as server:
        human, anna = Human(server, seed), account_of(server)
        list(anna.calendar.sync_items(only_fields=[]))
        before = view(anna)
        for _ in range(25):
            human.act()
            changes = list(anna.calendar.sync_items(only_fields=[]))
            after = view(anna)
            inside = [(one.start, one.end) for one in server.outlook.calendar(ANNA, utc(-1), utc(-1, 40))]
            assert [(start, end) for _, start, end, _ in after] == inside
            assert after == before or changes
            assert len({one for one, *_ in after}) == len(after)
            before = after


def test_a_room_never_holds_two_meetings_at_once():
    with house(seed=9, clock=lambda: utc(8, -8)) as server:
        human = Human(server, 9)
        for _ in range(150):
            human.act()
        taken = [one for one in server.outlook.calendar(ROOM, utc(0), utc(0, 60)) if one.busy]

        assert len(taken) > 3
        assert all(first.end <= second.start for first, second in pairwise(taken))
        accepted = {
            (entry.uid, seen.start)
            for entry in server.world.box(ANNA).folder("calendar")
            for seen in entry.between(utc(0), utc(0, 60))
            if any(one.response == "Accept" for one in seen.attendees)
        }
        assert accepted == {(one.entry.uid, one.start) for one in taken}
