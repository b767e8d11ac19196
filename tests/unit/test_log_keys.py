"""Every key of every log line is listed with its meaning."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from syncd.booking.obey import Obeyed
from syncd.observe.keys import EVERY, KEYS
from syncd.store.retention import Swept
from syncd.sync.outcome import Result
from tests.environment import ROOT

LISTED = {*EVERY, *KEYS}
LOGGING = {"debug", "info", "warning", "error", "log"}
CURE = "log lines have fixed keys: use one of syncd/observe/keys.py, or add yours there and run syncd.config write"


def _logged(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and key of everything that is handed to the log, or put on a canonical line."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        call = ast.unparse(node.func)
        owner, _, verb = call.rpartition(".")
        says = verb in LOGGING and owner.endswith("log")
        if says or call.endswith(("canonical_line", "facts.update", "bound_contextvars")):
            yield from ((node.lineno, word.arg) for word in node.keywords if word.arg is not None)


def _sources() -> list[Path]:
    return [path for path in sorted((ROOT / "syncd").rglob("*.py")) if "demo" not in path.parts]


def test_every_key_that_is_logged_is_listed() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {key}"
        for path in _sources()
        for line, key in _logged(ast.parse(path.read_text(encoding="utf-8")))
        if key not in LISTED and not _of_an_answer(path, key)
    ]

    assert [] == found, CURE


def _of_an_answer(path: Path, key: str) -> bool:
    """`facts` of an HTTP problem are told to the client, not logged."""
    return path.name == "refusals.py" and key in ("retry_after", "support")


def test_keys_that_come_from_a_whole_value_are_listed() -> None:
    whole = {field.name for kind in (Swept, Obeyed) for field in fields(kind)} | {result.value for result in Result}

    assert set() == whole - LISTED, CURE


def test_a_key_that_is_not_listed_is_found() -> None:
    tree = ast.parse('log.info("x", citizen=1)\nwith canonical_line("y", subject=2) as facts:\n  facts.update(cpr=3)')

    assert ["citizen", "subject", "cpr"] == [key for _, key in sorted(_logged(tree))]
