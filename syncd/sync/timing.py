"""When a mailbox is read again, how far ahead, and when everything is compared: pure arithmetic.

Chance is drawn from the mailbox's own name, so that 500 mailboxes spread out and a test can repeat what it saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256

from syncd.errors import AccessDenied, CalendarError, Throttled, Transient
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.model.mirror import CLOCK_LEEWAY, MailboxStatus
from syncd.model.zones import wall_clock
from syncd.sync.plan import Limits

DAY = timedelta(days=1)
BACK = 4 * DAY
"""Friday's meetings are still seen on Monday, when a caseworker notes who did not come."""
LONGEST = timedelta(minutes=15)
LOCKOUT = timedelta(minutes=5)
"""A refused password is not tried sooner: some servers lock the account after a few tries."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how far mailboxes are read.

    :param interval: pause between two passes of a mailbox; the first pause after a failure.
    :param horizon_days: how far ahead of today.
    :param full_every: how often everything is compared, give or take a quarter.
    :param full_by_account: the same for accounts that have a pace of their own.
    :param max_age: how old a mirror may be before its offers close.
    :param workers: mailboxes read at the same time.
    :param limits: what is too much to be believed.
    """

    interval: timedelta = timedelta(seconds=60)
    horizon_days: int = 60
    full_every: timedelta = timedelta(days=1)
    full_by_account: Mapping[str, timedelta] = field(default_factory=dict)
    max_age: timedelta = timedelta(minutes=15)
    workers: int = 4
    limits: Limits = field(default_factory=Limits)

    def full_of(self, account: str) -> timedelta:
        """How often everything is compared in calendars of *account*."""
        return self.full_by_account.get(account, self.full_every)


def window(now: datetime, horizon_days: int) -> Interval:
    """What is read: from some days before today (`BACK`) to the day after the horizon's last, in whole UTC days.

    The spare days make it reach everywhere, whatever the zone; whole days make it move once a day.
    """
    today = datetime.combine(now.date(), time(), UTC)
    return Interval(today - BACK, today + (horizon_days + 2) * DAY)


QUIET = timedelta(minutes=5)
"""Between two looks at a calendar in which nothing is likely to happen; a booking looks for itself at once."""
QUIET_ROUNDS = 5
"""… and no more rounds than these are left out, so that who asks for short rounds is not kept waiting at night."""
OFFICE = range(7, 18)
"""Hours of working days in which caseworkers change their calendars."""


def poll_is_due(as_of: datetime | None, now: datetime, zone: str, pace: Pace, *, offered: bool) -> bool:
    """Whether a calendar that costs a request for each look should be looked at again.

    :param as_of: when the last pass began; None when there was none.
    :param zone: whose clocks tell office hours.
    :param offered: somebody can book time in it.
    """
    local = wall_clock(now, zone)
    if as_of is None or as_of > now + CLOCK_LEEWAY or (offered and local.weekday() < 5 and local.hour in OFFICE):
        return True
    return now - as_of >= min(QUIET, pace.max_age / 3, QUIET_ROUNDS * pace.interval) - pace.interval / 2


def full_is_due(status: MailboxStatus, now: datetime, every: timedelta) -> bool:
    """Whether it is time to compare everything again."""
    if status.full_at is None:
        return True
    return now >= status.full_at + every * (0.75 + 0.5 * chance(status.id))


def pause(mailbox: MailboxId, error: CalendarError, attempts: int, interval: timedelta) -> timedelta:
    """How long to leave a mailbox alone after a failed pass: twice as long each time, never short of Retry-After.

    :param attempts: how many passes failed before this one.
    """
    doubled = min(interval * (1 << min(attempts, 10)), LONGEST)
    if isinstance(error, AccessDenied):
        doubled = max(doubled, LOCKOUT)
    elif not isinstance(error, Transient):
        doubled = max(doubled, min(4 * interval, LONGEST))
    jittered = doubled * (0.75 + 0.5 * chance(f"{mailbox}/{attempts}"))
    asked = timedelta(seconds=error.retry_after) if isinstance(error, Throttled) else timedelta()
    return max(jittered, asked)


def chance(text: str) -> float:
    """A number from 0 to 1 that looks random and is always the same for the same text."""
    return int.from_bytes(sha256(text.encode()).digest()[:8]) / 2**64
