"""Everything one answer rests on, read in one snapshot of the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncd.model.directory import Directory, MailboxId, Room, Site
from syncd.model.interval import Interval
from syncd.model.mirror import MailboxStatus, Trust, trust
from syncd.model.offer import Form, Offer, Rulebook
from syncd.model.pause import Pause
from syncd.model.policy import Policy
from syncd.publish.booked import Booked, Bookings
from syncd.publish.mirror import ROOM_POLICY, Layout, Mirror, Wanted, counting
from syncd.publish.moving import Moving, Plans
from syncd.publish.rooms import RoomTime, with_room
from syncd.publish.roster import Roster
from syncd.slots.blocking import Event, blocking
from syncd.slots.caps import Cap, Taken, caps_of
from syncd.slots.grid import DAY, Cells, Grid, Span, cell_minutes
from syncd.slots.hours import Hours
from syncd.store import Tx
from syncd.store.instants import epoch, moment
from syncd.store.pauses import paused
from syncd.store.seats import Group, groups
from syncd.store.supply import AWAY, OwnMeeting, Supply

EIGHT_DAYS = 8 * DAY
"""Around the window, so that a week's meetings are counted whole."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to read: whose time, for which forms, when.

    :param people: caseworkers, in the order they are preferred.
    :param window: where meetings may lie.
    :param ignoring: a meeting that is being moved: its own time counts as free.
    :param roles: by further role, who may fill it.
    :param immediate: for immediate booking. :param reserve_open: everybody may have the reserve.
    """

    offer: Offer
    roster: Roster
    people: Sequence[MailboxId]
    forms: Sequence[Form]
    window: Interval
    now: datetime
    max_age: timedelta
    ignoring: str | None = None
    roles: tuple[tuple[MailboxId, ...], ...] = ()
    immediate: bool = False
    reserve_open: bool = False

    @property
    def helpers(self) -> list[MailboxId]:
        """Everybody who may fill a further role, each once."""
        return list(dict.fromkeys(one for role in self.roles for one in role))

    @property
    def rulebook(self) -> Rulebook:
        """The rules it is answered by."""
        return self.roster.rulebook

    @property
    def directory(self) -> Directory:
        """Everybody and everything."""
        return self.roster.directory

    def site(self, person: MailboxId) -> Site:
        """Where a caseworker works."""
        return self.directory.sites[self.directory.caseworkers[person].site]


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of one caseworker's time.

    :param open_plan: whether the desk is in an open-plan office.
    :param covered: where the calendar is known, in epoch seconds.
    :param ours: entries of our own meetings that count like anybody's.
    :param claims: cells that meetings and live holds take.
    """

    id: MailboxId
    site: Site
    open_plan: bool
    hours: Hours
    policy: Policy
    covered: Span
    layout: Layout
    ours: Sequence[Event]
    claims: Cells

    def events(self, grid: Grid, form: Form) -> Cells:
        """Cells that events take from meetings held as *form*."""
        taken = self.layout.taken(form)
        return taken | grid.touched(blocking(self.ours, self.policy, form)) if self.ours else taken


@dataclass(frozen=True, slots=True)
class Scene:
    """One question and all facts about it.

    :param people: those whose calendar can be trusted. :param distrusted: the others, with the reason.
    :param rooms: by site and form, the starts at which a room is free; only for forms that need one.
    :param halls: the rooms that can be trusted.
    :param moving: at which further starts a room can be freed by moving others.
    :param taken: meetings that count against caps.
    :param as_of: the oldest calendar it rests on.
    :param edges: instants at which time alone changes something: a hold runs out, a calendar gets too old.
    :param partners: those who may fill a further role and whose calendar can be trusted.
    :param groups: meetings of a group offer that somebody has a seat in, whose calendar can be trusted.
    :param paused: maintenance, which closes everything.
    """

    asked: Asked
    grid: Grid
    people: tuple[Person, ...]
    distrusted: Mapping[MailboxId, Trust]
    rooms: Mapping[tuple[str, Form], Cells]
    halls: tuple[RoomTime, ...]
    moving: Moving
    taken: tuple[Taken, ...]
    as_of: datetime | None
    edges: tuple[datetime, ...]
    partners: tuple[Person, ...] = ()
    groups: tuple[Group, ...] = ()
    paused: Pause | None = None


