"""What is proposed for the meetings of somebody who is away: pure, from what could be had for each.

In this order: a colleague takes it as it is; it is held by telephone; it gets another time; it is cancelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.booking.take import with_buffers
from syncd.model.booking import Meeting
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Slot

SHORT_NOTICE = timedelta(hours=24)
"""Changes nearer than this reach the citizen by telephone, not by letter: reception gets a list."""


class Remedy(StrEnum):
    """What becomes of a meeting whose caseworker is away."""

    COLLEAGUE = "colleague"
    """Somebody else holds it; time and room stay."""
    PHONE = "phone"
    """It is held by telephone, by a colleague or by the caseworker, who can be reached."""
    NEW_TIME = "new-time"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Affected:
    """One meeting, and what could be had for it by the offer's rules.

    :param colleagues: who could take it as it is, the least burdened first.
    :param by_phone: who could hold it by telephone, in the order they are preferred.
    :param times: other times it could have, the best first.
    """

    meeting: Meeting
    colleagues: tuple[MailboxId, ...] = ()
    by_phone: tuple[MailboxId, ...] = ()
    times: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for one meeting, beside all that could be chosen.

    :param to: who holds it then; None when it is cancelled.
    :param start: the new time (UTC), for `Remedy.NEW_TIME`.
    :param call: the meeting, or its new time, is so near that the citizen must be called.
    """

    affected: Affected
    remedy: Remedy
    to: MailboxId | None
    start: datetime | None
    call: bool

    @property
    def meeting(self) -> Meeting:
        """The meeting it is about."""
        return self.affected.meeting


def propose(affected: Iterable[Affected], now: datetime) -> list[Proposal]:
    """One proposal per meeting, the earliest first; nobody, and no time, is proposed for two meetings at once."""
    given: dict[MailboxId, list[Interval]] = {}
    proposals = []
    for one in sorted(affected, key=lambda each: (each.meeting.interval, each.meeting.id)):
        proposal = _proposal(one, given, now)
        proposals.append(proposal)
        if proposal.to is not None:
            given.setdefault(proposal.to, []).append(_taking(proposal))
    return proposals


def near(now: datetime, *starts: datetime) -> bool:
    """Whether a change reaches the citizen only by telephone: the old time or the new one is so near."""
    return min(starts) - now < SHORT_NOTICE


def _proposal(one: Affected, given: dict[MailboxId, list[Interval]], now: datetime) -> Proposal:
    was = one.meeting.interval.start
    span = with_buffers(one.meeting.interval, one.meeting.before, one.meeting.after)
    for remedy, people in ((Remedy.COLLEAGUE, one.colleagues), (Remedy.PHONE, one.by_phone)):
        free = _first_free(people, span, given)
        if free is not None:
            return Proposal(one, remedy, free, None, near(now, was))
    for slot in one.times:
        padded = with_buffers(slot.interval, one.meeting.before, one.meeting.after)
        if _first_free([slot.caseworker], padded, given) is not None:
            start = slot.interval.start
            return Proposal(one, Remedy.NEW_TIME, slot.caseworker, start, near(now, was, start))
    return Proposal(one, Remedy.CANCEL, None, None, near(now, was))


def _first_free(
    people: Sequence[MailboxId], span: Interval, given: dict[MailboxId, list[Interval]]
) -> MailboxId | None:
    return next((one for one in people if not any(span.overlaps(taken) for taken in given.get(one, ()))), None)


def _taking(proposal: Proposal) -> Interval:
    """The time that the proposal takes of whoever holds the meeting then."""
    meeting = proposal.meeting
    length = meeting.interval.end - meeting.interval.start
    start = proposal.start or meeting.interval.start
    return with_buffers(Interval(start, start + length), meeting.before, meeting.after)
