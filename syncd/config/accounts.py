"""The `[calendars.NAME]` tables: which servers there are, and who reads and writes there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from syncd.config.exchange import ExchangeSection
from syncd.config.graph import GraphSection
from syncd.config.sections import SecretRef, web_address
from syncd.section import Section


class CalendarAccount(Section):
    """One way to reach calendars: a server and the account that may read and write there."""

    adapter: Annotated[
        Literal["caldav", "ews", "graph", "memory"],
        Field(
            description="Kind of server: 'ews' is Exchange Server, 'graph' Microsoft 365; 'memory' is the process "
            "itself, for trials.",
            examples=["caldav"],
        ),
    ]
    url: Annotated[
        str | None,
        Field(
            description="Base URL of the server.",
            examples=["https://kalender.example.dk/"],
        ),
    ] = None
    username: Annotated[str | None, Field(description="Account name.", examples=["syncd"])] = None
    password: Annotated[
        SecretRef | None,
        Field(
            description="Where the password is kept, never the password itself.",
            examples=[{"credential": "caldav"}],
        ),
    ] = None
    ca_file: Annotated[
        Path | None,
        Field(description="Certificate authority of the server, if it is your own.", examples=["/etc/ssl/our-ca.pem"]),
    ] = None
    timeout_seconds: Annotated[int, Field(ge=1, le=300, description="A call that takes longer is given up.")] = 20
    opening_hours: Annotated[
        bool,
        Field(description="CalDAV: be closed outside the hours that owners keep on the server (RFC 7953), too."),
    ] = False
    rooms: Annotated[
        Literal["write", "invite"] | None,
        Field(
            description="'write' keeps rooms' calendars ourselves (CalDAV, if nothing is said); 'invite' lets "
            "the server deliver invitations (Exchange; CalDAV with RFC 6638), and each room's own answer counts.",
            examples=["invite"],
        ),
    ] = None
    hybrid: Annotated[
        str | None,
        Field(
            description="Account of the other side (Exchange Server or Microsoft 365) on which a mailbox of this one "
            "may live instead, or be moved to; each is followed to where its server says it is.",
            examples=["cloud"],
        ),
    ] = None
    ews: Annotated[ExchangeSection, Field(description="What only an Exchange server has.")] = ExchangeSection()
    graph: Annotated[GraphSection, Field(description="What only a Microsoft 365 tenant has.")] = GraphSection()

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        return web_address(value)

    @property
    def invites_rooms(self) -> bool:
        """Whether the rooms of this account are invited and answer for themselves."""
        return self.rooms == "invite" or (self.rooms is None and self.adapter in ("ews", "graph"))

    @model_validator(mode="after")
    def _reachable(self) -> CalendarAccount:
        if self.adapter == "caldav" and self.url is None:
            raise ValueError("a caldav account needs url, the server's base address")
        if self.adapter == "ews":
            self._one_way_to_exchange()
        if self.adapter == "ews" and self.ews.auth in ("ntlm", "basic") and not (self.username and self.password):
            raise ValueError(f'auth = "{self.ews.auth}" needs username and password')
        if self.adapter == "graph" and not self.graph.complete:
            raise ValueError(
                "a graph account needs graph.tenant, graph.client_id, and graph.certificate or graph.secret"
            )
        if self.adapter == "graph" and self.rooms == "write":
            raise ValueError(
                "rooms in Microsoft 365 are invited; what is written into them is not checked for conflicts"
            )
        return self

    def _one_way_to_exchange(self) -> None:
        searched = bool(self.ews.autodiscover.hosts)
        if searched and self.url is not None:
            raise ValueError("an ews account has either url or ews.autodiscover.hosts, not both")
        if not searched and not (self.url or "").lower().endswith(".asmx"):
            raise ValueError(
                "an ews account needs url, the endpoint: https://HOST/EWS/Exchange.asmx (or ews.autodiscover.hosts)"
            )
