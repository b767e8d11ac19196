"""All steps in a row: what one caseworker can offer, with how many candidates survived each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncd.model.directory import MailboxId
from syncd.model.offer import AvailabilityRule, Form, Offer
from syncd.model.policy import DEFAULT_POLICY, Policy, Source
from syncd.slots.blocking import Claim, Event, blocking, closes, open_outside, opened, without_taken
from syncd.slots.bounds import earliest, horizon_end, within
from syncd.slots.caps import Taken, caps_of, within_caps
from syncd.slots.grid import Cells, Grid, Span, cell_minutes, on_step
from syncd.slots.hours import Hours, joined, open_cells, open_spans, within_hours
from syncd.slots.kept import kept, opening


class Step(StrEnum):
    """The steps in their order; each leaves a part of what the one before left."""

    GRID = "grid"
    """Starts on the offer's grid, inside the window asked for."""
    HOURS = "hours"
    """… with the whole meeting in working hours (or marked time), and in the calendar's own opening hours."""
    OPENING = "opening"
    """… with the whole meeting in the site's opening hours, when citizens come there."""
    EVENTS = "events"
    """… that no event of the calendar blocks, buffers included."""
    CLAIMS = "claims"
    """… that no booked meeting or hold takes, buffers included."""
    PARTNERS = "partners"
    """… when somebody is free for each further role."""
    NOTICE = "notice"
    HORIZON = "horizon"
    RESERVE = "reserve"
    """… that is not kept for immediate booking."""
    COVERED = "covered"
    """… with all of it, buffers included, in the part of the calendar that is known."""
    CAPS = "caps"
    ROOM = "room"
    """… with a free room, when the form needs one."""


