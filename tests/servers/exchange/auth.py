"""Who asks: Basic, NTLM (a real handshake, bound to the connection), Kerberos, and bearer tokens of an endpoint."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from urllib.parse import parse_qs

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from tests.servers.exchange.world import Account, World

_environment = threading.Lock()
CHANNEL_BOUND = 0x800
"""GSS_C_CHANNEL_BOUND_FLAG: the other end has shown the same channel."""


@dataclass
class Connection:
    """What a TCP connection knows of its other end.

    :param certified: the name in the certificate that the client showed.
    """

    account: Account | None = None
    certified: str = ""
    context: spnego.ContextProxy | None = None


@dataclass
class Doorkeeper:
    """Lets accounts in.

    :param schemes: offered and accepted, in this order.
    :param token_seconds: how long a bearer token is good.
    :param binding: of the TLS channel; NTLM and Kerberos without it are refused, as Extended Protection does.
    :param tickets: accept Kerberos tickets by the keytab of the environment (KRB5_KTNAME); needs gssapi.
    """

    world: World
    schemes: tuple[str, ...] = ("Negotiate", "NTLM", "Basic", "Bearer")
    token_seconds: float = 3600.0
    clients: dict[str, tuple[str, str]] = field(default_factory=dict)
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    asked: int = 0
    binding: bytes = b""
    tickets: bool = False
    _ntlm_file: Path | None = None

    def challenges(self, tried: str = "") -> list[str]:
        """WWW-Authenticate headers.

        :param tried: the scheme that did not work; a refused token is called so (RFC 6750 3.1).
        """
        refused = ', error="invalid_token"' if tried == "Bearer" else ""
        words = {"Basic": 'Basic realm="exchange"', "Bearer": f'Bearer realm=""{refused}'}
        return [words.get(one, one) for one in self.schemes if one != "Certificate"]

    def let_in(self, header: str | None, connection: Connection) -> Account | str | None:
        """The account, or the next NTLM challenge, or None for a refusal."""
        if header is None and connection.certified and "Certificate" in self.schemes:
            return self._account(connection.certified)
        if header is None:
            return connection.account
        scheme, _, content = header.partition(" ")
        known = {one.lower(): one for one in self.schemes}.get(scheme.lower())
        if known == "Basic":
            return self._basic(content)
        if known == "Bearer":
            return self._bearer(content)
        if known == "Negotiate" and self.tickets:
            connection.account = self._account(_bearer_of_ticket(content, self.binding))
            return connection.account
        return self._ntlm(known, content, connection) if known in ("NTLM", "Negotiate") else None

    def _basic(self, content: str) -> Account | None:
        try:
            user, _, password = base64.b64decode(content, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        account = self._account(user)
        good = account is not None and hmac.compare_digest(account.password.encode(), password.encode())
        return account if good else None

    def _account(self, user: str) -> Account | None:
        return self.world.accounts.get(user.rpartition("\\")[2].lower())

    def _bearer(self, token: str) -> Account | None:
        name, until = self.tokens.get(token, ("", 0.0))
        return self.world.accounts.get(name) if self.world.clock().timestamp() < until else None

    def _ntlm(self, scheme: str, content: str, connection: Connection) -> Account | str | None:
        with _environment:
            os.environ["NTLM_USER_FILE"] = str(self._users())
            try:
                if connection.context is None:
                    bound = GssChannelBindings(application_data=self.binding) if self.binding else None
                    connection.context = spnego.server(protocol=scheme.lower(), channel_bindings=bound)
                token = connection.context.step(base64.b64decode(content))
            except (SpnegoError, binascii.Error, ValueError):
                connection.context = None
                return None
        if not connection.context.complete:
            return f"{scheme} {base64.b64encode(token or b'').decode()}"
        connection.account = self._account(connection.context.client_principal or "")
        connection.context = None
        return connection.account

    def _users(self) -> Path:
        if self._ntlm_file is None:
            handle, name = tempfile.mkstemp(prefix="ntlm-")
            os.close(handle)
            self._ntlm_file = Path(name)
        lines = []
        for one in self.world.accounts.values():
            lines += [f"{domain}:{one.name}:{one.password}\n" for domain in ("", "BYHAVN", "DOM")]
        self._ntlm_file.write_text("".join(lines))
        return self._ntlm_file

    def token(self, form: str) -> Mapping[str, object] | None:
        """The answer of the token endpoint to a client-credentials request (RFC 6749 4.4); None for a refusal."""
        self.asked += 1
        fields = {key: values[0] for key, values in parse_qs(form).items()}
        secret, account = self.clients.get(fields.get("client_id", ""), ("", ""))
        if not secret or not hmac.compare_digest(secret, fields.get("client_secret", "")):
            return None
        token = secrets.token_urlsafe(24)
        self.tokens[token] = (account.lower(), self.world.clock().timestamp() + self.token_seconds)
        return {"access_token": token, "token_type": "Bearer", "expires_in": int(self.token_seconds)}

    def close(self) -> None:
        """Remove the file of NTLM's passwords."""
        if self._ntlm_file is not None:
            self._ntlm_file.unlink(missing_ok=True)
            self._ntlm_file = None


def _bearer_of_ticket(content: str, binding: bytes) -> str:
    """Who shows this ticket, without the realm; empty when it is not believed, or not bound to the TLS channel."""
    gssapi = import_module("gssapi")
    bound = gssapi.raw.ChannelBindings(application_data=binding) if binding else None
    context = gssapi.SecurityContext(usage="accept", channel_bindings=bound)
    try:
        context.step(base64.b64decode(content))
    except (gssapi.exceptions.GSSError, binascii.Error):
        return ""
    believed = context.complete and (bound is None or context.actual_flags & CHANNEL_BOUND)
    return str(context.initiator_name).partition("@")[0] if believed else ""
