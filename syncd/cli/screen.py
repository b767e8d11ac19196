"""How things look on a terminal: tables, colours, JSON, and complaints."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
import traceback
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.markup import escape as escape

from syncd.model.zones import wall_clock

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

GAP = 2
"""Blanks between two columns."""
INDENT = 4
"""Blanks before what is told below a row."""
_COMMAND = re.compile(r"\bsyncd(?: [^\s,;:()]*[^\s,;:().])+")
_STAYS = "\0"
"""Stands for a blank at which no line is broken."""


def say(text: str, to: Console = out) -> None:
    """Print one line of plain text; *to* ``err`` where stdout belongs to a script."""
    to.print(escape(text), soft_wrap=True)


def complain(text: str) -> None:
    """Print what went wrong, on stderr."""
    err.print(f"[bold red]syncd:[/] {escape(text)}", soft_wrap=True)


def print_json(value: Any) -> None:
    """Print *value* as JSON for a script; datetimes in ISO 8601 with Z."""
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value)
    return str(value)


def iso(moment: datetime | None) -> str | None:
    """UTC with Z, to the second."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def local(moment: datetime, zone: str) -> str:
    """What the clocks at the site show, such as ``Mon 2026-11-23 09:15``."""
    return wall_clock(moment, zone).strftime("%a %Y-%m-%d %H:%M")


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the largest fitting unit."""
    if moment is None:
        return "never"
    seconds = max(0, int((now - moment).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], to: Console = out) -> None:
    """Print a table below its title; every value stays whole, so that it can be copied.

    Where a terminal is too narrow, the widest columns are told below each row instead, sentences broken between words.
    Elsewhere (a pipe, a file) each row is one line, however long.
    """
    if title:
        to.print(f"[italic]{escape(title)}[/]", soft_wrap=True)
    cells = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    beside = _beside(widths, [any(column) for column in zip(*cells, strict=True)], to.width if to.is_terminal else None)
    below = [number for number in range(len(columns)) if number not in beside and any(row[number] for row in cells)]
    indent = max((cell_len(columns[number]) + GAP for number in below if columns[number]), default=0)
    to.print(f"[bold]{escape(_line(columns, beside, widths))}[/]", soft_wrap=True)
    for row in cells:
        say(_line(row, beside, widths), to)
        for number in below:
            _tell_below(columns[number].ljust(indent), row[number], to)


def _beside(widths: Sequence[int], filled: Sequence[bool], room: int | None) -> list[int]:
    """Which columns stand beside each other: all if there is room, and always the first."""
    kept = list(range(len(widths)))
    while room is not None and len(kept) > 1 and sum(widths[number] + GAP for number in kept) - GAP > room:
        empty = [number for number in kept[1:] if not filled[number]]
        kept.remove(max(empty or kept[1:], key=lambda number: (widths[number], number)))
    return kept


def _line(row: Sequence[str], beside: Sequence[int], widths: Sequence[int]) -> str:
    return "".join(set_cell_size(row[number], widths[number] + GAP) for number in beside).rstrip()


def _tell_below(name: str, text: str, to: Console) -> None:
    """A value below its row; commands in it are not broken, for they would not run when they are pasted."""
    first = " " * INDENT + name
    whole = _COMMAND.sub(lambda found: found[0].replace(" ", _STAYS), text)
    lines = textwrap.wrap(
        whole,
        to.width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        say(line.replace(_STAYS, " "), to)


def defect(error: BaseException) -> int:
    """Say what to do about an error nobody expected, and return the exit code."""
    complain(f"A defect in syncd: {type(error).__name__}: {error}. Nothing more was done. Please report it.")
    if os.environ.get("SYNCD_TRACEBACK"):
        traceback.print_exception(error)
    else:
        complain("Run the command again with SYNCD_TRACEBACK=1 to see where.")
    return 70
