"""Maintenance: offers are closed because somebody said so, with the reason citizens and portals are shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

DA = "Selvbooking er lukket på grund af vedligeholdelse. Prøv igen senere."
EN = "Self-booking is closed for maintenance. Please try again later."


@dataclass(frozen=True, slots=True)
class Pause:
    """What stands in the way of every offer.

    :param until: when it is meant to end, for the reader; it ends when somebody ends it.
    :param by: who began it (``cli:USER``).
    """

    since: datetime
    da: str = DA
    en: str = EN
    until: datetime | None = None
    by: str = ""

    @property
    def say(self) -> dict[str, str]:
        """What citizens are told, by language."""
        return {"da": self.da, "en": self.en}
