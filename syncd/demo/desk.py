"""What the tour needs of a calendar server and of a program that staff look at their calendar with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from syncd.model.interval import Interval


class Entry(Protocol):
    """One single event as its owner's program shows it."""

    @property
    def uid(self) -> str:
        """Its UID, the same in every calendar."""
        ...

    @property
    def summary(self) -> str:
        """Its title."""
        ...

    @property
    def start(self) -> datetime | None:
        """Begin in UTC; None for an all-day entry."""
        ...

    @property
    def end(self) -> datetime | None:
        """End in UTC; None for an all-day entry."""
        ...

    @property
    def location(self) -> str:
        """Where it is, or nothing."""
        ...

    @property
    def rooms(self) -> tuple[str, ...]:
        """Mail addresses of the rooms invited."""
        ...


class Desk(Protocol):
    """One calendar, opened by its owner."""

    def items(self, span: Interval) -> Sequence[Entry]:
        """Every single event that touches *span*."""
        ...

    def add(self, span: Interval, summary: str, zone: str, categories: tuple[str, ...] = ()) -> str:
        """Put a new event into the calendar; the server's name for it."""
        ...

    def move(self, item: Any, span: Interval, zone: str) -> None:
        """Drag an event of `items` to another time."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class Switch(Protocol):
    """Takes a calendar server away, and gives it back with everything in it."""

    @property
    def off(self) -> bool:
        """Whether it is away."""
        ...

    def turn(self, *, on: bool) -> None:
        """Switch it on or off."""
        ...


class House(Protocol):
    """A running calendar server with the town in it."""

    @property
    def url(self) -> str:
        """Its base address."""
        ...

    @property
    def switch(self) -> Switch | None:
        """How it is switched off; None where somebody else runs it."""
        ...

    @property
    def passwords(self) -> Mapping[str, str]:
        """By account; the town's people, its rooms and syncd's service account."""
        ...

    def table(self) -> str:
        """The `[calendars.NAME]` table of syncd's configuration."""
        ...

    def collection(self, owner: str, /) -> str:
        """Address of *owner*'s calendar; empty where the mail address says it all."""
        ...

    def desk(self, owner: str) -> Desk:
        """*owner*'s calendar, opened with that account's own password."""
        ...

    def invitation(self, owner: str, span: Interval, /) -> str:
        """How a visitor looks at *owner*'s calendar in *span*, and changes it."""
        ...
