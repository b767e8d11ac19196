"""Hands mail to the organisation's server (RFC 5321), and says for certain whether it was taken when that is known."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES

from syncd.config import MailSection
from syncd.errors import SyncdError

SECONDS = 30


class NotSent(SyncdError):
    """The server did not take it: nobody gets it, and it may be sent again."""


class MaybeSent(SyncdError):
    """The connection broke after the whole message was handed over: sending it again might deliver it twice."""


class Postman:
    """Delivers one message to one recipient at a time.

    :param password: reads it anew each time, so that it may change under a running service.
    """

    def __init__(self, section: MailSection, password: Callable[[], str]) -> None:
        self._section = section
        self._password = password

    def send(self, message: EmailMessage, recipient: str) -> None:
        """Hand it over.

        :raises NotSent: it was not taken. :raises MaybeSent: nobody knows.
        """
        try:
            server = self._connected()
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(_told(error)) from error
        try:
            self._envelope(server, recipient)
            self._content(server, message)
        finally:
            server.close()

    def _connected(self) -> smtplib.SMTP:
        host, port, kind = self._section.host, self._section.port, self._section.security
        secure = ssl.create_default_context()
        if kind == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=secure)
        else:
            server = smtplib.SMTP(host, port, timeout=SECONDS)
        if kind == "starttls":
            server.starttls(context=secure)
        if self._section.user:
            server.login(self._section.user, self._password())
        return server

    def _envelope(self, server: smtplib.SMTP, recipient: str) -> None:
        """Who it is from and for; until here the server has nothing to deliver."""
        try:
            server.ehlo_or_helo_if_needed()
            for code, said in (server.mail(self._section.sender), server.rcpt(recipient)):
                if code not in (250, 251):
                    raise NotSent(f"the mail server answered {code} {said.decode(errors='replace')}")
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(_told(error)) from error

    def _content(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        """The message itself; only the answer to its last line says whether it was taken (RFC 5321 4.2.5)."""
        try:
            code, said = server.data(message.as_bytes(policy=SMTP_LINES))
        except smtplib.SMTPDataError as error:
            raise NotSent(_told(error)) from error
        except (smtplib.SMTPException, OSError) as error:
            raise MaybeSent(_told(error)) from error
        if code != 250:
            raise NotSent(f"the mail server answered {code} {said.decode(errors='replace')}")


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
