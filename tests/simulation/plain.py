"""The plainest thing that can publish: hours 8 to 16, minus what the mirror and the claims hold."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.booking.collide import foreign_events
from syncd.booking.take import with_buffers
from syncd.errors import SlotGone
from syncd.model.busy import BusyType
from syncd.model.directory import Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Answer, Form, Offer, Rulebook, Slot
from syncd.model.zones import wall_clock
from syncd.roomalloc import rank
from syncd.store import Store, Tx


class PlainPublisher:
    """Stands in for `syncd.publish.Publisher` where its rules are not what is tested."""

    def __init__(self, store: Store, directory: Directory, rulebook: Rulebook) -> None:
        self._store, self._directory, self._rulebook = store, directory, rulebook

    def still_free(
        self, tx: Tx, offer: Offer, slot: Slot, now: datetime, ignoring_meeting: str | None = None
    ) -> MailboxId | None:
        """The room, or None where none is needed; SlotGone when the time is not on offer."""
        padded = with_buffers(slot.interval, offer.before, offer.after)
        local = wall_clock(slot.interval.start, "Europe/Copenhagen")
        if not 8 <= local.hour < 16 or slot.interval.start < now + timedelta(minutes=offer.notice):
            raise SlotGone("Outside hours or notice.")
        if self._busy(tx, [slot.caseworker], padded, now, ignoring_meeting)[slot.caseworker]:
            raise SlotGone("The caseworker is busy.")
        if slot.form not in offer.room_forms:
            return None
        rooms = list(self._directory.rooms.values())
        site = self._directory.sites["hq"]
        busy = self._busy(tx, [room.id for room in rooms], slot.interval, now, ignoring_meeting)
        ranked = rank.choose(rooms, offer.room, slot.interval, busy, site=site)
        if not ranked:
            raise SlotGone("No room is free.")
        return ranked[0]

    def answer(
        self, offer: str, window: Interval, now: datetime, caseworker: str | None = None, form: Form | None = None
    ) -> Answer:
        """Every quarter of an hour that `still_free` lets pass."""
        known, form = self._rulebook.offers[offer], form or Form.IN_PERSON
        slots, start = [], window.start
        with self._store.read() as tx:
            while start < window.end and len(slots) < 400:
                for person in [caseworker] if caseworker else known.caseworkers:
                    slot = Slot(Interval.at(start, known.minutes[form]), person, form)
                    slots += [slot] if self._free(tx, known, slot, now) else []
                start += timedelta(minutes=known.step)
        return Answer(tuple(slots), 0, now, now, {}, {})

    def _free(self, tx: Tx, offer: Offer, slot: Slot, now: datetime) -> bool:
        try:
            self.still_free(tx, offer, slot, now)
        except SlotGone:
            return False
        return True

    def _busy(
        self, tx: Tx, mailboxes: list[str], window: Interval, now: datetime, ignoring: str | None
    ) -> dict[str, list[Interval]]:
        taken = tx.meetings.busy(mailboxes, window, now, ignoring)
        events = foreign_events(tx, mailboxes, window)
        return {
            mailbox: taken[mailbox] + [event.interval for event in events[mailbox] if event.busy is not BusyType.FREE]
            for mailbox in mailboxes
        }
