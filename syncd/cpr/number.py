"""A civil registration number (CPR) as a value that cannot be printed by accident."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

PATTERN = (
    "((((0[1-9]|1[0-9]|2[0-9]|3[0-1])(01|03|05|07|08|10|12))"
    "|((0[1-9]|1[0-9]|2[0-9]|30)(04|06|09|11))"
    "|((0[1-9]|1[0-9]|2[0-9])(02)))[0-9]{6})|0000000000"
)
"""The contract's own pattern (reference section 7, EBS3): no modulus 11, which newer numbers need not keep."""
UNKNOWN = "0000000000"
"""Required by the form, but not known (reference section 7, EBS3)."""
_PATTERN = re.compile(PATTERN)
_CENTURIES = (
    # By the seventh digit: the years up to a limit belong to the first century, those after it to the second.
    *((range(4), (99, 1900, 1900)),),
    *(((digit,), (36, 2000, 1900)) for digit in (4, 9)),
    (range(5, 9), (57, 2000, 1800)),
)


class NotACpr(ValueError):
    """The text is no civil registration number; what it was is not repeated."""

    def __init__(self) -> None:
        super().__init__("is no civil registration number: ten digits that begin with a day and a month")


@dataclass(frozen=True, slots=True)
class Cpr:
    """A number that follows the contract's pattern; neither ``repr`` nor ``str`` shows it.

    :raises NotACpr: it does not.
    """

    digits: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _PATTERN.fullmatch(self.digits):
            raise NotACpr

    def __str__(self) -> str:
        return "[cpr]"

    @property
    def born(self) -> date | None:
        """The day of birth; None when there never was such a day, or the number stands for an unknown one.

        The pattern lets 29 February pass in every year; the seventh digit tells the century.
        """
        if self.digits == UNKNOWN:
            return None
        day, month, year = int(self.digits[:2]), int(self.digits[2:4]), int(self.digits[4:6])
        limit, early, late = next(rule for digits, rule in _CENTURIES if int(self.digits[6]) in digits)
        try:
            return date((early if year <= limit else late) + year, month, day)
        except ValueError:
            return None
