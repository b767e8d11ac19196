"""What could be had for each meeting of a caseworker who is away; changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from syncd.booking.collide import colliding
from syncd.booking.contacts import Contacts
from syncd.booking.other_times import OtherTimes
from syncd.booking.proposals import Affected, Proposal, propose
from syncd.booking.take import Counted, by_load
from syncd.model.booking import Meeting, RoomState
from syncd.model.directory import Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Form, Offer
from syncd.publish import Publisher
from syncd.store import Store, Tx

PEOPLE = 20
"""Most people that are proposed for one meeting."""
AT_ONCE = 2 * PEOPLE
"""So many are looked at together; mostly enough of them can, and the others need no look."""


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
            counted: Counted = {}
            affected = [self._affected(tx, one, reachable, now, counted) for one in meetings]
        times = OtherTimes(self._publisher, meetings, away, now)
        return propose((replace(one, times=times.of(one.meeting)) for one in affected), now)

    def of(self, meeting_id: str, now: datetime) -> Proposal | None:
        """What could be done with one meeting whose caseworker cannot hold it; None when it is over or unknown."""
        with self._store.read() as tx:
            meeting = tx.meetings.get(meeting_id)
            if meeting is None or not meeting.wanted or meeting.interval.end <= now:
                return None
            affected = self._affected(tx, meeting, False, now)
        times = OtherTimes(self._publisher, [meeting], meeting.interval, now)
        return propose([replace(affected, times=times.of(meeting))], now)[0]

    def _affected(
        self, tx: Tx, meeting: Meeting, reachable: bool, now: datetime, counted: Counted | None = None
    ) -> Affected:
        rules = self._publisher.rules.within(tx)
        offer = rules.offers.get(meeting.offer)
        if offer is None:
            return Affected(meeting)
        known = [one for one in offer.caseworkers if one != meeting.caseworker and one in self._directory().caseworkers]
        ranked = by_load(tx, rules, self._directory(), known, meeting.interval, now, counted)
        colleagues = self._able(tx, offer, meeting, ranked, now)
        callable_ = self._contacts.callable_(tx, offer, meeting)
        if Form.PHONE not in offer.minutes or meeting.form is Form.PHONE or not callable_:
            return Affected(meeting, tuple(colleagues))
        others = {*colleagues, *self._able(tx, offer, by_phone(meeting), ranked, now)}
        phoning = [meeting.caseworker] if reachable else []
        phoning += [one for one in ranked if one in others]
        return Affected(meeting, tuple(colleagues), tuple(phoning[:PEOPLE]))

    def _able(
        self, tx: Tx, offer: Offer, meeting: Meeting, ranked: Sequence[MailboxId], now: datetime
    ) -> list[MailboxId]:
        """The first `PEOPLE` of *ranked* whom the offer's rules let have it; its own room and time count as free."""
        directory = self._directory()
        room = directory.rooms.get(meeting.room) if meeting.room else None
        here = [one for one in ranked if room is None or room.site == directory.caseworkers[one].site]
        able: list[MailboxId] = []
        for begin in range(0, len(here), AT_ONCE):
            able += self._able_of(tx, offer, meeting, here[begin : begin + AT_ONCE], now)
            if len(able) >= PEOPLE:
                break
        return able[:PEOPLE]

    def _able_of(
        self, tx: Tx, offer: Offer, meeting: Meeting, some: Sequence[MailboxId], now: datetime
    ) -> list[MailboxId]:
        slot = meeting.interval.start, meeting.form
        able = self._publisher.able(tx, for_staff(offer), some, slot, now, ignoring_meeting=meeting.id)
        settled = replace(meeting, conflict=False)  # what was wrong with the first one's time is over
        out = colliding(tx, self._publisher.rules.within(tx), self._directory(), settled, able)
        return [one for one in able if one not in out]


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
