"""Tells people their rooms: first when it is time, and again whenever the room is another one.

Level-triggered: what people were told is compared with the room a meeting has, so that no change of an announced
meeting goes unnoticed, whoever made it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

from syncd.booking.desire import desire
from syncd.model.booking import Meeting
from syncd.model.directory import Directory, MailboxId, Site
from syncd.model.offer import Rulebook
from syncd.model.zones import wall_clock
from syncd.publish.standing import BEFORE, announced, edges
from syncd.store import Store, Tx
from syncd.store.rooms import Untold

EARLIEST = timedelta(days=60)
"""How far ahead meetings of sites are looked at that announce at booking."""


class Announcer:
    """Announces rooms; each meeting is one transaction.

    :param directory, rulebook: the ones in force now.
    """

    def __init__(self, store: Store, directory: Callable[[], Directory], rulebook: Callable[[], Rulebook]) -> None:
        self._store, self._directory, self._rulebook = store, directory, rulebook

    def announce(self, now: datetime, limit: int = 500) -> int:
        """Tell the rooms that are due, and those that changed since they were told; returns how many.

        The caseworker reads it in her entry, clients hear of it (`syncd.model.event`).
        """
        sites = self._directory().sites.values()
        days = [site.rooms.announce_days for site in sites]
        ahead = max((EARLIEST if d is None else timedelta(days=d + BEFORE) for d in days), default=EARLIEST)
        with self._store.read() as tx:
            untold = tx.rooms.untold(now, now + ahead)
        known: dict[tuple[str, date], bool] = {}
        due = [one.meeting for one in untold if one.told or self._due(one, now, known)]
        return sum(self._store.run(partial(self._tell, meeting=meeting, now=now)) for meeting in due[:limit])

    def _due(self, one: Untold, now: datetime, known: dict[tuple[str, date], bool]) -> bool:
        """Whether it is time. :param known: the answers given already, by site and local day."""
        site = site_of(self._directory(), one.caseworker, one.room)
        if site is None:
            return False
        day = wall_clock(one.start, site.zone).date()
        if (site.id, day) not in known:
            known[site.id, day] = edges(site, day, self._rulebook()).announced(now)
        return known[site.id, day]

    def _tell(self, tx: Tx, meeting: str, now: datetime) -> bool:
        found = tx.meetings.get(meeting, lock=True)
        before = tx.rooms.notice(meeting)
        if found is None or not found.wanted or (before is None and found.room is None):
            return False
        if before is not None and before.room == found.room:
            return False
        tx.rooms.tell(meeting, found.room, now)
        desire(tx, found, now)
        told = "room.announced" if before is None else "room.changed"
        tx.audit.add("syncd", told, meeting=meeting, detail=found.room or "-", now=now)
        return True


def tell_if_due(tx: Tx, directory: Directory, rulebook: Rulebook, meeting: Meeting, now: datetime) -> None:
    """Whoever books, or is moved to, a day that was announced knows the room at once: no second message is needed."""
    site = site_of(directory, meeting.caseworker, meeting.room)
    if meeting.room is not None and site is not None and announced(site, meeting.interval, rulebook, now):
        tx.rooms.tell(meeting.id, meeting.room, now)


def site_of(directory: Directory, caseworker: MailboxId, room: MailboxId | None) -> Site | None:
    """Where a meeting is held: the house of its room, else of its caseworker."""
    if room is not None and room in directory.rooms:
        return directory.sites[directory.rooms[room].site]
    person = directory.caseworkers.get(caseworker)
    return None if person is None else directory.sites[person.site]
