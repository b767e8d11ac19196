"""Many at once: exactly as many winners as there are places, on both databases (ASVS 5.0 2.3.4, 15.4.2)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count, pairwise
from multiprocessing import get_context
from threading import Barrier
from typing import Any, TypeVar, cast

import pytest
from sqlalchemy import ClauseElement, Executable, delete, text
from sqlalchemy.dialects import postgresql

from syncd.booking.desire import desire
from syncd.booking.handover import Choice
from syncd.booking.proposals import Remedy
from syncd.booking.results import Appointment, Reply
from syncd.booking.sight import Moved
from syncd.booking.take import Wish, lock_site_days
from syncd.errors import KeyReused, NotAllowed, SlotGone, SyncdError
from syncd.model.booking import BookingState, RoomState
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store import Store, Tx, locks
from syncd.store.idempotency import Idempotency
from syncd.store.mailboxes import Mailboxes
from syncd.store.straight import StraightSession
from syncd.store.tables import BookingRow, ClaimRow, EntryRow, IdempotencyRow, MeetingRow
from tests.simulation import town
from tests.simulation.office import CLIENT, Office
from tests.simulation.town import NOW, at

MANY = 50
Got = TypeVar("Got")


@pytest.fixture
def office(any_office: Office) -> Office:
    return any_office


def all_at_once(number: int, act: Callable[[int], Got]) -> list[Got | SyncdError]:
    """What each of *number* threads got, all released at the same moment: a value, or the error it was refused with."""
    gate = Barrier(number)

    def one(n: int) -> Got | SyncdError:
        gate.wait()
        try:
            return act(n)
        except SyncdError as error:
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def refusals(results: Sequence[object]) -> Counter[str]:
    return Counter(type(result).__name__ for result in results if isinstance(result, Exception))


def winners(results: list[Got | SyncdError]) -> list[Got]:
    return [result for result in results if not isinstance(result, SyncdError)]


def claims(office: Office) -> dict[str, list[Interval]]:
    """All active claims by mailbox, sorted."""
    with office.store.read() as tx:
        return tx.meetings.busy(list(office.directory.mailboxes), town.COVERED, NOW)


def assert_no_overlap(office: Office) -> None:
    for spans in claims(office).values():
        assert not any(one.overlaps(other) for one, other in pairwise(spans))


def test_fifty_for_one_slot_have_one_winner(office):
    results = all_at_once(MANY, lambda n: office.hold(at(9), citizen=f"c{n}"))

    assert 1 == len(winners(results))
    assert {"SlotGone": MANY - 1} == refusals(results)
    assert all(error.facts["alternatives"] for error in results if isinstance(error, SlotGone))
    assert_no_overlap(office)


def test_fifty_for_overlapping_unequal_times_never_overlap(office):
    starts = [at(9) + timedelta(minutes=15 * (n % 8)) for n in range(MANY)]

    results = all_at_once(MANY, lambda n: office.book(starts[n], form=[Form.PHONE, Form.IN_PERSON][n % 2]))

    assert winners(results)
    assert {"SlotGone"} == set(refusals(results))
    assert_no_overlap(office)
    assert len(winners(results)) == len(claims(office)["anna"])


def test_fifty_bookings_for_twenty_rooms_have_twenty_winners(migrated_url):
    people, rooms = [f"p{n:02d}" for n in range(MANY)], [f"r{n:02d}" for n in range(20)]
    rules = town.rulebook(town.offer(people))
    office = Office.open(migrated_url, directory=town.directory(people, rooms), rulebook=rules)

    results = all_at_once(MANY, lambda n: office.book(at(9), people[n], citizen=f"c{n}"))

    won = winners(results)
    assert 20 == len(won)
    assert set(rooms) == {made.meeting.room for made in won}
    assert {"NoRoom": 30} == refusals(results)
    taken = claims(office)
    assert 40 == sum(len(spans) for spans in taken.values())  # no half booking: twenty people, twenty rooms
    office.store.close()


def test_whoever_holds_a_room_gets_it_when_all_book_at_once(migrated_url):
    people, rooms = [f"p{n:02d}" for n in range(MANY)], [f"r{n:02d}" for n in range(20)]
    rules = town.rulebook(town.offer(people))
    office = Office.open(migrated_url, directory=town.directory(people, rooms), rulebook=rules)
    held = winners(all_at_once(MANY, lambda n: office.hold(at(9), people[n])))

    results = all_at_once(len(held), lambda n: office.desk.book(CLIENT, held[n].booking.id, f"c{n}", NOW))

    assert 20 == len(held)
    assert {} == refusals(results)
    assert {one.meeting.room for one in held} == {made.meeting.room for made in winners(results)} == set(rooms)
    office.store.close()


@pytest.mark.programme
def test_two_hundred_for_one_slot_have_one_winner(office):
    results = all_at_once(200, lambda n: office.hold(at(9), citizen=f"c{n}"))

    assert 1 == len(winners(results))
    assert {"SlotGone": 199} == refusals(results)
    assert_no_overlap(office)


@pytest.mark.programme
def test_several_processes_share_out_the_slots(office, migrated_url):
    """Four processes with ten clients each want the same eight times; each time has one winner among all forty."""
    with get_context("spawn").Pool(4) as pool:
        won = [start for starts in pool.map(_other_process, [migrated_url] * 4) for start in starts]

    assert sorted(set(won)) == sorted(won) == [f"{at(8) + timedelta(minutes=45 * n)}" for n in range(8)]
    assert 8 == len(claims(office)["anna"])
    assert_no_overlap(office)


def _other_process(url: str) -> list[str]:
    """What ten clients in a process of its own won."""
    office = Office(Store(url), numbers=count(os.getpid() * 10_000))  # ids must not meet
    wishes = [at(8) + timedelta(minutes=45 * (n % 8)) for n in range(40)]
    results = all_at_once(10, lambda n: [_tried(office, start) for start in wishes[n::10]])
    office.store.close()
    return [
        str(made.meeting.interval.start) for made_here in winners(results) for made in made_here if made is not None
    ]


def _tried(office: Office, start: datetime) -> Appointment | None:
    try:
        return office.hold(start)
    except SlotGone:
        return None


def test_fifty_who_name_nobody_fill_every_caseworker(migrated_url):
    people = [f"p{n:02d}" for n in range(10)]
    rules = town.rulebook(town.offer(people))
    office = Office.open(migrated_url, directory=town.directory(people), rulebook=rules)

    results = all_at_once(MANY, lambda n: office.hold(at(9), None, form=Form.PHONE))

    assert sorted(people) == sorted(made.meeting.caseworker for made in winners(results))
    assert {"SlotGone": 40} == refusals(results)
    office.store.close()


def test_the_citizens_second_meeting_is_refused_under_contention(office):
    office.rulebook = town.rulebook(town.offer(one_future=True))
    held = [office.hold(at(8) + timedelta(minutes=45 * n), form=Form.PHONE) for n in range(8)]

    results = all_at_once(8, lambda n: office.desk.book(CLIENT, held[n].booking.id, "citizen", NOW))

    assert 1 == len(winners(results))
    assert {NotAllowed.__name__: 7} == refusals(results)


def test_a_daily_cap_holds_under_contention(office):
    office.rulebook = town.rulebook(town.offer(per_day=3))

    results = all_at_once(16, lambda n: office.hold(at(8) + timedelta(minutes=30 * n), form=Form.PHONE))

    assert 3 == len(winners(results))


def test_a_cap_of_the_whole_offer_holds_under_contention(office):
    office.rulebook = town.rulebook(town.offer(offer_per_day=3))

    results = all_at_once(
        16, lambda n: office.hold(at(8) + timedelta(minutes=30 * (n // 2)), ["anna", "bo"][n % 2], form=Form.PHONE)
    )

    assert 3 == len(winners(results))


def test_two_who_swap_their_times_do_not_wait_for_each_other_for_ever(office):
    first, second = office.book(at(9), "anna"), office.book(at(9), "bo")
    targets = [(first, "bo"), (second, "anna")] * 4

    results = all_at_once(
        8, lambda n: office.desk.reschedule(CLIENT, targets[n][0].booking.id, at(12), targets[n][1], None, NOW)
    )

    assert {"SlotGone"} >= set(refusals(results))
    assert_no_overlap(office)


def test_one_hold_booked_by_many_is_one_booking(office):
    held = office.hold(at(9))

    results = all_at_once(20, lambda _n: office.desk.book(CLIENT, held.booking.id, "citizen", NOW))

    assert {} == refusals(results)
    assert {1} == {made.meeting.desired_generation for made in winners(results)}
    assert BookingState.PENDING is office.see(held.booking.id).booking.state


def test_cancelling_while_moving_ends_in_one_of_the_two(office):
    made = office.book(at(9))

    def act(n: int) -> object:
        if n % 2:
            return office.desk.cancel(CLIENT, made.booking.id, NOW)
        return office.desk.reschedule(CLIENT, made.booking.id, at(12), None, None, NOW)

    all_at_once(10, act)

    assert BookingState.CANCELLED is office.see(made.booking.id).booking.state
    assert [] == claims(office)["anna"]


def test_the_same_key_fifty_times_gets_the_same_bytes(office):
    one_answer_for_all(office)


def one_answer_for_all(office: Office) -> None:
    counted: list[int] = []

    def action(tx: Tx) -> Reply:
        counted.append(1)
        made = office.desk.hold(CLIENT, "talk", at(9), "anna", Form.IN_PERSON, None, NOW, tx=tx)
        return Reply(201, f"{made.booking.id} {len(counted)}".encode(), made.booking.id)

    replies = all_at_once(MANY, lambda _n: office.desk.once(CLIENT, "key", "digest", action, NOW))

    assert {} == refusals(replies)
    assert 1 == len({(reply.status, reply.body) for reply in winners(replies)})
    assert [1] == counted
    assert MANY - 1 == sum(reply.replayed for reply in winners(replies))
    assert 1 == len(claims(office)["anna"])


def test_of_two_bodies_under_one_key_one_wins_and_the_other_is_refused(office: Office) -> None:
    def act(n: int) -> Reply:
        start = at(9) if n % 2 else at(12)
        return office.desk.once(
            CLIENT,
            "key",
            f"body-{n % 2}",
            lambda tx: Reply(
                201, office.desk.hold(CLIENT, "talk", start, "anna", Form.PHONE, None, NOW, tx=tx).booking.id.encode()
            ),
            NOW,
        )

    results = all_at_once(20, act)

    assert {KeyReused.__name__: 10} == refusals(results)
    assert 1 == len({reply.body for reply in winners(results)})
    assert 1 == len(claims(office)["anna"])


def test_a_refused_action_leaves_its_key_free_for_the_next(office: Office) -> None:
    office.hold(at(9))

    def act(n: int) -> Reply:
        start = at(9) if n < 10 else at(12)
        action = lambda tx: Reply(
            201, office.desk.hold(CLIENT, "talk", start, "anna", Form.PHONE, None, NOW, tx=tx).booking.id.encode()
        )
        return office.desk.once(CLIENT, f"key-{n % 10}", f"{start}", action, NOW)

    results = all_at_once(20, act)

    assert 1 == len({reply.body for reply in winners(results)})


class TestTheSuiteItself:
    """A guard that is taken away is missed: else the tests above prove nothing."""

    def test_without_the_databases_rule_overlaps_happen(self, office, monkeypatch):
        """Both guards gone, the rule of the database and the proof before it: the suite must see overlaps."""
        with office.store.begin() as tx:
            for statement in _drop_rule(tx):
                tx.session.execute(text(statement))
        monkeypatch.setattr(office.publisher, "still_free", lambda *_a, **_k: None)

        results = all_at_once(10, lambda _n: office.hold(at(9)))

        assert 10 == len(winners(results))
        with pytest.raises(AssertionError):
            assert_no_overlap(office)

    def test_the_database_alone_refuses_every_overlap(self, office, monkeypatch):
        monkeypatch.setattr(office.publisher, "still_free", lambda *_a, **_k: None)

        results = all_at_once(MANY, lambda n: office.hold(at(9) + timedelta(minutes=15 * (n % 4))))

        assert {"SlotGone"} == set(refusals(results))
        assert_no_overlap(office)

    def test_an_idempotency_row_claimed_by_rowcount_is_caught(self, migrated_postgres_url, monkeypatch):
        """psycopg reports -1 for an insert that did nothing and for one that did: SQLite alone would not notice."""
        office = Office.open(migrated_postgres_url)

        def by_rowcount(self, client, key, digest, now):
            row = {"client": client, "key": key, "digest": digest, "created": int(now.timestamp())}
            inserted = self._session.execute(postgresql.insert(IdempotencyRow).values(row).on_conflict_do_nothing())
            return inserted.rowcount == 1

        monkeypatch.setattr(Idempotency, "_insert", by_rowcount)

        with pytest.raises(AssertionError):
            one_answer_for_all(office)
        office.store.close()


class TestOneLockOrder:
    """Citizen, offer, people, site-day, rows: whoever takes locks in one order never waits in a circle."""

    ORDER = ("1:citizen", "2:offer", "mailboxes", "4:site-day", "bookings", "meetings")

    @pytest.fixture
    def office(self, migrated_postgres_url: str) -> Iterator[Office]:
        rules = town.rulebook(town.offer(one_future=True, offer_per_day=5))
        opened = Office.open(migrated_postgres_url, rulebook=rules)
        yield opened
        opened.store.close()

    @pytest.fixture
    def taken(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The locks in the order in which they were taken, since the last BEGIN."""
        seen: list[str] = []
        execute = StraightSession.execute

        def watch(session: StraightSession, statement: Executable, values: Any = None, **more: Any) -> Any:
            said = str(cast(ClauseElement, statement).compile(dialect=postgresql.dialect()))
            if "pg_advisory_xact_lock" in said:
                seen.append(values["name"])
            elif "FOR UPDATE" in said and "SKIP LOCKED" not in said:
                seen.append(table := said.split("FROM")[1].split()[0])
                assert table != "mailboxes" or "ORDER BY mailboxes.id" in said
            return execute(session, statement, values, **more)

        monkeypatch.setattr(StraightSession, "execute", watch)
        return seen

    def assert_in_order(self, taken: list[str]) -> None:
        # A lock that is held may be taken again.
        ranks = [(self.ORDER.index(_kind(name)), name) for name in dict.fromkeys(taken)]
        assert len(set(map(_kind, taken))) > 1
        assert sorted(ranks) == ranks, taken

    def test_hold(self, office, taken):
        office.hold(at(9), citizen="citizen")

        self.assert_in_order(taken)
        assert {"1:citizen", "2:offer", "mailboxes", "4:site-day"} == set(map(_kind, taken))

    def test_book(self, office, taken):
        held = office.hold(at(9))
        taken.clear()
        office.desk.book(CLIENT, held.booking.id, "citizen", NOW)

        self.assert_in_order(taken)

    def test_move_and_cancel(self, office, taken):
        made = office.book(at(9))
        for act in (
            lambda: office.desk.reschedule(CLIENT, made.booking.id, at(13), "bo", None, NOW),
            lambda: office.desk.cancel(CLIENT, made.booking.id, NOW),
        ):
            taken.clear()
            act()
            self.assert_in_order(taken)

    def test_following_a_human(self, office, taken):
        made = office.book(at(9))
        office.settle(NOW)
        office.calendar.edit("anna", made.meeting.uid, interval=Interval.at(at(13), 45))
        office.sync(NOW)
        taken.clear()
        office.reconciler._follow(made.meeting, self._moved(office, made), NOW)

        self.assert_in_order(taken)

    def test_a_whole_absence_is_carried_out(self, office, taken):
        """Several meetings, days and people at a time: nobody who carries out another one waits in a circle."""
        first, second, third = (office.book(at(9, day=day)) for day in (26, 25, 24))
        taken.clear()

        done = office.handover.carry_out(
            [
                Choice(first.meeting.id, Remedy.COLLEAGUE, "bo"),
                Choice(second.meeting.id, Remedy.NEW_TIME, "bo", at(13, day=27)),
                Choice(third.meeting.id, Remedy.CANCEL),
            ],
            "cli:olga",
            NOW,
        )

        assert [None] * 3 == [one.error for one in done]
        self.assert_in_order(taken)
        days = [name[-2:] for name in dict.fromkeys(taken) if name.startswith("4:")]
        assert ["24", "25", "26", "27"] == days

    def test_a_meeting_that_may_take_others_along_gets_a_new_time(self, migrated_postgres_url, taken, monkeypatch):
        people = ("anna", "bo", "cara")
        rules = town.rulebook(town.offer(("anna",), partners=(("bo", "cara"),)), town.offer(people, name="alone"))
        office = Office.open(migrated_postgres_url, directory=town.directory(people), rulebook=rules)
        made = office.book(at(9))
        taken.clear()
        asked: list[tuple[str, ...]] = []
        right = Mailboxes.lock

        def lock(self: Mailboxes, *ids: str) -> None:
            asked.append(ids)
            right(self, *ids)

        monkeypatch.setattr(Mailboxes, "lock", lock)
        choice = Choice(made.meeting.id, Remedy.NEW_TIME, "anna", at(13))
        [done] = office.handover.carry_out([choice], "cli:olga", NOW)
        office.store.close()

        assert done.error is None
        assert people == asked[0], "everybody before the first row is locked"
        self.assert_in_order(taken)

    def test_a_look_that_finds_a_room_for_a_meeting_without_one(self, office, taken):
        made = office.book(at(9))
        with office.store.begin() as tx:
            tx.meetings.release(made.meeting.id, made.meeting.room)
            desire(tx, replace(made.meeting, room=None, room_state=RoomState.MISSING), NOW)
        taken.clear()
        office.settle(NOW)

        assert RoomState.ACCEPTED is office.meeting(made.meeting.id).room_state
        began = taken.index("4:site-day:hq:2026-11-24")
        self.assert_in_order(taken[began - 1 :])

    def test_what_only_calendars_know_is_taken_up(self, office, taken):
        made = office.book(at(9))
        office.settle(NOW)
        with office.store.begin() as tx:
            for table in (BookingRow, ClaimRow, EntryRow):
                tx.session.execute(delete(table).where(table.meeting == made.meeting.id))
            tx.session.execute(delete(MeetingRow).where(MeetingRow.id == made.meeting.id))
        taken.clear()

        assert 1 == office.reconciler.sweep(NOW)
        self.assert_in_order(taken)
        assert {"mailboxes", "4:site-day", "meetings"} <= set(map(_kind, taken))

    def test_locks_in_another_order_are_caught(self, office, taken, monkeypatch):
        right = Wish.lock

        def wrong(wish: Wish, tx: Tx, directory: Any, caseworker: str) -> None:
            lock_site_days(tx, directory, {caseworker}, [wish.interval])
            right(wish, tx, directory, caseworker)

        monkeypatch.setattr(Wish, "lock", wrong)
        office.hold(at(9), citizen="citizen")

        with pytest.raises(AssertionError):
            self.assert_in_order(taken)

    def test_unsorted_locks_are_caught(self, office, taken, monkeypatch):
        days = [locks.site_day("hq", date(2026, 11, day)) for day in (25, 24)]
        for wrong in (False, True):
            if wrong:
                monkeypatch.setattr(locks, "sorted", lambda names: days, raising=False)
            taken.clear()
            with office.store.begin() as tx:
                tx.mailboxes.lock("anna")
                locks.take(tx.session, days)
            with pytest.raises(AssertionError) if wrong else nullcontext():
                self.assert_in_order(taken)

    def _moved(self, office: Office, made: Any) -> Moved:
        entry = office.entries("anna", made.meeting)[0]
        assert entry.interval is not None
        return Moved("anna", entry.interval, entry)


def _kind(lock: str) -> str:
    return ":".join(lock.split(":")[:2])


def _drop_rule(tx: Tx) -> list[str]:
    if tx.session.get_bind().dialect.name == "postgresql":
        return ["ALTER TABLE claims DROP CONSTRAINT ex_claims_no_overlap"]
    return ["DROP TRIGGER claims_no_overlap_insert", "DROP TRIGGER claims_no_overlap_update"]
