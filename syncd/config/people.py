"""Caseworkers and rooms from CSV files, as spreadsheets write them."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

LISTS = frozenset({"teams", "competences", "features", "preferred_by"})
_YES = frozenset({"yes", "ja", "true", "1", "x"})
_NO = frozenset({"no", "nej", "false", "0", ""})


@dataclass(frozen=True, slots=True)
class Row:
    """One data line of a file.

    :param line: as an editor counts, the heading being line 1.
    """

    file: str
    line: int
    values: Mapping[str, object]


def read_rows(path: Path, written: str) -> list[Row]:
    """The rows of a CSV file with a heading line; comma, semicolon or tab; UTF-8 or Windows-1252.

    Empty cells are left out, so that defaults apply; those of `LISTS` are lists.

    :param written: the path as it stands in the configuration, for messages.
    :raises ValueError: the file cannot be read or has no heading; the text is a sentence.
    """
    try:
        text = _decoded(path.read_bytes())
    except OSError as error:
        raise ValueError(f"cannot read '{written}' ({path}): {error.strerror}") from None
    heading = text.partition("\n")[0]
    if not heading.strip():
        raise ValueError(f"'{written}' is empty; its first line must name the columns, such as id,name,address,site")
    reader = csv.DictReader(StringIO(text), delimiter=max(",;\t", key=heading.count), restkey="", restval="")
    try:
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        return [Row(written, reader.line_num, _values(cells)) for cells in reader if any(cells.values())]
    except csv.Error as error:
        raise ValueError(f"'{written}' is no table: line {reader.line_num}: {error}") from None


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:  # Danish spreadsheets still save Windows-1252
        return content.decode("cp1252", errors="replace")


def _values(cells: Mapping[str, str | list[str]]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, cell in cells.items():
        text = " ".join(cell) if isinstance(cell, list) else cell.strip()
        if not text:
            continue
        if not name:
            values["(extra column)"] = text
        elif name == "hours":
            values[name] = [part.strip() for part in re.split(r"[;|]", text) if part.strip()]
        elif name in LISTS:
            values[name] = [word for word in re.split(r"[,;|\s]+", text) if word]
        elif name in ("step_free", "open_plan"):
            values[name] = _truth(text)
        else:
            values[name] = text
    return values


def _truth(text: str) -> object:
    """Yes or no in Danish or English; anything else is left for the model to refuse."""
    word = text.casefold()
    return True if word in _YES else False if word in _NO else text
