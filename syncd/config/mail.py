"""The table of `syncd.toml` about the mail server that takes what syncd sends."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from syncd.config.sections import SecretRef
from syncd.section import Section


def mail_address(value: str) -> str:
    """*value*, when mail can be sent to it.

    :raises ValueError: it is no address, or would begin another line of a message.
    """
    name, at, host = value.rpartition("@")
    if not (name and at and "." in host) or any(letter.isspace() or letter in "<>,;" for letter in value):
        raise ValueError("should be a mail address, such as leder@example.dk")
    return value


class MailSection(Section):
    """The mail server (SMTP); nothing is sent until host is given."""

    host: Annotated[
        str, Field(description="The server that takes mail; empty: none is sent.", examples=["smtp.example.dk"])
    ] = ""
    port: Annotated[int, Field(ge=1, le=65535, description="Its port: 587 for starttls, 465 for tls.")] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"],
        Field(description="How the connection is kept private; none is for a server on this very machine."),
    ] = "starttls"
    sender: Annotated[str, Field(description="From whom mail comes.", examples=["syncd@example.dk"])] = ""
    user: Annotated[str, Field(description="How syncd signs in there; empty: it does not.")] = ""
    password: Annotated[
        SecretRef | None, Field(description="Where the password is kept.", examples=[{"credential": "mail"}])
    ] = None

    @field_validator("sender")
    @classmethod
    def _address(cls, value: str) -> str:
        return mail_address(value) if value else value

    @model_validator(mode="after")
    def _whole(self) -> MailSection:
        if self.host and not self.sender:
            raise ValueError("mail.host needs mail.sender: from whom mail comes")
        if bool(self.user) is not (self.password is not None):
            raise ValueError("mail.user and mail.password belong together")
        if self.host and self.security == "none" and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("mail.security = none is for this very machine only; use starttls or tls")
        return self
