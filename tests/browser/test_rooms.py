"""Pages about rooms in a real browser: without barriers in both languages and themes, and as flows that people walk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from syncd.model.role import Role
from syncd.store import Store
from syncd.store.feeds import FeedKind
from tests.browser.eyes import barriers, eyes
from tests.integration.web_town import Served, serving
from tests.page_town import NOW, PageTown

Shown = tuple[PageTown, Served, str]


@pytest.fixture(scope="module")
def shown(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A town with a past behind HTTP, and somebody signed in there."""
    path = tmp_path_factory.mktemp("shown") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    town = PageTown(store)
    with store.begin() as tx:
        cookie = tx.visits.add(NOW, subject="vera", name="Vera Holm", roles=frozenset(Role))
    with serving(town.deps()) as running:
        yield town, running, cookie
    store.close()


def test_somebody_gives_a_meeting_another_room_with_the_keyboard(browser: Browser, shown: Shown) -> None:
    _, served, cookie = shown
    with eyes(browser, served.base, cookie=cookie) as person:
        page = person.page("/rooms/day?day=2026-12-01&lang=da")
        page.locator("a.bar-link").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/rooms/meeting/**")
        assert [] == barriers(page)
        before = page.locator("h1").inner_text().split("\n")[0]
        page.get_by_label("Lokale", exact=True).select_option(index=1)
        page.get_by_role("button", name="Brug dette lokale").click()
        page.wait_for_url("**done=1")

        assert before != page.locator("h1").inner_text().split("\n")[0]
        assert page.get_by_role("status").inner_text().startswith("Mødet har sit lokale")
        assert [] == person.complaints


def test_a_display_keeps_itself_fresh_and_says_when_it_cannot(browser: Browser, shown: Shown) -> None:
    town, served, _ = shown
    with town.store.begin() as tx:
        secret = tx.feeds.add(FeedKind.ROOM, "lokale-003", "t", NOW)
    with eyes(browser, served.base) as person:
        page = person.context.new_page()
        page.clock.install()
        page.goto(f"{served.base}/display/{secret}")
        assert not page.locator(".stale-note").is_visible()
        first = page.locator(".wall-time strong").inner_text()
        page.evaluate("dispatchEvent(new Event('beforeunload'))")  # as a link to a file does, after which one stays
        town.clock.at = NOW.replace(hour=9)
        page.clock.run_for(31_000)
        page.locator(".wall-time strong", has_not_text=first).wait_for()
        town.clock.at = NOW
        person.context.set_offline(True)
        page.clock.run_for(31_000)
        page.locator(".stale-note").wait_for(state="visible")


def test_a_page_that_waits_for_figures_does_not_take_back_a_press_on_a_link(browser: Browser, shown: Shown) -> None:
    _, served, cookie = shown

    def waiting(route: Route) -> None:
        answer = route.fetch()
        first = route.request.is_navigation_request()
        route.fulfill(response=answer, body=answer.text().replace("<main", "<main data-fresh=1") if first else None)

    def held(route: Route) -> None:
        late.append(route)

    late: list[Route] = []
    with eyes(browser, served.base, cookie=cookie) as person:
        page = person.context.new_page()
        page.route("**/rooms/use*", waiting)
        page.goto(f"{served.base}/rooms/use?from=2026-11-01&to=2026-11-30")
        page.route("**/bookings*", held)
        page.locator('a[href^="/bookings"]').first.click(no_wait_after=True)
        page.wait_for_timeout(2500)
        late[0].continue_()
        page.wait_for_url("**/bookings*")
