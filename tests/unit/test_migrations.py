"""Migrations only add, so that nodes of two versions serve side by side; taking away is for a later release."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.store import schema
from tests.environment import ROOT

VERSIONS = sorted((ROOT / "syncd" / "store" / "migrations" / "versions").glob("r*.py"))
TAKES_AWAY = {"drop_table", "drop_column", "rename_table", "alter_column", "batch_alter_table"}
TIGHTENS = {"create_unique_constraint", "create_check_constraint", "create_foreign_key", "create_exclude_constraint"}
WORDS = re.compile(r"\b(DROP\s+(TABLE|COLUMN)|RENAME|ALTER\s+COLUMN|SET\s+NOT\s+NULL)\b", re.IGNORECASE)


def faults(source: str) -> Iterator[str]:
    """What the version before could not live with, unless the migration says that it contracts."""
    tree = ast.parse(source)
    if any(isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "contracts" for n in tree.body):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            text = ast.unparse(node)
            if name in TAKES_AWAY | TIGHTENS:
                yield f"line {node.lineno}: {name}"
            elif name == "create_index" and "unique=True" in text:
                yield f"line {node.lineno}: a unique index"
            elif name == "add_column" and "nullable=False" in text and "server_default" not in text:
                yield f"line {node.lineno}: a column that the version before does not fill"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and WORDS.search(node.value):
            yield f"line {node.lineno}: {node.value[:40]}"


@pytest.mark.parametrize("version", VERSIONS[1:], ids=lambda path: path.stem)
def test_a_migration_takes_nothing_away_that_the_version_before_uses(version: Path) -> None:
    cure = "expand now, contract a release later in a migration with contracts = 'LAYOUT' (docs/howto/many-nodes.md)"
    assert [] == list(faults(version.read_text(encoding="utf-8"))), cure


@pytest.mark.parametrize(
    "line",
    [
        'op.drop_column("meetings", "note")',
        'op.drop_table("visits")',
        'op.rename_table("visits", "visitors")',
        'op.alter_column("meetings", "note", nullable=False)',
        'op.add_column("meetings", sa.Column("mood", sa.Text(), nullable=False))',
        'op.create_index("ix", "meetings", ["uid"], unique=True)',
        'op.create_check_constraint("ck", "meetings", "start < mood")',
        'op.execute("ALTER TABLE meetings RENAME COLUMN note TO notes")',
    ],
)
def test_a_planted_migration_that_contracts_is_refused_unless_it_says_so(line: str) -> None:
    planted = f"def upgrade():\n    {line}\n"

    assert 1 == len(list(faults(planted)))
    assert [] == list(faults(f"contracts = '0021'\n\n\n{planted}"))


def test_what_only_adds_is_taken() -> None:
    added = 'op.add_column("meetings", sa.Column("mood", sa.Text(), nullable=False, server_default="good"))'

    assert [] == list(faults(f"def upgrade():\n    {added}\n    op.create_table('moods')\n"))


def tangles(sources: dict[str, str]) -> list[str]:
    """What keeps migrations, by file name, from being one chain, each one's number in its name."""
    told = {
        name: dict(re.findall(r"^(revision|down_revision)\b.*?= (.*)$", text, re.MULTILINE))
        for name, text in sources.items()
    }
    found = [name for name, said in told.items() if said.get("revision") != f'"{name[1:5]}"']
    before = "None"
    for name, said in sorted(told.items()):
        if said.get("down_revision") != before:
            found.append(f"{name} follows {said.get('down_revision')}, not {before}")
        before = said.get("revision", "")
    return found


def test_migrations_are_one_chain_and_each_number_is_given_once() -> None:
    assert [] == tangles({path.name: path.read_text(encoding="utf-8") for path in VERSIONS}), "renumber yours"


@pytest.mark.parametrize(
    "third",
    [
        {"r0002_other.py": 'revision = "0002"\ndown_revision = "0001"\n'},
        {"r0003_same_predecessor.py": 'revision = "0003"\ndown_revision = "0001"\n'},
        {"r0003_other_name.py": 'revision = "0004"\ndown_revision = "0002"\n'},
        {"r0003_a_second_beginning.py": 'revision = "0003"\ndown_revision = None\n'},
    ],
)
def test_a_planted_tangle_is_found(third: dict[str, str]) -> None:
    chain = {
        "r0001_a.py": 'revision = "0001"\ndown_revision = None\n',
        "r0002_b.py": 'revision = "0002"\ndown_revision = "0001"\n',
    }

    assert [] == tangles(chain)
    assert tangles(chain | third)


def test_every_layout_so_far_is_served_by_the_newest() -> None:
    assert [path.stem[1:5] for path in reversed(VERSIONS)] == schema.serving()
