"""Hands mail to the organisation's server (RFC 5321), and says for certain whether it was taken when that is known."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES
from functools import cached_property

from syncd.adapters.handing import Away, MaybeSent, NotSent, Refused, told
from syncd.adapters.smtp_conversation import Conversation, ConversationTLS
from syncd.config import MailSection

SECONDS = 60


class Postman:
    """Delivers one message to one recipient at a time.

    :param password: reads it anew each time, so that it may change under a running service.
    :param seconds: for the whole conversation about one message.
    """

    def __init__(self, section: MailSection, password: Callable[[], str], seconds: float = SECONDS) -> None:
        self._section = section
        self._password = password
        self._seconds = seconds

    def send(self, message: EmailMessage, recipient: str) -> None:
        """Hand it over.

        :raises NotSent: it was not taken. :raises Refused: and never will be. :raises Away: nor would another one be.
        :raises MaybeSent: nobody knows.
        """
        server = self._connected()
        try:
            self._envelope(server, recipient)
            self._content(server, message)
        finally:
            server.close()

    def reach(self) -> None:
        """Connect and sign in, and send nothing. :raises Away: it cannot be done."""
        self._connected().close()

    @cached_property
    def _secure(self) -> ssl.SSLContext:
        """The machine's own authorities, loaded once: a tenth of a second for each message otherwise."""
        return ssl.create_default_context()

    def _connected(self) -> smtplib.SMTP:
        """Somebody to talk to, who has let us in. :raises Away: nobody has."""
        try:
            with ExitStack() as broken_off:
                server = self._dialled()
                broken_off.callback(server.close)
                self._let_in(server)
                broken_off.pop_all()
        except (smtplib.SMTPException, OSError) as error:
            raise Away(*told(error)) from error
        return server

    def _dialled(self) -> smtplib.SMTP:
        host, port = self._section.host, self._section.port
        if self._section.security == "tls":
            return ConversationTLS(host, port, timeout=self._seconds, context=self._secure)
        return Conversation(host, port, timeout=self._seconds)

    def _let_in(self, server: smtplib.SMTP) -> None:
        if self._section.security == "starttls":
            server.starttls(context=self._secure)
        if self._section.user:
            server.login(self._section.user, self._password())
        server.ehlo_or_helo_if_needed()

    def _envelope(self, server: smtplib.SMTP, recipient: str) -> None:
        """Who it is from and for; until here the server has nothing to deliver."""
        try:
            code, said = server.mail(self._section.sender)
            if code == 250:
                code, said = server.rcpt(recipient)
                if code >= 500:
                    raise Refused(_answered(code, said), str(code))
        except UnicodeEncodeError as error:
            raise Refused("the address cannot be written in plain letters", "UnicodeEncodeError") from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(*told(error)) from error
        if code not in (250, 251):
            raise NotSent(_answered(code, said), str(code))

    def _content(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        """The message itself; only the answer to its last line says whether it was taken (RFC 5321 4.2.5)."""
        try:
            code, said = server.data(message.as_bytes(policy=SMTP_LINES))
        except smtplib.SMTPDataError as error:
            raise NotSent(*told(error)) from error
        except (smtplib.SMTPException, OSError) as error:
            raise MaybeSent(*told(error)) from error
        if code != 250:
            kind = Refused if code >= 500 else NotSent
            raise kind(_answered(code, said), str(code))


def _answered(code: int, said: bytes) -> str:
    return f"the mail server answered {code} {said.decode(errors='replace')}"