@dataclass(frozen=True, slots=True)
class Diary:
    """What is known of one person's time.

    :param covered: where the mirror is complete, in epoch seconds.
    :param withdrawn: our meetings whose calendar entries no longer count (cancelled, or being moved).
    :param openings: when citizens can get into the site; always when nothing is said.
    """

    hours: Hours
    covered: Span
    events: Sequence[Event] = ()
    claims: Sequence[Claim] = ()
    policy: Policy = DEFAULT_POLICY
    withdrawn: Collection[str] = field(default_factory=frozenset)
    openings: tuple[AvailabilityRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """One form of an offer laid on a grid: what all its caseworkers have in common.

    :param minutes: length of the meeting in this form.
    """

    offer: Offer
    form: Form
    grid: Grid

    @property
    def minutes(self) -> int:
        """Length of the meeting."""
        return self.offer.minutes[self.form]


def grid_for(offer: Offer, start: int, end: int) -> Grid:
    """A grid on which *offer*, in every form, can be computed exactly between two epoch seconds.

    Wider than asked by a day on each side, so that buffers and nearby windows share it.
    """
    day = 24 * 60 * 60
    minutes = cell_minutes(offer.step, offer.before, offer.after, *offer.minutes.values())
    return Grid.over(start - day, end + day, minutes)


def compute_slots(
    offer: Offer,
    form: Form,
    who: MailboxId,
    diary: Diary,
    window: Span,
    now: datetime,
    *,
    taken: Iterable[Taken] = (),
    rooms: Cells | None = None,
    partners: Cells | None = None,
    immediate: bool = False,
    facts: MutableMapping[str, int] | None = None,
) -> list[int]:
    """When a meeting of *offer* with *who* may begin, in epoch seconds, in order.

    :param window: meetings begin at or after its start and end at or before its end.
    :param taken: meetings that count against caps.
    :param rooms: starts at which a room is free, on `grid_for` this window; None when no room is needed.
    :param partners: starts at which all further roles can be filled; None when there are none.
    :param immediate: for immediate booking.
    :param facts: is given the number of survivors of each `Step`.
    """
    cut = Cut(offer, form, grid_for(offer, *window))
    zone = diary.hours.zone
    starts = candidates(cut, window, zone)
    survivors = {Step.GRID: starts}
    marks = opened(diary.events, offer)
    at_work = open_time(cut.grid, diary.hours, diary.policy, marks)
    shut = cut.grid.touched((event.start, event.end) for event in diary.events if closes(event, diary.policy))
    starts = open_outside(cut.grid, within_hours(cut.grid, starts, at_work, cut.minutes), shut, cut.minutes)
    survivors[Step.HOURS] = starts
    starts = survivors[Step.OPENING] = let_in(cut, starts, diary.openings, zone)
    busy = cut.grid.touched(blocking(diary.events, diary.policy, form, diary.withdrawn))
    starts = survivors[Step.EVENTS] = apart(cut, starts, busy)
    starts = survivors[Step.CLAIMS] = apart(cut, starts, claimed(cut.grid, diary.claims, now, diary.withdrawn))
    starts = survivors[Step.PARTNERS] = starts if partners is None else starts & partners
    starts = survivors[Step.NOTICE] = noticed(cut, starts, now)
    starts = survivors[Step.HORIZON] = near(cut, starts, now, zone, immediate=immediate)
    starts = survivors[Step.RESERVE] = starts if immediate else unreserved(cut, starts, now, zone)
    starts = survivors[Step.COVERED] = known(cut, starts, diary.covered)
    counted = [item for item in taken if item.meeting not in diary.withdrawn]
    caps = caps_of(offer, diary.policy)
    starts = survivors[Step.CAPS] = within_caps(cut.grid, starts, caps, counted, who, zone, cut.minutes)
    starts = survivors[Step.ROOM] = starts if rooms is None else starts & rooms
    if facts is not None:
        facts.update({step: cells.bit_count() for step, cells in survivors.items()})
    return list(cut.grid.instants(starts))


def candidates(cut: Cut, window: Span, zone: str) -> Cells:
    """Starts on the offer's grid whose meeting lies in the window."""
    return within(cut.grid, on_step(cut.grid, cut.offer.step, zone), *window, cut.minutes)


def open_time(grid: Grid, hours: Hours, policy: Policy, marks: Sequence[Span]) -> Cells:
    """Working hours, marked time, or both together, as the policy has it."""
    if policy.source is Source.RULES or (policy.source is Source.BOTH and not marks):
        return open_cells(hours, grid)
    spans = list(marks) if policy.source is Source.MARKED else [*marks, *open_spans(hours, grid.base, grid.end)]
    return grid.inside(joined(spans))


def apart(cut: Cut, starts: Cells, taken: Cells) -> Cells:
    """Starts whose meeting, buffers included, touches no taken cell."""
    return without_taken(cut.grid, starts, taken, cut.offer.before, cut.minutes, cut.offer.after)


def claimed(grid: Grid, claims: Iterable[Claim], now: datetime, withdrawn: Collection[str] = ()) -> Cells:
    """The cells that our meetings and live holds take."""
    live = int(now.timestamp())
    return grid.touched(
        (claim.start, claim.end)
        for claim in claims
        if claim.meeting not in withdrawn and (claim.expires is None or claim.expires > live)
    )


def noticed(cut: Cut, starts: Cells, now: datetime) -> Cells:
    """Starts far enough ahead."""
    return starts & cut.grid.between(earliest(cut.offer, now), cut.grid.end)


def near(cut: Cut, starts: Cells, now: datetime, zone: str, *, immediate: bool = False) -> Cells:
    """Starts on a day that may be booked already."""
    return starts & cut.grid.between(cut.grid.base, horizon_end(cut.offer, now, zone, immediate=immediate))


def let_in(cut: Cut, starts: Cells, openings: tuple[AvailabilityRule, ...], zone: str) -> Cells:
    """Starts whose meeting lies in opening hours, when citizens come to it."""
    if not openings or cut.form is not Form.IN_PERSON:
        return starts
    return within_hours(cut.grid, starts, opening(openings, cut.grid, zone), cut.minutes)


def unreserved(cut: Cut, starts: Cells, now: datetime, zone: str) -> Cells:
    """Starts whose meeting takes nothing that is kept for immediate booking."""
    if cut.offer.reserve is None:
        return starts
    return without_taken(cut.grid, starts, kept(cut.offer.reserve, cut.grid, now, zone), 0, cut.minutes, 0)


def known(cut: Cut, starts: Cells, covered: Span) -> Cells:
    """Starts whose meeting lies, buffers included, where the calendar is known completely."""
    begin, end = covered[0] + cut.offer.before * 60, covered[1] - cut.offer.after * 60
    return starts & cut.grid.between(begin, end - cut.minutes * 60 + 1)
