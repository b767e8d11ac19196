"""Everything one answer rests on, read in one snapshot of the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.model.directory import Directory, MailboxId, Room, Site
from syncd.model.interval import Interval
from syncd.model.mirror import MailboxStatus, Trust, trust
from syncd.model.offer import Form, Offer, Rulebook
from syncd.model.policy import Policy
from syncd.publish.mirror import ROOM_POLICY, Layout, Mirror, counting
from syncd.publish.rooms import RoomTime, with_room
from syncd.slots.blocking import Claim, Event, blocking
from syncd.slots.caps import Taken, caps_of
from syncd.slots.compute import claimed
from syncd.slots.grid import DAY, Cells, Grid, Span, cell_minutes
from syncd.slots.hours import Hours
from syncd.store import Tx
from syncd.store.instants import epoch, moment
from syncd.store.supply import OwnMeeting, Supply

EIGHT_DAYS = 8 * DAY
"""Around the window, so that a week's meetings are counted whole."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to read: whose time, for which forms, when.

    :param people: caseworkers, in the order they are preferred.
    :param window: where meetings may lie.
    :param ignoring: a meeting that is being moved: its own time counts as free.
    """

    offer: Offer
    rulebook: Rulebook
    directory: Directory
    people: Sequence[MailboxId]
    forms: Sequence[Form]
    window: Interval
    now: datetime
    max_age: timedelta
    ignoring: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of one caseworker's time.

    :param covered: where the calendar is known, in epoch seconds.
    :param events: cells that events take, by form. :param claims: cells that meetings and live holds take.
    :param marks: time marked open, for this offer or another.
    """

    id: MailboxId
    site: Site
    hours: Hours
    policy: Policy
    covered: Span
    events: Mapping[Form, Cells]
    claims: Cells
    layout: Layout


@dataclass(frozen=True, slots=True)
class Scene:
    """One question and all facts about it.

    :param people: those whose calendar can be trusted. :param distrusted: the others, with the reason.
    :param rooms: by site and form, the starts at which a room is free; only for forms that need one.
    :param as_of: the oldest calendar it rests on.
    :param edges: instants at which time alone changes something: a hold runs out, a calendar gets too old.
    """

    asked: Asked
    grid: Grid
    people: tuple[Person, ...]
    distrusted: Mapping[MailboxId, Trust]
    rooms: Mapping[tuple[str, Form], Cells]
    halls: tuple[RoomTime, ...]
    taken: tuple[Taken, ...]
    as_of: datetime | None
    edges: tuple[datetime, ...]


def grid_of(offer: Offer, directory: Directory, window: Interval) -> Grid:
    """A grid on which the offer, and rooms' turnovers, come out exactly; a day wider than *window* on each side."""
    rests = {room.turnover for room in directory.rooms.values()} if offer.room_forms else set()
    minutes = cell_minutes(offer.step, offer.before, offer.after, *offer.minutes.values(), *rests)
    return Grid.over(epoch(window.start) - DAY, epoch(window.end) + DAY, minutes)


def hours_of(rulebook: Rulebook, directory: Directory, person: MailboxId) -> Hours:
    """Everything that decides when *person* is at work."""
    site = directory.sites[directory.caseworkers[person].site]
    closings = tuple(closing for closing in rulebook.closings if not closing.sites or site.id in closing.sites)
    rules, exceptions = rulebook.hours.get(person, ()), rulebook.exceptions.get(person, ())
    return Hours(rules, site.zone, exceptions, closings, rulebook.holidays)


