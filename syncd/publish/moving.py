"""Times that have a room once other meetings change theirs: the proof, and the moves it needs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Lock
from typing import Any, TypeAlias

from syncd.model.directory import Directory, MailboxId, Site
from syncd.model.interval import Interval
from syncd.model.offer import Form, Offer, RoomRequirement, Rulebook
from syncd.model.zones import wall_clock, whole_days
from syncd.publish.mirror import ROOM_POLICY, counted_events
from syncd.publish.rooms import RoomTime
from syncd.roomalloc import rank, timetable
from syncd.roomalloc.allocate import Certificate, certificate
from syncd.roomalloc.cost import Policy
from syncd.roomalloc.day import SHORTEST, Day, Standing
from syncd.roomalloc.offers import PROOF
from syncd.roomalloc.repair import find
from syncd.roomalloc.timetable import Occupant, Timing, ask_of, site_day
from syncd.slots.blocking import Claim, Event, blocks
from syncd.slots.grid import QUARTER, Cells, Grid
from syncd.slots.hours import closed_because
from syncd.store import Tx
from syncd.store.instants import epoch, moment, span
from syncd.store.supply import Place, Supply

KEPT_DAYS = 400
"""Site-days remembered between answers."""
NEVER = (0, 0)
"""What is covered of a calendar that was never read."""
BEFORE = 14
"""Days looked back for the working day before a meeting's day."""


@dataclass(frozen=True, slots=True)
class RoomRules:
    """How a site gives its rooms.

    :param timing: when people are told and when rooms stand for good.
    :param policy: how many meetings may be moved for a new one; ``moves=0`` moves nobody.
    """

    timing: Timing = field(default_factory=Timing)
    policy: Policy = field(default_factory=lambda: Policy(told=2))


@dataclass(slots=True)
class _Known:
    """What was found out about one site-day; valid as long as *state* is."""

    state: tuple[Any, ...]
    day: Day | None = None
    answers: dict[tuple[RoomRequirement, int, int], bool] = field(default_factory=dict)


DayKey: TypeAlias = tuple[str, date, int]


class Plans:
    """Site-days between answers; thread-safe. A day is worked out anew when anything in it has changed."""

    def __init__(self) -> None:
        self._kept: OrderedDict[DayKey, _Known] = OrderedDict()
        self._lock = Lock()

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


@dataclass(frozen=True, slots=True)
class Giving:
    """How rooms are given, and what is remembered of it between answers."""

    rules: RoomRules = field(default_factory=RoomRules)
    plans: Plans = field(default_factory=Plans)


