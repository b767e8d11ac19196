"""The guide believes only what is seen: a step that does not happen ends the tour with a failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from syncd.demo import files, show, tour
from syncd.demo.radicale import CalendarServer

SLOT = {
    "start": "2027-01-04T09:00:00Z",
    "end": "2027-01-04T09:45:00Z",
    "form": "in-person",
    "count": 1,
    "caseworkers": ["anna"],
}


class Boaster(BaseHTTPRequestHandler):
    """A service that claims everything and does nothing: it answers well, but writes no calendar."""

    slots: tuple[dict[str, Any], ...] = (SLOT,)
    status = 200

    def do_POST(self) -> None:
        booking = {"id": "b1", "room": {"id": "lokale-1-07"}, "state": "pending", "start": SLOT["start"]}
        answer = {"status": "open", "slots": self.slots, "closed": [], "type": "gone", "detail": "no"}
        body = json.dumps(answer if self.path.endswith("search") else booking).encode()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[show.Town]:
    """A town whose service and calendar server are both the boaster."""
    monkeypatch.setattr(tour, "_PATIENCE_SECONDS", 0.3)
    (tmp_path / "syncd.log").write_text("the last words\n", encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), Boaster) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        yield show.Town(base, CalendarServer(f"{base}/", files.passwords(tmp_path)), tmp_path)
        server.shutdown()


def test_no_slots_end_the_tour_at_its_first_step(
    running: show.Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Boaster, "slots", ())

    assert 1 == show.guide(running)
    assert "✗ 1  Slots are published: not seen within" in capsys.readouterr().out


def test_a_meeting_that_is_in_no_calendar_ends_the_tour(running: show.Town, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == show.guide(running)

    told = capsys.readouterr().out
    assert "✓ 2  A slot is held and booked over HTTP" in told
    assert "✗ 3  The caseworker's calendar has the meeting" in told
    assert "the last words" in told


def test_a_refusal_ends_the_tour_with_its_sentence(
    running: show.Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Boaster, "status", 409)

    assert 1 == show.guide(running)
    assert "409 gone: no" in capsys.readouterr().out
