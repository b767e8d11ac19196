"""Passes of the engine over a rough server and a real database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from syncd.clock import FixedClock
from syncd.errors import AccessDenied, SyncdError, Throttled, TokenExpired, Transient
from syncd.model.busy import Occurrence, Stamp
from syncd.model.delta import Delta, Since
from syncd.model.directory import Mailbox
from syncd.model.interval import Interval
from syncd.model.mirror import MailboxStatus, trust
from syncd.ports import Memory
from syncd.store import Store
from syncd.store.mailboxes import Mailboxes
from syncd.store.tables import AuditRow, EntryRow, MeetingRow
from syncd.sync.engine import Engine
from syncd.sync.outcome import Outcome, Result
from syncd.sync.quiet import Notes
from syncd.sync.timing import Pace, window
from tests.rough_server import NOW, RoughServer, busy, directory, mailbox

MINUTE = timedelta(minutes=1)
WINDOW = window(NOW, 60)


class World:
    """One mailbox, its server, its engine and a clock."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.server = RoughServer()
        self.now = NOW
        self.engine = self.another_engine()

    def another_engine(self, *mailboxes: Mailbox) -> Engine:
        return Engine(self.store, {"test": self.server}, directory(*mailboxes), Pace(), elapsed=lambda: 0.0)

    def sync(self, **how: Any) -> Outcome:
        self.now += MINUTE
        return self.engine.sync_mailbox("kim", self.now, **how)

    def fill(self, count: int) -> None:
        for n in range(count):
            self.server.put(f"k{n}", busy(NOW + timedelta(hours=n + 2), uid=f"u{n}"))

    def seen(self) -> set[Occurrence]:
        with self.store.read() as tx:
            return set(tx.mailboxes.occurrences(["kim"], WINDOW)["kim"])

    def truth(self) -> set[Occurrence]:
        return {occurrence for _, occurrence in self.server.truth(WINDOW)}

    def status(self) -> MailboxStatus:
        with self.store.read() as tx:
            status = tx.mailboxes.status("kim")
        assert status is not None
        return status

    def generation(self) -> int:
        with self.store.read() as tx:
            return tx.settings.generation()

    def installation(self) -> str:
        with self.store.read() as tx:
            return tx.settings.installation()

    def fail_with(self, *errors: Exception) -> None:
        """The next calls end like this, one after the other."""
        rest = list(errors)

        def before() -> None:
            if rest:
                raise rest.pop(0)

        self.server.before = before

    def meet(self, meeting: str, hour: int, *, wanted: bool = True, key: str | None = None) -> Occurrence:
        """A meeting of ours, in the database and (as *key*) on the server."""
        occurrence = busy(NOW + timedelta(hours=hour), stamp=Stamp(self.installation(), meeting, 1, "d"))
        with self.store.begin() as tx:
            tx.session.add(meeting_row(meeting, occurrence.interval, wanted))
            tx.session.flush()
            entry = EntryRow(meeting=meeting, mailbox="kim", wanted=wanted, key=key or meeting, generation=1)
            tx.session.add(entry)
        self.server.put(key or meeting, occurrence)
        return occurrence

    def due(self) -> list[str]:
        with self.store.read() as tx:
            return sorted(tx.meetings.due(self.now, 100))

    def audit(self) -> list[tuple[str, str, str]]:
        """What was written down: who, what, and about what."""
        with self.store.read() as tx:
            asked = select(AuditRow.actor, AuditRow.action, AuditRow.detail).order_by(AuditRow.id)
            return [(row.actor, row.action, str(row.detail)) for row in tx.session.execute(asked)]


def meeting_row(meeting: str, interval: Interval, wanted: bool) -> MeetingRow:
    required = {c.name: c.type.python_type() for c in MeetingRow.__table__.columns if not c.nullable}
    times = {"start": int(interval.start.timestamp()), "end": int(interval.end.timestamp())}
    return MeetingRow(
        **required | times | {"id": meeting, "uid": meeting, "wanted": wanted, "desired_generation": 1, "room": None}
    )


@pytest.fixture
def world(migrated_sqlite_url: str) -> Iterator[World]:
    """On SQLite: what the engine decides is the same on both, and the store has tests of its own."""
    yield from worlds(migrated_sqlite_url)


@pytest.fixture
def world_on_both(migrated_url: str) -> Iterator[World]:
    """For passes whose locks and transactions matter."""
    yield from worlds(migrated_url)


def worlds(url: str) -> Iterator[World]:
    store = Store(url)
    world = World(store)
    world.engine.prepare()
    yield world
    store.close()


def test_at_midnight_answers_may_differ_though_nothing_changed(world: World) -> None:
    world.now = NOW.replace(hour=23, minute=58)
    world.sync()
    before, generation = world.status().covered, world.generation()
    world.sync()

    assert before != world.status().covered
    assert generation < world.generation()


