"""The stage of the demonstration: each button pressed once, over a real calendar server and a real daemon."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path
from tempfile import gettempdir

import httpx2
import pytest
from playwright.sync_api import Browser, Page

from syncd.clock import SystemClock
from syncd.demo import history, show, stage
from tests.browser.eyes import barriers

pytestmark = [pytest.mark.broad, pytest.mark.timeout(400)]
CLOUDS = ("exchange", "graph")
PRESSED = ("book", "drag", "mark", "close", "sick", "off", "on", "kill")


@pytest.fixture(scope="module", params=["radicale", *(pytest.param(one, marks=pytest.mark.long) for one in CLOUDS)])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The town has fixed ports, so processes that share out these tests have it one after the other."""
    folder = tmp_path_factory.mktemp("town")
    with Path(gettempdir(), "syncd-tests-stage").open("w") as turn:
        flock(turn, LOCK_EX)
        with show.opened(folder, request.param) as running, show.on_stage(running) as found:
            yield found


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    seen = browser.new_page(viewport={"width": 1440, "height": 1000})
    seen.set_default_timeout(120_000)
    seen.goto(address)
    yield seen
    seen.close()


def test_a_citizen_books_the_caseworker_drags_and_after_a_kill_it_is_there_once(page: Page) -> None:
    for name, seen in (("book", "har mødet, med"), ("drag", "Bookingen fulgte med"), ("kill", "Mødet står der 1 gang")):
        page.click(f'button[data-act="{name}"]')
        page.wait_for_selector(f'details[data-done="{name}"][open]')
        lines = page.inner_text(f'details[data-done="{name}"][open] .lines')
        assert "lykkedes ikke" not in lines
        assert seen in lines


def test_a_manager_sees_share_and_missing_times_and_one_press_signs_in_as_each_role(page: Page, address: str) -> None:
    teams = page.locator("section[aria-labelledby=p4] tbody th").all_inner_texts()
    names = []
    for number, (account, *_, path) in enumerate(stage.DOORS):
        page.goto(address)
        page.locator(".links button").nth(number).click()
        page.wait_for_url(f"**{path}?lang=da")
        page.locator("progress").wait_for(state="detached")
        names.append((account, page.locator("h1").count()))
    page.goto(address)

    assert {"job", "syge", "unge"} <= {team.split()[0] for team in teams}
    assert [(account, 1) for account, *_ in stage.DOORS] == names
    assert page.locator("text=adgangskode").count() == 0


# Each button waits for real calendars and processes: on a machine full of other tests that is too long for a bound.
@pytest.mark.long
@pytest.mark.parametrize("name", PRESSED)
def test_a_button_shows_what_changed_where_and_how_fast(page: Page, name: str) -> None:
    page.click(f'button[data-act="{name}"]')
    page.wait_for_selector(f'details[data-done="{name}"][open]')
    lines = page.inner_text(f'details[data-done="{name}"][open] .lines')

    assert "lykkedes ikke" not in lines
    assert re.search(r"\d,\d s", lines)
    if name == "kill":
        assert "Mødet står der 1 gang" in lines
        assert "og her 1 gang" in lines


def test_the_stage_is_read_by_everybody_and_takes_forms_from_nowhere_else(page: Page, address: str) -> None:
    answer = httpx2.get(address)
    foreign = httpx2.post(f"{address}do/book", data={"token": "guess"})
    elsewhere = httpx2.get(address, headers={"Host": "evil.example"})

    assert [] == barriers(page)
    assert "form-action 'self' http://127.0.0.1:" in answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
    assert "style=" not in answer.text
    assert (403, 421) == (foreign.status_code, elsewhere.status_code)


def test_a_town_has_the_same_year_behind_it_every_time(tmp_path: Path) -> None:
    now, today = SystemClock().now(), show.today()
    talks = history.write(tmp_path, now, today)

    assert 3000 < talks
    assert 0 == history.write(tmp_path, now, today)
