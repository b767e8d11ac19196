"""The table of `syncd.toml` about word of changes from Microsoft 365."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from syncd.config.addresses import secure
from syncd.config.sections import HttpSection
from syncd.section import Section

PATH = "/graph/notifications"
"""Where notifications are taken."""
LISTENER = "notices"
"""What a listener of their own is called."""


class NoticesSection(Section):
    """Where Microsoft 365 may tell of changes, so that calendars are looked at within seconds; polls go on as ever."""

    url: Annotated[
        str | None,
        Field(
            description=f"Public https address that leads to {PATH} here; without it calendars are polled alone.",
            examples=["https://syncd.example.dk/graph/notifications"],
        ),
    ] = None
    listen: Annotated[
        str,
        Field(
            description=f"Address and port on which {PATH} and nothing else is answered; empty: on http.listen.",
            examples=["127.0.0.1:8082"],
        ),
    ] = ""

    @field_validator("url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and (not secure(value) or urlsplit(value).query or urlsplit(value).fragment):
            raise ValueError("should be an https address without ? and #, for Microsoft calls no other")
        return value

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        return value and HttpSection.address(value)

    @model_validator(mode="after")
    def _used(self) -> NoticesSection:
        if self.listen and self.url is None:
            raise ValueError("listen is of no use without url")
        return self

    @property
    def by(self) -> str | None:
        """Name of the listener that takes them; empty for http.listen, None when none does."""
        return None if self.url is None else LISTENER if self.listen else ""

    @property
    def http(self) -> HttpSection | None:
        """The listener, if it is one of its own."""
        return HttpSection(listen=self.listen) if self.listen else None