def test_a_pass_in_which_nothing_changed_only_makes_the_mirror_younger(world: World) -> None:
    world.fill(3)
    world.sync()
    before, generation = world.status(), world.generation()

    outcome = world.sync()

    assert (Result.UNCHANGED, 0) == (outcome.result, outcome.changed)
    assert replace(before, as_of=world.now) == world.status()
    assert generation == world.generation()


def test_many_quiet_passes_are_written_down_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = [mailbox(f"k{n}") for n in range(5)]
    engine = world.another_engine(*boxes)
    names = [box.id for box in boxes]
    engine.sync_many(names, FixedClock(NOW))
    written: list[list[str]] = []
    inner = Mailboxes.unchanged

    def unchanged(self: Mailboxes, ids: list[str], at: datetime) -> None:
        written.append(ids)
        inner(self, ids, at)

    monkeypatch.setattr(Mailboxes, "unchanged", unchanged)

    outcomes = engine.sync_many(names, FixedClock(NOW + MINUTE))

    assert {Result.UNCHANGED} == {one.result for one in outcomes}
    assert [names] == [sorted(ids) for ids in written]
    with world.store.read() as tx:
        assert {NOW + MINUTE} == {status.as_of for name, status in tx.mailboxes.statuses().items() if name in names}


def test_what_is_written_down_together_is_as_old_as_the_oldest_of_it(world: World) -> None:
    names = ["k0", "k1"]
    world.another_engine(*(mailbox(name) for name in names)).sync_many(names, FixedClock(NOW))
    notes = Notes(world.store)
    notes.add("k0", NOW + 2 * MINUTE)
    notes.add("k1", NOW + MINUTE)
    notes.flush()

    with world.store.read() as tx:
        assert {NOW + MINUTE} == {tx.mailboxes.statuses()[name].as_of for name in names}


def test_an_old_mirror_that_is_seen_unchanged_opens_its_offers_again(world: World) -> None:
    world.fill(1)
    world.sync()
    generation = world.generation()

    world.now += Pace().max_age
    world.sync()

    assert generation < world.generation()


def test_the_first_pass_reads_everything_and_the_next_only_what_changed(world_on_both: World) -> None:
    world = world_on_both
    world.fill(3)
    first = world.sync()
    world.server.put("k1", busy(NOW + timedelta(days=3), uid="moved"))
    world.server.remove("k2")
    second = world.sync()

    assert (Result.OK, True, 3, 0) == (first.result, first.full, first.changed, first.removed)
    assert (Result.OK, False, 1, 1) == (second.result, second.full, second.changed, second.removed)
    assert world.truth() == world.seen()
    assert [None, Since("3", WINDOW)] == world.server.calls


def test_a_pass_without_news_changes_no_answer_but_renews_trust(world: World) -> None:
    world.fill(3)
    world.sync()
    before = world.generation()
    outcome = world.sync()

    assert Result.UNCHANGED == outcome.result
    assert before == world.generation()
    assert world.now == world.status().as_of


def test_a_pass_after_a_long_silence_changes_answers_because_the_mailbox_opens(world: World) -> None:
    world.sync()
    before = world.generation()
    world.now += timedelta(hours=1)
    world.sync()

    assert before + 1 == world.generation()


def test_a_forgotten_token_means_a_full_listing_in_the_same_pass(world: World) -> None:
    world.fill(3)
    world.sync()
    world.server.remove("k0")
    world.server.forget_tokens()
    outcome = world.sync()

    assert (Result.OK, True, 1) == (outcome.result, outcome.full, outcome.removed)
    assert world.truth() == world.seen()


def test_a_server_that_always_forgets_is_a_problem_not_a_loop(world: World) -> None:
    world.fail_with(*[TokenExpired("Forgotten.")] * 9)

    assert Result.FAILED == world.sync().result
    assert 1 == len(world.server.calls)


def test_a_full_pass_comes_now_and_then_by_itself(world: World) -> None:
    world.sync()
    world.now += timedelta(days=1.3)

    assert world.sync().full
    assert not world.sync().full


def test_the_window_moves_with_the_days(world: World) -> None:
    world.server.put("far", busy(NOW + timedelta(days=62)))
    world.sync()
    assert [] == list(world.seen())
    world.now += timedelta(days=2)
    world.sync()
    with world.store.read() as tx:
        later = tx.mailboxes.occurrences(["kim"], window(world.now, 60))["kim"]

    assert [busy(NOW + timedelta(days=62))] == later


