"""Citizens book on a telephone in a real browser: without barriers, by keyboard, and without scripts, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from syncd.booking.contacts import Contacts
from syncd.booking.sealing import Seal
from syncd.config.booking_page import BookingPageSection
from syncd.model.message import Channel
from syncd.store import Store
from syncd.web.deps import Deps
from tests.browser.eyes import PHONE, Eyes, barriers, eyes, overflowing
from tests.integration.web_town import serving
from tests.page_town import PageTown, Size


def open_to_citizens(town: PageTown) -> Deps:
    """The town with its booking page switched on."""
    deps = town.deps()
    section = BookingPageSection(enabled=True, per_minute=10_000)
    pages = replace(deps.pages, booking=section, told_by=frozenset(Channel))
    return replace(deps, pages=pages, contacts=Contacts(Seal(bytes(range(32)))))


@pytest.fixture(scope="module")
def base(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("booking") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    with serving(open_to_citizens(PageTown(store, Size(3, 4, 4, 1)))) as running:
        yield running.base
    store.close()


def held(page: Page, base: str, language: str = "da") -> None:
    """Press the first time."""
    page.goto(f"{base}/book/times?offer=jobsamtale&form=in-person&lang={language}")
    page.locator(".time-button").first.click()
    page.wait_for_selector("#name")


def fill(page: Page, name: str = "Anna Holm") -> None:
    page.fill("#name", name)
    page.fill("#phone", "20304050")


def test_a_citizen_books_by_keyboard_with_a_countdown_and_no_barrier(browser: Browser, base: str) -> None:
    with eyes(browser, base, PHONE) as person:
        page = person.page("/book/times?offer=jobsamtale&form=in-person")
        page.locator(".time-button").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#name")
        assert re.fullmatch(r"\((10|9):\d\d\)", page.locator("[data-clock]").inner_text())
        fill(page)
        assert ([], False) == (barriers(page), overflowing(page))
        page.get_by_role("button", name="Mere tid").click()
        assert "Anna Holm" == page.input_value("#name")
        page.locator("#phone").focus()
        page.get_by_role("button", name="Book mødet").focus()
        page.keyboard.press("Enter")

        page.get_by_role("status").wait_for()
        assert "Mødet er booket." == page.get_by_role("status").inner_text()
        assert [] == person.context.cookies()
        assert [] == person.complaints


@pytest.mark.broad
@pytest.mark.parametrize("language", ["da", "en"])
def test_no_page_of_the_road_has_a_barrier(browser: Browser, base: str, language: str) -> None:
    with eyes(browser, base, PHONE) as person:
        found = {}
        for path in ("/book", "/book/times?offer=jobsamtale&form=phone", "/book/nothing"):
            page = person.page(f"{path}{'&' if '?' in path else '?'}lang={language}")
            found[path] = barriers(page) + ["wide"] * overflowing(page)
        held(page, base, language)
        page.fill("#name", " ")
        page.locator("form.card").evaluate("form => form.noValidate = true")
        page.locator("button[value=book]").click()
        found["form"] = barriers(page) + ["wide"] * overflowing(page)
        fill(page)
        page.locator("button[value=book]").click()
        page.wait_for_selector("a[href*='/move']")
        address = page.url.partition("?")[0]
        for part in ("", "/move", "/cancel"):
            page.goto(f"{address}{part}?lang={language}")
            found[part] = barriers(page) + ["wide"] * overflowing(page)
        page.locator(".bad").click()
        page.get_by_role("status").wait_for()
        found["cancelled"] = barriers(page)

    assert {} == {path: those for path, those in found.items() if those}


@pytest.mark.broad
def test_it_all_works_without_scripts(browser: Browser, base: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    held(page, base)
    fill(page)
    page.get_by_role("button", name="Mere tid").click()
    assert "Anna Holm" == page.input_value("#name")
    page.get_by_role("button", name="Book mødet").click()
    page.get_by_role("link", name="Ombook mødet").click()
    page.locator(".time-button").last.click()
    assert "Mødet er ombooket." == page.get_by_role("status").inner_text()
    context.close()


@pytest.mark.broad
def test_a_word_comes_before_the_time_ends_and_what_was_written_stays(browser: Browser, base: str) -> None:
    with eyes(browser, base, PHONE) as person:
        page = person.page("/book")
        page.clock.install()
        held(page, base)
        fill(page, "Bo Lund")
        page.clock.fast_forward(8 * 60_000 + 1000)
        assert page.locator("[data-soon]").is_visible()
        page.clock.fast_forward(3 * 60_000)
        assert page.locator("[data-over]").is_visible()
        assert "Bo Lund" == page.input_value("#name")
        assert [] == person.complaints


def pictures(person: Eyes, folder: Path) -> None:
    """Of each page, for the documentation."""
    page = person.page("/book")
    page.screenshot(path=folder / "pages-book.png", full_page=True)
    page.goto(f"{person.base}/book/times?offer=jobsamtale&form=in-person")
    page.screenshot(path=folder / "pages-book-times.png", full_page=True)
    held(page, person.base)
    fill(page)
    page.screenshot(path=folder / "pages-book-form.png", full_page=True)
    page.get_by_role("button", name="Book mødet").click()
    page.get_by_role("status").wait_for()
    page.screenshot(path=folder / "pages-book-meeting.png", full_page=True)
    page.emulate_media(media="print")
    page.screenshot(path=folder / "pages-book-meeting-print.png", full_page=True)
    page.emulate_media(media="screen")
    page.goto(page.url.partition("?")[0].replace("/book/", "/messages/"))
    page.screenshot(path=folder / "pages-messages.png", full_page=True)
