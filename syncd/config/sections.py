"""The tables of `syncd.toml`; description, default and example stand at each field."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from syncd.config.addresses import secure
from syncd.config.openings import weekly_hours
from syncd.model.directory import RoomRules
from syncd.model.zones import known
from syncd.section import Section


def short_name(value: str) -> str:
    """*value*, when it may be the id of a person, a room or a site, or the name of an account or a client.

    :raises ValueError: it may not.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", value):
        raise ValueError("should be a short name of letters a-z, digits, dot, dash and underscore")
    return value


def web_address(value: str | None) -> str | None:
    """*value*, when it is an address that may be called, without a password in it; None stays None.

    :raises ValueError: it is not.
    """
    parts = urlsplit(value or "https://x/")
    if not secure(value or "https://x/"):
        raise ValueError("should begin with https:// and name a server (http:// is for this machine only)")
    if parts.password is not None:
        raise ValueError("must not contain a password; use a key with a reference to where it is kept")
    return value


def proxy_address(value: str | None) -> str | None:
    """*value*, when it is the address of a proxy, which is spoken to in the clear before TLS passes through it.

    :raises ValueError: it is not, or holds a password.
    """
    parts = urlsplit(value or "http://x/")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("should begin with http:// or https:// and name a server")
    if parts.password is not None:
        raise ValueError("must not contain a password; use a key with a reference to where it is kept")
    return value


