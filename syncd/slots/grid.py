"""Time cut into equal cells; a set of cells is one integer, bit n for cell n."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import gcd
from typing import TypeAlias

from syncd.model.zones import offsets

Span: TypeAlias = tuple[int, int]
"""Half-open, in epoch seconds."""

Cells: TypeAlias = int
"""A set of cells."""

QUARTER = 15
"""Minutes. Clocks everywhere differ from UTC by whole quarters, so no local grid falls between cells."""
DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Grid:
    """A stretch of time cut into *cells* cells of *cell* seconds, the first beginning at *base*.

    :param base: a multiple of *cell*, in epoch seconds.
    """

    base: int
    cell: int
    cells: int

    @classmethod
    def over(cls, start: int, end: int, minutes: int) -> Grid:
        """The cells of *minutes* that cover *start* to *end* (epoch seconds), widened to whole UTC days."""
        base, until = start // DAY * DAY, -(-end // DAY) * DAY
        return cls(base, minutes * 60, (until - base) // (minutes * 60))

    @property
    def end(self) -> int:
        """Where the last cell ends, in epoch seconds."""
        return self.base + self.cell * self.cells

    @property
    def everything(self) -> Cells:
        """All cells."""
        return (1 << self.cells) - 1

    def touched(self, spans: Iterable[Span]) -> Cells:
        """The cells that share an instant with one of *spans*: for time that is taken."""
        cell, cells = self.cell, self.cells
        base, top = self.base, self.base + cell * cells
        signs, ones = bytearray(b"0") * cells, b"1" * cells
        for start, end in spans:
            if start < base:
                start = base  # noqa: PLW2901 - this loop is where first answers spend their time
            if end > top:
                end = top  # noqa: PLW2901 - the same
            first, last = (start - base) // cell, -((base - end) // cell)
            if first < last:
                signs[cells - last : cells - first] = ones[: last - first]
        return int(signs, 2) if cells else 0

    def inside(self, spans: Iterable[Span]) -> Cells:
        """The cells that lie wholly in one of *spans*, which are disjoint and do not touch: for time that is open."""
        base, cell, cells = self.base, self.cell, self.cells
        signs = bytearray(b"0") * cells
        for start, end in spans:
            first, last = max(0, (start - base + cell - 1) // cell), min(cells, (end - base) // cell)
            if first < last:
                signs[cells - last : cells - first] = b"1" * (last - first)
        return int(signs, 2) if cells else 0

    def between(self, start: int, end: int) -> Cells:
        """The cells that begin in *start* ≤ t < *end* (epoch seconds)."""
        first = min(max(0, (start - self.base + self.cell - 1) // self.cell), self.cells)
        last = min(max(0, (end - self.base + self.cell - 1) // self.cell), self.cells)
        return ((1 << last) - 1) & -(1 << first) if first < last else 0

    def count(self, minutes: int) -> int:
        """How many cells *minutes* are, rounded up."""
        return -(-minutes * 60 // self.cell)

    def instants(self, cells: Cells) -> Iterator[int]:
        """Where the cells of a set begin, in epoch seconds, in order."""
        signs = f"{cells:b}"[::-1]
        at = signs.find("1")
        while at >= 0:
            yield self.base + at * self.cell
            at = signs.find("1", at + 1)

    def bit(self, instant: int) -> Cells:
        """The cell that begins at *instant*; the empty set when none does."""
        at, odd = divmod(instant - self.base, self.cell)
        return 0 if odd or not 0 <= at < self.cells else 1 << at


def cell_minutes(*minutes: int) -> int:
    """The largest cell, at most a quarter of an hour, of which all *minutes* are multiples.

    With lengths, buffers and step as whole cells, every edge of a candidate lies between two cells; then rounding
    taken time outward and open time inward loses nothing.
    """
    return gcd(QUARTER, *minutes)


def runs(cells: Cells, length: int) -> Cells:
    """The cells that begin *length* cells in a row, all of them in the set."""
    have = 1
    while have < length:
        shift = min(have, length - have)
        cells &= cells >> shift
        have += shift
    return cells


@lru_cache(maxsize=256)
def on_step(grid: Grid, step: int, zone: str) -> Cells:
    """The cells that begin when clocks in *zone* show a multiple of *step* minutes since midnight.

    In the repeated hour of autumn both readings count; the skipped one of spring has none.
    """
    found = 0
    for start, end, offset in offsets(grid.base, grid.end, zone):
        for day in range((start + offset) // DAY * DAY - offset, end, DAY):
            here = grid.between(max(start, day), min(end, day + DAY))
            found |= _every(grid, day, step) & here
    return found


def _every(grid: Grid, midnight: int, step: int) -> Cells:
    """The cells that begin a multiple of *step* minutes after *midnight*, for a day."""
    each, cells = grid.count(step), DAY // grid.cell
    times = -(-cells // each)
    pattern = ((1 << each * times) - 1) // ((1 << each) - 1)
    first = (midnight - grid.base) // grid.cell
    return pattern << first if first >= 0 else pattern >> -first
