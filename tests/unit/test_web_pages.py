"""The pages for people: Danish first, English at hand, nothing from elsewhere, nothing active."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from syncd.web.app import build_monitor
from syncd.web.health import STARTING, Check, Health, Standing
from syncd.web.markup import tag
from tests.unit.web_doubles import House, house

PAGES = ("/", "/api-docs", "/problems/", "/problems/slot-gone")


@pytest.fixture(name="house")
def _house() -> House:
    return house()


class Outline(HTMLParser):
    """What a screen reader would meet."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.links: list[str] = []
        self.language = ""
        self.active: list[str] = []
        self.feed(text)

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note what matters, and that elements are nested well."""
        given = dict(attributes)
        if name not in ("meta", "link", "img", "br"):
            self.open.append(name)
        if re.fullmatch("h[1-6]", name):
            self.headings.append(int(name[1]))
        if name == "html":
            self.language = given.get("lang") or ""
        self.links += [value for key, value in attributes if key in ("href", "src") and value]
        self.active += [name] if name in ("script", "style", "iframe", "form", "object") else []
        self.active += [key for key in given if key.startswith("on") or key == "style"]
        assert name != "img" or "alt" in given

    def handle_endtag(self, name: str) -> None:
        """Close what was opened last."""
        assert name == self.open.pop()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["da", "en"])
def test_a_page_is_well_formed_in_one_language_and_holds_nothing_active_or_foreign(
    house: House, path: str, lang: str
) -> None:
    answer = house.stranger.get(path, params={"lang": lang})

    outline = Outline(answer.text)
    assert (200, lang, lang) == (answer.status_code, outline.language, answer.headers["content-language"])
    assert ([], []) == (outline.open, outline.active)
    assert all(link.startswith(("/", "#")) for link in outline.links)
    assert 1 == outline.headings[0]
    assert 1 == outline.headings.count(1)
    assert all(deeper - above <= 1 for above, deeper in zip(outline.headings, outline.headings[1:], strict=False))
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; style-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", PAGES)
def test_danish_comes_first_and_english_is_one_link_away(house: House, path: str) -> None:
    first = Outline(house.stranger.get(path).text)

    assert "da" == first.language
    assert f"{path}?lang=en" in first.links


def test_every_link_leads_somewhere(house: House) -> None:
    links = {link for path in PAGES for link in Outline(house.stranger.get(path).text).links if link.startswith("/")}

    assert {200} == {house.stranger.get(link).status_code for link in links}


def test_an_unknown_language_or_file_is_refused(house: House) -> None:
    assert 422 == house.stranger.get("/", params={"lang": "sv"}).status_code
    assert 404 == house.stranger.get("/static/page.html").status_code
    assert 404 == house.stranger.get("/problems/nonsense").status_code


def test_health_is_told_in_words() -> None:
    checks = (
        Check("database", Standing.GOOD, "Databasen svarer.", "The database answers."),
        Check("calendars", Standing.DEGRADED, "2 kalendere er <gamle>.", "2 calendars are <old>."),
    )
    ill = House(health=lambda: Health(checks))

    danish, english = ill.stranger.get("/").text, ill.stranger.get("/?lang=en").text

    assert "Tjenesten virker, men noget kræver opmærksomhed." in danish
    assert "2 kalendere er &lt;gamle&gt;." in danish
    assert "2 calendars are &lt;old&gt;." in english


def test_degraded_is_ready_and_down_is_not() -> None:
    standing = [Standing.DEGRADED]
    ill = House(health=lambda: Health((Check("calendars", standing[0], "Noget.", "Something."),)))
    degraded = ill.stranger.get("/readyz")
    standing[0] = Standing.DOWN
    down = ill.stranger.get("/readyz")

    assert (200, "degraded") == (degraded.status_code, degraded.json()["status"])
    assert (503, "down") == (down.status_code, down.json()["status"])
    assert {"name": "calendars", "status": "down", "says": {"da": "Noget.", "en": "Something."}} in down.json()[
        "checks"
    ]
    assert 200 == ill.stranger.get("/livez").status_code


def test_a_supervisor_needs_no_token_and_may_ask_with_head(house: House) -> None:
    for path in ("/livez", "/readyz", "/startupz", "/metrics", "/"):
        assert 200 == house.stranger.get(path).status_code
        assert (200, b"") == (house.stranger.head(path).status_code, house.stranger.head(path).content)


def test_before_the_start_is_complete_the_supervisor_is_told_so() -> None:
    started = [False]
    monitor = TestClient(build_monitor(lambda: STARTING, lambda: b"syncd_up 1\n", lambda: started[0]))

    assert [200, 503, 503] == [monitor.get(path).status_code for path in ("/livez", "/readyz", "/startupz")]
    started[0] = True
    assert 200 == monitor.get("/startupz").status_code


def test_figures_are_not_told_where_another_listener_tells_them() -> None:
    assert 404 == House(metrics=None).stranger.get("/metrics").status_code


def test_metrics_are_handed_on(house: House) -> None:
    assert "syncd_up 1\n" == house.stranger.get("/metrics").text


def test_attributes_are_escaped() -> None:
    assert '<a href="&quot;&gt;&lt;script&gt;">x</a>' == tag("a", "x", href='"><script>')