def grid_of(offer: Offer, directory: Directory, window: Interval) -> Grid:
    """A grid on which the offer, and rooms' turnovers, come out exactly; a day wider than *window* on each side."""
    rests = {room.turnover for room in directory.rooms.values()} if offer.room_forms | offer.open_plan_forms else set()
    minutes = cell_minutes(offer.step, offer.before, offer.after, *offer.minutes.values(), *rests)
    return Grid.over(epoch(window.start) - DAY, epoch(window.end) + DAY, minutes)


def caps_by_policy(offer: Offer, policies: Iterable[Policy]) -> dict[int, list[Cap]]:
    """The caps under each policy, by the identity of the policy, which people share."""
    return {id(policy): caps_of(offer, policy) for policy in {id(one): one for one in policies}.values()}


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered between answers.

    :param mirror: calendars laid out. :param bookings: what our meetings take. :param plans: site-days of rooms.
    """

    mirror: Mirror = field(default_factory=Mirror)
    bookings: Bookings = field(default_factory=Bookings)
    plans: Plans = field(default_factory=Plans)


class Reader:
    """Sets one scene from one transaction, with what is remembered at hand."""

    def __init__(self, tx: Tx, memory: Memory, asked: Asked, installation: str) -> None:
        self._memory, self._asked = memory, asked
        self._session, self._supply = tx.session, Supply(tx.session, installation)
        self._paused = paused(tx.settings)
        self._grid = grid_of(asked.offer, asked.directory, asked.window)
        self._halls = self._rooms_in_question()
        self._people = list(dict.fromkeys([*asked.people, *asked.helpers])) if asked.roles else asked.people
        boxes = [*self._people, *(room.id for room in self._halls)]
        self._statuses = self._supply.statuses(boxes, memory.mirror.statuses)

    def scene(self) -> Scene:
        """Everything that decides about what was asked."""
        asked, grid = self._asked, self._grid
        trusts = {one: self._trust(one) for one in (*self._people, *(room.id for room in self._halls))}
        able = [one for one in self._people if trusts[one].open]
        halls = [room for room in self._halls if trusts[room.id].open]
        relied = [*able, *(room.id for room in halls)]
        layouts = self._layouts(able, halls)
        own = self._supply.own({event.meeting or "" for each in layouts.values() for _, event in each.own})
        booked = self._memory.bookings.read(self._supply, relied, grid)
        room_times = tuple(self._room_times(halls, layouts, own, booked))
        people = {one: self._person(one, layouts[one], own, booked[one]) for one in able}
        groups = self._groups([one for one in asked.people if one in people], booked)
        ages = [age for one in relied if (age := self._statuses[one].as_of) is not None]
        return Scene(
            asked,
            grid,
            tuple(people[one] for one in asked.people if one in people),
            {one: trusts[one] for one in self._people if not trusts[one].open},
            self._free_rooms(room_times),
            room_times,
            self._moving(room_times, booked),
            self._taken(),
            min(ages, default=None),
            (*self._edges(booked, [trusts[one] for one in relied]), *_runs_out(groups)),
            tuple(people[one] for one in asked.helpers if one in people),
            groups,
            self._paused,
        )

    def _rooms_in_question(self) -> list[Room]:
        asked = self._asked
        if not any(form in asked.offer.room_forms | asked.offer.open_plan_forms for form in asked.forms):
            return []
        sites = {asked.site(one).id for one in asked.people}
        return [room for room in asked.directory.rooms.values() if room.site in sites]

    def _trust(self, mailbox: MailboxId) -> Trust:
        if self._paused is not None:
            return Trust(None, self._paused.en, since=self._paused.since)
        return trust(self._statuses.get(mailbox), self._asked.now, self._asked.max_age, self._asked.window)

    def _layouts(self, people: Sequence[MailboxId], halls: Sequence[Room]) -> dict[MailboxId, Layout]:
        wanted = {one: Wanted(self._asked.rulebook.policy(one)) for one in people}
        wanted |= {room.id: Wanted(ROOM_POLICY, room.turnover) for room in halls}
        return self._memory.mirror.layouts(self._supply, self._statuses, wanted, self._grid)

    def _person(self, one: MailboxId, layout: Layout, own: Mapping[str, OwnMeeting], booked: Booked) -> Person:
        asked = self._asked
        ours = counting(layout.own, own, asked.ignoring, one) if layout.own else ()
        return Person(
            one,
            asked.site(one),
            asked.directory.caseworkers[one].open_plan,
            asked.roster.hours(one),
            layout.policy,
            _covered(self._statuses[one]),
            layout,
            ours,
            booked.cells(self._grid, asked.now, asked.ignoring),
        )

    def _room_times(
        self,
        halls: Sequence[Room],
        layouts: Mapping[MailboxId, Layout],
        own: Mapping[str, OwnMeeting],
        booked: Mapping[MailboxId, Booked],
    ) -> Iterable[RoomTime]:
        asked = self._asked
        closures = self._supply.closures([room.id for room in halls], self._grid.base, self._grid.end)
        for room in halls:
            layout = layouts[room.id]
            ours = counting(layout.own, own, asked.ignoring, room.id)
            entries = [(event.start, event.end + room.turnover * 60) for event in ours]
            claims = booked[room.id].cells(self._grid, asked.now, asked.ignoring)
            taken = layout.in_person | self._grid.touched(entries) | claims
            yield RoomTime(room, taken, _covered(self._statuses[room.id]), closures[room.id])

    def _moving(self, times: tuple[RoomTime, ...], booked: Mapping[MailboxId, Booked]) -> Moving:
        asked = self._asked
        return Moving(
            self._supply,
            asked.directory,
            asked.rulebook,
            self._grid,
            epoch(asked.now),
            times,
            booked,
            asked.ignoring,
            self._memory.plans,
            self._supply.pinned() if times else frozenset(),
        )

    def _free_rooms(self, times: Sequence[RoomTime]) -> dict[tuple[str, Form], Cells]:
        """By site and form; a site without any usable room has none free."""
        asked = self._asked
        needing = [form for form in asked.forms if form in asked.offer.room_forms | asked.offer.open_plan_forms]
        sites = {asked.site(one).id: asked.site(one).zone for one in asked.people} if needing else {}
        here = {site: [each for each in times if each.room.site == site] for site in sites}
        return {
            (site, form): with_room(self._grid, here[site], asked.offer.room_for(form), asked.offer.minutes[form], zone)
            for site, zone in sites.items()
            for form in needing
        }

    def _taken(self) -> tuple[Taken, ...]:
        """Meetings that count against caps; nothing is read when no cap holds."""
        asked = self._asked
        policies = (asked.rulebook.policy(one) for one in asked.people)
        caps = [cap for listed in caps_by_policy(asked.offer, policies).values() for cap in listed]
        if not caps:
            return ()
        people = asked.people if all(cap.personal for cap in caps) else asked.offer.caseworkers
        rows = self._supply.meetings(people, self._grid.base - EIGHT_DAYS, self._grid.end + EIGHT_DAYS)
        now = epoch(asked.now)
        return tuple(
            Taken(row.caseworker, row.offer, row.start, row.meeting, row.minutes)
            for row in rows
            if row.meeting != asked.ignoring and (row.expires is None or row.expires > now)
        )

    def _groups(self, people: Sequence[MailboxId], booked: Mapping[MailboxId, Booked]) -> tuple[Group, ...]:
        """Nobody joins a meeting that clashes with something, or whose caseworker is away."""
        asked = self._asked
        if asked.offer.seats == 1 or not people:
            return ()
        start, end = epoch(asked.window.start), epoch(asked.window.end)
        found = groups(self._session, asked.offer.name, people, start, end, epoch(asked.now))
        return tuple(
            group
            for group in found
            if not group.conflict
            and not any(
                claim.meeting == AWAY and claim.start < group.end and group.start < claim.end
                for claim in booked[group.caseworker].claims
            )
        )

    def _edges(self, booked: Mapping[MailboxId, Booked], trusts: Collection[Trust]) -> Iterable[datetime]:
        now = epoch(self._asked.now)
        ends = {claim.expires for each in booked.values() for claim in each.claims if claim.expires is not None}
        yield from (moment(end) for end in ends if end > now)
        yield from {trust.until for trust in trusts if trust.until is not None}


def _runs_out(groups: Iterable[Group]) -> set[datetime]:
    """When holds of seats run out."""
    return {moment(expires) for group in groups for expires in group.taken if expires is not None}


def _covered(status: MailboxStatus) -> Span:
    assert status.covered is not None, "a trusted mailbox was read"
    return epoch(status.covered.start), epoch(status.covered.end)
