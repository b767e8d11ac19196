"""The tables of the rules file (`offers.toml`); description, default and example stand at each field."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal

from pydantic import Field, model_validator

from syncd.model.policy import Blocks, Mode, Source
from syncd.rulebook.offer_sections import OfferSection
from syncd.rulebook.terms import WEEKDAYS, OfferName, Spans, Wall, Weekdays, Who
from syncd.section import Section

__all__ = ["WEEKDAYS", "OfferSection", "RulesFile"]


class HoursSection(Section):
    """Weekly working hours, in the site's wall-clock time; what is named for a person replaces her team's."""

    who: Who
    days: Annotated[Weekdays, Field(description="Weekdays.", examples=["mon-thu"])]
    starts: Annotated[Wall, Field(alias="from", description="Begin of work.", examples=["09:00"])]
    ends: Annotated[
        Wall,
        Field(alias="to", description="End of work; not later than the begin means the next day.", examples=["15:00"]),
    ]
    breaks: Annotated[Spans, Field(description="Never offered.", examples=[["12:00-12:30"]])] = ()
    valid_from: Annotated[date | None, Field(description="First day it holds.", examples=["2026-09-01"])] = None
    valid_to: Annotated[date | None, Field(description="Last day it holds.", examples=["2027-06-30"])] = None
    during: Annotated[
        str | None, Field(description="Only in this period, where they replace the usual.", examples=["sommerferie"])
    ] = None

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
    hours: Annotated[Spans, Field(description="Hours instead; none: not at work.", examples=[["09:00-11:00"]])] = ()
    why: Annotated[str, Field(description="Shown to staff.", examples=["Kursus"])] = ""

    @model_validator(mode="after")
    def _in_order(self) -> ExceptionSection:
        if self.last is not None and self.last < self.first:
            raise ValueError("last is before first")
        return self


class PeriodSection(Section):
    """A stretch of days with hours of its own, such as a school holiday; stretches of one name belong together."""

    name: Annotated[str, Field(min_length=1, description="What hours call it.", examples=["sommerferie"])]
    first: Annotated[date, Field(description="First day.", examples=["2027-06-28"])]
    last: Annotated[date, Field(description="Last day.", examples=["2027-08-08"])]

    @model_validator(mode="after")
    def _in_order(self) -> PeriodSection:
        if self.last < self.first:
            raise ValueError("last is before first")
        return self


class OpeningSection(Section):
    """When citizens can get into a site: meetings in person lie within; a site without any is always open."""

    sites: Annotated[
        tuple[str, ...], Field(description="Sites it holds for; all if unset.", examples=[["torvet"]])
    ] = ()
    days: Annotated[Weekdays, Field(description="Weekdays.", examples=["mon-thu"])]
    hours: Annotated[Spans, Field(min_length=1, description="Open then.", examples=[["09:00-15:00"]])]
    valid_from: Annotated[date | None, Field(description="First day it holds.", examples=["2026-09-01"])] = None
    valid_to: Annotated[date | None, Field(description="Last day it holds.", examples=["2027-06-30"])] = None


class LimitSection(Section):
    """How many bookings of one citizen are worth a look by the coordinator; nobody is refused."""

    most: Annotated[int, Field(ge=1, description="More than so many are reported.", examples=[4])]
    days: Annotated[int, Field(ge=1, le=366, description="Made within so many days, cancelled ones too.")] = 30
    per: Annotated[Literal["citizen", "citizen-and-caseworker"], Field(description="What is counted together.")] = (
        "citizen"
    )
    offers: Annotated[
        frozenset[str], Field(description="Only these offers; all if unset.", examples=[["jobsamtale"]])
    ] = frozenset()


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
    minutes_per_day: Annotated[
        int | None, Field(ge=0, description="Most self-booked minutes per person and day.", examples=[240])
    ] = None
    minutes_per_week: Annotated[
        int | None, Field(ge=0, description="Most self-booked minutes per person and week.", examples=[900])
    ] = None
    expected_per_week: Annotated[
        int | None, Field(ge=0, description="Meetings a week, booked or bookable, expected of a person.", examples=[8])
    ] = None
    weight: Annotated[float, Field(gt=0, le=100, description="Share of meetings when the citizen names nobody.")] = 1.0


NEW_TEAM = {"mode": Mode.SHADOW, "publish": Source.MARKED, "per_day": 4}


class TeamSection(PolicySection):
    """A team's own policy. Until its mode is written down it is new: in shadow, marked time only, 4 meetings a day."""

    @model_validator(mode="before")
    @classmethod
    def _new_until_told(cls, value: object) -> object:
        return NEW_TEAM | value if isinstance(value, dict) and "mode" not in value else value


class RulesFile(Section):
    """The whole of the rules: offers, hours, exceptions, closing days, policies."""

    offers: Annotated[dict[OfferName, OfferSection], Field(min_length=1, description="What can be booked, by name.")]
    hours: Annotated[tuple[HoursSection, ...], Field(description="Weekly working hours.")] = ()
    periods: Annotated[tuple[PeriodSection, ...], Field(description="Periods with hours of their own.")] = ()
    openings: Annotated[tuple[OpeningSection, ...], Field(description="Opening hours of sites.")] = ()
    exceptions: Annotated[tuple[ExceptionSection, ...], Field(description="Other hours on some dates.")] = ()
    closings: Annotated[tuple[ClosingSection, ...], Field(description="Closing days.")] = ()
    holidays: Annotated[HolidaysSection, Field(description="Danish holidays.")] = HolidaysSection()
    limits: Annotated[tuple[LimitSection, ...], Field(description="Bookings per citizen worth a look.")] = ()
    everyone: Annotated[PolicySection, Field(description="Policy of people whose teams have none.")] = PolicySection()
    teams: Annotated[dict[str, TeamSection], Field(default_factory=dict, description="Policies by team.")]
