"""Hostile servers: whoever we call may not lead us elsewhere, flood us or keep us waiting."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from threading import Thread

import httpx2
import pytest
import requests

from syncd.adapters import issuer, outbound, provider
from syncd.adapters.caldav.client import CaldavAccount
from syncd.adapters.caldav.client import Client as CaldavClient
from syncd.adapters.dfdg.client import Account as DfdgAccount
from syncd.adapters.dfdg.client import DfdgClient
from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.client import Client as EwsClient
from syncd.adapters.graph import tokens
from syncd.adapters.graph.account import Credential, GraphAccount
from syncd.adapters.graph.client import Client as GraphClient
from syncd.adapters.line import Line
from syncd.adapters.webhook import HttpCourier
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.ports import Caller

PATIENCE = 2.0
"""Seconds each of them is configured to wait."""
ENOUGH = 12.0
"""Nobody may take longer, repeats included; a drip would go on for minutes."""


class Hostile:
    """Answers every connection by one of its habits, and counts who came to the place it points to."""

    def __init__(self, habit: str) -> None:
        self.habit = habit
        self.lured = 0
        self.asked = 0
        self.elsewhere = socket.create_server(("127.0.0.1", 0))
        self.door = socket.create_server(("127.0.0.1", 0))
        for door, answer in ((self.door, self._answer), (self.elsewhere, self._lure)):
            Thread(target=self._serve, args=(door, answer), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.door.getsockname()[1]}"

    def close(self) -> None:
        self.door.close()
        self.elsewhere.close()

    def _serve(self, door: socket.socket, answer: Callable[[socket.socket], None]) -> None:
        with suppress(OSError):
            while True:
                Thread(target=self._one, args=(door.accept()[0], answer), daemon=True).start()

    def _one(self, connection: socket.socket, answer: Callable[[socket.socket], None]) -> None:
        with closing(connection), suppress(OSError):
            connection.settimeout(20)
            connection.recv(65536)
            answer(connection)

    def _lure(self, connection: socket.socket) -> None:
        self.lured += 1
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def _answer(self, connection: socket.socket) -> None:
        self.asked += 1
        if self.habit == "redirect":
            place = f"http://localhost:{self.elsewhere.getsockname()[1]}/"
            connection.sendall(f"HTTP/1.1 307 Go\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode())
        elif self.habit == "flood":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
            for _ in range(2000):  # 128 MB
                connection.sendall(b" " * 65536)
        elif self.habit == "slow head":
            self._drip(connection, b"HTTP/1.1 200 OK\r\nX-Long: ")
        else:
            self._drip(connection, b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 100000\r\n\r\n")

    def _drip(self, connection: socket.socket, first: bytes) -> None:
        connection.sendall(first)
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.2)


def ask_issuer(url: str) -> object:
    return issuer.fetched(url)


def ask_webhook(url: str) -> object:
    with closing(HttpCourier(SystemClock(), PATIENCE)) as courier:
        return courier.post(url, b"{}", {}).status


def ask_dfdg(url: str) -> object:
    with closing(DfdgClient(DfdgAccount(url, 2, "81", "syncd", 1), SystemClock(), PATIENCE)) as client:
        return client.read("3f0c8a52-0e6b-4a5e-9d52-6f2a44a1f001", Caller("test"))


def ask_graph(url: str) -> object:
    account = GraphAccount(
        "main", "tenant", "app", (Credential(secret="s"),), graph_url=url, login_url=url, timeout=PATIENCE
    )
    with closing(GraphClient(account)) as client, client.call("anna@example.dk"):
        return client.ask("GET", "/users/anna@example.dk/calendar", "anna@example.dk")


def ask_graph_with_a_token(url: str) -> object:
    account = GraphAccount("main", "tenant", "app", graph_url=url, login_url=url, timeout=PATIENCE, max_bytes=1 << 20)
    with closing(GraphClient(account)) as client, client.call("anna@example.dk"):
        client._open()[1].get = lambda: "token"  # type: ignore[method-assign]  # no login
        return client.ask("GET", "/users/anna@example.dk/calendar", "anna@example.dk")


def ask_caldav(url: str) -> object:
    account = CaldavAccount(name="main", url=url, username="u", password="p", timeout=PATIENCE, max_bytes=1 << 20)
    with closing(CaldavClient(account)) as client, client.call():
        return client.read("PROPFIND", url).status


def ask_ews(url: str) -> object:
    account = EwsAccount(
        name="main",
        url=f"{url}/EWS/Exchange.asmx",
        username="u",
        password="p",
        auth="basic",
        timeout=PATIENCE,
        max_bytes=1 << 20,
    )
    with closing(EwsClient(account)) as client:
        return client.ask("<m:GetServerTimeZones/>", "anna@example.dk")


def ask_sign_in(url: str) -> object:
    with requests.Session() as session:
        provider.bind(session)
        try:
            return session.get(url, allow_redirects=False).status_code
        except requests.RequestException:
            return None


EVERYBODY = {
    "issuer": ask_issuer,
    "webhook": ask_webhook,
    "dfdg": ask_dfdg,
    "graph": ask_graph,
    "graph, with a token": ask_graph_with_a_token,
    "caldav": ask_caldav,
    "ews": ask_ews,
    "sign-in": ask_sign_in,
}


@pytest.fixture
def hostile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hostile]:
    monkeypatch.setattr(issuer, "SECONDS", PATIENCE)
    monkeypatch.setattr(provider, "SECONDS", PATIENCE)
    monkeypatch.setattr(tokens, "LOGIN_SECONDS", PATIENCE)
    server = Hostile(request.param)
    yield server
    server.close()


@pytest.mark.parametrize("hostile", ["redirect", "flood", "slow head", "slow body"], indirect=True)
@pytest.mark.parametrize("who", EVERYBODY)
def test_a_hostile_server_neither_leads_us_away_nor_keeps_us(hostile: Hostile, who: str) -> None:
    began = time.monotonic()
    with suppress(SyncdError):
        EVERYBODY[who](hostile.url)
    assert hostile.asked >= 1
    assert 0 == hostile.lured
    assert time.monotonic() - began < ENOUGH


@pytest.mark.parametrize(
    "number",
    ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "fd00:ec2::254", "::ffff:169.254.169.254", "::"],
)
def test_addresses_where_clouds_keep_secrets_are_never_called(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    def resolved(*_args: object, **_more: object) -> list[tuple[object, ...]]:
        family = socket.AF_INET6 if ":" in number else socket.AF_INET
        return [(socket.AF_INET, 1, 6, "", ("192.0.2.7", 443)), (family, 1, 6, "", (number, 443))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    receipt = HttpCourier(SystemClock(), PATIENCE).post("https://portal.example.dk/x", b"{}", {})

    assert receipt.status is None
    assert "ConnectError" in receipt.says
    with pytest.raises(httpx2.ConnectError, match="never called"):
        Line(outbound.guarded(), "https://graph.example.dk", {}).answer("GET", "/me", {}, None, PATIENCE, 1000)


def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Hostile("redirect")
    port = server.door.getsockname()[1]
    asked: list[object] = []

    def resolved(host: object, *_args: object, **_more: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with outbound.client(PATIENCE) as http:
        found = outbound.answer(http, http.build_request("GET", f"http://localhost:{port}/"), PATIENCE, 1000)
    server.close()

    assert (307, ["localhost"]) == (found.status, [host for host in asked if host == "localhost"])


def test_plain_http_to_another_machine_is_refused_before_anything_is_sent() -> None:
    with outbound.client(PATIENCE) as http, pytest.raises(outbound.Insecure):
        outbound.answer(http, http.build_request("GET", "http://192.0.2.1/"), PATIENCE, 1000)
    with pytest.raises(outbound.Insecure):
        Line(outbound.guarded(), "http://192.0.2.1", {}).answer("GET", "/me", {}, None, PATIENCE, 1000)
    assert issubclass(outbound.Insecure, httpx2.HTTPError)
