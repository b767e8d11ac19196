"""The files in `docs/quickstart.md` are what the program reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from syncd import rulebook
from syncd.cli.commands import app_of
from syncd.config import load
from tests.environment import ROOT

PAGE = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reader's folder after steps 2 and 3."""
    config, rules = blocks("toml")
    (tmp_path / "syncd.toml").write_text(config, encoding="utf-8")
    (tmp_path / "offers.toml").write_text(rules, encoding="utf-8")
    (tmp_path / "password").write_text("secret\n", encoding="utf-8")
    return tmp_path


def test_both_files_load_and_fit_together(folder: Path) -> None:
    config = load(folder / "syncd.toml", env={})
    assert folder / "offers.toml" == config.rules_file
    book = rulebook.parse((folder / "offers.toml").read_text(encoding="utf-8"), config.directory(), 1)

    assert ("anna",) == tuple(book.offers["jobsamtale"].caseworkers)


def test_every_command_on_the_page_exists() -> None:
    app = app_of()
    groups = {group.name: group.typer_instance for group in app.registered_groups if group.typer_instance}
    single = {command.name for command in app.registered_commands}
    named = [line.split()[2:4] for block in blocks("console") for line in block.splitlines() if "$ syncd " in line]

    assert len(named) >= 6
    for first, *rest in named:
        if first in groups:
            assert rest[0] in {command.name for command in groups[first].registered_commands}
        else:
            assert first in single
