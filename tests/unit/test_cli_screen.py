"""Tables on a terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from syncd.cli import screen


def test_a_title_wider_than_its_table_stays_one_line_and_keeps_its_brackets() -> None:
    shown = io.StringIO()
    screen.table("Rooms of [torvet], as docs/reference/rooms.md says", ("a",), [("1",)], Console(file=shown, width=80))

    assert ["Rooms of [torvet], as docs/reference/rooms.md says", "a", "1"] == shown.getvalue().splitlines()


BOOKING, MEETING = "k7f2m9qx4w8z3h6t5r1p", "5a4c21339aa14fd1b7c3d7c0a2a7a9e1"
LOOK = "Mødet har intet lokale, og ingen passende lokaler er ledige. Find et lokale, eller flyt mødet."
HEADS = ("when", "state", "offer", "caseworker", "room", "booking", "to look at")
ROW = ("Mon 2026-11-30 09:15", "confirmed (being written)", "jobsamtale", "anna.holm", "missing", BOOKING, LOOK)


def _shown(width: int, columns: tuple[str, ...], *rows: tuple[str, ...], terminal: bool = True) -> list[str]:
    shown = io.StringIO()
    screen.table("", columns, rows, Console(file=shown, width=width, force_terminal=terminal, color_system=None))
    return shown.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_on_a_narrow_terminal_ids_stay_whole_and_sentences_are_told_below_their_row(width: int) -> None:
    lines = _shown(width, HEADS, ROW)

    assert max(map(len, lines)) <= width
    assert [BOOKING in line for line in lines].count(True) == 1
    assert ROW[0] in lines[1]
    [first] = [number for number, line in enumerate(lines) if line.startswith("    to look at  Mødet har intet lokale")]
    assert LOOK == " ".join(" ".join(lines[first:]).removeprefix("    to look at").split())


def test_a_short_row_stays_one_line_where_there_is_room() -> None:
    row = (ROW[0], "confirmed", "jobsamtale", "anna.holm", "lokale-1", BOOKING, "")

    assert "Mon 2026-11-30 09:15  confirmed  jobsamtale  anna.holm   lokale-1  " + BOOKING == _shown(120, HEADS, row)[1]


def test_what_no_row_has_is_told_nowhere_below() -> None:
    lines = _shown(80, HEADS, (*ROW[:5], BOOKING, ""))

    assert not any("to look at" in line for line in lines[1:])


def test_a_row_in_a_pipe_is_one_whole_line_however_long() -> None:
    lines = _shown(80, HEADS, ROW, (*ROW[:6], "several\nlines"), terminal=False)

    assert 3 == len(lines)
    assert BOOKING in lines[1]
    assert lines[1].endswith(LOOK)
    assert lines[2].endswith("several lines")


def test_what_is_wider_than_the_terminal_is_left_to_it_in_one_piece() -> None:
    address = "/calendars/" + "a" * 90 + ".ics"

    assert f"    object  {address}" in _shown(80, ("from", "object"), ("2026-11-30", address))


@pytest.mark.parametrize("width", range(48, 90))
def test_a_command_in_a_sentence_is_not_broken(width: int) -> None:
    says = f"Move the meeting in the calendar (syncd check), or choose a room: syncd rooms pin {MEETING} --room ROOM"
    lines = _shown(width, ("task", "about", "what to do"), ("12", f"meeting:{MEETING}", says))

    assert any(f"syncd rooms pin {MEETING} --room ROOM" in line for line in lines)
    assert any("(syncd check)" in line for line in lines)
