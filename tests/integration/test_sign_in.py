"""Signing in on the pages: at a provider over HTTP, and with a local account; visits, forms and their protection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from sqlalchemy import select

from syncd.adapters.provider import bind
from syncd.config import LocalAccountSection, OidcSection, PagesSection, SecretRef
from syncd.config.passwords import hashed
from syncd.model.role import Role
from syncd.store.page_tables import VisitRow
from syncd.store.tables import AuditRow
from syncd.web.page_parts import PageParts
from syncd.web.pages.oidc import Provider as Reached
from tests.integration.web_town import Served, Town
from tests.servers import oidc

PASSWORD = "tre små grise i skoven"
HASH = hashed(PASSWORD, cost=4)
FIELD = re.compile(r'name="csrf" value="([^"]*)"')
SAME = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


class Browser(httpx2.Client):
    """A browser's manners: cookies, redirects, and where a form comes from."""

    def __init__(self, base: str) -> None:
        super().__init__(base_url=base, timeout=20, headers=SAME, follow_redirects=True, trust_env=False)

    def send_form(self, path: str, page: httpx2.Response, **fields: str) -> httpx2.Response:
        """Post a form that stood on *page*."""
        found = FIELD.search(page.text)
        return self.post(path, data={"csrf": found[1] if found else "", **fields})


@pytest.fixture(scope="module")
def provider() -> Iterator[oidc.Provider]:
    """The organisation's provider."""
    with oidc.provider() as running:
        yield running


@pytest.fixture
def office(provider: oidc.Provider, town: Town, served: Served) -> Town:
    """The town with both ways to sign in."""
    provider.person = {"sub": "u-17", "name": "Vera Holm", "groups": ["syncd-lokaler", "alle"]}
    provider.change, provider.algorithm, provider.description = {}, "RS256", {}
    served.take(town)
    section = PagesSection(
        oidc=OidcSection(
            issuer=provider.base,
            client_id=oidc.CLIENT,
            client_secret=SecretRef(env="X"),
            roles={Role.FACILITIES: ("syncd-lokaler",), Role.STAFF: ("syncd-medarbejdere",)},
        ),
        accounts=(LocalAccountSection(name="drift", password=HASH, roles=frozenset({Role.OPERATOR})),),
    )
    assert section.oidc
    reached = Reached(section.oidc, lambda: oidc.SECRET, f"{served.base}/sign-in/back", town.clock, bind)
    served.app.state.deps = replace(town.deps(), pages=PageParts(section, reached))
    town.clock.at = datetime.now(UTC)  # tokens are dated by the provider's clock
    return town


@pytest.fixture
def browser(office: Town, served: Served) -> Iterator[Browser]:
    """Somebody's browser."""
    with Browser(served.base) as made:
        yield made


def _visits(town: Town) -> list[VisitRow]:
    with town.store.read() as tx:
        return list(tx.session.scalars(select(VisitRow)))


def _audited(town: Town) -> list[tuple[str, str]]:
    with town.store.read() as tx:
        return [(row.actor, row.action) for row in tx.session.scalars(select(AuditRow).order_by(AuditRow.id))]


def test_a_person_signs_in_at_the_provider_and_comes_to_where_she_wanted(office: Town, browser: Browser) -> None:
    asked = browser.get("/home?lang=en")
    assert "/sign-in" == asked.url.path
    at_last = browser.get("/sign-in/oidc", params={"next": "/home?lang=en"})

    assert (200, "/home") == (at_last.status_code, at_last.url.path)
    assert "Welcome, Vera Holm" in at_last.text
    (visit,) = _visits(office)
    assert ("u-17", "facilities", "en") == (visit.subject, visit.roles, visit.language)
    assert ("staff:u-17", "visit.began") in _audited(office)


def test_the_cookie_is_hidden_from_scripts_lax_and_another_one_after_signing_in(office: Town, browser: Browser) -> None:
    browser.follow_redirects = False
    begun = browser.get("/sign-in/oidc")
    before = begun.headers["set-cookie"]
    at_provider = browser.get(begun.headers["location"])
    back = browser.get(at_provider.headers["location"])
    after = back.headers["set-cookie"]

    for cookie in (before, after):
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert before.partition(";")[0] != after.partition(";")[0]
    assert 1 == len(_visits(office))
    assert all(visit.digest not in after for visit in _visits(office))


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "another"},
        {"aud": "another", "azp": oidc.CLIENT},
        {"iss": "https://elsewhere.example"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"sub": None},
        {"sub": ""},
        {"azp": "another"},
    ],
)
def test_a_token_that_is_not_for_us_lets_nobody_in(
    provider: oidc.Provider, office: Town, browser: Browser, change: dict[str, Any]
) -> None:
    provider.change = change

    refused = browser.get("/sign-in/oidc")

    assert 403 == refused.status_code
    assert [None] == [visit.subject for visit in _visits(office)]


@pytest.mark.parametrize("algorithm", ["none", "other key"])
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    provider: oidc.Provider, browser: Browser, algorithm: str
) -> None:
    kept, published = provider.key, provider.key.as_dict(private=False)
    provider.algorithm = "none" if algorithm == "none" else "RS256"
    if algorithm == "other key":
        provider.turn_key()
        provider.key.as_dict = lambda private: published  # type: ignore[method-assign,assignment,misc]  # it goes on telling the key before
    refused = browser.get("/sign-in/oidc")
    provider.key = kept

    assert 403 == refused.status_code


