"""A real browser that looks at pages: Debian's Chromium, driven by Playwright, with axe-core as the judge."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
Theme = Literal["light", "dark"]
PHONE, DESK, WALL = (390, 844), (1280, 900), (1920, 1080)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser until the block ends."""
    with sync_playwright() as driver:
        # As root, which containers are, Chromium runs only without its sandbox; it sees nothing but loopback here.
        flags = ["--no-sandbox", "--no-proxy-server"] if os.geteuid() == 0 else ["--no-proxy-server"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@dataclass
class Eyes:
    """One person at one screen; what the browser complains of is collected."""

    context: BrowserContext
    base: str
    complaints: list[str] = field(default_factory=list)

    def page(self, path: str) -> Page:
        """Open a page."""
        page = self.context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(self.base + path)
        return page

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@contextmanager
def eyes(
    browser: Browser, base: str, size: tuple[int, int] = DESK, theme: Theme = "light", cookie: str = ""
) -> Iterator[Eyes]:
    """Somebody at a screen of that size and theme; *cookie* is that of a visit somebody is signed in with."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        locale="da-DK",
        timezone_id="Europe/Copenhagen",
        reduced_motion="reduce",
    )
    if cookie:
        context.add_cookies([{"name": "syncd", "value": cookie, "url": base}])
    try:
        yield Eyes(context, base)
    finally:
        context.close()


def barriers(page: Page) -> list[str]:
    """What keeps somebody from using the page in either theme (WCAG 2.1 A and AA, as axe-core sees it): rule, place.

    Only colours differ by theme, so the second look is at them alone.
    """
    page.emulate_media(color_scheme="light")
    found: list[dict[str, Any]] = Axe().run(page, options=RULES).response["violations"]
    page.emulate_media(color_scheme="dark")
    found += page.evaluate("axe.run({runOnly: ['color-contrast'], resultTypes: ['violations']})")["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


def overflowing(page: Page) -> bool:
    """Whether the page is wider than its screen, so that one must scroll sideways (WCAG 1.4.10)."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"))
