"""Pictures of every page and of the stage: ``make screenshots`` writes docs/images/pages-*.png and stage.png.

Names as arguments take only those: ``python -m tests.browser.screenshots supply book stage``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Collection
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser

from syncd.demo import show
from syncd.model.role import Role
from syncd.observe import logs
from syncd.store import Store
from syncd.store.feeds import FeedKind
from tests.browser import counter_pictures, test_booking
from tests.browser.eyes import DESK, PHONE, Theme, chromium, eyes
from tests.environment import ROOT
from tests.integration.web_town import serving
from tests.page_town import NOW, PageTown, Size

IMAGES = ROOT / "docs" / "images"
PERIOD = "from=2026-09-28&to=2026-11-29"


def main(*only: str) -> int:
    """Take them all, or *only* some."""
    logs.configure("error", "json")
    with tempfile.TemporaryDirectory() as folder:
        if only == ("stage",):
            _stage(Path(folder) / "town")
            return 0
        store = Store(f"sqlite:///{Path(folder) / 'pages.db'}")
        store.upgrade()
        town = PageTown(store, Size(20, 60, 70, 6))
        town.unreadable("lokale-103")
        town.expecting()
        with store.begin() as tx:
            cookie = tx.visits.add(NOW, subject="vera", name="Vera Holm", roles=frozenset(Role), language="da")
            wall = tx.feeds.add(FeedKind.SITE, "torvet", "pictures", NOW)
            door = tx.feeds.add(FeedKind.ROOM, "lokale-001", "pictures", NOW)
        pictures: tuple[tuple[str, str, tuple[int, int], Theme, str], ...] = (
            ("rooms-now", "/rooms/now", DESK, "light", ""),
            ("rooms-now-phone", "/rooms/now", PHONE, "dark", ""),
            ("rooms-day", "/rooms/day", DESK, "light", ""),
            ("rooms-week", "/rooms/week", DESK, "dark", ""),
            ("rooms-use", f"/rooms/use?{PERIOD}", DESK, "light", "dl.figures"),
            ("rooms-use-dark", f"/rooms/use?{PERIOD}", DESK, "dark", "dl.figures"),
            ("rooms-what-if", f"/rooms/what-if?{PERIOD}", DESK, "light", "#curve"),
            ("supply", "/supply", DESK, "light", "#people"),
            ("supply-team-dark", "/supply?team=job", DESK, "dark", "#people"),
            ("citizen", "/citizen?why=2026-12-01T12:00", DESK, "light", "#why"),
            ("card", "/citizen/card?until=2026-12-11&latest=2026-12-18", DESK, "light", "svg.qr"),
            ("card-phone", "/citizen/card?until=2026-12-11", PHONE, "dark", "svg.qr"),
            ("health", "/health", DESK, "light", ""),
            ("wall", f"/display/{wall}", (1600, 900), "dark", ""),
            ("door", f"/display/{door}", (1024, 600), "light", ""),
        )
        with serving(town.deps()) as served, chromium() as browser:
            for name, path, size, theme, wait in pictures:
                _take(browser, only, served.base, name, path, size, theme, wait, cookie)
            counter_pictures.take(Path(folder), partial(_take, browser, only))
        if not only or "book" in only:
            _citizen(town)
        store.close()
        if not only or "stage" in only:
            _stage(Path(folder) / "town")
    return 0


def _citizen(town: PageTown) -> None:
    with (
        serving(test_booking.open_to_citizens(town)) as openly,
        chromium() as browser,
        eyes(browser, openly.base, PHONE) as person,
    ):
        test_booking.pictures(person, IMAGES)


def _stage(folder: Path) -> None:
    """The stage after two of its buttons; nobody's password is on it."""
    folder.mkdir()
    with show.opened(folder) as running, show.on_stage(running) as address, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1000}, locale="da-DK")
        page.set_default_timeout(120_000)
        page.goto(address)
        for name in ("book", "drag"):
            page.click(f'button[data-act="{name}"]')
            page.wait_for_selector(f'details[data-done="{name}"][open]')
        page.screenshot(path=IMAGES / "stage.png", full_page=True)


def _take(
    browser: Browser,
    only: Collection[str],
    base: str,
    name: str,
    path: str,
    size: tuple[int, int],
    theme: Theme,
    wait: str,
    cookie: str,
) -> None:
    if only and name not in only:
        return
    with eyes(browser, base, size, theme, cookie) as person:
        page = person.page(path)
        if wait:
            page.wait_for_selector(wait, timeout=120_000)
        page.screenshot(path=IMAGES / f"pages-{name}.png", full_page=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
