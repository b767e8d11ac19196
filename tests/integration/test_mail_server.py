"""Mail leaves the house encrypted and signed in, or not at all: servers with STARTTLS, with TLS, with neither."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from email.message import EmailMessage
from typing import Any, Literal

import pytest

from syncd.adapters.handing import Away, MaybeSent, NotSent
from syncd.adapters.smtp import Postman
from syncd.config import MailSection, SecretRef
from tests.servers.exchange.tls import Certificates, certificates
from tests.servers.mail import MailServer, mail_server

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")  # aiosmtpd does not see TLS at once
PASSWORD = "kodeord-til-post"
Security = Literal["starttls", "tls"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"), "syncd")


@pytest.fixture(scope="module")
def servers(authority: Certificates) -> Iterator[dict[str, MailServer]]:
    """One of each kind, at which nobody sends without signing in."""
    tls, accounts = authority.context(), {"syncd": PASSWORD}
    with ExitStack() as stack:
        yield {
            "starttls": stack.enter_context(mail_server(tls, accounts=accounts)),
            "tls": stack.enter_context(mail_server(tls, at_once=True, accounts=accounts)),
            "neither": stack.enter_context(mail_server(accounts=accounts)),
        }


@pytest.fixture
def trusting(servers: dict[str, MailServer], authority: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine knows who signed the servers' certificates, and they have got nothing yet."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.authority))
    for server in servers.values():
        server.forget()


def postman(
    server: MailServer, security: Security, host: str = "127.0.0.1", password: str = PASSWORD, seconds: float = 5
) -> Postman:
    section = MailSection(
        host=host, port=server.port, security=security, sender="syncd@example.dk", user="syncd",
        password=SecretRef(env="MAIL"),
    )  # fmt: skip
    return Postman(section, lambda: password, seconds=seconds)


def letter() -> EmailMessage:
    made = EmailMessage()
    made["Subject"] = "Din samtale er booket"
    made.set_content("Hvornår: æøå")
    return made


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_is_handed_over_encrypted_after_signing_in(servers: dict[str, MailServer], security: Security) -> None:
    server = servers[security]
    postman(server, security).reach()
    postman(server, security).send(letter(), "kirsebaer@example.dk")

    ((to, got),) = server.got
    assert ("kirsebaer@example.dk", "Din samtale er booket") == (to, got["Subject"])
    assert [PASSWORD] * 2 == server.tried
    assert {True} == server.encrypted


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize(
    ("kind", "security", "changes", "reason"),
    [
        ("starttls", "starttls", {"password": "et andet"}, "SMTPAuthenticationError"),
        ("tls", "tls", {"password": "et andet"}, "SMTPAuthenticationError"),
        ("tls", "tls", {"host": "localhost"}, "SSLCertVerificationError"),  # the certificate is another name's
        ("starttls", "starttls", {"host": "localhost"}, "SSLCertVerificationError"),
        ("neither", "starttls", {}, "SMTPNotSupportedError"),  # or somebody in between takes the offer away
        ("neither", "tls", {}, "SSLError"),
    ],
)
def test_nothing_is_handed_over_where_it_is_not_certain_who_listens(
    servers: dict[str, MailServer], kind: str, security: Security, changes: dict[str, Any], reason: str
) -> None:
    server = servers[kind]
    with pytest.raises(Away) as told:
        postman(server, security, **changes).send(letter(), "kirsebaer@example.dk")

    assert reason == told.value.reason
    assert [] == server.got
    assert PASSWORD not in server.tried, "the password is for the server alone"
    assert PASSWORD not in str(told.value)


def test_a_certificate_of_somebody_unknown_is_refused_before_the_password_is_told(
    servers: dict[str, MailServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    server = servers["tls"]
    server.forget()
    with pytest.raises(Away, match="certificate verify failed"):
        postman(server, "tls").reach()

    assert [] == server.tried


def test_a_server_that_wants_a_name_gets_nothing_from_who_has_none(
    servers: dict[str, MailServer], trusting: None
) -> None:
    section = MailSection(host="127.0.0.1", port=servers["tls"].port, security="tls", sender="syncd@example.dk")
    with pytest.raises(NotSent) as told:
        Postman(section, str, seconds=5).send(letter(), "kirsebaer@example.dk")

    assert "530" == told.value.reason
    assert [] == servers["tls"].got


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_that_never_ends_its_answer_to_a_message_is_left_and_nobody_knows_whether_it_was_taken(
    servers: dict[str, MailServer], security: Security
) -> None:
    servers[security].moods.append("drip")
    with pytest.raises(MaybeSent, match="timed out|too long"):
        postman(servers[security], security, seconds=1).send(letter(), "kirsebaer@example.dk")


def test_a_server_that_greets_letter_by_letter_is_away() -> None:
    with dripping() as server, pytest.raises(Away, match="timed out|too long"):
        postman(server, "starttls", seconds=0.3).reach()


@contextmanager
def dripping() -> Iterator[MailServer]:
    """One that sends a letter of its greeting twenty times a second, until whoever came is gone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            visitor, _ = listener.accept()
            with visitor, suppress(OSError):
                while True:
                    visitor.sendall(b"2")
                    time.sleep(0.05)

        greeter = threading.Thread(target=greet)
        greeter.start()
        yield MailServer(listener.getsockname()[1])
        greeter.join(5)
        assert not greeter.is_alive(), "the connection was closed"
