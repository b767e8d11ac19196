"""Times that have a room once other meetings change theirs: the proof, and the moves it needs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import gcd
from threading import Lock
from typing import Any, TypeAlias

from syncd.model.directory import Directory, MailboxId, Room, Site
from syncd.model.interval import Interval
from syncd.model.offer import Form, Offer, RoomRequirement, Rulebook
from syncd.model.zones import days, wall_clock, whole_days
from syncd.publish.booked import Booked
from syncd.publish.mirror import ROOM_POLICY, counted_events
from syncd.publish.rooms import RoomTime
from syncd.publish.standing import Edges, edges
from syncd.roomalloc.cost import Policy
from syncd.roomalloc.day import SHORTEST, Day, Seat, Standing
from syncd.roomalloc.offers import NEAR, PROOF, Past, Want, leaves_no_hole, settle
from syncd.roomalloc.timetable import Occupant, ask_of, site_day
from syncd.slots.blocking import Claim, Event, blocks
from syncd.slots.grid import QUARTER, Cells, Grid
from syncd.store.instants import epoch, moment, span
from syncd.store.supply import Place, Supply

KEPT_DAYS = 400
"""Site-days remembered between answers."""

KEPT_ROOMS = 20_000
"""Room-days remembered likewise."""

Key: TypeAlias = tuple[RoomRequirement, int]
"""What meetings ask of a room, and their minutes: those alike share every answer."""


@dataclass(slots=True)
class _Known:
    """What was found out about one site-day; valid as long as *state* is."""

    state: tuple[Any, ...]
    day: Day | None = None
    past: Past = field(default_factory=Past)
    answers: dict[tuple[Key, int], bool] = field(default_factory=dict)
    smooth: dict[tuple[Want, int], bool] = field(default_factory=dict)


DayKey: TypeAlias = tuple[str, date, int]


class Plans:
    """Site-days between answers; thread-safe. A day is worked out anew when anything in it has changed."""

    def __init__(self) -> None:
        self._kept: OrderedDict[DayKey, _Known] = OrderedDict()
        self._edges: dict[tuple[str, date], tuple[Site, Rulebook, Edges]] = {}
        self._inside: OrderedDict[DayKey, tuple[tuple[Any, ...], tuple[Occupant, ...]]] = OrderedDict()
        self._lock = Lock()

    def inside(self, key: DayKey, state: tuple[Any, ...]) -> tuple[Occupant, ...] | None:
        """Who is in one room on one day, if that was read in this state of the room."""
        kept = self._inside.get(key)
        return kept[1] if kept is not None and kept[0] == state else None

    def keep(self, key: DayKey, state: tuple[Any, ...], occupants: tuple[Occupant, ...]) -> None:
        """Remember who is in the room."""
        with self._lock:
            self._inside[key] = state, occupants
            while len(self._inside) > KEPT_ROOMS:
                self._inside.popitem(last=False)

    def of(self, key: DayKey, state: tuple[Any, ...]) -> _Known:
        """What is known of the day in this state."""
        with self._lock:
            known = self._kept.get(key)
            if known is None or known.state != state:
                known = self._kept[key] = _Known(state)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT_DAYS:
                self._kept.popitem(last=False)
            return known

    def edges(self, site: Site, day: date, rulebook: Rulebook) -> Edges:
        """When the rooms of the day are told and frozen; worked out once per revision."""
        kept = self._edges.get((site.id, day))
        if kept is None or kept[0] is not site or kept[1] is not rulebook:
            if len(self._edges) > KEPT_DAYS:
                self._edges.clear()
            kept = self._edges[site.id, day] = site, rulebook, edges(site, day, rulebook)
        return kept[2]


@dataclass(slots=True)
class _Page:
    """One local day of a site in a scene. :param cells: the cells that begin in it."""

    day: date
    window: Interval
    cells: Cells
    known: _Known | None = None


@dataclass(slots=True)
class _Settled:
    """Starts that were settled for one kind of meeting."""

    able: Cells = 0
    unable: Cells = 0


@dataclass(frozen=True, slots=True)
class Moving:
    """The rooms of one scene, with everybody in them; days are read when first asked about.

    :param now: epoch seconds. :param halls: the rooms whose calendars can be trusted. :param booked: what takes them.
    :param ignoring: a meeting that is being moved: its own time counts as free.
    :param pinned: meetings that staff want to keep where they are.
    :param holding: holds that ran out count too: their claims stand until somebody ends them.
    """

    supply: Supply
    directory: Directory
    rulebook: Rulebook
    grid: Grid
    now: int
    halls: Sequence[RoomTime]
    booked: Mapping[MailboxId, Booked]
    ignoring: str | None
    plans: Plans
    pinned: frozenset[str] = frozenset()
    holding: bool = False
    pages: dict[str, list[_Page]] = field(default_factory=dict)
    settled: dict[tuple[str, Key], _Settled] = field(default_factory=dict)

    def starts(self, site: Site, offer: Offer, form: Form, cells: Cells) -> Cells:
        """Those of *cells* at which a meeting would have a room if a few others changed theirs (`policy_of`)."""
        if not cells or not site.rooms.moves:
            return 0
        key = offer.room_for(form), offer.minutes[form]
        settled = self.settled.setdefault((site.id, key), _Settled())
        if open_question := cells & ~(settled.able | settled.unable):
            for page in self._pages(site):
                if part := open_question & page.cells:
                    self._settle(site, page, key, part, settled)
        return cells & settled.able

    def _settle(self, site: Site, page: _Page, key: Key, cells: Cells, settled: _Settled) -> None:
        """Answer for each of *cells*, from memory where the day has not changed."""
        if page.known is None:
            page.known = self.plans.of((site.id, page.day, self.grid.cell), self._state(site, page))
        known, able = page.known, 0
        for at in self.grid.instants(cells):
            answer = known.answers.get((key, at))
            if answer is None:
                answer = known.answers[key, at] = self._has_room(site, page, known, key, at)
            if answer:
                able |= self.grid.bit(at)
        settled.able |= able
        settled.unable |= cells & ~able

    def _has_room(self, site: Site, page: _Page, known: _Known, key: Key, at: int) -> bool:
        known.day = known.day or self.day(site, page.day, known.state)
        interval = Interval.at(moment(at), key[1])
        if interval.end > page.window.end:
            return False
        policy = policy_of(site)
        quick = Policy(policy.moves, policy.told, min(policy.nodes, PROOF), policy.crowded)
        seat = known.day.seat(ask_of(site, page.day, "new", interval, key[0]))
        return settle(known.day, seat, quick, known.past) in ("direct", "moves")

    def shaped(self, site: Site, offer: Offer, form: Form, cells: Cells) -> Cells:
        """Those of *cells* left on offer where the site shapes busy days (`syncd.roomalloc.offers.shaped`).

        On a day more than half full a start that leaves a useless gap, or needs moves, is hidden while a better one
        lies near; the start of a hidden time can still be booked by whoever saw it a moment ago.
        """
        if not site.rooms.shape or not cells or not offer.needs_room(form):
            return cells
        want, kept = Want(offer.room_for(form), offer.minutes[form]), 0
        for page in self._pages(site):
            part = cells & page.cells
            kept |= self._shaped(site, page, want, part) if part else 0
        return kept

    def _shaped(self, site: Site, page: _Page, want: Want, cells: Cells) -> Cells:
        if page.known is None:
            page.known = self.plans.of((site.id, page.day, self.grid.cell), self._state(site, page))
        day = page.known.day = page.known.day or self.day(site, page.day, page.known.state)
        if day.fill < policy_of(site).crowded:
            return cells
        begins = epoch(page.window.start)
        good = 0
        for at in self.grid.instants(cells):
            smooth = page.known.smooth.get((want, at))
            if smooth is None:
                smooth = leaves_no_hole(day, want, (at - begins) // 60, policy_of(site))
                page.known.smooth[want, at] = smooth
            good |= self.grid.bit(at) if smooth else 0
        return cells & (good | ~_near(good, self.grid.count(NEAR)))

    def _pages(self, site: Site) -> list[_Page]:
        found = self.pages.get(site.id)
        if found is None:
            windows = [
                (day, whole_days(day, day, site.zone)) for day in days(span(self.grid.base, self.grid.end), site.zone)
            ]
            found = self.pages[site.id] = [
                _Page(day, window, self.grid.between(epoch(window.start), epoch(window.end))) for day, window in windows
            ]
        return found

    def asking(
        self, site: Site, offer: Offer, form: Form, interval: Interval, floor: int, teams: Collection[str]
    ) -> tuple[Day, Seat] | None:
        """The day with everybody in it, and the newcomer; None for a meeting that runs past midnight."""
        day = wall_clock(interval.start, site.zone).date()
        if interval.end > whole_days(day, day, site.zone).end:
            return None
        rooms = self.day(site, day)
        return rooms, rooms.seat(ask_of(site, day, "new", interval, offer.room_for(form), floor, teams))

    def day(self, site: Site, day: date, state: tuple[Any, ...] | None = None) -> Day:
        """Everybody in the site's rooms on a local day.

        :param state: lets rooms that have not changed be taken from memory; None reads all.
        """
        window = whole_days(day, day, site.zone)
        here = [each for each in self.halls if each.room.site == site.id]
        offers = self.rulebook.offers.values()
        lengths = [offer.minutes[form] for offer in offers for form in offer.forms if offer.needs_room(form)]
        return site_day(
            site,
            day,
            [each.room for each in here],
            self._occupants(here, site, day, window) if state is None else self._remembered(here, site, day, state),
            self._standing(site, day),
            closures={each.room.id: [span(*closure) for closure in each.closures] for each in here},
            unknown={each.room.id: list(_unknown(each, window)) for each in here},
            shortest=min(lengths, default=SHORTEST),
            starts=gcd(*(offer.step for offer in offers)) or QUARTER,
        )

    def _state(self, site: Site, page: _Page) -> tuple[Any, ...]:
        """Everything that decides about the day; equal as long as nothing in it has changed."""
        cells, shift = page.cells, max(0, (epoch(page.window.start) - self.grid.base) // self.grid.cell)
        rooms = tuple(
            (
                each.room,
                (each.taken & cells) >> shift,
                each.covered,
                tuple(each.closures),
                self.booked[each.room.id].on(page.day, site.zone),
            )
            for each in self.halls
            if each.room.site == site.id
        )
        return rooms, self._standing(site, page.day), self.pinned, self.rulebook.number, self.directory, self.ignoring

    def _live(self, claim: Claim) -> bool:
        return claim.meeting != self.ignoring and (self.holding or claim.expires is None or claim.expires > self.now)

    def _standing(self, site: Site, day: date) -> Standing:
        return self.plans.edges(site, day, self.rulebook).standing(moment(self.now))

    def _remembered(
        self, halls: Sequence[RoomTime], site: Site, day: date, state: tuple[Any, ...]
    ) -> Iterator[Occupant]:
        """The same as `_occupants`; only rooms whose state is new are read."""
        rooms, *common = state
        states = {each.room.id: (room, *common) for each, room in zip(halls, rooms, strict=True)}
        keys: dict[MailboxId, DayKey] = {each.room.id: (each.room.id, day, self.grid.cell) for each in halls}
        unread = []
        for each in halls:
            found = self.plans.inside(keys[each.room.id], states[each.room.id])
            if found is None:
                unread.append(each)
            else:
                yield from found
        fresh: dict[MailboxId, list[Occupant]] = {each.room.id: [] for each in unread}
        for occupant in self._occupants(unread, site, day, whole_days(day, day, site.zone)) if unread else ():
            fresh[occupant.room].append(occupant)
        for room, occupants in fresh.items():
            self.plans.keep(keys[room], states[room], tuple(occupants))
            yield from occupants

    def _occupants(self, halls: Sequence[RoomTime], site: Site, day: date, window: Interval) -> Iterator[Occupant]:
        """Meetings of ours where they should be; and, as somebody else's, all else that takes a room."""
        start, end = epoch(window.start), epoch(window.end)
        taken = [
            (each, claim)
            for each in halls
            for claim in self.booked[each.room.id].on(day, site.zone)
            if self._live(claim)
        ]
        places = self.supply.places({claim.meeting for _, claim in taken})
        ours = set()
        for each, claim in taken:
            occupant = self._meeting(each, claim, places.get(claim.meeting))
            if occupant is None:
                yield Occupant(
                    f"claim {each.room.id} {claim.start}", each.room.id, span(claim.start, claim.end), foreign=True
                )
                continue
            ours.add((claim.meeting, each.room.id, epoch(occupant.interval.start), epoch(occupant.interval.end)))
            yield occupant
            rest = occupant.interval.end + timedelta(minutes=each.room.turnover)
            if rest < moment(claim.end):  # booked under a longer turnover: the claim stands as it is
                yield Occupant(
                    f"rest {each.room.id} {claim.start}", each.room.id, Interval(rest, moment(claim.end)), foreign=True
                )
        for room, events in counted_events(
            self.supply, [each.room.id for each in halls], start, end, self.ignoring
        ).items():
            for number, event in enumerate(events):
                if _takes(event) and (event.meeting, room, event.start, event.end) not in ours:
                    yield Occupant(f"event {room} {number}", room, span(event.start, event.end), foreign=True)

    def _meeting(self, each: RoomTime, claim: Claim, place: Place | None) -> Occupant | None:
        """The meeting behind a claim; None when it is not one that could be moved."""
        if place is None or place.room != each.room.id or claim.start != place.start or claim.end < place.end:
            return None
        person, offer = self.directory.caseworkers.get(place.caseworker), self.rulebook.offers.get(place.offer)
        return Occupant(
            claim.meeting,
            each.room.id,
            span(place.start, place.end),
            place.asks or (offer.room_for(Form(place.form)) if offer else like(each.room)),
            person.floor if person else each.room.floor,
            person.teams if person else (),
            pinned=claim.meeting in self.pinned,
        )


