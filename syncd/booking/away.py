"""What could be had for each meeting of a caseworker who is away; changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from syncd.booking.collide import collision
from syncd.booking.contacts import Contacts
from syncd.booking.proposals import Affected, Proposal, propose
from syncd.booking.take import by_load
from syncd.errors import BookingError, SlotGone, TemporarilyClosed
from syncd.model.booking import Meeting, RoomState
from syncd.model.directory import Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Form, Offer, Slot
from syncd.model.zones import wall_clock, whole_days
from syncd.publish import Publisher
from syncd.store import Store, Tx

SEARCHED = timedelta(days=14)
"""How far after a meeting another time is looked for."""
BEFORE = timedelta(days=2)
"""How far before it."""
TIMES = 20
"""Most other times that are proposed for one meeting."""


class Away:
    """Finds proposals by the offers' rules; notice and horizon bind citizens, not staff.

    :param directory: everybody and everything as configured now.
    :param contacts: knows whether a citizen could be called.
    """

    def __init__(
        self,
        store: Store,
        publisher: Publisher,
        directory: Callable[[], Directory],
        contacts: Contacts | None = None,
    ) -> None:
        self._contacts = contacts or Contacts()
        self._store = store
        self._publisher = publisher
        self._directory = directory

    def proposals(
        self, caseworker: MailboxId, away: Interval, now: datetime, *, reachable: bool = False
    ) -> list[Proposal]:
        """One for each meeting of *caseworker* that is not over and touches *away*, the earliest first.

        :param reachable: the caseworker could hold talks by telephone.
        """
        with self._store.read() as tx:
            meetings = affected_by(tx, caseworker, away, now, reachable)
            affected = [self._affected(tx, one, reachable, now) for one in meetings]
        return propose((replace(one, times=self._times(one.meeting, away, now)) for one in affected), now)

    def of(self, meeting_id: str, now: datetime) -> Proposal | None:
        """What could be done with one meeting whose caseworker cannot hold it; None when it is over or unknown."""
        with self._store.read() as tx:
            meeting = tx.meetings.get(meeting_id)
            if meeting is None or not meeting.wanted or meeting.interval.end <= now:
                return None
            affected = self._affected(tx, meeting, False, now)
        times = self._times(meeting, meeting.interval, now)
        return propose([replace(affected, times=times)], now)[0]

    def _affected(self, tx: Tx, meeting: Meeting, reachable: bool, now: datetime) -> Affected:
        rules = self._publisher.rules.within(tx)
        offer = rules.offers.get(meeting.offer)
        if offer is None:
            return Affected(meeting)
        known = [one for one in offer.caseworkers if one != meeting.caseworker and one in self._directory().caseworkers]
        ranked = by_load(tx, rules, self._directory(), known, meeting.interval, now)
        colleagues = tuple(one for one in ranked if self._can_take(tx, offer, meeting, one, now))
        callable_ = self._contacts.callable_(tx, offer, meeting)
        if Form.PHONE not in offer.minutes or meeting.form is Form.PHONE or not callable_:
            return Affected(meeting, colleagues)
        talk = by_phone(meeting)
        others = (one for one in ranked if one in colleagues or self._can_take(tx, offer, talk, one, now))
        return Affected(meeting, colleagues, (*((meeting.caseworker,) if reachable else ()), *others))

    def _can_take(self, tx: Tx, offer: Offer, meeting: Meeting, colleague: MailboxId, now: datetime) -> bool:
        """Whether the offer's rules let this colleague have the meeting; its own room and time count as free."""
        directory = self._directory()
        room = directory.rooms.get(meeting.room) if meeting.room else None
        if room is not None and room.site != directory.caseworkers[colleague].site:
            return False
        slot = Slot(Interval.at(meeting.interval.start, offer.minutes[meeting.form]), colleague, meeting.form)
        try:
            self._publisher.still_free(tx, for_staff(offer), slot, now, ignoring_meeting=meeting.id)
        except (SlotGone, TemporarilyClosed):
            return False
        return not collision(tx, self._publisher.rules.within(tx), directory, given(meeting, colleague))

    def _times(self, meeting: Meeting, away: Interval, now: datetime) -> tuple[Slot, ...]:
        """Other times of the same offer and form, the nearest first, with the same caseworker where two are as near."""
        first = wall_clock(max(now, meeting.interval.start - BEFORE), meeting.zone).date()
        last = wall_clock(max(now, meeting.interval.start) + SEARCHED, meeting.zone).date()
        try:
            # Whole days, so that meetings of one day share one answer.
            found = self._publisher.answer(
                meeting.offer, whole_days(first, last, meeting.zone), now, form=meeting.form
            ).slots
        except BookingError:
            return ()
        start = meeting.interval.start
        able = [
            slot
            for slot in found
            if not (slot.caseworker == meeting.caseworker and slot.interval.overlaps(away))
            and slot.interval.start != start
        ]
        return tuple(sorted(able, key=lambda slot: _preference(slot, meeting))[:TIMES])


def affected_by(tx: Tx, caseworker: MailboxId, away: Interval, now: datetime, reachable: bool = False) -> list[Meeting]:
    """Meetings of *caseworker*, not over, that an absence leaves without anybody.

    :param reachable: talks that need nobody in the house are held all the same.
    """
    found = tx.meetings.of_caseworker(caseworker, away, now)
    return [one for one in found if not reachable or one.form is Form.IN_PERSON]


def for_staff(offer: Offer) -> Offer:
    """The offer without the rules that bind citizens only."""
    return replace(offer, notice=0, reserve=None, horizon_days=max(offer.horizon_days, 366))


def given(meeting: Meeting, to: MailboxId) -> Meeting:
    """The meeting with another caseworker; what was wrong with the first one's time is over."""
    return meeting if to == meeting.caseworker else replace(meeting, caseworker=to, conflict=False)


def by_phone(meeting: Meeting) -> Meeting:
    """The meeting as a talk by telephone, which needs no room."""
    return replace(meeting, form=Form.PHONE, room=None, room_state=RoomState.NONE)


def _preference(slot: Slot, meeting: Meeting) -> tuple[timedelta, bool, str]:
    distance = abs(slot.interval.start - meeting.interval.start)
    return distance, slot.caseworker != meeting.caseworker, slot.caseworker
