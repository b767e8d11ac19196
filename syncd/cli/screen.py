"""How things look on a terminal: tables, colours, JSON, and complaints."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape as escape
from rich.table import Table

from syncd.model.zones import wall_clock

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


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
    """Print a table below its title, which may be wider than it; the first column never wraps."""
    if title:
        to.print(f"[italic]{escape(title)}[/]", soft_wrap=True)
    grid = Table(header_style="bold", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        grid.add_column(column, no_wrap=number == 0, overflow="fold")
    for row in rows:
        grid.add_row(*map(escape, row))
    to.print(grid)


def defect(error: BaseException) -> int:
    """Say what to do about an error nobody expected, and return the exit code."""
    complain(f"A defect in syncd: {type(error).__name__}: {error}. Nothing more was done. Please report it.")
    if os.environ.get("SYNCD_TRACEBACK"):
        traceback.print_exception(error)
    else:
        complain("Run the command again with SYNCD_TRACEBACK=1 to see where.")
    return 70
