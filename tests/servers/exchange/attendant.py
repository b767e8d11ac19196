"""The Resource Booking Attendant of a room: what Set-CalendarProcessing lets it accept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from tests.servers.exchange.model import Entry, Sight
from tests.servers.exchange.world import CALENDAR, Mailbox, RoomPolicy, World
from tests.servers.exchange.zones import wall

_DATES = 2000


@dataclass(frozen=True)
class Verdict:
    """Its answer.

    :param declined_dates: dates of an accepted series that the room does not take.
    """

    accepted: bool
    reason: str = ""
    declined_dates: tuple[datetime, ...] = ()


def judge(world: World, box: Mailbox, wanted: Entry, original: datetime | None) -> Verdict:
    """Whether the room takes a meeting, or one date of a series."""
    policy = box.policy
    assert policy is not None
    organizer = wanted.organizer
    if policy.book_in_policy is not None and (organizer is None or organizer.email not in policy.book_in_policy):
        return Verdict(False, "You do not have permission to book this resource.")
    horizon = world.now() + timedelta(days=policy.booking_window_days)
    if wanted.recurrence and original is None:
        return _series(box, policy, wanted, horizon, world.now())
    seen = wanted.occurrence(original) if original and wanted.recurrence else wanted.whole()
    if seen is None:
        return Verdict(False, "The date is not in the series.")
    if reason := refusal(policy, box, seen, horizon):
        return Verdict(False, reason)
    clash = not policy.allow_conflicts and bool(clashes(box, seen))
    return Verdict(False, "The resource is already booked at that time.") if clash else Verdict(True)


def refusal(policy: RoomPolicy, box: Mailbox, seen: Sight, horizon: datetime) -> str:
    """Why the rules alone say no, or nothing."""
    minutes = (seen.end - seen.start).total_seconds() / 60
    if policy.max_minutes and minutes > policy.max_minutes:
        return f"The meeting is longer than {policy.max_minutes} minutes."
    if seen.start > horizon:
        return f"The meeting is more than {policy.booking_window_days} days ahead."
    first, last = wall(seen.start, box.zone), wall(seen.end, box.zone)
    outside = first.weekday() > 4 or first.hour < 8 or (last.hour, last.minute) > (17, 0) or first.date() != last.date()
    return "The meeting is outside working hours." if policy.only_work_hours and outside else ""


def _series(box: Mailbox, policy: RoomPolicy, wanted: Entry, horizon: datetime, now: datetime) -> Verdict:
    recurrence = wanted.recurrence
    assert recurrence
    originals = [
        one for one, _ in zip(takewhile(lambda o: o <= horizon, wanted.originals()), range(_DATES), strict=False)
    ]
    endless = recurrence.end is None and recurrence.times is None
    if policy.enforce_horizon and (endless or next((o for o in wanted.originals() if o > horizon), None)):
        return Verdict(False, f"The series goes on for more than {policy.booking_window_days} days.")
    dates = [seen for seen in map(wanted.occurrence, originals) if seen and seen.end > now]
    if reason := next(filter(None, (refusal(policy, box, seen, horizon) for seen in dates)), ""):
        return Verdict(False, reason)
    if policy.allow_conflicts:
        return Verdict(True)
    taken = [seen.original for seen in dates if seen.original and clashes(box, seen)]
    allowed = max(policy.max_conflicts, len(dates) * policy.conflict_percentage // 100)
    if len(taken) > allowed:
        return Verdict(False, f"{len(taken)} dates of the series are taken.")
    return Verdict(True, declined_dates=tuple(taken))


def clashes(box: Mailbox, seen: Sight) -> list[Sight]:
    """What else takes the room's time then."""
    found = []
    for entry in box.folder(CALENDAR):
        same = entry.uid == seen.entry.uid and (entry.recurrence is None or seen.original is None)
        if same:
            continue
        for other in entry.between(seen.start, seen.end):
            itself = other.entry.uid == seen.entry.uid and other.original == seen.original
            if other.busy and not itself and other.touches(seen.start, seen.end):
                found.append(other)
    return found


def cover(entry: Entry, subject: str, original: datetime | None) -> None:
    """What an accepted meeting looks like in the room: the organiser's name at most, no text, not private, busy."""
    values = entry.values if original is None or not entry.recurrence else entry.exceptions[original].values
    values.update(Subject=subject, Body=("Text", ""), Sensitivity="Normal")
    values.update(LegacyFreeBusyStatus="Busy", MyResponseType="Accept", IsCancelled=False)
    entry.values.update(Subject=subject, Body=("Text", ""), Sensitivity="Normal")
    for change in entry.exceptions.values():
        for key in ("Subject", "Body", "Sensitivity"):
            change.values.pop(key, None)