@dataclass(frozen=True, slots=True)
class Moving:
    """The rooms of one scene, with everybody in them; days are read when first asked about.

    :param halls: the rooms whose calendars can be trusted. :param claims: what takes them, per room.
    :param ignoring: a meeting that is being moved: its own time counts as free.
    :param pinned: meetings that staff want to keep where they are.
    """

    supply: Supply
    directory: Directory
    rulebook: Rulebook
    rules: RoomRules
    grid: Grid
    now: int
    halls: Sequence[RoomTime]
    claims: Mapping[MailboxId, Sequence[Claim]]
    ignoring: str | None
    plans: Plans
    pinned: frozenset[str] = frozenset()
    seen: dict[tuple[str, date], _Known] = field(default_factory=dict)

    def starts(self, site: Site, offer: Offer, form: Form, cells: Cells) -> Cells:
        """Those of *cells* at which a meeting would have a room if at most ``policy.moves`` others changed theirs."""
        if not cells or not self.rules.policy.moves:
            return 0
        found = 0
        for at in self.grid.instants(cells):
            if self._has_room(site, offer, form, at):
                found |= self.grid.bit(at)
        return found

    def proof(
        self, site: Site, offer: Offer, interval: Interval, floor: int, teams: Collection[str]
    ) -> Certificate | None:
        """The room and the moves for one meeting, as things are in this transaction."""
        day = wall_clock(interval.start, site.zone).date()
        if not self.rules.policy.moves or interval.end > whole_days(day, day, site.zone).end:
            return None
        ask = ask_of(site, day, "new", interval, offer.room, floor, teams)
        return certificate(self.day(site, day, offer.step), ask, self.rules.policy)

    def day(self, site: Site, day: date, step: int) -> Day:
        """Everybody in the site's rooms on a local day; *step* is the grid of starts in minutes."""
        window = whole_days(day, day, site.zone)
        here = [each for each in self.halls if each.room.site == site.id]
        lengths = [minutes for offer in self.rulebook.offers.values() for minutes in offer.minutes.values()]
        return site_day(
            site,
            day,
            [each.room for each in here],
            self._occupants(here, window),
            self._standing(site, day),
            closures={each.room.id: [span(*closure) for closure in each.closures] for each in here},
            unknown={each.room.id: list(_unknown(each, window)) for each in here},
            shortest=min(lengths, default=SHORTEST),
            starts=step,
        )

    def _has_room(self, site: Site, offer: Offer, form: Form, at: int) -> bool:
        day = wall_clock(moment(at), site.zone).date()
        known = self.seen.get((site.id, day))
        if known is None:
            key = (site.id, day, self.grid.cell)
            known = self.seen[site.id, day] = self.plans.of(key, self._state(site, day))
        key_of_start = (offer.room, offer.minutes[form], at)
        answer = known.answers.get(key_of_start)
        if answer is None:
            known.day = known.day or self.day(site, day, offer.step)
            interval = Interval.at(moment(at), offer.minutes[form])
            answer = known.answers[key_of_start] = self._found(known.day, site, day, offer, interval)
        return answer

    def _found(self, rooms: Day, site: Site, day: date, offer: Offer, interval: Interval) -> bool:
        if interval.end > whole_days(day, day, site.zone).end:
            return False
        seat = rooms.seat(ask_of(site, day, "new", interval, offer.room))
        if rooms.free(seat.first, seat.last, seat.eligible):
            return True
        policy = self.rules.policy
        quick = Policy(policy.moves, policy.told, min(policy.nodes, PROOF), policy.crowded)
        return find(rooms, seat, quick, any_will_do=True) is not None

    def _state(self, site: Site, day: date) -> tuple[Any, ...]:
        """Everything that decides about the day; equal as long as nothing in it has changed."""
        window = whole_days(day, day, site.zone)
        start, end = epoch(window.start), epoch(window.end)
        cells, shift = self.grid.between(start, end), max(0, (start - self.grid.base) // self.grid.cell)
        halls = [each for each in self.halls if each.room.site == site.id]
        rooms = tuple((each.room, (each.taken & cells) >> shift, each.covered, tuple(each.closures)) for each in halls)
        claims = tuple(
            (each.room.id, claim, claim.meeting in self.pinned)
            for each in halls
            for claim in self.claims.get(each.room.id, ())
            if claim.start < end and start < claim.end and self._live(claim)
        )
        return rooms, claims, self._standing(site, day), self.rulebook.number, self.directory, self.ignoring

    def _live(self, claim: Claim) -> bool:
        return claim.meeting != self.ignoring and (claim.expires is None or claim.expires > self.now)

    def _standing(self, site: Site, day: date) -> Standing:
        rulebook = self.rulebook
        past = (day - timedelta(days=n) for n in range(1, BEFORE))
        closed = {each for each in past if closed_because(each, rulebook.closings, rulebook.holidays)}
        return timetable.standing(day, moment(self.now), site.zone, self.rules.timing, closed)

    def _occupants(self, halls: Sequence[RoomTime], window: Interval) -> Iterator[Occupant]:
        """Meetings of ours where they should be; and, as somebody else's, all else that takes a room."""
        start, end = epoch(window.start), epoch(window.end)
        ids = [each.room.id for each in halls]
        taken = [
            (each, claim)
            for each in halls
            for claim in self.claims.get(each.room.id, ())
            if claim.start < end and start < claim.end and self._live(claim)
        ]
        places = self.supply.places({claim.meeting for _, claim in taken})
        ours = set()
        for number, (each, claim) in enumerate(taken):
            occupant = self._meeting(each, claim, places.get(claim.meeting))
            if occupant is None:
                yield Occupant(f"claim {number}", each.room.id, span(claim.start, claim.end), foreign=True)
            else:
                ours.add((claim.meeting, each.room.id, epoch(occupant.interval.start), epoch(occupant.interval.end)))
                yield occupant
        for room, events in counted_events(self.supply, ids, start, end, self.ignoring).items():
            for number, event in enumerate(events):
                if _takes(event) and (event.meeting, room, event.start, event.end) not in ours:
                    yield Occupant(f"event {room} {number}", room, span(event.start, event.end), foreign=True)

    def _meeting(self, each: RoomTime, claim: Claim, place: Place | None) -> Occupant | None:
        """The meeting behind a claim; None when it is not one that could be moved."""
        if place is None or place.room != each.room.id or place.offer not in self.rulebook.offers:
            return None
        interval = span(place.start, place.end)
        person = self.directory.caseworkers.get(place.caseworker)
        if rank.claim(each.room, interval) != span(claim.start, claim.end) or person is None:
            return None
        requirement = self.rulebook.offers[place.offer].room
        pinned = claim.meeting in self.pinned
        return Occupant(claim.meeting, each.room.id, interval, requirement, person.floor, person.teams, pinned)


def rooms_of(
    tx: Tx,
    directory: Directory,
    rulebook: Rulebook,
    rules: RoomRules,
    site: Site,
    day: date,
    now: datetime,
    ignoring: str | None = None,
) -> Day:
    """Everybody in the site's rooms on a local day, read in *tx*; rooms whose calendar is not known take nobody.

    :param ignoring: a meeting that is being given another place: its own time counts as free.
    """
    window = whole_days(day, day, site.zone)
    start, end = epoch(window.start), epoch(window.end)
    supply = Supply(tx.session, tx.settings.installation())
    rooms = [room for room in directory.rooms.values() if room.site == site.id]
    ids = [room.id for room in rooms]
    statuses, closures, claims = (
        tx.mailboxes.statuses(),
        supply.closures(ids, start, end),
        supply.claims(ids, start, end),
    )
    halls = []
    for room in rooms:
        status = statuses.get(room.id)
        covered = (epoch(status.covered.start), epoch(status.covered.end)) if status and status.covered else NEVER
        halls.append(RoomTime(room, 0, covered, closures[room.id]))
    rows = {room: [Claim(*row) for row in listed] for room, listed in claims.items()}
    grid = Grid.over(start, end, QUARTER)
    moving = Moving(
        supply, directory, rulebook, rules, grid, epoch(now), halls, rows, ignoring, Plans(), supply.pinned()
    )
    return moving.day(site, day, min((offer.step for offer in rulebook.offers.values()), default=QUARTER))


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
