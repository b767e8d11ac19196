"""Who looks at meetings, where several nodes may."""

from __future__ import annotations

from time import monotonic
from typing import Protocol


class Holder(Protocol):
    """A node, as far as work on meetings needs to know it."""

    @property
    def name(self) -> str | None:
        """What the others call it; None where one node serves."""
        ...

    def alive(self) -> bool:
        """Whether no other node can have taken it for dead; told without asking anybody."""
        ...

    def elapsed(self) -> float:
        """Seconds of a clock that only runs forward, also while the process stands still."""
        ...


class Alone:
    """The only node there is."""

    name: str | None = None

    def alive(self) -> bool:
        """Nobody is there to take it for dead."""
        return True

    def elapsed(self) -> float:
        """See `Holder`."""
        return monotonic()


ALONE = Alone()