class Reader:
    """Sets one scene from one transaction, with the mirror's memory at hand."""

    def __init__(self, tx: Tx, mirror: Mirror, asked: Asked) -> None:
        self._tx, self._mirror, self._asked = tx, mirror, asked
        self._supply = Supply(tx.session, tx.settings.installation())
        self._grid = grid_of(asked.offer, asked.directory, asked.window)
        self._halls = self._rooms_in_question()
        self._statuses = tx.mailboxes.statuses([*asked.people, *(room.id for room in self._halls)])

    def scene(self) -> Scene:
        """Everything that decides about what was asked."""
        asked, grid = self._asked, self._grid
        trusts = {one: self._trust(one) for one in (*asked.people, *(room.id for room in self._halls))}
        able = [one for one in asked.people if trusts[one].open]
        halls = [room for room in self._halls if trusts[room.id].open]
        layouts = self._layouts(able, halls)
        own = self._supply.own({event.meeting or "" for each in layouts.values() for _, event in each.own})
        claims = self._claims([*able, *(room.id for room in halls)])
        room_times = tuple(self._room_times(halls, layouts, own, claims))
        relied = [*able, *(room.id for room in halls)]
        ages = [status.as_of for one in relied if (status := self._statuses.get(one)) and status.as_of]
        return Scene(
            asked,
            grid,
            tuple(self._person(one, layouts[one], own, claims[one]) for one in able),
            {one: trusts[one] for one in asked.people if not trusts[one].open},
            self._free_rooms(room_times),
            room_times,
            self._taken(),
            min(ages, default=None),
            tuple(self._edges(claims, [trusts[one] for one in relied])),
        )

    def _rooms_in_question(self) -> list[Room]:
        directory = self._asked.directory
        if not any(form in self._asked.offer.room_forms for form in self._asked.forms):
            return []
        sites = {directory.caseworkers[one].site for one in self._asked.people}
        return [room for room in directory.rooms.values() if room.site in sites]

    def _trust(self, mailbox: MailboxId) -> Trust:
        return trust(self._statuses.get(mailbox), self._asked.now, self._asked.max_age, self._asked.window)

    def _layouts(self, people: Sequence[MailboxId], halls: Sequence[Room]) -> dict[MailboxId, Layout]:
        policies = {one: self._asked.rulebook.policy(one) for one in people}
        found = self._mirror.layouts(self._supply, self._statuses, policies, self._grid)
        rests = {room.id: room.turnover for room in halls}
        return found | self._mirror.layouts(
            self._supply, self._statuses, dict.fromkeys(rests, ROOM_POLICY), self._grid, rests
        )

    def _claims(self, ids: Sequence[MailboxId]) -> dict[MailboxId, list[Claim]]:
        rows = self._supply.claims(ids, self._grid.base, self._grid.end) if ids else {}
        return {mailbox: [Claim(*row) for row in listed] for mailbox, listed in rows.items()}

    def _person(self, one: MailboxId, layout: Layout, own: Mapping[str, OwnMeeting], claims: Iterable[Claim]) -> Person:
        asked, grid = self._asked, self._grid
        policy = asked.rulebook.policy(one)
        ours = counting(layout.own, own, asked.ignoring)
        events = {
            form: layout.taken(form) | (grid.touched(blocking(ours, policy, form)) if ours else 0)
            for form in asked.forms
        }
        site = asked.directory.sites[asked.directory.caseworkers[one].site]
        return Person(
            one,
            site,
            hours_of(asked.rulebook, asked.directory, one),
            policy,
            _covered(self._statuses[one]),
            events,
            claimed(grid, claims, asked.now, _set(asked.ignoring)),
            layout,
        )

    def _room_times(
        self,
        halls: Iterable[Room],
        layouts: Mapping[MailboxId, Layout],
        own: Mapping[str, OwnMeeting],
        claims: Mapping[MailboxId, Sequence[Claim]],
    ) -> Iterable[RoomTime]:
        rooms = list(halls)
        closures = self._supply.closures([room.id for room in rooms], self._grid.base, self._grid.end)
        for room in rooms:
            layout = layouts[room.id]
            ours = blocking_rooms(counting(layout.own, own, self._asked.ignoring), room.turnover)
            taken = layout.in_person | self._grid.touched(ours)
            taken |= claimed(self._grid, claims[room.id], self._asked.now, _set(self._asked.ignoring))
            yield RoomTime(room, taken, _covered(self._statuses[room.id]), closures[room.id])

    def _free_rooms(self, times: Sequence[RoomTime]) -> dict[tuple[str, Form], Cells]:
        """By site and form; a site without any usable room has none free."""
        offer, directory = self._asked.offer, self._asked.directory
        needing = [form for form in self._asked.forms if form in offer.room_forms]
        sites = {directory.caseworkers[one].site for one in self._asked.people} if needing else set()
        return {
            (site, form): with_room(
                self._grid,
                [each for each in times if each.room.site == site],
                offer.room,
                offer.minutes[form],
                directory.sites[site].zone,
            )
            for site in sites
            for form in needing
        }

    def _taken(self) -> tuple[Taken, ...]:
        """Meetings that count against caps; nothing is read when no cap holds."""
        asked = self._asked
        caps = [cap for one in asked.people for cap in caps_of(asked.offer, asked.rulebook.policy(one))]
        if not caps:
            return ()
        people = asked.people if all(cap.personal for cap in caps) else asked.offer.caseworkers
        rows = self._supply.meetings(people, self._grid.base - EIGHT_DAYS, self._grid.end + EIGHT_DAYS)
        now = epoch(asked.now)
        return tuple(
            Taken(row.caseworker, row.offer, row.start, row.meeting)
            for row in rows
            if row.meeting != asked.ignoring and (row.expires is None or row.expires > now)
        )

    def _edges(self, claims: Mapping[MailboxId, Sequence[Claim]], trusts: Iterable[Trust]) -> Iterable[datetime]:
        now = epoch(self._asked.now)
        ends = [claim.expires for listed in claims.values() for claim in listed if claim.expires is not None]
        yield from (moment(end) for end in ends if end > now)
        yield from (trust.until for trust in trusts if trust.until is not None)


def blocking_rooms(events: Iterable[Event], turnover: int) -> list[Span]:
    """The time that entries in a room's calendar take, turnover (minutes) included."""
    return [(event.start, event.end + turnover * 60) for event in events]


def _covered(status: MailboxStatus) -> Span:
    assert status.covered is not None, "a trusted mailbox was read"
    return epoch(status.covered.start), epoch(status.covered.end)


def _set(meeting: str | None) -> Collection[str]:
    return () if meeting is None else (meeting,)
