"""Whatever a browser, or what calls itself one, sends to the pages: no answer is a fault of ours.

Cookies, addresses, forms, multipart bodies and the addresses of feeds, drawn from what has broken programs before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import pytest

from syncd.model.role import Role
from syncd.store import Store
from syncd.store.feeds import FeedKind
from syncd.web.app import build_app
from syncd.web.pages import ROUTERS, visiting
from syncd.web.pages.rooms import day
from tests.integration.in_process import Loop
from tests.page_town import NOW, PageTown, Size

FEW, QUICK, LONG = 40, 100, 20_000
CSRF = re.compile(rb'name="csrf" value="([^"]*)"')
NAMES = (
    "name", "password", "next", "what", "seen", "first", "last", "why", "who", "team", "mode", "sure", "to", "from",
    "offer", "form", "at", "start", "room", "note", "month", "value", "email", "phone", "cpr", "until", "caseworker",
    "hold", "site", "citizen", "reference", "week", "day", "lang", "page", "size", "sort", "date", "kind", "person",
    "number", "closed", "missing", "opened", "absence", "reason", "address", "purpose", "state", "code", "error", "iss",
)  # fmt: skip
VALUES = (
    "", "1", "²", "٣", "-1", "1e9", "NaN", "9" * 40, "9" * 5000, "x" * 3000, "\x00", "\ud800", "é", "æøå", "'", "<x>",
    "2026-13-45", "2026-11-30T09:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "\\ud800", "+2AA-",
    "{{7*7}}", "../../x", "//x.example", "%s%n", "jobsamtale", "lokale-001", "a\r\nSet-Cookie: x=y",
)  # fmt: skip
CHARSETS = ("utf-8", "utf-7", "idna", "punycode", "unicode_escape", "utf-16", "hex", "undefined", "nonsense")
IDS = ("1", "9" * 24, "-1", "²", "lokale-001", "0f8fad5b-d9cb-469f-a165-70867728950e", "%00", "a%2fb", "%ff", "æ")


@dataclass
class Strange:
    """Draws requests. :param known: secrets that lead somewhere. :param cookie: of somebody with every role."""

    rng: Random
    gets: list[str]
    posts: list[str]
    cookie: str
    csrf: str
    known: list[str] = field(default_factory=list)
    looks: float = 0.5
    """How many of the requests post nothing, and how many of the others post as our pages do."""

    def request(self) -> tuple[str, str, dict[str, str], bytes]:
        """Method, address, headers, body."""
        if self.rng.random() < self.looks:
            return "GET", f"{self._path(self.gets)}?{self._pairs()}", self._headers(self._cookie()), b""
        kind, body = self._form() if self.rng.random() < self.looks else self._multipart()
        headers = self._headers(f"syncd={self.cookie}") | {"content-type": kind, "sec-fetch-site": "same-origin"}
        return "POST", self._path(self.posts), headers, body

    def _path(self, paths: list[str]) -> str:
        return re.sub(r"{[^}]*}", lambda _: self.rng.choice((*IDS, *self.known)), self.rng.choice(paths))

    def _pairs(self) -> str:
        few = range(self.rng.randrange(5))
        return "&".join(f"{self.rng.choice(NAMES)}={_quoted(self.rng.choice(VALUES))}" for _ in few)

    def _headers(self, cookie: str) -> dict[str, str]:
        choose = self.rng.choice
        return {
            "host": choose(("localhost", "localhost", "", "[::1", "a b", "x" * 300)),
            "accept": choose(("text/html", "text/html", "", "*/*;q=x", "\xff")),
            "accept-language": choose(("da", "en;q=x", "\xff,;", "*")),
            "if-none-match": choose(("*", '"', 'W/"x"', "\xff")),
            "cookie": cookie,
        }

    def _cookie(self) -> str:
        mine = f"syncd={self.cookie}"
        strange = ("", "=", "syncd", "syncd=", "syncd=\x00", "syncd=\xff", f"syncd={'a' * 5000}", ";" * 300)
        edged = (f"{mine}; syncd=x", f'syncd="{self.cookie}', f"{mine}\xe6", 'syncd="\\377\\000"', f"syncd={'.' * 80}")
        return self.rng.choice((mine, mine, mine, *strange, *edged))

    def _form(self) -> tuple[str, bytes]:
        body = self._torn(f"csrf={_quoted(self.csrf)}&{self._pairs()}".encode())
        return f"application/x-www-form-urlencoded{self.rng.choice(('', '; charset=utf-7', ';;'))}", body

    def _multipart(self) -> tuple[str, bytes]:
        edge = self.rng.choice((b"XX", b"", b"\xff", b"a" * 300))
        drawn = [(self.rng.choice(NAMES), self.rng.choice(VALUES)) for _ in range(self.rng.randrange(4))]
        more = self.rng.choice((b"", b"", b"; filename=x", b"; filename*=utf-8''%ff", b"\r\nX: " + b"y" * 9000))
        body = b""
        for name, value in (("csrf", self.csrf), *drawn):
            head = b'\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + more + b"\r\n\r\n"
            body += b"--" + edge + head + value.encode("utf-8", "surrogatepass") + b"\r\n"
        body += b"--" + edge + b"--\r\n"
        charset = f"; charset={self.rng.choice(CHARSETS)}" if self.rng.random() < 0.7 else ""
        return f"multipart/form-data; boundary={edge.decode('latin-1')}{charset}", self._torn(body)

    def _torn(self, body: bytes) -> bytes:
        if self.rng.random() < 0.7:
            return body
        place = self.rng.randrange(len(body))
        return body[:place] + self.rng.randbytes(3) + body[place + self.rng.randrange(4) :]


def _quoted(value: str) -> str:
    return quote(value.encode("utf-8", "surrogatepass"), safe="%")


def paths(method: str) -> list[str]:
    """Every page's address, and the feeds'."""
    found = sorted({one.path for router in ROUTERS for one in router.routes if method in one.methods})  # type: ignore[attr-defined]  # pages only
    return [*found, "/feeds/{secret}.ics", "/feeds/{secret}.ifb", "/health"] if method == "GET" else found


@pytest.fixture(scope="module")
def town(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageTown]:
    path = tmp_path_factory.mktemp("strange") / "syncd.db"
    path.write_bytes(_sqlite_template.read_bytes())
    store = Store(f"sqlite:///{path}")
    yield PageTown(store, Size(3, 4, 4, 1))
    store.close()


@pytest.fixture(scope="module")
def loop(town: PageTown) -> Iterator[Loop]:
    made = Loop(build_app(town.deps()))
    yield made
    made.close()


def drawing(town: PageTown, loop: Loop, seed: int) -> Strange:
    """Somebody with every role, who sends strange things."""
    with town.store.begin() as tx:
        cookie = tx.visits.add(NOW, subject="vera", name="V", roles=frozenset(Role))
        known = [tx.feeds.add(kind, "lokale-001", "test", NOW) for kind in (FeedKind.ROOM, FeedKind.SITE)]
    headers = {"host": "localhost", "cookie": f"syncd={cookie}", "accept": "text/html"}
    _, _, page = loop.asked("GET", "http://localhost/frames", headers, b"")
    found = CSRF.search(page)
    assert found
    posts = [path for path in paths("POST") if path != "/sign-out"]  # it would end the visit that asks
    return Strange(Random(seed), paths("GET"), posts, cookie, found[1].decode(), known)


def faults(loop: Loop, strange: Strange, number: int) -> tuple[list[Any], set[int]]:
    """What was answered as a fault of ours, and every status that was given."""
    found, told = [], set()
    for _ in range(number):
        method, address, headers, body = strange.request()
        status, _, _ = loop.asked(method, f"http://localhost{address}", headers, body)
        told.add(status)
        if status >= 500:
            found.append((method, address, headers, body))
    return found, told


def test_nothing_strange_is_answered_by_a_fault_of_ours(town: PageTown, loop: Loop) -> None:
    found, told = faults(loop, drawing(town, loop, seed=1), QUICK)

    assert [] == found
    assert {200, 303, 403, 404} <= told


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_nothing_strange_is_answered_by_a_fault_of_ours_in_the_long_run(town: PageTown, loop: Loop) -> None:
    assert [] == faults(loop, drawing(town, loop, seed=2), LONG)[0]


def test_a_planted_fault_in_reading_forms_is_found(town: PageTown, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visiting, "URLENCODED", "multipart/form-data")
    monkeypatch.setattr(f"{__name__}.CHARSETS", ("punycode",))
    strange = drawing(town, loop, seed=1)
    strange.looks = 0

    assert faults(loop, strange, FEW)[0]


def test_a_planted_fault_in_reading_addresses_is_found(
    town: PageTown, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day, "digits", int)
    strange = drawing(town, loop, seed=1)
    strange.gets = ["/rooms/day"]

    assert faults(loop, strange, FEW)[0]
