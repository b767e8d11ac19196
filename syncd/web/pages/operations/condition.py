"""How the service stands, read once for the page: what `/metrics` counts, and which calendars and meetings it is."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from syncd import __version__
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.interval import Interval
from syncd.model.mirror import MailboxStatus, trust
from syncd.model.verdict import Reason
from syncd.model.zones import tzdata, wall_clock
from syncd.publish.why import distrust
from syncd.publish.words import sentences
from syncd.store import Tx
from syncd.store.backup import RESTORED, last_backup
from syncd.store.overview import Owed, Owing, database_version, longest_owed, owed
from syncd.store.pauses import paused
from syncd.store.reports import Reports
from syncd.web.deps import Deps

BEGUN = monotonic()
"""When this process read its own code."""
MOST = 10
"""Meetings that are owed are shown so many at most."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """One watched calendar.

    :param name: of the person or room. :param age: since it was last read; None when it never was.
    :param reason: why it is closed; None while it may be believed. :param says: the same as a sentence, by language.
    :param problem: what the last pass met (English, from the server); None when it went well.
    :param retry_at: not looked at again before; None when nothing keeps us from it.
    """

    box: Mailbox
    name: str
    age: timedelta | None
    reason: Reason | None
    says: Mapping[str, str]
    problem: str | None
    problem_since: datetime | None
    retry_at: datetime | None

    @property
    def room(self) -> bool:
        """Whether it is a room's."""
        return self.box.kind is MailboxKind.ROOM


@dataclass(frozen=True, slots=True)
class Process:
    """This node. :param memory: the most it has used, in bytes."""

    host: str
    number: int
    up: timedelta
    memory: int


@dataclass(frozen=True, slots=True)
class Versions:
    """What runs here. :param layout: of the database."""

    syncd: str
    layout: str
    database: str
    python: str
    tzdata: str


@dataclass(frozen=True, slots=True)
class Condition:
    """Everything at one instant. :param calendars: those in trouble first, then by age."""

    now: datetime
    calendars: tuple[Calendar, ...]
    owed: Owed
    longest: tuple[Owing, ...]
    backup: datetime | None
    restored: datetime | None
    pause: Mapping[str, str] | None
    process: Process
    versions: Versions
    unsure: int = 0
    """Reports of which nobody knows whether they arrived."""

    @property
    def closed(self) -> list[Calendar]:
        """Calendars that cannot be believed: their times are closed."""
        return [one for one in self.calendars if one.reason is not None]

    @property
    def failing(self) -> list[Calendar]:
        """Calendars that are still believed, but whose last reading did not succeed."""
        return [one for one in self.calendars if one.reason is None and one.problem]


def look(deps: Deps) -> Condition:
    """Read everything.

    :raises StoreError: the database cannot be used.
    """
    now, layout = deps.clock.now(), deps.store.revision() or "-"
    with deps.store.read() as tx:
        pause, restored = paused(tx.settings), tx.settings.value(RESTORED)
        return Condition(
            now=now,
            calendars=tuple(_calendars(deps, tx, now)),
            owed=owed(tx.session, now),
            longest=tuple(longest_owed(tx.session, MOST)),
            backup=last_backup(tx),
            restored=datetime.fromisoformat(restored) if restored else None,
            pause=pause.say if pause else None,
            process=_process(),
            versions=Versions(
                __version__, layout, database_version(tx.session), platform.python_version(), tzdata()
            ),
            unsure=Reports(tx.session).unknown(),
        )  # fmt: skip


def _calendars(deps: Deps, tx: Tx, now: datetime) -> Sequence[Calendar]:
    directory, statuses = deps.directory(), tx.mailboxes.statuses()
    names = {one.id: one.name for one in directory.caseworkers.values()}
    names |= {one.id: one.name for one in directory.rooms.values()}
    found = [
        _calendar(box, names[box.id], statuses.get(box.id), now, deps.publisher.max_age)
        for box in directory.mailboxes.values()
    ]
    return sorted(found, key=_by_trouble)


def _by_trouble(one: Calendar) -> tuple[bool, bool, float, str]:
    age = float("inf") if one.age is None else one.age.total_seconds()
    return one.reason is None, not one.problem, -age, one.name


def _calendar(box: Mailbox, name: str, status: MailboxStatus | None, now: datetime, max_age: timedelta) -> Calendar:
    known = status or MailboxStatus(box.id)
    reason, says = None, {}
    if not trust(status, now, max_age, Interval.at(now, 1)).open:
        reason = distrust(status, now, max_age)
        wall = f"{wall_clock(known.as_of, box.zone):%Y-%m-%d %H:%M}" if known.as_of else ""
        says = dict(sentences(reason, {"as_of_wall": wall, "objects": str(known.unreadable)}))
    return Calendar(
        box,
        name,
        now - known.as_of if known.as_of else None,
        reason,
        says,
        known.problem,
        known.problem_since,
        known.retry_at if known.retry_at and known.retry_at > now else None,
    )


def _process() -> Process:
    # Linux tells the most memory in kilobytes (getrusage(2)).
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Process(platform.node(), os.getpid(), timedelta(seconds=monotonic() - BEGUN), memory)
