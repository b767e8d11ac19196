"""What is around every page, in a real browser: signing in by keyboard, both languages and themes, no barriers."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.browser.conftest import PASSWORD
from tests.browser.eyes import barriers, eyes
from tests.integration.web_town import Served, Town

Office = tuple[Town, Served]


def test_somebody_signs_in_with_the_keyboard_alone_and_out_again(browser: Browser, small_office: Office) -> None:
    with eyes(browser, small_office[1].base) as person:
        page = person.page("/home")
        page.get_by_label("Navn").focus()
        page.keyboard.type("vera")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("heading", level=1, name="Velkommen, vera").wait_for()  # the form's own address ends so, too
        page.get_by_role("button", name="Log af").click()
        page.wait_for_url("**/sign-in")
        assert [] == person.complaints
        assert 0 == len(person.context.cookies())


def test_a_barrier_is_found(browser: Browser, small_office: Office) -> None:
    with eyes(browser, small_office[1].base) as person:
        page = person.page("/")
        page.evaluate(
            "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/static/mark.svg\">')"
        )

        assert ["image-alt"] == [barrier.partition(":")[0] for barrier in barriers(page)]


def test_a_script_or_style_within_a_page_would_not_run(browser: Browser, small_office: Office) -> None:
    with eyes(browser, small_office[1].base) as person:
        page = person.page("/sign-in")
        page.evaluate(
            """() => { const main = document.querySelector('main');
            main.insertAdjacentHTML('beforeend', '<p style="color: red">x</p>');
            const script = document.createElement('script'); script.textContent = 'window.ran = 1';
            main.append(script); }"""
        )
        assert page.evaluate("window.ran") is None
        assert 2 == len([text for text in person.complaints if "Content Security Policy" in text])
