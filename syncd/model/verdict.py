"""Why a time is on offer, or what took it away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Form


class Reason(StrEnum):
    """What decided; the first that applies."""

    OFFERED = "offered"
    NOT_SERVING = "not-serving"
    """The caseworker does not serve the offer."""
    NOT_ENTITLED = "not-entitled"
    """The offer's rules do not let the citizen book it."""
    NOT_OWN = "not-own"
    """Only the citizen's own caseworker may be booked, and this is another one."""
    AFTER_LATEST = "after-latest"
    """After the last day asked for."""
    TEAM_CLOSED = "team-closed"
    TEAM_IN_SHADOW = "team-in-shadow"
    MAINTENANCE = "maintenance"
    """All offers are closed by hand."""
    NEVER_READ = "never-read"
    """The calendar was never read."""
    REFUSED_LOSS = "refused-loss"
    UNREADABLE = "unreadable"
    STALE = "stale"
    NOT_COVERED = "not-covered"
    """The calendar is not read that far."""
    PAST = "past"
    OFF_GRID = "off-grid"
    CLOSED_DAY = "closed-day"
    EXCEPTION = "exception"
    NO_HOURS = "no-hours"
    OUTSIDE_HOURS = "outside-hours"
    CALENDAR_HOURS = "calendar-hours"
    """Outside the opening hours that the caseworker's own calendar has (RFC 7953)."""
    NOT_MARKED = "not-marked"
    """Only time marked in the calendar is published."""
    SITE_CLOSED = "site-closed"
    """Citizens cannot get into the site."""
    EVENT = "event"
    AWAY = "away"
    """The caseworker's absence was given by hand."""
    FULL = "full"
    """All seats of the group meeting at this time are taken."""
    BOOKED = "booked"
    HELD = "held"
    NO_PARTNER = "no-partner"
    """Nobody is free for a further role."""
    NOTICE = "notice"
    HORIZON = "horizon"
    RESERVED = "reserved"
    """Kept for immediate booking."""
    CAP = "cap"
    NO_ROOM = "no-room"
    SHAPED = "shaped"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "why (not) this time?".

    :param says: a sentence by language (``da``, ``en``), without any event's subject or citizen's data.
    :param facts: what the sentence rests on, as short texts; instants are ISO 8601 in UTC.
    :param counts: how many of the day's candidates survived each step, in the order of the steps.
    """

    offer: str
    caseworker: MailboxId
    form: Form
    interval: Interval
    reason: Reason
    says: Mapping[str, str]
    facts: Mapping[str, str]
    counts: Mapping[str, int]

    @property
    def offered(self) -> bool:
        """Whether the time can be booked."""
        return self.reason is Reason.OFFERED
