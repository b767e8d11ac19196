"""A mail server on loopback (aiosmtpd) that keeps what it gets, and does with the next messages as it is told."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class MailServer:
    """What the mail server got, and what it does with the next messages: ``451``, ``550``, ``break`` or ``drip``.

    :param unknown: recipients it does not know.
    :param accounts: password by name of those who may send; empty: nobody needs to sign in.
    :param tried: passwords that came. :param encrypted: whether nobody could listen while messages came.
    """

    port: int = 0
    got: list[tuple[str, Any]] = field(default_factory=list)
    moods: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    accounts: dict[str, str] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)
    encrypted: set[bool] = field(default_factory=set)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or refuse it as servers do, by repeating who it is."""
        if address in self.unknown:
            return f"550 5.1.1 <{address}>: Recipient address rejected"
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        """Take a message; ``break`` takes it and goes before it has said so, ``drip`` never comes to the end of it."""
        mood = self.moods.pop(0) if self.moods else ""
        transport = cast(asyncio.Transport, server.transport)
        while mood == "drip" and not transport.is_closing():
            transport.write(b"250-still thinking\r\n")
            await asyncio.sleep(0.05)
        if mood.isdigit():
            return f"{mood} not now"
        self.encrypted.add(transport.get_extra_info("ssl_object") is not None)
        message = message_from_bytes(cast(bytes, envelope.content), policy=policy.default)
        self.got += [(recipient, message) for recipient in envelope.rcpt_tos]
        if mood == "break":
            transport.abort()
        return "250 taken"

    def known(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _way: str, given: LoginPassword
    ) -> AuthResult:
        """Whether the name and the password are an account's."""
        self.tried.append(given.password.decode())
        return AuthResult(success=self.accounts.get(given.login.decode()) == self.tried[-1], handled=False)

    def forget(self) -> None:
        """As it was at first."""
        self.tried.clear()
        self.encrypted.clear()
        self.got.clear()
        self.moods.clear()
        self.unknown.clear()


@contextmanager
def mail_server(
    tls: ssl.SSLContext | None = None, *, at_once: bool = False, accounts: dict[str, str] | None = None
) -> Iterator[MailServer]:
    """One on a free port.

    :param tls: its certificate; None: it offers no STARTTLS.
    :param at_once: every connection is encrypted from its first byte (RFC 8314 3.3).
    :param accounts: who may send; these sign in, and only where nobody can listen.
    """
    handler = MailServer(free_port(), accounts=accounts or {})
    secured: dict[str, Any] = {"ssl_context": tls} if at_once else {"tls_context": tls}
    if accounts:
        secured |= {"auth_required": True, "authenticator": handler.known, "auth_require_tls": not at_once}
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port, **secured)
    controller.start()
    yield handler
    controller.stop()


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
