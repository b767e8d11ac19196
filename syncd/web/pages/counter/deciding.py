"""What somebody decided for a meeting, as one value of a form: ``7|time:2026-12-01T09:00:00+00:00@anna``.

The number is the meeting's generation that the person saw: a second person gets a clear sentence, not a surprise.
"""

from __future__ import annotations

from datetime import UTC, datetime

from syncd.booking.away import Away
from syncd.booking.handover import Choice, Handover
from syncd.booking.proposals import Proposal, Remedy
from syncd.model.booking import Meeting
from syncd.model.directory import MailboxId
from syncd.web.deps import Deps
from syncd.web.pages.typed import typed_time

SKIP = "skip"
"""Nothing is done with this meeting now."""


class Unreadable(ValueError):
    """The value was made by no page of ours."""


def written(meeting: Meeting, remedy: Remedy, to: MailboxId | None = None, start: datetime | None = None) -> str:
    """The value for a choice."""
    at = f"{start.isoformat()}@" if start else ""
    return f"{meeting.desired_generation}|{remedy.value}:{at}{to or ''}"


def proposed(proposal: Proposal) -> str:
    """The value for what is proposed."""
    return written(proposal.meeting, proposal.remedy, proposal.to, proposal.start)


def read(meeting: str, value: str) -> Choice | None:
    """The choice of a value; None when nothing is to be done.

    :raises Unreadable: it is not as `written` makes them.
    """
    seen, bar, what = value.partition("|")
    if not bar or not seen.isdecimal() or len(seen) > 9:
        raise Unreadable(value)
    if what == SKIP:
        return None
    try:
        name, _, rest = what.partition(":")
        remedy = Remedy(name)
        at, _, to = rest.rpartition("@")
        start = typed_time(at).astimezone(UTC) if at else None
    except ValueError as error:
        raise Unreadable(value) from error
    return Choice(meeting, remedy, to or None, start, int(seen))


def away_of(deps: Deps) -> Away:
    """What finds proposals."""
    return Away(deps.store, deps.publisher, deps.directory, deps.contacts)


def handover_of(deps: Deps) -> Handover:
    """What carries decisions out."""
    return Handover(deps.store, deps.publisher, deps.directory)
