"""The printed page for caseworkers says what the program does, in words that citizens' law knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from syncd.booking.beside import WORDS
from syncd.model.marks import DEFAULT_MARKS, SYNONYMS, Mark, said
from tests.environment import ROOT

PAGES = [ROOT / "docs" / "howto" / name for name in ("sagsbehandler.da.md", "caseworker.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_names_the_categories_that_are_obeyed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    written = set(re.findall(r"[*`]{1,2}([^*`\n]+)[*`]{1,2}", text))
    obeyed = {mark for name in written for mark, _ in said(DEFAULT_MARKS.inside([name]))}

    assert set(Mark) == obeyed
    examples = DEFAULT_MARKS.inside(sorted(name for name in written if name.startswith("Lokale:")))
    assert [wish.unknown for one in examples if (wish := DEFAULT_MARKS.room_wish([one], set(SYNONYMS.values())))] == [
        () for _ in examples
    ]
    assert 3 <= len(examples)


def test_a_self_booked_talk_is_never_called_a_summons() -> None:
    page = PAGES[0].read_text(encoding="utf-8").lower()
    told = " ".join(WORDS["da"].values()).lower()

    assert [] == [word for word in ("indkald", "syncd.toml") for text in (page, told) if word in text]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_fits_on_one_printed_sheet(page: Path) -> None:
    assert 680 >= len(page.read_text(encoding="utf-8").split())
