"""Long lists of keys in portions that every database takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

PORTION = 1000


def chunks(items: Iterable[T], size: int = PORTION) -> Iterator[Sequence[T]]:
    """*items* in order, at most *size* at a time; none for nothing."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
