"""The tables of `syncd.toml` about supply: targets of teams, and reports that are sent by schedule."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from syncd.config.mail import mail_address
from syncd.section import Section


class TargetSection(Section):
    """What a team aims at (måltal)."""

    share: Annotated[
        int | None,
        Field(ge=0, le=100, description="Self-booked talks, per cent, by the authority's formula.", examples=[75]),
    ] = None
    talks: Annotated[int | None, Field(ge=0, description="Talks in a week.", examples=[120])] = None


class ReportSection(Section):
    """A report on supply that is sent, or laid into a folder, by schedule; each one exactly once."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$", description="Its name.", examples=["ledelse"])]
    every: Annotated[Literal["week", "month"], Field(description="On Mondays, or on the first of the month.")] = "week"
    at: Annotated[time, Field(description="From when on, on the first site's clocks.")] = time(7)
    to: Annotated[
        tuple[str, ...], Field(description="Who gets it by mail; needs [mail].", examples=[["leder@example.dk"]])
    ] = ()
    folder: Annotated[
        Path | None, Field(description="Where it is laid as .csv.", examples=["/var/lib/syncd/reports"])
    ] = None
    teams: Annotated[tuple[str, ...], Field(description="Only these teams; empty: all.", examples=[["job"]])] = ()
    persons: Annotated[
        bool, Field(description="With a line for each caseworker; only for those who may compare people.")
    ] = False

    @field_validator("to")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(mail_address(one) for one in value)

    @model_validator(mode="after")
    def _somewhere(self) -> ReportSection:
        if not self.to and self.folder is None:
            raise ValueError("should have to (mail addresses) or folder")
        return self


class SupplySection(Section):
    """What teams aim at, and who hears of it."""

    targets: Annotated[
        dict[str, TargetSection],
        Field(default_factory=dict, description="By team.", examples=[{"job": {"share": 75, "talks": 120}}]),
    ]
    reports: Annotated[tuple[ReportSection, ...], Field(description="What is sent by schedule.")] = ()

    @field_validator("reports")
    @classmethod
    def _named_once(cls, value: tuple[ReportSection, ...]) -> tuple[ReportSection, ...]:
        if len({one.name for one in value}) < len(value):
            raise ValueError("two reports have the same name")
        return value

    def anchored(self, base: Path) -> SupplySection:
        """The same with absolute paths."""
        placed = tuple(
            one if one.folder is None else one.model_copy(update={"folder": base / one.folder}) for one in self.reports
        )
        return self.model_copy(update={"reports": placed})
