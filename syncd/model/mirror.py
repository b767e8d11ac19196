"""How far a calendar was read, and whether that may be trusted: unknown time is never free time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.model.directory import MailboxId
from syncd.model.interval import Interval

CLOCK_LEEWAY = timedelta(minutes=1)
"""A reading this far in the future is put down to rounding; beyond it, the clock was set back."""

TOO_FAR = "the calendar is not read that far"


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """How one mailbox stands in the mirror.

    :param covered: the window inside which all occurrences are known; None before the first completed pass.
    :param as_of: when the last completed pass began (UTC).
    :param full_at: when the last completed full listing began.
    :param problem: a sentence: why the last pass did not complete; None when it did.
    :param refused: a sentence: which unbelievable loss waits for a person; None when none does.
    :param retry_at: not to be tried before; None when any time will do.
    :param unreadable: how many objects could not be understood and are not acknowledged.
    :param revision: grows with each completed pass; a pass that began on another revision is void.
    """

    id: MailboxId
    token: str | None = None
    covered: Interval | None = None
    as_of: datetime | None = None
    full_at: datetime | None = None
    problem: str | None = None
    problem_since: datetime | None = None
    refused: str | None = None
    attempts: int = 0
    retry_at: datetime | None = None
    unreadable: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True)
class UnreadableObject:
    """An object of a mailbox that could not be understood.

    :param digest: SHA-256 (hex) of its bytes; an acknowledgement holds for exactly these.
    :param seen: when it was first met in this form.
    """

    mailbox: MailboxId
    key: str
    digest: str
    reason: str
    seen: datetime
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Trust:
    """Whether offers that rest on a mailbox may be made.

    :param window: the part of the asked window in which the mirror is complete; None: closed.
    :param reason: why closed; empty when open.
    :param until: when age alone will close it; None when closed.
    :param since: since when it is closed, where that is known.
    """

    window: Interval | None
    reason: str = ""
    until: datetime | None = None
    since: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether anything may be offered."""
        return self.window is not None


def trust(status: MailboxStatus | None, now: datetime, max_age: timedelta, window: Interval) -> Trust:
    """Decide whether the mirror of a mailbox may be believed at *now* for *window*.

    :param max_age: how old the last completed pass may be.
    """
    if status is None or status.as_of is None or status.covered is None:
        return Trust(None, "the calendar has not been read yet")
    if status.refused:
        told = "more vanished from the calendar at once than is believable; a person must decide"
        return Trust(None, told, since=status.as_of)
    if status.unreadable:
        told = f"{status.unreadable} object(s) in the calendar cannot be understood"
        return Trust(None, told, since=status.as_of)
    if status.as_of > now + CLOCK_LEEWAY:
        return Trust(None, "the calendar was read in the future: the clock of this machine was set back")
    if now >= status.as_of + max_age:
        told = f"the calendar was last read at {status.as_of:%Y-%m-%d %H:%M:%S} UTC"
        return Trust(None, told, since=status.as_of + max_age)
    part = window if status.covered.contains(window) else window.clip(status.covered)
    if part is None:
        return Trust(None, TOO_FAR)
    return Trust(part, until=status.as_of + max_age)
