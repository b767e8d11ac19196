"""The command line as an operator meets it: arguments in, exit code, stdout and stderr out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import structlog
import typer

from syncd import cli
from syncd.cli import screen
from syncd.observe import logs
from tests.environment import ROOT

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
days = ["mon-sun"]
from = "07:00"
to = "22:00"
"""
MEMORY = '[calendars.kalender]\nadapter = "memory"\n'


@dataclass(frozen=True)
class Done:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The whole of stdout, read as JSON."""
        return json.loads(self.out)


def spoken(*arguments: str | Path, answer: str = "") -> Done:
    """Run ``syncd`` in this process, through its fence.

    :param answer: what the operator types.
    """
    out, err = StringIO(), StringIO()
    line = ["syncd", *map(str, arguments)]
    typed = patch.multiple(sys, argv=line, stdin=StringIO(answer))
    with (
        typed,
        patch.object(typer.main, "get_command", _commands),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as end,
    ):
        cli.run()
    assert isinstance(end.value.code, int)
    return Done(end.value.code, out.getvalue(), err.getvalue())


@cache
def _commands(app: typer.Typer) -> Any:
    """The tree of commands, made once: a process makes it once, too, and it is most of a small command's work."""
    return _make_commands(app)


_make_commands = typer.main.get_command


def environment() -> dict[str, str]:
    """A wide terminal, and this checkout."""
    return {**os.environ, "COLUMNS": "200", "PYTHONPATH": str(ROOT)}


def process(*arguments: str | Path) -> Done:
    """Run ``python -m syncd`` as a process of its own."""
    line = [sys.executable, "-m", "syncd", *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, env=environment())
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass
class Office:
    """One configuration: a caseworker, a room, a database beside it."""

    folder: Path
    calendars: str = MEMORY
    home: str | None = None
    rules: Path = field(init=False)

    def __post_init__(self) -> None:
        self.rules = self.folder / "offers.toml"
        self.rules.write_text(RULES)
        self.config.write_text(f"""
organisation = "Prøveby Kommune"
database = "sqlite:///syncd.sqlite3"
{self.calendars}
[sites.torvet]
name = "Torvet 1"
{self._box("caseworkers", "anna", "Anna Holm")}
{self._box("rooms", "lokale-1", "Lokale 1")}
""")

    def _box(self, table: str, name: str, told: str) -> str:
        url = f'url = "{self.home}{name}/"' if self.home else ""
        return f'[[{table}]]\nid = "{name}"\nname = "{told}"\naddress = "{name}@example.dk"\nsite = "torvet"\n{url}\n'

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "syncd.toml"

    def syncd(self, *arguments: str | Path, answer: str = "") -> Done:
        """Run a command on this configuration."""
        return spoken(*arguments, "--config", self.config, answer=answer)

    def audit(self, action: str) -> list[tuple[str, str | None, str | None]]:
        """Actor, detail and citizen of the audit's rows with this action."""
        from syncd.store import Store
        from syncd.store.tables import AuditRow

        store = Store(f"sqlite:///{self.folder / 'syncd.sqlite3'}")
        with store.read() as tx:
            rows = tx.session.query(AuditRow).filter_by(action=action).order_by(AuditRow.id).all()
            told = [(row.actor, row.detail, row.citizen) for row in rows]
        store.close()
        return told


@contextmanager
def beside_other_tests() -> Iterator[None]:
    """Commands may not leave their log settings behind in this process; tables are as wide as on a wide terminal."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40), cache_logger_on_first_use=False)
    try:
        with (
            patch.object(logs, "configure", lambda *_: None),
            patch.dict(os.environ, {"USER": "drift", "LOGNAME": "drift"}),
        ):
            screen.out.width = screen.err.width = 200
            yield
    finally:
        structlog.configure(**before)
