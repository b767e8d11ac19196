"""Taking a time: locks in one order, the proof that it is on offer, and the claims that keep it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeAlias

from sqlalchemy.exc import IntegrityError

from syncd.booking.relocate import relocate
from syncd.errors import NoRoom, SlotGone, TemporarilyClosed
from syncd.model.booking import Meeting, RoomState
from syncd.model.directory import Directory, MailboxId
from syncd.model.eligibility import STAFF, Whom
from syncd.model.interval import Interval
from syncd.model.offer import Form, Offer, Rulebook, Slot
from syncd.model.zones import days, wall_clock, whole_days, zulu
from syncd.publish import Publisher
from syncd.roomalloc import rank
from syncd.store import Tx, locks

Counted: TypeAlias = dict[tuple[date, tuple[MailboxId, ...]], dict[MailboxId, int]]
"""How many meetings each of some caseworkers has in the week of a Monday."""
GONE = "This time is no longer on offer. Nothing was changed; choose another one."


@dataclass(frozen=True, slots=True)
class Wish:
    """A time somebody wants.

    :param meeting: id of the meeting that takes it.
    :param replaces: that meeting as it is, when it only moves.
    :param whom: for which citizen.
    """

    offer: Offer
    form: Form
    interval: Interval
    meeting: str
    replaces: Meeting | None = None
    whom: Whom = STAFF

    @property
    def padded(self) -> Interval:
        """The caseworker's time that it takes, with buffers."""
        return with_buffers(self.interval, self.offer.before, self.offer.after)

    @property
    def helpers(self) -> set[MailboxId]:
        """Everybody who may fill a further role."""
        return {one for role in self.offer.partners for one in role}

    def roomy(self, directory: Directory, caseworker: MailboxId) -> bool:
        """Whether the meeting has a room when this caseworker holds it."""
        return self.offer.needs_room(self.form, open_plan=directory.caseworkers[caseworker].open_plan)

    def lock(self, tx: Tx, directory: Directory, caseworker: MailboxId) -> None:
        """Let nobody else decide about the caseworker's time, or the site's rooms that day, until we commit."""
        if self.offer.offer_per_day is not None or self.offer.offer_per_week is not None:
            locks.take(tx.session, [locks.offer(self.offer.name)])
        people = {caseworker} | ({*self.replaces.people} if self.replaces else set())
        tx.mailboxes.lock(*sorted(people | self.helpers))
        if self.roomy(directory, caseworker) or (self.replaces and self.replaces.room):
            spans = [self.interval] + ([self.replaces.interval] if self.replaces else [])
            lock_site_days(tx, directory, people, spans)


@dataclass(frozen=True, slots=True)
class Taken:
    """Who and where, and the spans to claim."""

    caseworker: MailboxId
    room: MailboxId | None
    spans: tuple[tuple[MailboxId, Interval], ...]
    partners: tuple[MailboxId, ...] = ()

    def claim(self, tx: Tx, meeting: str) -> None:
        """Write the claims; the database has the last word.

        :raises SlotGone: somebody else's claim overlaps.
        """
        try:
            for mailbox, span in self.spans:
                tx.meetings.claim(meeting, mailbox, span)
        except IntegrityError as error:
            raise SlotGone(GONE) from error


def take(
    tx: Tx, publisher: Publisher, directory: Directory, wish: Wish, candidates: Sequence[MailboxId], now: datetime
) -> Taken:
    """The first of *candidates* who can take the wish, with a room where one is needed.

    Each try is a savepoint, so a candidate who could not is not locked while the next one is asked.

    :raises SlotGone: nobody can. :raises TemporarilyClosed: nobody's calendar can be trusted now.
    """
    refused: list[SlotGone | TemporarilyClosed] = []
    for caseworker in candidates:
        # Nothing is left behind by one who could not, when there is no other and nobody moves rooms.
        alone = len(candidates) == 1 and not wish.roomy(directory, caseworker)
        try:
            with nullcontext() if alone else tx.session.begin_nested():
                return _take_of(tx, publisher, directory, wish, caseworker, now)
        except (SlotGone, TemporarilyClosed) as error:
            refused.append(error)
    if refused and all(isinstance(error, TemporarilyClosed) for error in refused):
        raise refused[0]
    roomless = next((error for error in refused if isinstance(error, NoRoom)), None)
    said = roomless or next((error for error in refused if isinstance(error, SlotGone)), GONE)
    raise (NoRoom if roomless else SlotGone)(str(said), **_asked(wish, candidates))