def _near(cells: Cells, reach: int) -> Cells:
    """The cells at most *reach* cells from one of *cells*."""
    found, done = cells, 0
    while done < reach:
        step = min(max(1, done), reach - done)
        found |= found << step | found >> step
        done += step
    return found


def policy_of(site: Site) -> Policy:
    """How far the allocator goes for a booking: told at booking, every move is one of an announced meeting."""
    rules = site.rooms
    told = rules.moves if rules.announce_days is None else min(rules.moves, rules.moves_announced)
    return Policy(moves=rules.moves, told=told)


def like(room: Room) -> RoomRequirement:
    """A room at least as good as this one: what a meeting asks whose offer is not known any more."""
    return RoomRequirement(room.capacity, room.features, room.step_free)


def _takes(event: Event) -> bool:
    return event.start < event.end and blocks(event, ROOM_POLICY, Form.IN_PERSON)


def _unknown(each: RoomTime, window: Interval) -> Iterator[Interval]:
    """The parts of the day that the room's mirror does not cover."""
    known = span(*each.covered) if each.covered[0] < each.covered[1] else None
    if known is None or not known.overlaps(window):
        yield window
        return
    if window.start < known.start:
        yield Interval(window.start, known.start)
    if known.end < window.end:
        yield Interval(known.end, window.end)
