"""What reconcile sees of a meeting, and what it may decide to do about it: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from syncd.model.booking import EntryRecord
from syncd.model.directory import MailboxId, MailboxKind
from syncd.model.entry import Entry, EntryDraft
from syncd.model.interval import Interval


@dataclass(frozen=True, slots=True)
class Sighting:
    """One calendar that a meeting should stand in, or must be cleaned from, as it is now.

    :param record: what we knew before this look.
    :param draft: what should stand there; None where nothing should.
    :param entries: what stands there under the meeting's UID; None when the calendar could not be read.
    :param gone: the mirror, completely read after the first look that missed the entry, misses it too
        (so sync's own guard against unbelievable losses has let it pass).
    :param behind: another meeting of ours is still to leave the room: until it is seen gone nothing is written that
        names the room, and a decline is no answer.
    """

    record: EntryRecord
    kind: MailboxKind
    draft: EntryDraft | None
    entries: tuple[Entry, ...] | None
    gone: bool = False
    behind: bool = False

    @property
    def mailbox(self) -> MailboxId:
        """Whose calendar it is."""
        return self.record.mailbox


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete *entry* from a calendar, mailing nobody.

    :param hers: since when a copy that stays there is a person's own; None when nothing stays.
    """

    mailbox: MailboxId
    entry: Entry
    hers: datetime | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """Make *draft* stand in a calendar: changing *entry*, or anew when it is None.

    :param repair: it was right before and is written again although nothing new is wanted.
    """

    mailbox: MailboxId
    draft: EntryDraft
    entry: Entry | None
    repair: bool = False


Step: TypeAlias = Remove | Write


@dataclass(frozen=True, slots=True)
class Moved:
    """A human moved the entry in the caseworker's calendar: the meeting follows (architecture, decision 11)."""

    mailbox: MailboxId
    interval: Interval
    entry: Entry


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A human removed the meeting from the caseworker's calendar, and a second look agreed: it is cancelled."""

    mailbox: MailboxId


@dataclass(frozen=True, slots=True)
class RoomTaken:
    """The room was taken away in its own calendar, or declined: another one is needed.

    :param declined: it was asked for this very time, and said no.
    """

    mailbox: MailboxId
    declined: bool = False


@dataclass(frozen=True, slots=True)
class Newer:
    """The calendar knows a newer generation than the database: the database was restored, the calendar is right."""

    mailbox: MailboxId
    generation: int
    interval: Interval | None
    entry: Entry


Verdict: TypeAlias = Moved | Withdrawn | RoomTaken | Newer
"""What a calendar says that changes the meeting itself; carried out before anything is written."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do after one look at all calendars of a meeting.

    :param verdict: when set, the meeting changes first and everything is looked at again; ``steps`` is empty.
    :param steps: writes in the order they must happen: give back before inviting.
    :param records: what is known now without writing, one per calendar that was read.
    :param unread: calendars that could not be read.
    :param waiting: something is missing and needs a second look before it is believed.
    :param behind: the room is being left by another meeting of ours; look again soon.
    :param linkless: a link to meet by is wanted, and the server has not made it yet.
    :param attention: sentences for a person.
    """

    verdict: Verdict | None = None
    steps: tuple[Step, ...] = ()
    records: tuple[EntryRecord, ...] = ()
    unread: tuple[MailboxId, ...] = ()
    waiting: bool = False
    behind: bool = False
    linkless: bool = False
    attention: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every calendar was seen to hold what it should."""
        return self.verdict is None and not (self.steps or self.unread or self.waiting or self.behind or self.attention)


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient and how forgiving reconcile is.

    :param second_look: least time between two looks that together believe a human's deletion.
    :param repairs: most writes a day that only repair what was right before; ends every write war.
    :param outward: most moves and cancellations that calendars may cause within ``outward_window``
        before all writing stops (architecture, decision 4).
    :param soon: pause after a write whose outcome is unknown.
    :param first_pause, longest_pause: of the exponential back-off.
    :param max_age: how old the mirror of a room's calendar may be when a room is looked for.
    :param tell_after: how long the calendars may lag behind before a person is told.
    :param link_after: how long a link to meet by is waited for; then the booking is confirmed without it, a person is
        told, and it is looked for now and then.
    """

    second_look: timedelta = timedelta(seconds=60)
    repairs: int = 3
    outward: int = 10
    outward_window: timedelta = timedelta(minutes=10)
    soon: timedelta = timedelta(seconds=5)
    first_pause: timedelta = timedelta(seconds=5)
    longest_pause: timedelta = timedelta(minutes=15)
    tell_after: timedelta = timedelta(minutes=15)
    link_after: timedelta = timedelta(minutes=3)
    max_age: timedelta = timedelta(minutes=15)


def days_since_1970(now: datetime) -> int:
    """The day (UTC) on which repairs are counted."""
    return int(now.timestamp()) // 86_400
