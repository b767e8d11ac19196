"""Over TLS the simulated Exchange server binds NTLM to the channel and knows clients by their certificate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests_ntlm import HttpNtlmAuth

from tests.contract.exchange_client import ANNA, PASSWORD, USER, house
from tests.contract.test_exchange_simulator_faults import ENVELOPE, VIEW
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.tls import Certificates, certificates

BODY = ENVELOPE.format(mailbox=ANNA, body=VIEW.replace("{more}", "")).encode()
XML = {"Content-Type": "text/xml"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeServer]:
    with house(tls=certificates(tmp_path_factory.mktemp("tls"), USER)) as running:
        running.door.schemes = ("NTLM", "Basic", "Certificate")
        yield running


@pytest.fixture
def files(server: ExchangeServer) -> Certificates:
    assert server.tls is not None
    return server.tls


def test_a_client_that_does_not_trust_the_authority_does_not_talk(server):
    with pytest.raises(requests.exceptions.SSLError):
        requests.post(server.url, BODY, headers=XML, auth=(USER, PASSWORD), timeout=5)


def test_ntlm_must_be_bound_to_the_channel(server, files):
    def status(bound: bool) -> int:
        with requests.Session() as session:
            session.auth = HttpNtlmAuth(f"DOM\\{USER}", PASSWORD, send_cbt=bound)
            return session.post(server.url, BODY, headers=XML, verify=str(files.authority), timeout=5).status_code

    assert (status(bound=True), status(bound=False)) == (200, 401)


def test_a_certificate_lets_its_account_in(server, files):
    def status(**more: Any) -> int:
        return requests.post(server.url, BODY, headers=XML, verify=str(files.authority), timeout=5, **more).status_code

    assert status(cert=(str(files.client), str(files.client_key))) == 200
    assert status() == 401
    assert status(auth=(USER, PASSWORD)) == 200
