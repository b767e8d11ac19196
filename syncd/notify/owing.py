"""Which message a citizen is owed: what she was told is compared with what is, whoever changed it; purely."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from syncd.model.message import Kind, Message, Progress, Said
from syncd.model.zones import instant, wall_clock

FRESH = timedelta(days=1)
"""What was booked longer ago, before messages were switched on, gets no receipt."""
USEFUL = timedelta(hours=1)
"""A receipt that could come only later than this before the meeting does not wait for the quiet hours to end."""
TOLD = frozenset({Progress.SENDING, Progress.SENT, Progress.UNKNOWN})
"""The citizen was told, or may have been."""
SETTLED = frozenset(Progress) - {Progress.WAITING, Progress.WITHDRAWN}
"""What has been said need not be said again, whether it arrived or not."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours in which nobody's telephone should ring, on clocks in *zone*; none when they begin as they end."""

    begins: time
    ends: time
    zone: str

    def holds(self, at: datetime) -> bool:
        """Whether *at* lies in them."""
        clock = wall_clock(at, self.zone).time()
        if self.begins <= self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends

    def over(self, at: datetime) -> datetime:
        """*at*, or when the quiet hours that it lies in end."""
        if not self.holds(at):
            return at
        local = wall_clock(at, self.zone)
        later = self.begins > self.ends and local.time() >= self.begins
        found = instant(local.date() + timedelta(days=later), self.ends, self.zone)
        while found < at or self.holds(found):  # clocks that are set back show the end twice
            found += HOUR
        return found

    def before(self, at: datetime) -> datetime:
        """*at*, or the last minute before the quiet hours that it lies in."""
        if not self.holds(at):
            return at
        local = wall_clock(at, self.zone)
        earlier = self.begins > self.ends and local.time() < self.ends
        found = instant(local.date() - timedelta(days=earlier), self.begins, self.zone) - MINUTE
        while found > at or self.holds(found):  # clocks that are set forward may not show the beginning
            found -= HOUR
        return found


@dataclass(frozen=True, slots=True)
class Stands:
    """How a booking stands. :param said: what there is to say of its meeting now."""

    cancelled: bool
    created: datetime
    said: Said


def remind_at(start: datetime, ahead: timedelta, quiet: Quiet) -> datetime:
    """When to remind of a meeting: *ahead* of it; out of quiet hours after them, or before where that is too late."""
    wished = start - ahead
    later = quiet.over(wished)
    return later if start - later >= ahead / 2 else quiet.before(wished)


def owed(stands: Stands, told: Iterable[Message], ahead: timedelta, quiet: Quiet, now: datetime) -> Kind | None:
    """What should be said, whether or not it waits already; None for nothing. Nothing is said of what has begun.

    :param told: all messages about the booking. :param ahead: how long before the meeting to remind; zero for never.
    """
    settled = [one for one in told if one.progress in SETTLED]
    receipts = [one for one in settled if one.kind is not Kind.REMINDER]
    last = receipts[-1] if receipts else None
    if stands.said.start <= now:
        return None
    if stands.cancelled:
        return Kind.CANCELLED if last and last.kind is not Kind.CANCELLED else None
    if last is None:
        return Kind.BOOKED
    if last.said != stands.said:
        return Kind.MOVED
    due = remind_at(stands.said.start, ahead, quiet)
    if not ahead or now < due or (last.progress in TOLD and last.at >= due):  # told that late, she needs no reminder
        return None
    reminded = any(one.kind is Kind.REMINDER and one.said == stands.said for one in settled)
    return None if reminded else Kind.REMINDER


def outdated(kind: Kind | None, stands: Stands, told: Iterable[Message]) -> list[Message]:
    """What waits although it is not what should be said. :param kind: what should, see `owed`."""
    waiting = [one for one in told if one.progress is Progress.WAITING]
    return [one for one in waiting if (one.kind, one.said) != (kind, stands.said)]


def due(kind: Kind, said: Said, told: Sequence[Message], quiet: Quiet, now: datetime) -> datetime:
    """When a message that may wake somebody is sent: now, or after the quiet hours unless that is too late.

    :param told: the messages before; one of a time that was given up counts until then.
    """
    later = quiet.over(now)
    starts = [said.start, *(one.said.start for one in told[-1:] if one.said.start > now)]
    too_late = kind is not Kind.REMINDER and min(starts) - later < USEFUL
    return now if too_late else later
