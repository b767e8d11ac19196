"""Tables on a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from syncd.cli import screen


def test_a_title_wider_than_its_table_stays_one_line_and_keeps_its_brackets() -> None:
    shown = io.StringIO()
    screen.table("Rooms of [torvet], as docs/reference/rooms.md says", ("a",), [("1",)], Console(file=shown, width=80))

    assert ["Rooms of [torvet], as docs/reference/rooms.md says", "a", "1"] == shown.getvalue().splitlines()
