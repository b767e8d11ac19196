"""How much work one reading may cost, so that a hostile object ends in a refusal and not in a stand-still."""

from __future__ import annotations

from typing import Final

from syncd.adapters.caldav.ics.refusal import Unparsable

MAX_INSTANCES: Final = 50_000
MAX_STEPS: Final = 300_000
STEPS_PER_EVENT: Final = 2_000
MOST_STEPS: Final = 5_000_000


class Budget:
    """Counts what one call of `read_object` has used: instances made, and candidates looked at on the way."""

    __slots__ = ("instances", "steps")

    def __init__(self, instances: int = MAX_INSTANCES, steps: int = MAX_STEPS) -> None:
        self.instances = instances
        self.steps = steps

    @classmethod
    def of(cls, events: int) -> Budget:
        """The budget of an object with so many events: a whole calendar in one file may cost more than one meeting."""
        return cls(steps=min(MAX_STEPS + STEPS_PER_EVENT * events, MOST_STEPS))

    def step(self, count: int = 1) -> None:
        """Pay for *count* candidates.

        :raises Unparsable: the budget is used up.
        """
        self.steps -= count
        if self.steps < 0:
            raise Unparsable("its recurrence rule takes too many steps to work out")

    def instance(self, count: int = 1) -> None:
        """Pay for *count* instances.

        :raises Unparsable: the budget is used up.
        """
        self.instances -= count
        if self.instances < 0:
            raise Unparsable("it has too many instances in the time looked at")
