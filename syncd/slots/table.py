"""Times on offer, kept as sets of cells and unfolded only as far as somebody looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import compress, repeat
from typing import NamedTuple, overload

from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.model.offer import Form, Slot
from syncd.slots.grid import Cells, Grid

_DIGITS = bytes.maketrans(b"01", b"\0\1")


class Time(NamedTuple):
    """One time of one form; *number* caseworkers can serve it. *start* and *end* in epoch seconds.

    :param seats: how many citizens can still book it, for group meetings; 0 for others.
    """

    start: int
    end: int
    form: Form
    number: int
    servers: tuple[MailboxId, ...]
    seats: int = 0


class Seat(NamedTuple):
    """A group meeting that has seats left. *start* and *end* in epoch seconds."""

    caseworker: MailboxId
    form: Form
    start: int
    end: int
    left: int


@dataclass(frozen=True)
class Row:
    """When one caseworker can begin a meeting of one form."""

    form: Form
    minutes: int
    caseworker: MailboxId
    starts: Cells


class SlotTable(Sequence[Slot]):
    """The slots of an answer, by time, then form, then caseworker in the order of *rows*.

    :param seats: of a new meeting. :param joins: meetings with seats left, when it is a group's.
    """

    def __init__(self, grid: Grid, rows: Sequence[Row], seats: int = 1, joins: Sequence[Seat] = ()) -> None:
        self._grid = grid
        self._rows = tuple(row for row in rows if row.starts)
        self._seats, self._joins = seats, tuple(joins)

    def times(self, *, named: bool = False) -> list[Time]:
        """Each time once, in order, with how many can serve it; *named* also says who."""
        found = self._opened(named=named)
        return found if self._seats == 1 else self._with_seats(found)

    def serving(self, time: Time) -> tuple[MailboxId, ...]:
        """Who can serve one of `times`, for whoever looks at a few of them only; the same as if all were named."""
        cell = self._grid.bit(time.start)
        alone = [row.caseworker for row in self._rows if row.form is time.form and row.starts & cell]
        key = (time.start, time.end, time.form)
        joined = [one.caseworker for one in self._joins if (one.start, one.end, one.form) == key]
        return (*alone, *joined)

    def _with_seats(self, opened: Sequence[Time]) -> list[Time]:
        """New group meetings and those that have seats left, together."""
        found = {(one.start, one.end, one.form): one._replace(seats=one.number * self._seats) for one in opened}
        for seat in self._joins:
            key = (seat.start, seat.end, seat.form)
            one = found.get(key, Time(*key, 0, (), 0))
            found[key] = one._replace(
                number=one.number + 1, servers=(*one.servers, seat.caseworker), seats=one.seats + seat.left
            )
        return sorted(found.values(), key=_by_start)

    def _opened(self, *, named: bool) -> list[Time]:
        forms: dict[Form, list[Row]] = {}
        for row in self._rows:
            forms.setdefault(row.form, []).append(row)
        found: list[Time] = []
        for form, rows in forms.items():
            length = rows[0].minutes * 60
            tally = list(_tally(self._grid, [row.starts for row in rows]))
            who = _named(self._grid, rows, [start for start, _ in tally]) if named else repeat(())
            found += [
                Time(start, start + length, form, count, servers)
                for (start, count), servers in zip(tally, who, strict=named)
            ]
        return sorted(found, key=_by_start) if len(forms) > 1 else found

    def packed(self, before: int, after: int, enough: int) -> int:
        """How many meetings could be held beside each other, buffers (minutes) between them; counted up to *enough*.

        Each caseworker counts with the form of which most fit. Caps, and rooms that several share, are not divided up.
        """
        best: dict[MailboxId, int] = {}
        total = sum(seat.left for seat in self._joins)
        for row in self._rows:
            if total + sum(best.values()) >= enough:
                break
            apart = self._grid.count(before) + self._grid.count(row.minutes) + self._grid.count(after)
            number = _side_by_side(row.starts, apart) * self._seats
            best[row.caseworker] = max(number, best.get(row.caseworker, 0))
        return min(enough, total + sum(best.values()))

    def packed_in(self, before: int, after: int, spans: Sequence[tuple[int, int]]) -> dict[MailboxId, list[int]]:
        """By caseworker, how many meetings could begin in each of *spans* (epoch seconds) beside each other.

        Counted as `packed` does; who has none is left out.
        """
        found: dict[MailboxId, list[int]] = {}
        masks = [self._grid.between(max(start, self._grid.base), min(end, self._grid.end)) for start, end in spans]
        for row in self._rows:
            apart = self._grid.count(before) + self._grid.count(row.minutes) + self._grid.count(after)
            listed = found.setdefault(row.caseworker, [0] * len(masks))
            for n, mask in enumerate(masks):
                listed[n] = max(listed[n], _side_by_side(row.starts & mask, apart) * self._seats)
        for seat in self._joins:
            listed = found.setdefault(seat.caseworker, [0] * len(masks))
            for n, (start, end) in enumerate(spans):
                listed[n] += seat.left if start <= seat.start < end else 0
        return found

    @cached_property
    def _slots(self) -> tuple[Slot, ...]:
        found: list[Slot] = []
        for time in self.times(named=True):
            interval = Interval(datetime.fromtimestamp(time.start, UTC), datetime.fromtimestamp(time.end, UTC))
            found += [Slot(interval, name, time.form) for name in time.servers]
        return tuple(found)

    def __len__(self) -> int:
        return sum(row.starts.bit_count() for row in self._rows) + len(self._joins)

    def __bool__(self) -> bool:
        return bool(self._rows or self._joins)

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots)

    @overload
    def __getitem__(self, index: int) -> Slot: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Slot]: ...
    def __getitem__(self, index: int | slice) -> Slot | Sequence[Slot]:
        return self._slots[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(self._slots)

    def __repr__(self) -> str:
        return f"<{len(self)} slots>"


def _side_by_side(starts: Cells, apart: int) -> int:
    """How many of *starts* lie at least *apart* cells from each other, at most."""
    number = 0
    while starts:
        first = (starts & -starts).bit_length() - 1
        starts = starts >> (first + apart)
        number += 1
    return number


def _by_start(time: Time) -> int:
    return time.start


def _named(grid: Grid, rows: Sequence[Row], starts: Sequence[int]) -> Iterator[tuple[MailboxId, ...]]:
    """Who of *rows* can serve each of *starts*; those whom the same people can serve get one and the same tuple.

    Each row is written out a byte per cell and read at all starts at once; a loop over people and times would cost ten
    times as much.
    """
    names = [row.caseworker for row in rows]
    places = [grid.cells - 1 - (start - grid.base) // grid.cell for start in starts]
    written = [f"{row.starts:0{grid.cells}b}".encode().translate(_DIGITS) for row in rows]
    known: dict[tuple[int, ...], tuple[MailboxId, ...]] = {}
    for column in zip(*([text[place] for place in places] for text in written), strict=True):
        who = known.get(column)
        if who is None:
            who = known[column] = tuple(compress(names, column))
        yield who


def _tally(grid: Grid, sets: Sequence[Cells]) -> Iterator[tuple[int, int]]:
    """How many of *sets* each cell is in: (where it begins, count), for those in at least one.

    Sets are added like binary numbers, a digit at a time for all cells at once.
    """
    digits: list[Cells] = []
    for carry in sets:
        for place, digit in enumerate(digits):
            if not carry:
                break
            digits[place], carry = digit ^ carry, digit & carry  # noqa: PLW2901 - the carry of an adder
        if carry:
            digits.append(carry)
    columns = zip(*(f"{digit:0{grid.cells}b}" for digit in reversed(digits)), strict=True)
    value = {column: int("".join(column), 2) for column in set(columns)}
    columns = zip(*(f"{digit:0{grid.cells}b}" for digit in reversed(digits)), strict=True)
    counts = [value[column] for column in columns]
    return ((grid.base + at * grid.cell, count) for at, count in enumerate(reversed(counts)) if count)