def _take_of(
    tx: Tx, publisher: Publisher, directory: Directory, wish: Wish, caseworker: MailboxId, now: datetime
) -> Taken:
    wish.lock(tx, directory, caseworker)
    site = directory.caseworkers[caseworker].site
    zone = directory.sites[site].zone
    tx.bookings.expire(now, [caseworker, *wish.helpers], wish.padded)
    if wish.roomy(directory, caseworker):
        # Not only at this time: whoever moves for it may take the place of a hold that ran out.
        rooms = [room.id for room in directory.rooms.values() if room.site == site]
        tx.bookings.expire(now, rooms, local_days(wish.interval, zone))
    slot = Slot(wish.interval, caseworker, wish.form)
    proof = publisher.still_free(
        tx, wish.offer, slot, now, ignoring_meeting=wish.meeting, immediate=wish.whom.immediate
    )
    partners = _partners(tx, publisher, wish, slot, now)
    spans = [(person, wish.padded) for person in (caseworker, *partners)]
    if proof is None:
        return Taken(caseworker, None, tuple(sorted(spans)), partners)
    relocate(tx, directory, proof.moves, now)
    spans.append((proof.room, rank.claim(directory.rooms[proof.room], wish.interval)))
    return Taken(caseworker, proof.room, tuple(sorted(spans)), partners)


def _partners(tx: Tx, publisher: Publisher, wish: Wish, slot: Slot, now: datetime) -> tuple[MailboxId, ...]:
    """Who fills the further roles: of all ways the one whose people have the least to do that week.

    :raises SlotGone: they cannot be filled.
    """
    if not wish.offer.partners:
        return ()
    ways = publisher.partners(tx, wish.offer, slot, now, ignoring_meeting=wish.meeting)
    if not ways:
        raise SlotGone(GONE)
    week = wish.interval.padded(timedelta(days=3), timedelta(days=3))
    taken = tx.meetings.busy(wish.helpers, week, now, ignoring=wish.meeting)
    return min(ways, key=lambda way: (sum(len(taken[one]) for one in way), way))


def new_meeting(directory: Directory, wish: Wish, taken: Taken) -> Meeting:
    """The meeting that takes the time; no calendar should hold it yet."""
    site = directory.sites[directory.caseworkers[taken.caseworker].site]
    return Meeting(
        id=wish.meeting,
        uid=f"{wish.meeting}@syncd",
        offer=wish.offer.name,
        form=wish.form,
        caseworker=taken.caseworker,
        room=taken.room,
        room_state=RoomState.PENDING if taken.room else RoomState.NONE,
        interval=wish.interval,
        zone=site.zone,
        before=wish.offer.before,
        after=wish.offer.after,
        wanted=False,
        desired_generation=0,
        applied_generation=0,
        partners=taken.partners,
    )


def moved_meeting(directory: Directory, meeting: Meeting, wish: Wish, taken: Taken) -> Meeting:
    """*meeting* at its new time: its name and what is owed stay, all else is as if new."""
    fresh = new_meeting(directory, wish, taken)
    return replace(
        fresh,
        uid=meeting.uid,
        wanted=meeting.wanted,
        desired_generation=meeting.desired_generation,
        applied_generation=meeting.applied_generation,
        owed_since=meeting.owed_since,
        rewrites_day=meeting.rewrites_day,
        rewrites=meeting.rewrites,
    )


def _asked(wish: Wish, candidates: Sequence[MailboxId]) -> dict[str, object]:
    asked = {"caseworker": candidates[0]} if len(candidates) == 1 else {}
    return {"offer": wish.offer.name, "start": zulu(wish.interval.start), "form": wish.form.value, **asked}


def about(meeting: Meeting) -> dict[str, object]:
    """Facts of a refusal by which alternatives can be found."""
    return {"offer": meeting.offer, "start": zulu(meeting.interval.start), "form": meeting.form.value}


def with_buffers(interval: Interval, before: int, after: int) -> Interval:
    """The time a meeting takes of its caseworker; *before* and *after* are minutes."""
    return interval.padded(timedelta(minutes=before), timedelta(minutes=after))


def lock_site_days(tx: Tx, directory: Directory, people: set[MailboxId], spans: Sequence[Interval]) -> None:
    """Let nobody else choose rooms at these people's sites on the days of *spans* until we commit."""
    sites = {directory.sites[directory.caseworkers[one].site] for one in people if one in directory.caseworkers}
    names = [locks.site_day(site.id, day) for site in sites for span in spans for day in days(span, site.zone)]
    locks.take(tx.session, names)


def local_days(interval: Interval, zone: str) -> Interval:
    """The whole local days that *interval* touches."""
    touched = days(interval, zone)
    return whole_days(touched[0], touched[-1], zone)


def by_load(
    tx: Tx,
    rulebook: Rulebook,
    directory: Directory,
    candidates: Sequence[MailboxId],
    interval: Interval,
    now: datetime,
    counted: Counted | None = None,
) -> list[MailboxId]:
    """*candidates* without those whose time is taken, the least burdened that week (by their weight) first.

    :param counted: weeks that were counted in this transaction before; what is counted now is put there.
    """
    if not candidates:
        return []
    zone = directory.sites[directory.caseworkers[candidates[0]].site].zone
    day = wall_clock(interval.start, zone).date()
    monday = day - timedelta(days=day.weekday())
    key, known = (monday, tuple(candidates)), {} if counted is None else counted
    if key not in known:
        known[key] = tx.meetings.starting(candidates, whole_days(monday, monday + timedelta(days=6), zone), now)
    counts = known[key]
    taken = tx.meetings.busy(candidates, interval, now)
    free = [one for one in candidates if not taken[one]]
    return sorted(free, key=lambda one: counts[one] / max(rulebook.policy(one).weight, 0.01))
