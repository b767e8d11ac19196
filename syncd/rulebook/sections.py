"""The tables of the rules file (`offers.toml`); description, default and example stand at each field."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from syncd.model.offer import Form
from syncd.model.policy import Blocks, Mode, Source
from syncd.section import Section, did_you_mean

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_OF_DAY = 24 * 60
DAYS_AHEAD = 366


def _weekday(word: str) -> int:
    if word not in WEEKDAYS:
        raise ValueError(f"'{word}' is not a weekday{did_you_mean(word, WEEKDAYS)}; weekdays are {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(word)


def _weekdays(value: object) -> object:
    """``"mon-thu"``, ``"mon, wed"`` or ``["mon", "wed"]`` as sorted names."""
    words = re.split(r"[,\s]+", value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        return value
    found: set[int] = set()
    for word in words:
        first, dash, last = str(word).lower().partition("-")
        begin, end = _weekday(first), _weekday(last if dash else first)
        found |= {day % 7 for day in range(begin, end + (1 if begin <= end else 8))}
    return tuple(WEEKDAYS[day] for day in sorted(found))


def _some_day(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("names no weekday")
    return value


def _span(value: object) -> object:
    """``"09:00-12:00"`` as a pair of times."""
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.split("-")]
    if len(parts) != 2:
        raise ValueError(f"'{value}' is not a span of time; write it like 09:00-12:00")
    return tuple(parts)


Span = Annotated[
    tuple[time, time],
    BeforeValidator(_span),
    WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d *- *\d\d:\d\d$"}),
]
Weekdays = Annotated[
    tuple[str, ...],
    BeforeValidator(_weekdays),
    AfterValidator(_some_day),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
Who = Annotated[
    tuple[str, ...],
    Field(
        min_length=1,
        description="Caseworker ids, team:NAME, site:NAME or everyone.",
        examples=[["team:job"]],
    ),
]


def _naive(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("should be a wall-clock time without a zone; the site's zone holds")
    return value


Wall = Annotated[time, AfterValidator(_naive)]


def _url_name(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", value):
        raise ValueError("an offer's name is small letters a-z, digits and dashes, for it stands in URLs")
    return value


OfferName = Annotated[str, AfterValidator(_url_name)]


class HoursSection(Section):
    """Weekly working hours, in the site's wall-clock time; what is named for a person replaces her team's."""

    who: Who
    days: Annotated[Weekdays, Field(description="Weekdays.", examples=["mon-thu"])]
    starts: Annotated[Wall, Field(alias="from", description="Begin of work.", examples=["09:00"])]
    ends: Annotated[
        Wall,
        Field(alias="to", description="End of work; not later than the begin means the next day.", examples=["15:00"]),
    ]
    breaks: Annotated[tuple[Span, ...], Field(description="Never offered.", examples=[["12:00-12:30"]])] = ()
    valid_from: Annotated[date | None, Field(description="First day it holds.", examples=["2026-09-01"])] = None
    valid_to: Annotated[date | None, Field(description="Last day it holds.", examples=["2027-06-30"])] = None

    @model_validator(mode="after")
    def _in_order(self) -> HoursSection:
        if self.starts == self.ends and self.starts != time():
            raise ValueError("from and to are the same time; for a whole day write from = '00:00', to = '00:00'")
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise ValueError("valid_from is after valid_to: it would never hold")
        return self


class ExceptionSection(Section):
    """Other hours than usual on some dates."""

    who: Who
    first: Annotated[date, Field(description="First day.", examples=["2026-12-22"])]
    last: Annotated[date | None, Field(description="Last day; the first if unset.", examples=["2026-12-23"])] = None
    hours: Annotated[
        tuple[Span, ...], Field(description="Hours instead; none: not at work.", examples=[["09:00-11:00"]])
    ] = ()
    why: Annotated[str, Field(description="Shown to staff.", examples=["Kursus"])] = ""

    @model_validator(mode="after")
    def _in_order(self) -> ExceptionSection:
        if self.last is not None and self.last < self.first:
            raise ValueError("last is before first")
        return self


class ClosingSection(Section):
    """Days on which a site is closed."""

    first: Annotated[date, Field(description="First day.", examples=["2026-12-28"])]
    last: Annotated[date | None, Field(description="Last day; the first if unset.", examples=["2026-12-30"])] = None
    why: Annotated[str, Field(min_length=1, description="Shown to citizens and staff.", examples=["Jul"])]
    sites: Annotated[
        tuple[str, ...], Field(description="Sites it holds for; all if unset.", examples=[["torvet"]])
    ] = ()

    @model_validator(mode="after")
    def _in_order(self) -> ClosingSection:
        if self.last is not None and self.last < self.first:
            raise ValueError("last is before first")
        return self


class HolidaysSection(Section):
    """Which Danish days are closed everywhere."""

    public: Annotated[bool, Field(description="Public holidays.")] = True
    constitution_day: Annotated[bool, Field(description="Grundlovsdag, 5 June.")] = True
    christmas_eve: Annotated[bool, Field(description="24 December.")] = True
    new_years_eve: Annotated[bool, Field(description="31 December.")] = True


class BlocksSection(Section):
    """Which meetings an event of each kind stands in the way of: all, in-person or none."""

    busy: Blocks = Blocks.ALL
    out_of_office: Annotated[Blocks, Field(alias="out-of-office")] = Blocks.ALL
    tentative: Blocks = Blocks.ALL
    working_elsewhere: Annotated[Blocks, Field(alias="working-elsewhere")] = Blocks.IN_PERSON
    free: Blocks = Blocks.NONE


class PolicySection(Section):
    """How people's time is published."""

    mode: Annotated[Mode, Field(description="closed, shadow (computed, not offered) or live.")] = Mode.LIVE
    publish: Annotated[
        Source, Field(description="rules: hours minus busy; marked: only time marked in the calendar; or both.")
    ] = Source.RULES
    blocks: Annotated[BlocksSection, Field(description="What events of each kind block.")] = BlocksSection()
    free_all_day_blocks: Annotated[
        bool, Field(description="A single all-day entry blocks even when shown as free (holidays in Outlook).")
    ] = True
    per_day: Annotated[int | None, Field(ge=0, description="Most meetings per person and day.", examples=[6])] = None
    per_week: Annotated[int | None, Field(ge=0, description="Most meetings per person and week.", examples=[24])] = None
    weight: Annotated[float, Field(gt=0, le=100, description="Share of meetings when the citizen names nobody.")] = 1.0


