"""How a citizen can be reached, when the portal passes it on: sealed at rest, erased soon after the meeting."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Contact:
    """Contact data of one booking's citizen; never part of a text that is logged or written into a calendar."""

    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    mail: str | None = field(default=None, repr=False)

    @property
    def empty(self) -> bool:
        """Whether it says nothing."""
        return self == Contact()
