"""What an answer to a webhook means: taken, try again then, or give up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from syncd.ports import Receipt

PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""Between the attempts: eleven of them in about three days, as the specification recommends."""
LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Taken:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Again:
    """Not yet. :param pause: until the next attempt."""

    pause: timedelta


@dataclass(frozen=True, slots=True)
class GivenUp:
    """It will not be tried again. :param why: a sentence for the operator."""

    why: str


def judge(receipt: Receipt, attempts: int) -> Taken | Again | GivenUp:
    """What follows from the answer to attempt number *attempts* (1 is the first).

    Any 2xx takes it; 410 asks never to be sent to again; everything else, redirects too, is tried later.
    """
    if receipt.status is not None and 200 <= receipt.status < 300:
        return Taken()
    if receipt.status == 410:
        return GivenUp("The receiver answered 410 Gone.")
    if attempts > len(PAUSES):
        return GivenUp(f"Not taken in {attempts} attempts; the last answer: {receipt.says}")
    asked = timedelta(seconds=receipt.retry_after or 0)
    return Again(min(LONGEST, max(asked, PAUSES[attempts - 1])))
