"""Asks a person about what the program cannot settle: meetings without anybody, and meetings that need a look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.booking.away import affected_by
from syncd.booking.texts import reference
from syncd.model.busy import BusyType
from syncd.model.directory import Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.mirror import MailboxStatus
from syncd.model.task import Facts, TaskKind
from syncd.model.zones import wall_clock
from syncd.store import Store, Tx, overview

UNREAD = timedelta(hours=24)
"""A calendar that could not be read for so long counts as vanished."""
AFTERWARDS = timedelta(days=7)
"""How long after a meeting a person is still asked to look at it."""


class Why(StrEnum):
    """What suggests an absence."""

    OUT_OF_OFFICE = "out-of-office"
    """An entry in the calendar says so, and covers meetings."""
    VANISHED = "vanished"
    """The calendar could not be read for long, or nobody watches it any more."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """An absence nobody gave, which covers meetings. :param meetings: how many."""

    caseworker: MailboxId
    interval: Interval
    why: Why
    meetings: int


class Watch:
    """Raises tasks, and settles them when their cause has gone.

    :param directory: everybody and everything as configured now.
    """

    def __init__(self, store: Store, directory: Callable[[], Directory]) -> None:
        self._store = store
        self._directory = directory

    def look(self, now: datetime) -> int:
        """Ask about everything that needs a person now; returns how many things do.

        :raises StoreError: the database cannot be used.
        """

        def work(tx: Tx) -> int:
            causes = list(self._causes(tx, now))
            for kind, about, facts in causes:
                tx.tasks.raise_(kind, about, facts, now)
            _settle(tx, {(kind, about) for kind, about, _ in causes}, now)
            return len(causes)

        return self._store.run(work)

    def suggested(self, tx: Tx, now: datetime) -> list[Suggested]:
        """Absences that calendars suggest, without those given by hand already; the earliest first."""
        given: dict[MailboxId, list[Interval]] = {}
        for absence in tx.absences.coming(now):
            given.setdefault(absence.caseworker, []).append(absence.interval)
        found = [*self._out_of_office(tx, now), *self._vanished(tx, now)]
        fresh = [one for one in found if not any(span.contains(one.interval) for span in given.get(one.caseworker, ()))]
        return sorted(fresh, key=lambda one: (one.interval, one.caseworker))

    def _out_of_office(self, tx: Tx, now: datetime) -> Iterator[Suggested]:
        for caseworker, entry, meetings in overview.covered_by(tx.session, BusyType.OUT_OF_OFFICE, now):
            if caseworker in self._directory().caseworkers:
                yield Suggested(caseworker, entry, Why.OUT_OF_OFFICE, meetings)

    def _vanished(self, tx: Tx, now: datetime) -> Iterator[Suggested]:
        statuses = tx.mailboxes.statuses()
        for caseworker, ahead, meetings in overview.ahead(tx.session, now):
            known = caseworker in self._directory().caseworkers
            if not known or _unread(statuses.get(caseworker), now):
                yield Suggested(caseworker, ahead, Why.VANISHED, meetings)

    def _causes(self, tx: Tx, now: datetime) -> Iterator[tuple[TaskKind, str, Facts]]:
        statuses = tx.mailboxes.statuses()
        told: set[tuple[TaskKind, str]] = set()
        for one in self.suggested(tx, now):
            gone = one.why is Why.VANISHED
            kind = TaskKind.CALENDAR_GONE if gone else TaskKind.ABSENCE_SUGGESTED
            if (kind, one.caseworker) not in told:  # the next one is told of when this one is settled
                told.add((kind, one.caseworker))
                status = statuses.get(one.caseworker)
                since = status.problem_since if gone and status is not None else None
                span = Interval(min(since, one.interval.start), one.interval.end) if since else one.interval
                yield kind, f"mailbox:{one.caseworker}", self._facts(one.caseworker, span, one.meetings, one.caseworker)
        for absence in tx.absences.coming(now):
            left = affected_by(tx, absence.caseworker, absence.interval, now, absence.reachable)
            if left:
                facts = self._facts(absence.caseworker, absence.interval, len(left), absence.id)
                yield TaskKind.ABSENCE_OPEN, f"absence:{absence.id}", facts
        yield from self._meetings(tx, now)

    def _meetings(self, tx: Tx, now: datetime) -> Iterator[tuple[TaskKind, str, Facts]]:
        for meeting in overview.needing_attention(tx.session, now - AFTERWARDS):
            when = wall_clock(meeting.interval.start, meeting.zone)
            facts: Facts = {
                "when": f"{when:%d.%m.%Y %H:%M}",
                "caseworker": self._name(meeting.caseworker),
                "reference": reference(meeting.id),
                "says": meeting.attention or "",
            }
            yield TaskKind.LOOK_AT_MEETING, f"meeting:{meeting.id}", facts

    def _facts(self, caseworker: MailboxId, span: Interval, meetings: int, which: MailboxId | int) -> Facts:
        zone = self._zone(caseworker)
        return {
            "caseworker": self._name(caseworker),
            "start": f"{wall_clock(span.start, zone):%d.%m.%Y %H:%M}",
            "end": f"{wall_clock(span.end, zone):%d.%m.%Y %H:%M}",
            "meetings": meetings,
            "id": which,
        }

    def _name(self, caseworker: MailboxId) -> str:
        person = self._directory().caseworkers.get(caseworker)
        return caseworker if person is None else person.name

    def _zone(self, caseworker: MailboxId) -> str:
        directory = self._directory()
        person = directory.caseworkers.get(caseworker)
        return (directory.sites[person.site] if person else next(iter(directory.sites.values()))).zone


_OURS = (TaskKind.ABSENCE_SUGGESTED, TaskKind.ABSENCE_OPEN, TaskKind.CALENDAR_GONE, TaskKind.LOOK_AT_MEETING)
"""Kinds that go when their cause does."""


def _settle(tx: Tx, causes: set[tuple[TaskKind, str]], now: datetime) -> None:
    """Close what no longer has a cause, and calls about meetings that are over."""
    for kind in _OURS:
        for task in tx.tasks.waiting(kind):
            if (kind, task.about) not in causes:
                tx.tasks.settle(kind, task.about, now)
    for task in tx.tasks.waiting(TaskKind.CALL_CITIZEN):
        meeting = tx.meetings.get(task.about.removeprefix("meeting:"))
        if meeting is None or meeting.interval.end + AFTERWARDS <= now:
            tx.tasks.settle(TaskKind.CALL_CITIZEN, task.about, now)


def _unread(status: MailboxStatus | None, now: datetime) -> bool:
    return status is not None and status.problem_since is not None and now - status.problem_since >= UNREAD
