"""Every fact of Jobnet's contract that is known for sure has a test that cites its source, or a reason why it has none.

The table is docs/reference/jobnet/facts.md; the facts are those marked A in reference/jobnet-planner-contract.md.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from tests.environment import ROOT, shared

KEYS = "EBS3|E639|IND24|IND2|WSBI|WSBF|WSRM|SEC|STA|META|TIL|PVEJ|PLA|ILL|CAL|FAQ20"
SURE = re.compile(rf"(?:^|[(;/, ])A(?: (?:{KEYS}|that)\b|/B|: star| \(JK|;|\)|$)")


class Fact(NamedTuple):
    """One row of the table."""

    section: str
    fact: str
    source: str
    says: str
    held: str


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


FACTS = [
    Fact(*_cells(line))
    for line in (ROOT / "docs/reference/jobnet/facts.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| [0-9]", line)
]


@cache
def _functions(file: str) -> dict[str, str]:
    """The source of each test of a file, from its first decorator on."""
    text = (ROOT / file).read_text(encoding="utf-8")
    lines, found = text.splitlines(), {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            found[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
    return found


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.section} {fact.fact}"[:40])
def test_a_fact_has_a_test_that_cites_its_source_or_a_reason(fact: Fact) -> None:
    if fact.held.startswith("–"):
        assert len(fact.held) > 10
        return
    file, _, name = fact.held.strip("`").partition("::")
    assert re.search(rf"\b{fact.source}\b", _functions(file).get(name, "")), f"{name} does not cite {fact.source}"


def _sure(text: str) -> Iterator[tuple[str, str]]:
    """Section and beginning of every line that is marked A."""
    section = ""
    for line in text.splitlines():
        if found := re.match(r"#+ ([0-9.]+)\.? ", line):
            section = found[1].rstrip(".")
        elif line.startswith(("# ", "|---", "| fact |", "| item |", "| field |")) or section in ("", "0", "5.3"):
            continue
        elif line.startswith("|"):
            cells = _cells(line)
            # The whole table of 4.2 is marked A in its heading, but for what a draft adds.
            if (section == "4.2" and not cells[0].startswith("(REST")) or any(SURE.search(cell) for cell in cells):
                yield section, cells[0]
        elif SURE.search(line) or re.search(rf"\(A (?:{KEYS})\)", line):
            yield section, line


def test_no_fact_of_the_reference_is_missing() -> None:
    text = shared("reference/jobnet-planner-contract.md").read_text(encoding="utf-8")
    known = [(fact.section, fact.fact) for fact in FACTS]
    plain = [(section, line.replace("**", "")) for section, line in _sure(text)]
    missing = [
        (section, line[:60])
        for section, line in plain
        if not any(at == section and (line == fact if len(fact) < 3 else line.startswith(fact)) for at, fact in known)
    ]

    assert [] == missing
    assert 60 < len(plain)