@pytest.mark.parametrize(
    ("error", "least"), [(Transient("Away."), 0.7), (AccessDenied("No."), 3.5), (Throttled("Busy.", 900), 15)]
)
def test_a_failure_is_written_down_and_leaves_the_mirror_alone(
    world_on_both: World, error: Exception, least: float
) -> None:
    world = world_on_both
    world.fill(2)
    world.sync()
    held, as_of, generation = world.seen(), world.status().as_of, world.generation()
    world.fail_with(error)
    outcome = world.sync()
    status = world.status()

    assert (Result.FAILED, str(error)) == (outcome.result, outcome.problem)
    assert (str(error), world.now, 1, as_of) == (
        status.problem,
        status.problem_since,
        status.attempts,
        status.as_of,
    )
    assert status.retry_at is not None
    assert status.retry_at >= world.now + least * MINUTE - timedelta(seconds=1)
    assert (held, generation) == (world.seen(), world.generation())


def test_a_troubled_mailbox_is_left_alone_until_its_pause_is_over(world: World) -> None:
    world.fail_with(Throttled("Busy.", 600))
    world.sync()
    waiting = world.sync()
    forced = world.sync(force=True)

    assert (Result.WAITING, "Busy.") == (waiting.result, waiting.problem)
    assert Result.UNCHANGED == forced.result
    assert 2 == len(world.server.calls)
    assert world.status().problem is None


def test_an_empty_listing_is_refused_and_says_which_command_helps(world: World) -> None:
    world.fill(8)
    world.sync()
    held = world.seen()
    world.server.hidden = frozenset(world.server.items)
    outcome = world.sync(full=True)

    assert Result.REFUSED == outcome.result
    assert "8 of 8 items vanished" in str(outcome.problem)
    assert "syncd sync --accept-loss kim" in str(outcome.problem)
    assert held == world.seen()
    assert outcome.problem == world.status().refused
    assert not trust(world.status(), world.now, timedelta(days=9), WINDOW).open


def test_a_refused_mailbox_is_compared_anew_and_opens_by_itself_when_all_is_back(world: World) -> None:
    world.fill(8)
    world.sync()
    world.server.hidden = frozenset(world.server.items)
    world.sync(full=True)
    assert Result.REFUSED == world.sync().result
    world.server.hidden = frozenset()
    outcome = world.sync()

    assert (Result.UNCHANGED, True) == (outcome.result, outcome.full)
    assert world.status().refused is None
    assert world.truth() == world.seen()


def test_a_token_that_lies_is_checked_against_a_full_listing(world: World) -> None:
    world.fill(8)
    world.sync()

    class Liar(RoughServer):
        def changes(self, mailbox: Mailbox, window: Interval, since: Since | None, memory: Memory) -> Delta:
            delta = super().changes(mailbox, window, since, memory)
            return delta if since is None else replace(delta, gone=tuple(self.items))

    liar = Liar(world.server.items, world.server.serial, world.server.log)
    engine = Engine(world.store, {"test": liar}, directory(), Pace(), elapsed=lambda: 0.0)
    outcome = engine.sync_mailbox("kim", world.now + MINUTE)

    assert (Result.UNCHANGED, True, 2) == (outcome.result, outcome.full, outcome.requests)
    assert world.truth() == world.seen()


def test_a_loss_can_be_looked_at_and_accepted(world_on_both: World) -> None:
    world = world_on_both
    world.fill(8)
    world.meet("m1", 20)
    world.sync()
    for key in ("k0", "k1", "k2", "k3", "k4", "m1"):
        world.server.remove(key)
    refused = world.sync()
    preview = world.engine.preview_loss("kim", world.now)
    assert 9 == len(world.seen())
    accepted = world.sync(accept_loss=True)

    assert Result.REFUSED == refused.result
    assert preview.refused
    assert {"k0", "k1", "k2", "k3", "k4", "m1"} == set(preview.loss.groups)
    assert (("m1",), 9) == (preview.loss.meetings, preview.loss.total)
    assert (Result.OK, 6) == (accepted.result, accepted.removed)
    assert world.truth() == world.seen()
    assert world.status().refused is None
    assert ["m1"] == world.due()


def test_two_of_our_own_meetings_gone_are_refused_even_in_a_full_calendar(world: World) -> None:
    world.fill(50)
    world.meet("m1", 60)
    world.meet("m2", 61)
    world.sync()
    world.server.remove("m1")
    world.server.remove("m2")
    outcome = world.sync()

    assert Result.REFUSED == outcome.result
    assert ("m1", "m2") == outcome.touched
    assert "2 of them meetings of ours" in str(outcome.problem)
    assert ["m1", "m2"] == world.due()  # from the first pass only


