"""Tables for a spreadsheet: semicolons and a byte-order mark, as Excel here expects them, and nothing it would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from fastapi import Response


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: what could begin one gets an apostrophe in front.

    Numbers of ours may be negative and stay what they are.
    """
    risky = cell[:1] in ("=", "+", "@", "\t", "\r", "\n") or (cell[:1] == "-" and not _number(cell))
    return f"'{cell}" if risky else cell


def _number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "").replace(",", "").isdigit()


def written(rows: Iterable[Sequence[str]]) -> str:
    """The rows as text."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
    return "\ufeff" + text.getvalue()


def download(rows: Iterable[Sequence[str]], name: str) -> Response:
    """The rows as a file that a browser keeps under this name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(written(rows), media_type="text/csv; charset=utf-8", headers=headers)