def _mail_address(value: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise ValueError("should be a mail address, such as anna@example.dk")
    return value


Id = Annotated[str, AfterValidator(short_name)]
"""A short stable name of ours, usable in URLs and file names."""

Address = Annotated[str, AfterValidator(_mail_address)]


class SecretRef(Section):
    """Where a secret is kept; exactly one of the three."""

    file: Annotated[Path | None, Field(description="A file that holds only the secret.")] = None
    env: Annotated[str | None, Field(description="An environment variable.")] = None
    credential: Annotated[str | None, Field(description="A systemd credential (LoadCredential=).")] = None

    @model_validator(mode="before")
    @classmethod
    def _never_inline(cls, value: object) -> object:
        if isinstance(value, str):
            raise ValueError(  # noqa: TRY004 - pydantic collects ValueError only
                "write where the secret is, never the secret: {file=…}, {env=…} or {credential=…}"
            )
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> SecretRef:
        if sum(part is not None for part in (self.file, self.env, self.credential)) != 1:
            raise ValueError("give exactly one of file, env, credential")
        return self


class HttpSection(Section):
    """Where syncd answers HTTP."""

    listen: Annotated[
        str,
        Field(
            description="Address and port; port 0 takes a free one.",
            examples=["[::1]:8080"],
        ),
    ] = "127.0.0.1:8080"

    @field_validator("listen")
    @classmethod
    def address(cls, value: str) -> str:
        """*value*, when it is an address and a port.

        :raises ValueError: it is not.
        """
        try:
            parts = urlsplit(f"//{value}")
            fits = bool(parts.hostname) and parts.port is not None and not parts.path and "@" not in value
        except ValueError:
            fits = False
        if not fits:
            raise ValueError("should be address:port, such as 127.0.0.1:8080 or [::1]:8080")
        return value

    @property
    def host(self) -> str:
        """The address to bind."""
        return urlsplit(f"//{self.listen}").hostname or ""

    @property
    def port(self) -> int:
        """The port to bind; 0 for any free one."""
        return urlsplit(f"//{self.listen}").port or 0


class SiteSection(Section):
    """A place with people and rooms."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            description="What people call it.",
            examples=["Jobcentret, Torvet 1"],
        ),
    ]
    zone: Annotated[str, Field(description="Time zone of its working hours and caps.")] = "Europe/Copenhagen"
    reception: Annotated[
        str,
        Field(
            description="Where citizens report until a room is announced.",
            examples=["Receptionen i stuen"],
        ),
    ] = ""
    rooms_announced: Annotated[
        Annotated[int, Field(ge=1, le=60)] | Literal["at-booking"],
        Field(
            description="Days before the meeting's day at whose beginning people are told their room; or at-booking, "
            "which makes 7 to 14 of 100 meetings change after people were told.",
            examples=["at-booking"],
        ),
    ] = 2
    rooms_frozen: Annotated[
        time,
        Field(description="Wall clock on the working day before; from then on no booking changes a room of the day."),
    ] = time(12)
    room_moves: Annotated[
        int, Field(ge=0, le=6, description="Most meetings that change rooms to make place for a new one.")
    ] = 3
    room_moves_announced: Annotated[
        int, Field(ge=0, le=6, description="Most of them whose people had been told their room.")
    ] = 2
    shape_busy_days: Annotated[
        bool,
        Field(
            description="On days more than half full, hide times that leave useless gaps while a better one is near: "
            "more meetings, fewer first wishes."
        ),
    ] = False

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str) -> str:
        return known_zone(value)

    @field_validator("rooms_frozen")
    @classmethod
    def _wall(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("should be a wall-clock time without a zone; the site's zone holds")
        return value

    def room_rules(self) -> RoomRules:
        """How this site gives its rooms."""
        days = None if self.rooms_announced == "at-booking" else self.rooms_announced
        told, shape = self.room_moves_announced, self.shape_busy_days
        return RoomRules(days, self.rooms_frozen, self.room_moves, told, shape)


class CaseworkerSection(Section):
    """A person whose time is booked."""

    id: Annotated[Id, Field(description="Our own short name; never changes.", examples=["anna"])]
    name: Annotated[
        str,
        Field(min_length=1, description="Shown to staff only.", examples=["Anna Holm"]),
    ]
    address: Annotated[Address, Field(description="Mail address.", examples=["anna@example.dk"])]
    site: Annotated[str, Field(description="A site of [sites].", examples=["torvet"])]
    account: Annotated[
        str | None,
        Field(description="The [calendars] account; may be left out when there is one only.", examples=["main"]),
    ] = None
    url: Annotated[
        str | None,
        Field(
            description="Calendar URL (absolute, or below the account's), when discovery is not wanted.",
            examples=["anna/kalender/"],
        ),
    ] = None
    zone: Annotated[
        str | None,
        Field(description="Zone of floating and all-day entries; the site's if unset.", examples=["Europe/Copenhagen"]),
    ] = None
    floor: Annotated[int, Field(ge=-9, le=99, description="Where the desk is.")] = 0
    teams: Annotated[tuple[str, ...], Field(description="Team names.", examples=[["job"]])] = ()
    video: Annotated[
        str | None,
        Field(
            description="Where her meetings by video are held, when the calendar makes no link.",
            pattern=r"^https://[^\s]+$",
            examples=["https://video.example.dk/anna"],
        ),
    ] = None
    competences: Annotated[
        tuple[str, ...], Field(description="What rules may ask for by competence:NAME.", examples=[["arabisk"]])
    ] = ()

    open_plan: Annotated[
        bool, Field(description="The desk is in an open-plan office; see open_plan_room_forms of offers.")
    ] = False

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        return None if value is None else known_zone(value)


class RoomSection(Section):
    """A room that can be given to a meeting."""

    id: Annotated[
        Id,
        Field(description="Our own short name; never changes.", examples=["lokale-1"]),
    ]
    name: Annotated[
        str,
        Field(
            min_length=1,
            description="What is written on the door.",
            examples=["Lokale 1.07"],
        ),
    ]
    address: Annotated[Address, Field(description="Mail address.", examples=["lokale1@example.dk"])]
    site: Annotated[str, Field(description="A site of [sites].", examples=["torvet"])]
    account: Annotated[
        str | None,
        Field(description="The [calendars] account; may be left out when there is one only.", examples=["main"]),
    ] = None
    url: Annotated[
        str | None,
        Field(
            description="Calendar URL (absolute, or below the account's), when discovery is not wanted.",
            examples=["lokale-1/kalender/"],
        ),
    ] = None
    floor: Annotated[int, Field(ge=-9, le=99, description="Which floor it is on.")] = 0
    capacity: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description="Seats, the caseworker's included.",
            examples=[4],
        ),
    ] = 2
    features: Annotated[
        frozenset[str],
        Field(
            description="Equipment words that offers may ask for.",
            examples=[["screen"]],
        ),
    ] = frozenset()
    step_free: Annotated[bool, Field(description="Reachable without steps.")] = False
    turnover: Annotated[int, Field(ge=0, le=240, description="Minutes kept free after each meeting.")] = 0
    opens: Annotated[
        time | None, Field(description="Wall clock; the room is never given earlier.", examples=["08:00"])
    ] = None
    closes: Annotated[
        time | None, Field(description="Wall clock; the room is never given later.", examples=["16:00"])
    ] = None
    preferred_by: Annotated[tuple[str, ...], Field(description="Teams that come first here.", examples=[["job"]])] = ()
    hours: Annotated[
        tuple[str, ...],
        Field(
            description="Opening hours by weekday, instead of opens and closes; closed on days not named. In a CSV "
            "file separated by semicolons.",
            examples=[["mon-thu 08:00-16:00", "fri 08:00-14:00"]],
        ),
    ] = ()

    @field_validator("hours")
    @classmethod
    def _weekly(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        weekly_hours(value)
        return value

    @model_validator(mode="after")
    def _opens_before_closing(self) -> RoomSection:
        if self.opens is not None and self.closes is not None and self.opens >= self.closes:
            raise ValueError("opens must be earlier than closes on the same day")
        opens, closes = self.opens or time(), self.closes or time(23, 59)
        minutes = (closes.hour - opens.hour) * 60 + closes.minute - opens.minute
        if self.turnover >= minutes:
            raise ValueError(f"turnover = {self.turnover} minutes leaves nothing of the {minutes} the room is open")
        return self


class SyncSection(Section):
    """How often calendars are read, and when what was read is too old to be trusted."""

    interval_seconds: Annotated[int, Field(ge=1, le=3600, description="Pause between two looks at a calendar.")] = 60
    horizon_days: Annotated[int, Field(ge=1, le=366, description="How far ahead calendars are mirrored.")] = 60
    full_every_minutes: Annotated[int, Field(ge=1, description="A full listing at least this often.")] = 1440
    max_age_seconds: Annotated[int, Field(ge=1, description="A mirror older than this closes its offers.")] = 900
    hold_limit_seconds: Annotated[
        int,
        Field(
            ge=1,
            description="A hold is refused when the mirror is older and cannot be refreshed.",
        ),
    ] = 300
    workers: Annotated[int, Field(ge=1, le=64, description="Calendars read at the same time.")] = 4
    loss_share: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="A larger part of a calendar gone at once is not believed …",
        ),
    ] = 0.2
    loss_least: Annotated[int, Field(ge=1, description="… if it is at least this many entries.")] = 5
    loss_own: Annotated[
        int,
        Field(ge=1, description="So many of our own future meetings gone at once neither."),
    ] = 2


class LogSection(Section):
    """What is logged, and how."""

    level: Annotated[Literal["debug", "info", "warning", "error"], Field(description="Least level.")] = "info"
    format: Annotated[
        Literal["auto", "json", "pretty"],
        Field(description="auto: pretty on a terminal, JSON elsewhere."),
    ] = "auto"


def known_zone(value: str) -> str:
    """*value*, when this machine knows it as an IANA zone.

    :raises ValueError: it does not.
    """
    if not known(value):
        raise ValueError(f"unknown time zone '{value}'; use an IANA name such as Europe/Copenhagen")
    return value
