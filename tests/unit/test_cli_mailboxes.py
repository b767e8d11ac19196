"""Rooms of a server's room lists as lines of the rooms file."""

from __future__ import annotations

from pathlib import Path

from syncd.cli.mailboxes import room_lines
from syncd.config.people import read_rows
from syncd.model.directory import ListedRoom


def test_lines_for_new_rooms_are_read_back_as_they_were_meant(tmp_path: Path) -> None:
    path = tmp_path / "rooms.csv"
    places = ListedRoom("b@x.dk", "B", capacity=8, floor=2, step_free=True, features=("screen", "hearing-loop"))
    rooms = [ListedRoom("Moede.1+a@x.dk", 'Mødelokale "1"; stuen'), places]
    path.write_text(room_lines(rooms, "torvet"), encoding="utf-8")

    rows = read_rows(path, "rooms.csv")

    assert [("moede.1-a", 'Mødelokale "1"; stuen', "torvet"), ("b", "B", "torvet")] == [
        (row.values["id"], row.values["name"], row.values["site"]) for row in rows
    ]
    seen = {key: rows[1].values[key] for key in ("floor", "capacity", "features", "step_free")}
    assert {"floor": "2", "capacity": "8", "features": ["screen", "hearing-loop"], "step_free": True} == seen
