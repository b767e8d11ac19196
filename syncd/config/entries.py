"""The tables of `syncd.toml` about what caseworkers write into calendars, and what syncd does."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from syncd.model.marks import SYNONYMS, Marks, folded
from syncd.section import Section

PLACEHOLDERS = frozenset({"booking", "reference"})


def _category(value: str) -> str:
    if not value.strip() or re.search(r"[:,;\n]", value):
        raise ValueError("should be a category's name, without comma, semicolon or colon")
    return value.strip()


Category = Annotated[str, AfterValidator(_category)]


class MarksSection(Section):
    """The categories that caseworkers use in their calendars; case and blanks make no difference."""

    open: Annotated[Category, Field(description="Opens time for self-booking; `NAME: OFFER` for one offer.")] = (
        "Selvbook"
    )
    room: Annotated[
        Category, Field(description="Asks for a room for a meeting of hers; `NAME: 6`, `NAME: skærm` for more.")
    ] = "Lokale"
    missed: Annotated[Category, Field(description="On a booked meeting: the citizen did not come.")] = "Udeblevet"
    features: Annotated[
        dict[str, str],
        Field(
            default_factory=dict,
            description="Words that may follow the room category, and the rooms' own words (features) for them.",
            examples=[{"projektor": "screen"}],
        ),
    ]

    @model_validator(mode="after")
    def _told_apart(self) -> MarksSection:
        if len({folded(self.open), folded(self.room), folded(self.missed)}) < 3:
            raise ValueError("open, room and missed must be three different categories")
        return self

    def marks(self) -> Marks:
        """The categories as the rest of syncd knows them."""
        return Marks(
            self.open, self.room, self.missed, {**SYNONYMS, **{folded(k): v for k, v in self.features.items()}}
        )


class EntriesSection(Section):
    """What the entries say that syncd writes into caseworkers' calendars."""

    case_url: Annotated[
        str,
        Field(
            description="Link to the case system; {booking} is the booking's id in the API, {reference} its code.",
            examples=["https://sag.example.dk/aftale?id={booking}"],
        ),
    ] = ""
    category: Annotated[
        str,
        AfterValidator(lambda value: _category(value) if value else ""),
        Field(
            description="Category that new entries get, for their colour in Outlook; none when it is empty. "
            "A caseworker may take it away or give another one.",
            examples=["Selvbooking"],
        ),
    ] = ""

    @model_validator(mode="after")
    def _a_template(self) -> EntriesSection:
        names = set(re.findall(r"\{([^{}]*)\}", self.case_url))
        if names - PLACEHOLDERS:
            raise ValueError(
                f"case_url: only {{booking}} and {{reference}} are known, not {{{min(names - PLACEHOLDERS)}}}"
            )
        if self.case_url and (urlsplit(self.case_url).scheme not in ("http", "https") or not names):
            raise ValueError("case_url should begin with https:// and hold {booking} or {reference}")
        if self.case_url.count("{") != len(re.findall(r"\{[^{}]*\}", self.case_url)):
            raise ValueError("case_url has a brace that is not part of {booking} or {reference}")
        return self
