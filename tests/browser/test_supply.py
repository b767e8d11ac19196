"""Pages about supply, the citizen's view and health in a real browser: flows people walk, and no barriers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from syncd.model.role import Role
from syncd.store import Store
from tests.browser.eyes import eyes
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
    town.expecting()
    with store.begin() as tx:
        cookie = tx.visits.add(NOW, subject="p001", name="Vera Holm", roles=frozenset(Role))
    with serving(town.deps()) as running:
        yield town, running, cookie
    store.close()


def test_somebody_asks_why_an_hour_is_empty_and_prints_a_card_with_the_keyboard(browser: Browser, shown: Shown) -> None:
    _, served, cookie = shown
    with eyes(browser, served.base, cookie=cookie) as person:
        page = person.page("/citizen?lang=da")
        page.locator("a.none").last.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#why")
        assert "Hvorfor er der ingen tid fre." in page.locator("#why-head").inner_text()
        page.locator("#why summary").first.focus()
        page.keyboard.press("Enter")
        assert page.locator("#why details[open] li").count() > 0
        page.get_by_role("link", name="Aftalekort").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/citizen/card**")
        page.get_by_label("Skal bookes senest").fill("2026-12-11")
        page.get_by_role("button", name="Vis").press("Enter")
        page.wait_for_url("**until=2026-12-11**")
        page.emulate_media(media="print")

        assert page.locator(".take-home-until").inner_text().endswith("fredag den 11. december 2026")
        assert page.locator("svg.qr").is_visible()
        assert not page.get_by_role("button", name="Vis").is_visible()
        assert [] == person.complaints


def test_a_manager_chooses_a_team_and_sees_its_people(browser: Browser, shown: Shown) -> None:
    town, served, cookie = shown
    with eyes(browser, served.base, cookie=cookie) as person:
        page = person.page("/supply?lang=da")
        page.wait_for_selector("#people")
        page.get_by_role("link", name="job").press("Enter")
        page.wait_for_url("**team=job**")
        page.wait_for_selector("#people")
        listed = page.locator("section[aria-labelledby=people] tbody tr th").all_inner_texts()
        team = {one.name for one in town.directory.caseworkers.values() if "job" in one.teams}

        assert team == {name.split("\n")[0].strip() for name in listed}
        assert [] == person.complaints
