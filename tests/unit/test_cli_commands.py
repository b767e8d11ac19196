"""The command line from only the modules that a command needs."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from importlib import import_module

import pytest
import typer
from typer.testing import CliRunner

from syncd.cli.commands import MODULES, PANELS, app_of


def commands(app: typer.Typer) -> Counter[str]:
    """How many commands there are of each name; those below a group count for it, and so does each adding of it."""
    found = Counter(str(one.name or one.callback.__name__) for one in app.registered_commands if one.callback)
    for group in app.registered_groups:
        assert group.typer_instance is not None
        found[str(group.name)] += 1 + len(group.typer_instance.registered_commands)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_the_table_says_what_a_module_adds(module: str) -> None:
    app = app_of()
    before = commands(app)
    import_module(f"syncd.cli.{module}").add_to(app)

    assert MODULES[module] == (commands(app) - before).keys()


def test_a_word_that_is_no_command_is_looked_for_among_all() -> None:
    assert commands(app_of()).keys() == commands(app_of("slotz")).keys()
    assert {"slots", "why"} == commands(app_of("slots")).keys()


def test_every_command_stands_under_a_heading_and_under_one_only() -> None:
    assert Counter(name for names in PANELS.values() for name in names) == dict.fromkeys(commands(app_of()), 1)


@pytest.mark.parametrize(
    ("command", "whole"),
    [
        ("db backup", "in the folder that `backup` names."),
        ("reports again", "Name of the table in `supply.reports`."),
        ("people import", "are printed for the table `jobnet`."),
    ],
)
def test_no_word_in_brackets_is_taken_for_a_colour_by_help(command: str, whole: str) -> None:
    words = command.split()
    told = CliRunner(env={"COLUMNS": "200"}).invoke(app_of(words[0]), [*words, "--help"]).stdout

    assert whole in told


@pytest.mark.broad
def test_a_single_node_on_sqlite_starts_without_the_libraries_of_many() -> None:
    asked = "import sys, syncd.daemon.lifetime; print({'psycopg', 'procrastinate'} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert "set()\n" == told.stdout
