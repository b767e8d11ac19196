"""The daemon as an operator runs it: a process with a configuration file, seen over HTTP and by its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests

from syncd.config import token_digest
from tests.servers.processes import DIE_WITH_PARENT, free_port
from tests.system.calendars import Calendars

TOKEN = "syncd_test"
PATIENCE = 300.0
"""Seconds; a start takes two on a quiet machine, and many times that beside a dozen others."""

RULES = """
[offers.samtale]
title = {da = "Samtale", en = "Talk"}
minutes = {in-person = 30, phone = 30}
who = ["anna"]
step = 30
notice = 0
horizon_days = 14

[[hours]]
who = ["anna"]
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
from = "07:00"
to = "22:00"
"""


@dataclass
class Service:
    """One configuration over one calendar server, and the process that runs it now."""

    folder: Path
    calendars: Calendars
    port: int = field(default_factory=free_port)
    database: str = "sqlite:///syncd.sqlite3"
    child: subprocess.Popen[bytes] | None = None
    interval: int = 1
    timeout: int = 5
    people: tuple[str, ...] = ("anna",)
    rooms: tuple[str, ...] = ("lokale-1",)
    environment: dict[str, str] = field(default_factory=dict)
    role: str = ""
    """Of one of many nodes; empty: it is alone."""
    module: str = "syncd"
    """What Python runs."""
    address: str = "127.0.0.1"
    """Where it is found; on another machine it listens to every cable."""
    inside: tuple[str, ...] = ()
    """Words that let it run on another machine."""

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.address}:{self.port}"

    @property
    def config(self) -> Path:
        """Its configuration file."""
        return self.folder / "syncd.toml"

    @property
    def log(self) -> str:
        """Everything it logged."""
        return (self.folder / "syncd.log").read_text(errors="replace")

    def logged_keys(self) -> set[str]:
        """The keys of all lines it logged."""
        if not (self.folder / "syncd.log").exists():
            return set()
        lines = [line for line in self.log.splitlines() if line.startswith("{")]
        return {key for line in lines for key in json.loads(line)}

    def write(self, extra: str = "") -> None:
        """Write configuration, rules and secret."""
        (self.folder / "password").write_text(self.calendars.password)
        (self.folder / "offers.toml").write_text(RULES.replace('["anna"]', str(list(self.people)).replace("'", '"')))
        self.config.write_text(f"""
organisation = "Prøveby Kommune"
database = "{self.database}"
rules_file = "offers.toml"
{extra}
[http]
listen = "{"0.0.0.0" if self.inside else self.address}:{self.port}"
[sync]
interval_seconds = {self.interval}
[log]
format = "json"
[backup]
folder = "backups"
[calendars.main]
{self.calendars.account()}
timeout_seconds = {self.timeout}
[sites.torvet]
name = "Torvet 1"
[clients.portal]
token_sha256 = "{token_digest(TOKEN)}"
{"".join(self._caseworker(person) for person in self.people)}{"".join(self._room(room) for room in self.rooms)}
""")

    def _caseworker(self, person: str) -> str:
        return f"""
[[caseworkers]]
id = "{person}"
name = "{person.title()} Holm"
address = "{person}@example.dk"
site = "torvet"
{self.calendars.place(person)}
"""

    def _room(self, room: str) -> str:
        return f"""
[[rooms]]
id = "{room}"
name = "{room.title().replace("-", " ")}"
address = "{room}@example.dk"
site = "torvet"
{self.calendars.place(room)}
"""

    def command(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run another ``syncd`` command on the same configuration."""
        line = [sys.executable, "-m", "syncd", *map(str, arguments), "--config", str(self.config)]
        return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, env=_environment())

    def start(self, *, ready: bool = True) -> None:
        """Start it; with *ready*, wait until it serves."""
        with (self.folder / "syncd.log").open("ab") as output:
            role = ["--role", self.role] if self.role else []
            program = [sys.executable, "-m", self.module, "run", "--config", str(self.config), *role]
            line = [*DIE_WITH_PARENT, *self.inside, *program]
            # Not in the checkout: `python -m` would take what lies in its own folder before any other version.
            environment = _environment() | self.environment
            self.child = subprocess.Popen(line, stdout=output, stderr=output, env=environment, cwd=self.folder)
        if ready:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until it serves."""
        wait_for(self._serves, "the service to serve")

    def _serves(self) -> bool:
        assert self.child is not None
        assert self.child.poll() is None, self.log[-3000:]
        try:
            return requests.get(f"{self.url}/readyz", timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def kill(self) -> None:
        """kill -9."""
        assert self.child is not None
        self.child.kill()
        self.child.wait()

    def stop(self) -> tuple[int, float]:
        """SIGTERM; returns exit code and seconds."""
        assert self.child is not None
        began = time.monotonic()
        self.child.send_signal(signal.SIGTERM)
        code = self.child.wait(timeout=30)
        return code, time.monotonic() - began

    def end(self) -> None:
        """Make sure nothing is left running."""
        if self.child is not None and self.child.poll() is None:
            self.kill()

    def post(self, path: str, body: dict[str, Any], key: str | None = None, timeout: float = 20) -> requests.Response:
        """POST as the portal does."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key or uuid4().hex}
        return requests.post(f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=timeout)

    def get(self, path: str, **parameters: str) -> requests.Response:
        """GET as the portal does."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return requests.get(f"{self.url}/api/v1{path}", params=parameters, headers=headers, timeout=20)

    def slots(self, **asked: str) -> list[dict[str, Any]]:
        """What is on offer in person during the coming week."""
        first = datetime.now(UTC).replace(microsecond=0)
        window = {"from": first.isoformat(), "to": (first + timedelta(days=7)).isoformat()}
        answer = self.get("/offers/samtale/slots", form="in-person", **window, **asked)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["slots"]
        return found

    def book(self, person: str = "anna") -> dict[str, Any]:
        """Hold and book the tenth time on offer."""
        wait_for(lambda: len(self.slots()) > 10, "slots")
        start = self.slots()[10]["start"]
        hold = self.post("/holds", {"offer": "samtale", "start": start, "form": "in-person", "caseworker": person})
        assert hold.status_code == 201, hold.text
        booked = self.post("/bookings", {"hold": hold.json()["id"], "citizen": {"reference": "borger-1"}})
        assert booked.status_code == 201, booked.text
        answer: dict[str, Any] = booked.json()
        return answer

    def booking(self, name: str) -> dict[str, Any] | None:
        """A booking; None when it is not known.

        :raises requests.RequestException: there was no answer, or another one.
        """
        answer = self.get(f"/bookings/{name}")
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def state(self, booking: str) -> str:
        """The state of a booking."""
        found = self.booking(booking)
        assert found is not None, f"booking {booking} is not known"
        return str(found["state"])

    def objects(self, owner: str) -> list[str]:
        """The texts of all objects in somebody's calendar, read past syncd."""
        return self.calendars.texts(owner)


def _environment() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "200", "PYTHONPATH": str(Path(__file__).parents[2])}


def wait_for(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Wait until *condition* holds; fail by name when it does not."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.1)
