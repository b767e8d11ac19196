"""The table of `syncd.toml` about caseworkers who come from a distribution group."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from syncd.config.sections import Address
from syncd.section import Section


class GroupSection(Section):
    """A distribution group whose members are caseworkers; who joins or leaves it is followed."""

    address: Annotated[Address, Field(description="Mail address of the group.", examples=["jobteam@example.dk"])]
    site: Annotated[str, Field(description="A site of [sites].", examples=["torvet"])]
    account: Annotated[
        str | None,
        Field(description="The [calendars] account; may be left out when there is one only.", examples=["main"]),
    ] = None
    file: Annotated[
        Path | None,
        Field(
            description="CSV with the columns address and name, read instead of asking the calendar server.",
            examples=["jobteam.csv"],
        ),
    ] = None
    url: Annotated[
        str | None,
        Field(
            description="Calendar URL, if discovery is not wanted; {user} is the part of the address before the @.",
            examples=["{user}/kalender/"],
        ),
    ] = None
    floor: Annotated[int, Field(ge=-9, le=99, description="Where the desks are.")] = 0
    teams: Annotated[tuple[str, ...], Field(description="Team names of all members.", examples=[["job"]])] = ()
    competences: Annotated[
        tuple[str, ...], Field(description="What all members can be asked for.", examples=[["arabic"]])
    ] = ()