NEW_TEAM = {"mode": Mode.SHADOW, "publish": Source.MARKED, "per_day": 4}


class TeamSection(PolicySection):
    """A team's own policy. Until its mode is written down it is new: in shadow, marked time only, 4 meetings a day."""

    @model_validator(mode="before")
    @classmethod
    def _new_until_told(cls, value: object) -> object:
        return NEW_TEAM | value if isinstance(value, dict) and "mode" not in value else value


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
    hold_minutes: Annotated[int, Field(ge=1, le=120, description="How long a chosen time is kept.")] = 10
    cancel_notice: Annotated[int, Field(ge=0, description="Cancel or move until so long before.")] = 0
    moves: Annotated[
        int | None, Field(ge=0, description="How often a citizen may move it; unset: any number.", examples=[3])
    ] = None
    one_future: Annotated[bool, Field(description="One future booking of it per citizen.")] = False
    topics: Annotated[
        tuple[str, ...],
        Field(description="What the citizen may choose to talk about.", examples=[["CV", "Uddannelse"]]),
    ] = ()

    @field_validator("title")
    @classmethod
    def _named(cls, value: dict[str, str]) -> dict[str, str]:
        if "da" not in value or not all(value.values()):
            raise ValueError("needs a Danish name: title = {da = '…', en = '…'}")
        return value

    @model_validator(mode="after")
    def _room_forms_are_forms(self) -> OfferSection:
        odd = [form for form in self.room_forms if form not in self.minutes and form is not Form.IN_PERSON]
        if odd:
            raise ValueError(f"room_forms names '{odd[0]}', but minutes has no such form")
        return self


class RulesFile(Section):
    """The whole of the rules: offers, hours, exceptions, closing days, policies."""

    offers: Annotated[dict[OfferName, OfferSection], Field(min_length=1, description="What can be booked, by name.")]
    hours: Annotated[tuple[HoursSection, ...], Field(description="Weekly working hours.")] = ()
    exceptions: Annotated[tuple[ExceptionSection, ...], Field(description="Other hours on some dates.")] = ()
    closings: Annotated[tuple[ClosingSection, ...], Field(description="Closing days.")] = ()
    holidays: Annotated[HolidaysSection, Field(description="Danish holidays.")] = HolidaysSection()
    everyone: Annotated[PolicySection, Field(description="Policy of people whose teams have none.")] = PolicySection()
    teams: Annotated[dict[str, TeamSection], Field(default_factory=dict, description="Policies by team.")]
