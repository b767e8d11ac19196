"""What can be booked, by what rules, and one bookable time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Literal

from syncd.model.directory import MailboxId
from syncd.model.eligibility import Matching, Own
from syncd.model.interval import Interval
from syncd.model.policy import DEFAULT_POLICY, NO_HOLIDAYS, Closing, DayException, Holidays, Policy


class Form(StrEnum):
    """How people meet."""

    IN_PERSON = "in-person"
    PHONE = "phone"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class RoomRequirement:
    """What a meeting asks of its room."""

    seats: int = 2
    features: frozenset[str] = frozenset()
    step_free: bool = False


@dataclass(frozen=True, slots=True)
class AvailabilityRule:
    """Wall-clock hours on some weekdays, in the site's zone (RFC 7953 AVAILABLE).

    :param weekdays: 0 is Monday.
    :param starts, ends: wall clock; an ``ends`` not after ``starts`` is on the following day.
    :param valid_from, valid_to: first and last day the rule holds; None for no limit.
    :param during: first and last day of each stretch it holds in; empty for no limit.
    :param outside: first and last day of each stretch it does not hold in.
    """

    weekdays: frozenset[int]
    starts: time
    ends: time
    valid_from: date | None = None
    valid_to: date | None = None
    during: tuple[tuple[date, date], ...] = ()
    outside: tuple[tuple[date, date], ...] = ()


@dataclass(frozen=True, slots=True)
class Reserve:
    """Time of each day that is kept for immediate booking (straksbooking).

    :param hours: when, on the site's clocks.
    :param release: minutes before such a stretch begins from which everybody may book it.
    :param within_days: how far ahead immediate booking reaches; whole days after today.
    """

    hours: tuple[AvailabilityRule, ...]
    release: int
    within_days: int


@dataclass(frozen=True, slots=True)
class Guard:
    """At least so many meetings must be bookable beside each other in a window of days; else somebody is told.

    :param first_day, last_day: whole days after today, both included.
    :param immediate: counts what immediate booking may have; else what everybody may.
    :param opens_reserve: the reserve is opened for everybody as long as the window is short of times.
    """

    first_day: int
    last_day: int
    at_least: int
    immediate: bool = False
    opens_reserve: bool = False


@dataclass(frozen=True, slots=True)
class CitizenLimit:
    """More bookings than this by one citizen are worth a look; cancelled ones count too, and nobody is refused.

    :param most: within *days* days. :param per_caseworker: counts those with one caseworker.
    :param offers: only these; empty for all together.
    """

    most: int
    days: int
    per_caseworker: bool = False
    offers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be booked: talk type, forms, length, buffers, notice, horizon, who serves.

    Minutes throughout, except ``horizon_days``.

    :param minutes: length per form.
    :param step: candidate starts lie on this grid, counted from the site's midnight.
    :param before, after: the caseworker's buffers; they add up between two meetings.
    :param notice: a slot must begin at least this much later than now.
    :param caseworkers: ids that serve it (teams already resolved).
    :param room: what a meeting in person asks of its room.
    :param remote_room: what other forms ask of it, where they need one: the caseworker is alone in it.
    :param room_forms: the forms that need a room.
    :param open_plan_forms: those that need one when the caseworker's desk is in an open-plan office.
    :param per_day, per_week: most meetings of this offer per caseworker in a local day or ISO week.
    :param offer_per_day, offer_per_week: most meetings of this offer in all.
    :param hold_minutes: how long a chosen time is kept for the citizen who fills in the form.
    :param cancel_notice: minutes before the start until which a citizen may cancel.
    :param move_notice: minutes before the start until which a citizen may move it; None: as for cancelling.
    :param cancellable: whether citizens may cancel at all.
    :param moves: how often a citizen may move a booking; None for any number.
    :param seats: citizens per meeting; more than one makes it a group meeting.
    :param number: whether staff know citizens' telephone numbers, or one must come with a booking by telephone.
    :param one_future: a citizen may have one future booking of its kind only.
    :param open_to: who may book; everybody when empty.
    :param own: what a citizen's own caseworker means.
    :param partners: roles that must be filled besides the caseworker: ids of whom one must be free.
    :param supply: how many times must exist, and when.
    """

    name: str
    title: Mapping[str, str]
    minutes: Mapping[Form, int]
    step: int
    before: int
    after: int
    notice: int
    horizon_days: int
    caseworkers: tuple[MailboxId, ...]
    room: RoomRequirement = RoomRequirement()
    room_forms: frozenset[Form] = frozenset({Form.IN_PERSON})
    per_day: int | None = None
    hold_minutes: int = 10
    cancel_notice: int = 0
    moves: int | None = None
    seats: int = 1
    per_week: int | None = None
    offer_per_day: int | None = None
    offer_per_week: int | None = None
    topics: tuple[str, ...] = ()
    talk_type: str = ""
    one_future: bool = False
    number: Literal["known", "asked"] = "known"
    move_notice: int | None = None
    cancellable: bool = True
    open_to: tuple[Matching, ...] = ()
    own: Own = Own.ANY
    partners: tuple[tuple[MailboxId, ...], ...] = ()
    reserve: Reserve | None = None
    supply: tuple[Guard, ...] = ()

    open_plan_forms: frozenset[Form] = frozenset()
    remote_room: RoomRequirement = RoomRequirement(1)

    @property
    def kind(self) -> str:
        """What makes two offers the same to a citizen: the talk type; else the name."""
        return self.talk_type or self.name

    def needs_room(self, form: Form, *, open_plan: bool = False) -> bool:
        """Whether a meeting of this form has a room. :param open_plan: its caseworker sits among others."""
        return form in self.room_forms or (open_plan and form in self.open_plan_forms)

    def room_for(self, form: Form) -> RoomRequirement:
        """What a meeting of this form asks of its room."""
        return self.room if form is Form.IN_PERSON else self.remote_room

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms it can be held in."""
        return tuple(self.minutes)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One numbered revision of the rules: offers, and everybody's working hours.

    :param hours: by caseworker id; a caseworker without an entry is never offered.
    :param exceptions: by caseworker id; the last one that holds on a day decides it.
    :param policies: by caseworker id; `DEFAULT_POLICY` for those not in it.
    :param openings: by site, when citizens can get in; a site without an entry is open whenever somebody works.
    :param limits: how many bookings of one citizen are worth a look.
    """

    number: int
    offers: Mapping[str, Offer]
    hours: Mapping[MailboxId, tuple[AvailabilityRule, ...]]
    exceptions: Mapping[MailboxId, tuple[DayException, ...]] = field(default_factory=dict)
    policies: Mapping[MailboxId, Policy] = field(default_factory=dict)
    closings: tuple[Closing, ...] = ()
    holidays: Holidays = NO_HOLIDAYS
    openings: Mapping[str, tuple[AvailabilityRule, ...]] = field(default_factory=dict)
    limits: tuple[CitizenLimit, ...] = ()

    def of_kind(self, offer: Offer) -> tuple[str, ...]:
        """The names of all offers that are the same kind as *offer*, itself included."""
        return tuple(sorted({offer.name, *(one.name for one in self.offers.values() if one.kind == offer.kind)}))

    def policy(self, caseworker: MailboxId) -> Policy:
        """What holds for this caseworker's time."""
        return self.policies.get(caseworker, DEFAULT_POLICY)


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One bookable time of an offer with one caseworker; ``interval`` is the meeting itself, without buffers."""

    interval: Interval
    caseworker: MailboxId
    form: Form


@dataclass(frozen=True, slots=True)
class Answer:
    """Slots on offer, and how far they can be trusted.

    :param generation: grows with every commit that can change an answer.
    :param as_of: the oldest mirror the answer rests on; None when nobody's calendar was ever read.
    :param valid_until: when time alone changes the answer.
    :param closed: caseworkers left out because their calendar cannot be trusted now, each with a reason.
    :param counts: survivors of each named step.
    :param since: since when each of those is closed, as far as it is known.
    :param say: the reason of a maintenance, by language.
    :param entitled: False when the citizen asked for may not book the offer; then there are no slots.
    """

    slots: Sequence[Slot]
    generation: int
    as_of: datetime | None
    valid_until: datetime
    closed: Mapping[MailboxId, str]
    counts: Mapping[str, int]
    since: Mapping[MailboxId, datetime] = field(default_factory=dict)
    entitled: bool = True
    say: Mapping[str, str] = field(default_factory=dict)

    def by_caseworker(self) -> dict[MailboxId, int]:
        """How many slots each caseworker has; those without any are left out."""
        return dict(Counter(slot.caseworker for slot in self.slots))
