"""The house style, as far as a machine can see it (docs: style; the import rule is import-linter's)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environment import ROOT

LONGEST_FUNCTION, LONGEST_MODULE = 60, 400
FORBIDDEN_NAMES = {
    "util",
    "utils",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
    "common",
    "core",
    "service",
    "services",
}
MODULES = sorted((ROOT / "syncd").rglob("*.py"))

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _length(function: Function) -> int:
    """Lines of the body; the docstring is not counted."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _public(tree: ast.Module) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """What a reader may call: top-level functions and classes, and methods of public classes; overloads left out."""
    for node in tree.body:
        if isinstance(node, (Function, ast.ClassDef)) and not node.name.startswith("_"):
            yield node.name, node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for member in node.body:
                if isinstance(member, Function) and not member.name.startswith("_"):
                    yield f"{node.name}.{member.name}", member


def _unannotated(function: Function) -> list[str]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    missing = [one.arg for one in every if one and one.annotation is None and one.arg not in ("self", "cls")]
    return missing + (["return"] if function.returns is None else [])


def _explained(node: Function | ast.ClassDef) -> bool:
    """A docstring of its own, or one inherited from what it overrides."""
    return bool(ast.get_docstring(node)) or any("override" in ast.unparse(one) for one in node.decorator_list)


@pytest.mark.parametrize("path", MODULES, ids=_id)
def test_module_follows_the_house_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    faults = [
        *(f"{f.name}: {_length(f)} lines" for f in functions if _length(f) > LONGEST_FUNCTION),
        *(f"{f.name}: no annotation for {', '.join(_unannotated(f))}" for f in functions if _unannotated(f)),
        *(f"{name}: no docstring" for name, node in _public(tree) if not _explained(node)),
    ]
    if text.count("\n") > LONGEST_MODULE:
        faults.append(f"module: {text.count(chr(10))} lines")
    if text.strip() and not (ast.get_docstring(tree) or "").partition("\n")[0].strip().endswith((".", "?", ";", ":")):
        faults.append("module: does not open with a sentence")

    assert [] == faults


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [] == [_id(path) for path in MODULES if FORBIDDEN_NAMES & {path.stem, path.parent.name}]


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|NotImplemented" + r"Error)\b")  # VTODO is a component, not a debt
    sources = [*MODULES, *(ROOT / "tests").rglob("*.py")]

    assert [] == [_id(path) for path in sources if words.search(path.read_text(encoding="utf-8"))]


def test_every_silenced_rule_names_the_rule() -> None:
    bare = ("type: ignore" + "\n", "no" + "qa\n")
    sources = [*MODULES, *(ROOT / "tests").rglob("*.py")]

    assert [] == [_id(path) for path in sources if any(mark in path.read_text(encoding="utf-8") for mark in bare)]
