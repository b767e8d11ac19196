"""The counter's pages in a real browser: without barriers, and an absence settled by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from syncd.model.role import Role
from syncd.store import Store
from tests.browser.eyes import PHONE, Eyes, barriers, eyes, overflowing
from tests.counter_town import CounterTown
from tests.integration.web_town import serving
from tests.page_town import NOW, Size


@pytest.fixture(scope="module")
def reception(browser: Browser, _sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eyes]:
    """Somebody of the staff at a telephone's screen, signed in where there is something to do."""
    path = tmp_path_factory.mktemp("counter") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    town = CounterTown.over(store, Size(6, 16, 4, 3))
    with store.begin() as tx:
        cookie = tx.visits.add(
            NOW, subject="vera", name="Vera Holm", roles=frozenset({Role.STAFF, Role.COORDINATOR}), language="da"
        )
    with serving(town.deps()) as running, eyes(browser, running.base, PHONE, cookie=cookie) as person:
        person.town = town  # type: ignore[attr-defined]  # for the one test that changes it
        yield person
    store.close()


def test_an_absence_is_settled_with_the_keyboard(reception: Eyes) -> None:
    page = reception.page("/tasks?lang=da")
    page.get_by_role("link", name="Se forslag").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/absence/plan**")
    page.get_by_role("button", name="Bekræft fraværet og gennemfør").focus()
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()

    assert page.get_by_role("status").inner_text().startswith("Fraværet er noteret")
    assert [] == barriers(page)
    assert [] == reception.complaints


def test_a_closing_day_is_put_in_force_after_its_effect_was_seen(reception: Eyes) -> None:
    page = reception.page("/frames?lang=da")
    page.get_by_text("Luk en dag eller flere").click()
    form = page.locator("form", has=page.locator("#c-first"))
    form.get_by_label("Første dag").fill("2026-12-04")
    form.get_by_label("Hvorfor (borgere").fill("Personaledag")
    form.get_by_role("button", name="Se virkningen").click()
    page.get_by_role("button", name="Sæt i kraft").wait_for()
    assert [] == barriers(page)
    page.get_by_role("button", name="Sæt i kraft").click()
    page.wait_for_url("**/frames?done=2")

    assert page.get_by_role("status").inner_text() == "Revision 2 af reglerne gælder nu."
    assert [] == reception.complaints


@pytest.mark.parametrize("width", [1280, 800])
def test_the_names_of_the_columns_stand_over_them(reception: Eyes, width: int) -> None:
    page = reception.page("/bookings?lang=da&from=2026-11-30&to=2026-12-04")
    page.set_viewport_size({"width": width, "height": 900})
    heads, cells = (
        [one.bounding_box() for one in page.locator(f"{part} tr >> nth=0").locator("th, td").all()]
        for part in ("thead", "tbody")
    )

    assert heads
    assert [one["x"] for one in heads if one] == [one["x"] for one in cells if one]
    assert all(
        head and cell and head["y"] + head["height"] <= cell["y"] + 1 for head, cell in zip(heads, cells, strict=True)
    )


def test_a_long_name_of_a_room_stays_on_a_telephones_screen(reception: Eyes) -> None:
    page = reception.page("/rooms/now?lang=da")
    page.locator(".room-name").first.evaluate("one => one.textContent = 'Kompetenceudviklingsmødelokalet'")

    assert not overflowing(page)
