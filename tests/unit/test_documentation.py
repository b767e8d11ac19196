"""The documentation leads its reader: every link resolves, and the index names every page."""

from __future__ import annotations

import re
from pathlib import Path

from tests.environment import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "systemd").glob("*.md")])
FENCED = re.compile(r"^```.*?^```|^~~~.*?^~~~|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)")
INDEXED = ("howto", "operations", "reference")


def _anchor(heading: str) -> str:
    """What GitHub and Forgejo make of a heading: lower case, without punctuation, blanks as hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _links(page: Path) -> list[tuple[Path, str]]:
    """The local targets of a page, each with its anchor or an empty text; code is left out."""
    targets = LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
    parts = [target.partition("#") for target in targets if not re.match(r"[a-z]+:", target)]
    return [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in parts]


def _broken(page: Path) -> list[str]:
    wrong = []
    for target, anchor in _links(page):
        if not target.exists():
            wrong.append(f"{page.relative_to(ROOT)}: no {target}")
        elif anchor and anchor not in map(_anchor, re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)):
            wrong.append(f"{page.relative_to(ROOT)}: no heading #{anchor} in {target.name}")
    return wrong


def test_every_link_in_the_documentation_leads_somewhere() -> None:
    assert len(PAGES) > 20
    assert [] == [fault for page in PAGES for fault in _broken(page)]


def test_a_link_to_nowhere_is_found(tmp_path: Path) -> None:
    assert _anchor("Rooms (`make bench NAME=rooms`)") == "rooms-make-bench-namerooms"
    page = ROOT / "docs" / "README.md"
    assert (ROOT / "docs" / "quickstart.md", "") in _links(page)
    lost = tmp_path / "page.md"
    lost.write_text("[a](gone.md) `[b](code.md)` [c](https://example.org/)", encoding="utf-8")
    assert [(tmp_path / "gone.md", "")] == _links(lost)


def test_the_index_of_the_documentation_names_every_page_for_readers() -> None:
    named = {target for target, _ in _links(ROOT / "docs" / "README.md")}
    # Runbooks of alerts have an index of their own (tests/unit/test_observability.py).
    pages = [page for folder in INDEXED for page in (ROOT / "docs" / folder).glob("*.md")]

    assert [] == [str(page.relative_to(ROOT)) for page in pages if page.resolve() not in named]


def test_every_danish_paper_names_reports_notices_and_personal_links() -> None:
    papers = sorted((ROOT / "docs" / "compliance").glob("*.da.md"))
    texts = {page.stem: page.read_text(encoding="utf-8").lower() for page in papers}

    assert {"databehandleraftale.da", "fortegnelse.da", "konsekvensanalyse.da"} == set(texts)
    for word in ("rapport", "underretning", "microsoft 365", "personlig"):
        assert [] == [paper for paper, text in texts.items() if word not in text], word


def test_every_test_that_the_documentation_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/reference/graph-traps.md").read_text("utf-8")))
    written = (path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    known = {name for text in written for name in re.findall(r"def (test_\w+)", text)}

    assert len(named) > 60
    assert set() == named - known


def test_every_page_that_the_program_names_is_there() -> None:
    sources = [path for path in (ROOT / "syncd").rglob("*") if path.suffix in {".py", ".toml", ".html", ".csv"}]
    named = {page for path in sources for page in re.findall(r"docs/[\w/.-]+\.md", path.read_text(encoding="utf-8"))}

    assert len(named) > 5
    assert [] == sorted(page for page in named if not (ROOT / page).exists())
