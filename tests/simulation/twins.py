"""Buggy twins: the mistakes this trade makes, planted one at a time; a suite that misses one proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from syncd.booking import decide as deciding
from syncd.booking import follow as following
from syncd.booking import reconcile, steps
from syncd.booking import record as recording
from syncd.booking.sight import Decision, Limits, Moved, Newer, Remove, RoomTaken, Sighting, Step, Withdrawn, Write
from syncd.booking.steps import Acted
from syncd.errors import OutcomeUnknown
from syncd.model.booking import EntryRecord, Meeting
from syncd.model.directory import Mailbox, MailboxKind
from syncd.store.bookings import Bookings
from syncd.store.meetings import Meetings
from tests.simulation.server import Server

Twin = Callable[[pytest.MonkeyPatch], None]
TWINS: dict[str, Twin] = {}


def twin(plant: Twin) -> Twin:
    """Add one to the list, named by what it does wrong."""
    TWINS[plant.__name__] = plant
    return plant


def _filtered(patch: pytest.MonkeyPatch, change: Callable[[Decision, Meeting], Decision]) -> None:
    """Let every decision pass through *change*."""
    right = deciding.decide

    def wrong(meeting: Meeting, *rest: Any) -> Decision:
        return change(right(meeting, *rest), meeting)

    patch.setattr(reconcile, "decide", wrong)


@twin
def writes_again_without_looking(patch: pytest.MonkeyPatch) -> None:
    """The naive retry: as long as nothing is confirmed, create."""
    right = deciding._look

    def wrong(meeting: Meeting, sight: Any, *rest: Any) -> Decision:
        if sight.draft is not None and sight.record.generation == 0:
            return Decision(steps=(Write(sight.mailbox, sight.draft, None),))
        return right(meeting, sight, *rest)

    patch.setattr(deciding, "_look", wrong)


@twin
def skips_the_echo_by_its_key(patch: pytest.MonkeyPatch) -> None:
    """What stands under the key we wrote counts as our own echo, whatever it says now."""
    right = deciding._present

    def wrong(meeting: Meeting, sight: Sighting, draft: Any, entry: Any, *rest: Any) -> Decision:
        written = sight.record.generation >= meeting.desired_generation
        if written and entry.key == sight.record.key:
            return Decision(records=(deciding.seen(sight.record, entry),))
        return right(meeting, sight, draft, entry, *rest)

    patch.setattr(deciding, "_present", wrong)


@twin
def never_looks_at_what_is_done(patch: pytest.MonkeyPatch) -> None:
    """Search, then create, and be content: what lands later is never seen."""
    patch.setattr(Meetings, "touch", lambda *_a: None)
    patch.setattr(Meetings, "strayed", lambda *_a: [])


@twin
def takes_silence_for_success(patch: pytest.MonkeyPatch) -> None:
    """A write without an answer is recorded as done."""
    right = steps.act

    def wrong(*arguments: Any) -> Acted:
        acted = right(*arguments)
        kept = {box: error for box, error in acted.failures.items() if not isinstance(error, OutcomeUnknown)}
        return replace(acted, failures=kept)

    patch.setattr(reconcile, "act", wrong)


@twin
def forgets_what_it_owes(patch: pytest.MonkeyPatch) -> None:
    """The owed row is not written with the wish; only the caller's hint, lost in a crash, would tell."""
    right = Meetings.save

    def wrong(self: Meetings, meeting: Meeting, due: Any) -> None:
        right(self, meeting, None if due == 0 and meeting.desired_generation > 1 else due)

    patch.setattr(Meetings, "save", wrong)


@twin
def records_over_a_newer_wish(patch: pytest.MonkeyPatch) -> None:
    """What a look found is recorded although more was wished meanwhile."""
    right = recording.record

    def wrong(tx: Any, looked_at: Meeting, *rest: Any) -> bool:
        now = tx.meetings.get(looked_at.id)
        return right(tx, replace(looked_at, desired_generation=now.desired_generation), *rest)

    patch.setattr(reconcile, "record", wrong)


@twin
def drags_meetings_back(patch: pytest.MonkeyPatch) -> None:
    """A human's move is overwritten."""
    patch.setattr(
        deciding,
        "_touched",
        lambda sight, entry: Decision(steps=(Write(sight.mailbox, sight.draft, entry),)),
    )


@twin
def takes_a_late_write_for_a_human(patch: pytest.MonkeyPatch) -> None:
    """Every time that differs from the wish is a human's, whatever the stamp says."""
    right = deciding._present

    def wrong(meeting: Meeting, sight: Any, draft: Any, entry: Any, *rest: Any) -> Decision:
        if sight.kind == "person" and entry.interval not in (None, meeting.interval):
            return Decision(verdict=Moved(sight.mailbox, entry.interval, entry))
        return right(meeting, sight, draft, entry, *rest)

    patch.setattr(deciding, "_present", wrong)


