"""One measured number, with what it should be and what a rival needs for the same work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A number worth keeping.

    :param figure: what was measured, in words a reader of the table understands.
    :param value: the number, in *unit*.
    :param target: what it should be at most (at least, with *more_is_better*); None when nobody promised anything.
    :param rival: the same thing measured in the same run with the rival named in *figure*; None without one.
    """

    figure: str
    value: float
    unit: str
    target: float | None = None
    rival: float | None = None
    more_is_better: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times better than the rival; below 1 is worse."""
        if self.rival is None:
            return None
        best, worst = (self.value, self.rival) if self.more_is_better else (self.rival, self.value)
        return round(best / worst, 2) if worst else None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without a target."""
        if self.target is None:
            return None
        return self.value >= self.target if self.more_is_better else self.value <= self.target

    def as_json(self) -> dict[str, object]:
        """The figure as `make bench JSON=1` prints it."""
        return {
            "figure": self.figure,
            "value": self.value,
            "unit": self.unit,
            "target": self.target,
            "rival": self.rival,
            "ratio": self.ratio,
            "met": self.met,
        }
