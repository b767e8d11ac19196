"""Exchange over TLS: an authority of the organisation's own, a client certificate, and a proxy on the way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.errors import Transient
from tests.contract.calendar_contract import at, draft
from tests.contract.exchange_client import ANNA, PASSWORD, USER, house
from tests.integration.test_ews_traps import box
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.tls import certificates


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeServer]:
    with house(tls=certificates(tmp_path_factory.mktemp("tls"), USER)) as running:
        running.door.schemes = ("NTLM", "Basic", "Certificate")
        yield running


@pytest.fixture
def account(secure: ExchangeServer) -> EwsAccount:
    assert secure.tls is not None
    return EwsAccount("main", secure.url, "ntlm", f"DOM\\{USER}", PASSWORD, ca_file=str(secure.tls.authority))


@dataclass
class Tunnel:
    """A proxy that knows CONNECT (RFC 9110 9.3.6) and nothing else, and what it was asked for."""

    asked: list[str] = field(default_factory=list)
    url: str = ""

    def carry(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        host, _, port = request.path.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as far:
            request.send_response_only(200)
            request.end_headers()
            back = threading.Thread(target=pour, args=(far, request.connection))
            back.start()
            pour(request.connection, far)
            back.join()


def pour(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes until one side ends."""
    try:
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def tunnel() -> Iterator[Tunnel]:
    made = Tunnel()

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            made.carry(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def writes_and_reads(account: EwsAccount, uid: str) -> bool:
    with closing(EwsCalendar(account)) as port:
        entry = port.create(box(ANNA), draft(uid, at(9)))
        found = port.find(box(ANNA), uid)
        port.delete(box(ANNA), entry)
    return found == (entry,)


def test_a_server_with_a_certificate_of_the_own_authority_is_believed_and_ntlm_bound_to_it(account):
    assert writes_and_reads(account, "tls@syncd.test")


def test_without_the_authority_nothing_is_sent_and_the_operator_told(account, secure):
    before = secure.counts.total()

    with closing(EwsCalendar(replace(account, ca_file=None))) as port, pytest.raises(Transient, match="set ca_file"):
        port.find(box(ANNA), "tls@syncd.test")

    assert secure.counts.total() == before


def test_a_client_certificate_alone_lets_us_in(account, secure):
    by_certificate = replace(
        account,
        auth="certificate",
        username=None,
        password=None,
        certificate=str(secure.tls.client),
        certificate_key=str(secure.tls.client_key),
    )

    assert writes_and_reads(by_certificate, "cert@syncd.test")


def test_a_certificate_the_server_does_not_know_is_refused_with_what_to_do(account, secure, tmp_path):
    stranger = certificates(tmp_path, "nobody")
    unknown = replace(
        account, auth="certificate", certificate=str(stranger.client), certificate_key=str(stranger.client_key)
    )

    with closing(EwsCalendar(unknown)) as port, pytest.raises(Transient, match="did not take our client certificate"):
        port.find(box(ANNA), "cert@syncd.test")


def test_a_proxy_carries_the_secure_connection_without_seeing_into_it(account, secure, tunnel):
    assert writes_and_reads(replace(account, proxy=tunnel.url), "proxy@syncd.test")

    assert set(tunnel.asked) == {secure.url.split("/")[2]}


def test_a_proxy_that_is_away_is_named_as_such(account, tunnel):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"

    with closing(EwsCalendar(replace(account, proxy=nobody))) as port, pytest.raises(Transient, match="The proxy for"):
        port.find(box(ANNA), "proxy@syncd.test")
