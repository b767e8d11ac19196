"""The cast of the demonstration town Byhavn: who works there, and in which rooms citizens are met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

ZONE = "Europe/Copenhagen"
ORGANISATION = "Byhavn Kommune"
SITE = "torvet"
DOMAIN = "byhavn.example"


@dataclass(frozen=True, slots=True)
class Person:
    """A caseworker.

    :param home_weekday: works at home every week on this weekday (0 is Monday); None for never.
    """

    id: str
    name: str
    team: str
    floor: int
    home_weekday: int | None = None

    @property
    def address(self) -> str:
        """Mail address."""
        return f"{self.id}@{DOMAIN}"


@dataclass(frozen=True, slots=True)
class DemoRoom:
    """A room; its kind shows in seats and features."""

    id: str
    name: str
    floor: int
    seats: int
    features: tuple[str, ...]
    step_free: bool

    @property
    def address(self) -> str:
        """Mail address."""
        return f"{self.id}@{DOMAIN}"


Owner: TypeAlias = Person | DemoRoom
"""Whoever has a calendar."""

CASEWORKERS = (
    Person("anna", "Anna Holm", "job", 1),
    Person("bo", "Bo Kjeldsen", "job", 1, home_weekday=4),
    Person("camilla", "Camilla Friis", "job", 1),
    Person("david", "David Yilmaz", "job", 0),
    Person("emma", "Emma Lund", "job", 0, home_weekday=2),
    Person("farid", "Farid Nazari", "syge", 1),
    Person("grethe", "Grethe Bach", "syge", 1),
    Person("hans", "Hans Mølgaard", "syge", 1, home_weekday=0),
    Person("ida", "Ida Søgaard", "syge", 0),
    Person("jens", "Jens Åkjær", "unge", 0),
    Person("karin", "Karin Winther", "unge", 0),
    Person("lars", "Lars Østergaard", "unge", 0, home_weekday=4),
)

ROOMS = (
    DemoRoom("lokale-0-02", "Lokale 0.02 (tryg)", 0, 4, ("alarm",), step_free=True),
    DemoRoom("lokale-0-04", "Lokale 0.04", 0, 3, (), step_free=True),
    DemoRoom("lokale-0-11", "Lokale 0.11", 0, 8, ("screen", "hearing-loop"), step_free=True),
    DemoRoom("lokale-1-07", "Lokale 1.07", 1, 3, (), step_free=True),
    DemoRoom("lokale-1-09", "Lokale 1.09", 1, 3, (), step_free=False),
    DemoRoom("lokale-1-12", "Lokale 1.12", 1, 8, ("screen",), step_free=False),
)

TEAMS = {"job": "Job og rekruttering", "syge": "Sygedagpenge", "unge": "Ungeindsatsen"}
"""Team name → what the house calls it."""


def team(name: str) -> tuple[Person, ...]:
    """Its members, in the order of the cast."""
    return tuple(person for person in CASEWORKERS if person.team == name)