def test_a_provider_that_changes_its_key_is_still_believed(provider: oidc.Provider, browser: Browser) -> None:
    assert 200 == browser.get("/sign-in/oidc").status_code
    browser.cookies.clear()
    provider.turn_key()

    assert "Vera Holm" in browser.get("/sign-in/oidc").text


def test_who_has_no_role_or_says_no_is_told_so(provider: oidc.Provider, office: Town, browser: Browser) -> None:
    provider.person = {"sub": "u-18", "name": "Ib", "groups": ["alle"]}
    stranger = browser.get("/sign-in/oidc")
    provider.person = None
    declined = browser.get("/sign-in/oidc")

    assert (403, 403) == (stranger.status_code, declined.status_code)
    assert "ingen rolle" in stranger.text
    assert not [visit for visit in _visits(office) if visit.subject]


def test_an_answer_to_somebody_elses_sign_in_is_refused(browser: Browser, served: Served) -> None:
    browser.follow_redirects = False
    location = browser.get("/sign-in/oidc").headers["location"]
    back = browser.get(location).headers["location"]
    with Browser(served.base) as victim:
        assert 400 == victim.get(back).status_code
        victim.follow_redirects = False
        victim.get("/sign-in/oidc")
        assert 403 == victim.get(back).status_code
    assert "code" in parse_qs(urlsplit(back).query)


@pytest.mark.parametrize(
    ("change", "status"), [({}, 303), ({"state": "another"}, 403), ({"iss": "https://elsewhere.example"}, 403)]
)
def test_an_answer_to_another_question_or_of_another_provider_is_refused(
    browser: Browser, change: dict[str, str], status: int
) -> None:
    browser.follow_redirects = False
    back = urlsplit(browser.get(browser.get("/sign-in/oidc").headers["location"]).headers["location"])
    query = urlencode(dict(parse_qsl(back.query)) | change)

    assert status == browser.get(back._replace(query=query).geturl()).status_code


def test_nobody_is_sent_elsewhere_after_signing_in(browser: Browser) -> None:
    also = ("//[", "///evil.example", "/\t/evil.example")  # browsers read the last two as the second
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", *also):
        browser.cookies.clear()
        page = browser.get("/sign-in", params={"next": elsewhere})
        assert 'name="next" value="/home"' in page.text
        assert "/home" == browser.get("/sign-in/oidc", params={"next": elsewhere}).url.path


def test_a_local_account_signs_in_and_out_and_wrong_passwords_run_out(office: Town, browser: Browser) -> None:
    page = browser.get("/sign-in")
    wrong = browser.send_form("/sign-in", page, name="drift", password="forkert")
    assert 403 == wrong.status_code
    assert "hører ikke sammen" in wrong.text
    inside = browser.send_form("/sign-in", page, name="drift", password=PASSWORD)
    assert "Velkommen, drift" in inside.text
    outside = browser.send_form("/sign-out", inside)
    assert '"cache", "storage"' == outside.history[0].headers["Clear-Site-Data"]
    assert "/sign-in" == outside.url.path
    assert [] == _visits(office)
    assert "/sign-in" == browser.get("/home").url.path
    for _ in range(7):
        assert 403 == browser.send_form("/sign-in", page, name="drift", password="gæt").status_code
    assert 429 == browser.send_form("/sign-in", page, name="drift", password=PASSWORD).status_code


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_from_elsewhere_does_nothing(office: Town, browser: Browser, site: str) -> None:
    inside = browser.get("/sign-in/oidc")
    foreign = {"Sec-Fetch-Site": site}
    token = {"csrf": (FIELD.search(inside.text) or [""])[1]}

    assert 403 == browser.post("/sign-out", data={"csrf": "guess"}).status_code
    assert 403 == browser.post("/sign-out").status_code
    assert 403 == browser.post("/sign-out", data=token, headers=foreign).status_code
    assert 403 == browser.post("/sign-in", data={"name": "drift", "password": PASSWORD}, headers=foreign).status_code
    del browser.headers["Sec-Fetch-Site"]
    assert 403 == browser.post("/sign-out", data=token, headers={"Origin": "http://["}).status_code
    assert ["u-17"] == [visit.subject for visit in _visits(office)]


def test_a_visit_ends_after_idling_and_after_a_working_day(office: Town, browser: Browser) -> None:
    browser.get("/sign-in/oidc")
    began = office.clock.at
    for minutes in range(20, 600, 20):
        office.clock.at = began + timedelta(minutes=minutes)
        assert "/home" == browser.get("/home").url.path
    office.clock.at = began + timedelta(minutes=601)
    assert "/sign-in" == browser.get("/home").url.path


def test_idle_time_ends_a_visit(office: Town, browser: Browser) -> None:
    browser.get("/sign-in/oidc")
    office.clock.at += timedelta(minutes=31)

    assert "/sign-in" == browser.get("/home").url.path


def test_the_language_that_was_chosen_stays(browser: Browser) -> None:
    browser.get("/sign-in/oidc")

    assert 'lang="en"' in browser.get("/home?lang=en").text
    assert '<html lang="en">' in browser.get("/home").text
    assert '<html lang="da">' in browser.get("/home?lang=da").text
    assert '<html lang="da">' in browser.get("/home").text
