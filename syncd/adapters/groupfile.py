"""A distribution group kept as a CSV file, such as a directory service exports every night."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from syncd.errors import CalendarNotFound, Transient
from syncd.ports import Member


class FileGroup:
    """Implements `syncd.ports.GroupSource` over a file with the columns ``address`` and ``name``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def expand_group(self, address: str) -> tuple[Member, ...]:
        """See `GroupSource.expand_group`; a file half written, or without its columns, counts as unreadable."""
        try:
            text = self._path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise CalendarNotFound(f"There is no file {self._path} with the people of {address}.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise Transient(f"The file {self._path} with the people of {address} cannot be read: {error}.") from error
        heading = text.partition("\n")[0]
        rows = csv.DictReader(StringIO(text), delimiter=max(",;\t", key=heading.count), restval="")
        try:
            return self._members(rows, address)
        except csv.Error as error:
            raise Transient(f"The file {self._path} with the people of {address} is no table: {error}.") from error

    def _members(self, rows: csv.DictReader[str], address: str) -> tuple[Member, ...]:
        rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
        if "address" not in rows.fieldnames:
            raise Transient(f"The file {self._path} has no column 'address'; the people known of {address} stay.")
        found: dict[str, Member] = {}
        for row in rows:
            mail = (row["address"] or "").strip().lower()
            if mail.count("@") == 1:
                found[mail] = Member(mail, (row.get("name") or "").strip() or mail.partition("@")[0])
        return tuple(found[mail] for mail in sorted(found))
