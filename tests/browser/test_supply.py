"""Pages about supply, the citizen's view and health in a real browser: flows people walk, and no barriers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from syncd.model.role import Role
from syncd.store import Store
from tests.browser.eyes import PHONE, barriers, eyes, overflowing
from tests.integration.web_town import Served, serving
from tests.page_town import NOW, PageTown, Size

Shown = tuple[PageTown, Served, str]


@pytest.fixture(scope="module")
def shown(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A small town behind HTTP, and somebody with every role signed in there."""
    path = tmp_path_factory.mktemp("supply") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    town = PageTown(store, Size(4, 8, 14, 4))
    town.unreadable("lokale-002")
    with store.begin() as tx:
        cookie = tx.visits.add(NOW, subject="p001", name="Vera Holm", roles=frozenset(Role))
    with serving(town.deps()) as running:
        yield town, running, cookie
    store.close()


@pytest.mark.parametrize(("path", "ready"), [("/health", "#all")])
def test_the_page_has_no_barriers_in_either_language_or_theme(
    browser: Browser, shown: Shown, path: str, ready: str
) -> None:
    _, served, cookie = shown
    with eyes(browser, served.base, PHONE, cookie=cookie) as person:
        found = {}
        for lang in ("da", "en"):
            page = person.page(f"{path}{'&' if '?' in path else '?'}lang={lang}")
            page.wait_for_selector(ready)
            found[lang] = barriers(page) + (["wider than the phone"] if overflowing(page) else [])
            page.close()

        assert {"da": [], "en": []} == found
        assert [] == person.complaints
