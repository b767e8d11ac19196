"""No page has a barrier: WCAG 2.1 A and AA as axe-core sees it, on a telephone, in both languages and themes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.eyes import PHONE, Eyes, barriers, eyes, overflowing
from tests.every_page import OPEN, Office, every_page
from tests.integration.web_town import Served, serving

pytestmark = [pytest.mark.broad, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def office(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, Served]]:
    path = tmp_path_factory.mktemp("every") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    with every_page(f"sqlite:///{path}") as made, serving(made.deps) as running:
        yield made, running


def looked(person: Eyes, paths: list[str], language: str) -> dict[str, list[str]]:
    """What is in the way, by address."""
    page, found = person.page("/sign-in"), {}
    for path in paths:
        page.goto(f"{person.base}{path}{'&' if '?' in path else '?'}lang={language}")
        page.locator("progress").wait_for(state="detached")
        assert language == page.locator("html").get_attribute("lang"), path
        found[path] = barriers(page) + ["wider than the telephone"] * overflowing(page)
    return {path: those for path, those in found.items() if those}


@pytest.mark.parametrize("language", ["da", "en"])
def test_no_page_has_a_barrier(browser: Browser, office: tuple[Office, Served], language: str) -> None:
    made, served = office
    everything = [*made.addresses(), "/nowhere"]
    openly = [path for path in everything if path == "/" or path.startswith(OPEN)]
    with eyes(browser, served.base, PHONE) as citizen:
        assert {} == looked(citizen, openly, language)
        assert [] == citizen.complaints
    with eyes(browser, served.base, PHONE, cookie=made.cookie) as vera:
        assert {} == looked(vera, [path for path in everything if path not in openly], language)
        assert 2 == len(vera.complaints), "nothing but the two pages that say 404"
