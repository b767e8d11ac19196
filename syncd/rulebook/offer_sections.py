"""The tables of one offer in the rules file; description, default and example stand at each field."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from syncd.model.eligibility import Own
from syncd.model.offer import Form
from syncd.rulebook.terms import DAYS_AHEAD, MINUTES_OF_DAY, Spans, Weekdays, Who
from syncd.section import Section


class MatchingSection(Section):
    """One way to be let in; all that is written must hold, and one way is enough."""

    contact_groups: Annotated[frozenset[str], Field(description="Contact groups (kontaktgruppe), one of them.")] = (
        frozenset()
    )
    categories: Annotated[frozenset[str], Field(description="Client categories (klientkategori), one of them.")] = (
        frozenset()
    )
    groups: Annotated[frozenset[str], Field(description="Person groups, at least one of them.")] = frozenset()
    not_groups: Annotated[frozenset[str], Field(description="Person groups, none of them.")] = frozenset()

    @model_validator(mode="after")
    def _says_something(self) -> MatchingSection:
        if not (self.contact_groups or self.categories or self.groups or self.not_groups):
            raise ValueError("names nobody; leave open_to out when everybody may book")
        return self


class ReserveSection(Section):
    """Time kept for immediate booking."""

    days: Annotated[Weekdays, Field(description="Weekdays.")] = ("mon", "tue", "wed", "thu", "fri")
    hours: Annotated[Spans, Field(min_length=1, description="Kept time of these days.", examples=[["13:00-15:00"]])]
    release_hours: Annotated[int, Field(ge=0, le=31 * 24, description="Everybody's so long before it begins.")] = 24
    within_days: Annotated[int, Field(ge=0, le=DAYS_AHEAD, description="How far immediate booking reaches.")] = 10


class GuardSection(Section):
    """How many times must exist in a window of days after today."""

    from_days: Annotated[int, Field(ge=0, le=DAYS_AHEAD, description="First day after today.")] = 0
    to_days: Annotated[int, Field(ge=0, le=DAYS_AHEAD, description="Last day after today.", examples=[10])]
    at_least: Annotated[int, Field(ge=1, description="So many meetings must be bookable.", examples=[5])]
    immediate: Annotated[bool, Field(description="Count what immediate booking may have.")] = False
    opens_reserve: Annotated[bool, Field(description="Open the reserve while it is short.")] = False

    @model_validator(mode="after")
    def _in_order(self) -> GuardSection:
        if self.from_days > self.to_days:
            raise ValueError("from_days is after to_days: the window is empty")
        return self


class RoomNeedSection(Section):
    """What a meeting asks of its room."""

    seats: Annotated[int, Field(ge=1, description="Seats, the caseworker's included.")] = 2
    features: Annotated[frozenset[str], Field(description="Equipment words that the room must have.")] = frozenset()
    step_free: Annotated[bool, Field(description="Must be reachable without steps.")] = False


class OfferSection(Section):
    """What can be booked. Minutes throughout, except where the name says days."""

    title: Annotated[
        dict[Literal["da", "en"], str],
        Field(description="Name by language.", examples=[{"da": "Jobsamtale", "en": "Job talk"}]),
    ]
    talk_type: Annotated[str, Field(description="The case system's code of the talk.", examples=["JOBSAMTALE"])] = ""
    minutes: Annotated[
        dict[Form, Annotated[int, Field(ge=5, le=MINUTES_OF_DAY)]],
        Field(min_length=1, description="Length per form.", examples=[{"in-person": 45, "phone": 30}]),
    ]
    who: Who
    competences: Annotated[
        frozenset[str], Field(description="Of those only who has all of these.", examples=[["arabisk"]])
    ] = frozenset()
    own: Annotated[
        Own, Field(description="A citizen's own caseworker: first (hers, then everybody's), only, or any.")
    ] = Own.ANY
    partners: Annotated[
        tuple[Who, ...],
        Field(max_length=3, description="Who must be free too: one of each list.", examples=[[["team:job"]]]),
    ] = ()
    open_to: Annotated[
        tuple[MatchingSection, ...],
        Field(description="Who may book; everybody if unset.", examples=[[{"contact_groups": ["1", "8"]}]]),
    ] = ()
    step: Annotated[int, Field(ge=5, le=MINUTES_OF_DAY, description="Starts lie on this grid from midnight.")] = 15
    before: Annotated[int, Field(ge=0, le=480, description="Kept free before each meeting.")] = 0
    after: Annotated[int, Field(ge=0, le=480, description="Kept free after each meeting.")] = 0
    notice: Annotated[int, Field(ge=0, description="A time is on offer until so long before it begins.")] = 0
    horizon_days: Annotated[int, Field(ge=1, le=DAYS_AHEAD, description="How far ahead it can be booked.")] = 28
    per_day: Annotated[int | None, Field(ge=1, description="Most of this offer per person and day.", examples=[6])] = (
        None
    )
    per_week: Annotated[
        int | None, Field(ge=1, description="Most of this offer per person and week.", examples=[20])
    ] = None
    offer_per_day: Annotated[
        int | None, Field(ge=1, description="Most of this offer per day in all.", examples=[40])
    ] = None
    offer_per_week: Annotated[
        int | None, Field(ge=1, description="Most of this offer per week in all.", examples=[150])
    ] = None
    room: Annotated[RoomNeedSection, Field(description="What it asks of its room.")] = RoomNeedSection()
    room_forms: Annotated[tuple[Form, ...], Field(description="Forms that need a room.")] = (Form.IN_PERSON,)
    open_plan_room_forms: Annotated[
        tuple[Form, ...],
        Field(
            description="Forms that need one too when the caseworker's desk is in an open-plan office.",
            examples=[["phone"]],
        ),
    ] = ()
    remote_room: Annotated[
        RoomNeedSection, Field(description="What forms other than in-person ask of their room, where they need one.")
    ] = RoomNeedSection(seats=1)
    hold_minutes: Annotated[int, Field(ge=1, le=120, description="How long a chosen time is kept.")] = 10
    cancel_notice: Annotated[int, Field(ge=0, description="Cancel until so long before.")] = 0
    move_notice: Annotated[
        int | None, Field(ge=0, description="Move until so long before; unset: as for cancelling.", examples=[1440])
    ] = None
    cancellable: Annotated[bool, Field(description="Whether citizens may cancel; moving is another matter.")] = True
    moves: Annotated[
        int | None, Field(ge=0, description="How often a citizen may move it; unset: any number.", examples=[3])
    ] = None
    seats: Annotated[int, Field(ge=1, le=500, description="Citizens per meeting; more than one: a group.")] = 1
    number: Annotated[
        Literal["known", "asked"],
        Field(description="Telephone numbers: known to staff, or asked for with each booking by telephone."),
    ] = "known"
    one_future: Annotated[
        bool, Field(description="One future booking per citizen, of this offer and those of the same talk_type.")
    ] = False
    topics: Annotated[
        tuple[str, ...],
        Field(description="What the citizen may choose to talk about.", examples=[["CV", "Uddannelse"]]),
    ] = ()

    reserve: Annotated[
        ReserveSection | None,
        Field(description="Time kept for immediate booking.", examples=[{"hours": ["13:00-15:00"]}]),
    ] = None
    supply: Annotated[
        tuple[GuardSection, ...],
        Field(description="How many times must exist.", examples=[[{"to_days": 10, "at_least": 5}]]),
    ] = ()

    @field_validator("title")
    @classmethod
    def _named(cls, value: dict[str, str]) -> dict[str, str]:
        if "da" not in value or not all(value.values()):
            raise ValueError("needs a Danish name: title = {da = '…', en = '…'}")
        return value

    @model_validator(mode="after")
    def _room_forms_are_forms(self) -> OfferSection:
        for key, forms in (("room_forms", self.room_forms), ("open_plan_room_forms", self.open_plan_room_forms)):
            odd = [form for form in forms if form not in self.minutes and form is not Form.IN_PERSON]
            if odd:
                raise ValueError(f"{key} names '{odd[0]}', but minutes has no such form")
        return self

    @model_validator(mode="after")
    def _groups_are_plain(self) -> OfferSection:
        if self.seats > 1 and self.partners:
            raise ValueError("a group meeting (seats) cannot have partners")
        if self.reserve is None and any(guard.opens_reserve or guard.immediate for guard in self.supply):
            raise ValueError("supply speaks of a reserve, but the offer has none")
        return self