@twin
def believes_the_first_look(patch: pytest.MonkeyPatch) -> None:
    """A missing entry is a human's deletion at once: the tombstone is believed too early."""

    def wrong(sight: Any, draft: Any, _now: Any, _limits: Limits) -> Decision:
        if sight.record.generation == 0:
            return Decision(steps=(Write(sight.mailbox, draft, None),))
        gone = Withdrawn(sight.mailbox) if sight.kind == "person" else RoomTaken(sight.mailbox)
        return Decision(verdict=gone)

    patch.setattr(deciding, "_absent", wrong)


@twin
def writes_once_more_what_was_removed_unseen(patch: pytest.MonkeyPatch) -> None:
    """The answer to a first write was lost, the entry deleted: nobody asks the server whether it was ever there."""
    patch.setattr(Server, "remembers", lambda *_a: False)


@twin
def forgets_that_it_was_removed_unseen(patch: pytest.MonkeyPatch) -> None:
    """The server said so, and nobody wrote it down: the same is asked for ever."""
    patch.setattr(recording, "_missed", lambda *_a: None)


@twin
def writes_back_what_a_human_removed(patch: pytest.MonkeyPatch) -> None:
    """A missing entry is always written again."""
    patch.setattr(deciding, "_absent", lambda sight, draft, *_r: Decision(steps=(Write(sight.mailbox, draft, None),)))


@twin
def keeps_surplus_copies(patch: pytest.MonkeyPatch) -> None:
    """Of two copies the right one is looked at, and the other one left."""

    def change(decision: Decision, meeting: Meeting) -> Decision:
        kept = [step for step in decision.steps if not (meeting.wanted and isinstance(step, Remove))]
        return replace(decision, steps=tuple(kept))

    _filtered(patch, change)


@twin
def cleans_the_caseworkers_calendar_only(patch: pytest.MonkeyPatch) -> None:
    """A cancelled meeting stays in the room's calendar, and counts as gone from there.

    Not to remember the room at all does no harm any more: see `scenarios.forgotten_room`.
    """
    right = deciding._clean

    def wrong(sight: Sighting, ours: Any, now: datetime) -> Decision:
        return right(sight, () if sight.kind is MailboxKind.ROOM else ours, now)

    patch.setattr(deciding, "_clean", wrong)


@twin
def follows_without_claiming(patch: pytest.MonkeyPatch) -> None:
    """A followed meeting keeps the claims of its old time, so the new time is given away again."""
    patch.setattr(following, "placed", lambda _tx, meeting, _ground: meeting)


@twin
def changes_without_demanding_the_version(patch: pytest.MonkeyPatch) -> None:
    """Writes go out without If-Match: what a human did a moment ago is gone."""
    patch.setattr(Server, "demand_version", False)
    right = Server.__init__

    def wrong(self: Server, *arguments: Any, **named: Any) -> None:
        right(self, *arguments, **named)
        self.demand_version = False

    patch.setattr(Server, "__init__", wrong)


@twin
def deletes_what_the_restored_database_forgot(patch: pytest.MonkeyPatch) -> None:
    """A newer generation, or an unknown meeting, is somebody's rubbish and is removed."""

    def change(decision: Decision, _meeting: Meeting) -> Decision:
        if isinstance(decision.verdict, Newer):
            return Decision(steps=(Remove(decision.verdict.mailbox, decision.verdict.entry),))
        return decision

    _filtered(patch, change)


@twin
def takes_up_nothing_after_a_restore(patch: pytest.MonkeyPatch) -> None:
    """What only the calendars know stays unknown."""
    patch.setattr(reconcile, "adopt", lambda *_a: None)


@twin
def forgets_the_claims(patch: pytest.MonkeyPatch) -> None:
    """Neither people's nor rooms' time is claimed: the lock is forgotten."""
    patch.setattr(Meetings, "claim", lambda *_a, **_k: None)


@twin
def frees_live_holds(patch: pytest.MonkeyPatch) -> None:
    """Holds are freed before they run out."""
    right = Bookings.expire
    early = timedelta(minutes=10)
    patch.setattr(Bookings, "expire", lambda self, now, *rest: right(self, now + early, *rest))


@twin
def moves_one_calendar_only(patch: pytest.MonkeyPatch) -> None:
    """A new time is written for the caseworker; the room's entry stays where it was."""

    def change(decision: Decision, _meeting: Meeting) -> Decision:
        kept = [
            step
            for step in decision.steps
            if not (isinstance(step, Write) and step.mailbox.startswith("r") and step.entry)
        ]
        return replace(decision, steps=tuple(kept))

    _filtered(patch, change)


@twin
def takes_what_a_create_returns_on_trust(patch: pytest.MonkeyPatch) -> None:
    """What was there already is taken for what was just written."""
    right = steps._carry_out

    def wrong(step: Step, record: EntryRecord, mailbox: Mailbox, ports: Any) -> EntryRecord | None:
        if isinstance(step, Remove):
            return right(step, record, mailbox, ports)
        entry = steps._write(ports[mailbox.account], mailbox, step)
        return replace(deciding.seen(record, entry), generation=step.draft.stamp.generation)

    patch.setattr(steps, "_carry_out", wrong)


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The product with one mistake."""
    with pytest.MonkeyPatch.context() as patch:
        TWINS[name](patch)
        yield