def test_our_own_cancellations_pass(world: World) -> None:
    for n in range(6):
        world.meet(f"m{n}", 20 + n, wanted=False)
    world.sync()
    for n in range(6):
        world.server.remove(f"m{n}")

    assert (Result.OK, 6) == (world.sync().result, 6 - len(world.seen()))


def test_a_new_event_beside_our_meeting_lets_reconcile_look(world: World) -> None:
    meeting = world.meet("m1", 20)
    world.meet("m2", 40)
    world.sync()
    with world.store.begin() as tx:
        for row in tx.session.query(MeetingRow):
            row.due = None
    world.server.put("clash", busy(meeting.interval.start + timedelta(minutes=30)))
    outcome = world.sync()

    assert ("m1",) == outcome.touched
    assert ["m1"] == world.due()


def test_an_unreadable_object_closes_the_mailbox_until_it_is_acknowledged(world: World) -> None:
    world.fill(2)
    world.server.put("bad", broken=True)
    outcome = world.sync()

    assert (Result.OK, 1) == (outcome.result, outcome.unreadable)
    assert str(outcome.problem).endswith("run: syncd sync kim --acknowledge bad")
    assert not trust(world.status(), world.now, timedelta(days=9), WINDOW).open
    with pytest.raises(SyncdError, match="no unreadable object 'good'"):
        world.engine.acknowledge("kim", "good", world.now)
    assert "bad" == world.engine.acknowledge("kim", "bad", world.now).key
    assert trust(world.status(), world.now, timedelta(days=9), WINDOW).open
    again = world.sync(full=True)
    assert (0, None) == (again.unreadable, again.problem)


def test_who_let_what_go_and_what_is_looked_up_anew_is_written_down(world: World) -> None:
    world.fill(8)
    world.meet("m1", 20)
    world.server.put("bad", broken=True)
    world.sync()
    for key in ("k0", "k1", "k2", "k3", "k4"):
        world.server.remove(key)
    world.sync(accept_loss=True, actor="cli:eva")
    item = world.engine.acknowledge("kim", "bad", world.now, actor="cli:ida")

    assert [
        ("syncd", "calendar.moved", "kim: 1 meeting(s) looked up again"),
        ("cli:eva", "loss.accepted", "kim: 5 of 9 entries to come, 0 meeting(s) of ours"),
        ("cli:ida", "object.acknowledged", f"kim: bad, SHA-256 {item.digest}"),
    ] == world.audit()


def test_an_unreadable_object_is_tried_again_in_a_full_pass(world: World) -> None:
    world.server.put("bad", busy(NOW), broken=True)
    world.sync()
    world.server.items["bad"].broken = False  # a newer syncd understands the same bytes
    assert 1 == world.sync().unreadable
    outcome = world.sync(full=True)

    assert 0 == outcome.unreadable
    assert world.truth() == world.seen()


def test_a_pass_that_was_overtaken_writes_nothing(world_on_both: World) -> None:
    world = world_on_both
    world.fill(2)
    other = world.another_engine()

    def overtake() -> None:
        world.server.after = lambda: None
        world.server.put("late", busy(NOW + timedelta(days=5)))
        other.sync_mailbox("kim", world.now)

    world.server.after = overtake
    outcome = world.sync()

    assert Result.OVERTAKEN == outcome.result
    assert world.truth() == world.seen()
    assert 1 == world.status().revision


def test_a_mailbox_that_left_the_configuration_is_forgotten(world: World) -> None:
    world.fill(2)
    world.sync()
    engine = world.another_engine(mailbox("bo"))

    assert ["kim"] == engine.prepare()
    assert set() == world.seen()
    with pytest.raises(SyncdError, match="no mailbox 'kim'"):
        engine.sync_mailbox("kim", world.now)


def test_many_mailboxes_are_read_and_one_failure_stops_no_other(world_on_both: World) -> None:
    world = world_on_both
    names = [f"p{n}" for n in range(20)]
    engine = world.another_engine(*(mailbox(name) for name in names))
    world.fill(1)
    world.fail_with(Transient("Away."))
    told: list[Outcome] = []
    outcomes = engine.sync_many(names, FixedClock(NOW), progress=told.append)

    assert names == [one.mailbox for one in outcomes]
    assert 1 == sum(one.result is Result.FAILED for one in outcomes)
    assert 19 == sum(one.completed for one in outcomes)
    assert set(outcomes) == set(told)


def test_a_stop_begins_no_more_passes(world: World) -> None:
    engine = world.another_engine(*(mailbox(f"p{n}") for n in range(20)))
    done: list[Outcome] = []
    outcomes = engine.sync_many(
        [f"p{n}" for n in range(20)], FixedClock(NOW), progress=done.append, stopping=lambda: len(done) >= 3
    )

    assert 3 <= len(outcomes) <= 3 + Pace().workers
