"""What the operator of the town would have written: configuration, rules and secrets, in one folder."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from syncd.config import token_digest
from syncd.config.passwords import hashed
from syncd.demo.children import HOST
from syncd.demo.desk import House
from syncd.demo.people import CASEWORKERS, ORGANISATION, ROOMS, SITE, ZONE, Owner
from syncd.demo.radicale import SERVICE_ACCOUNT
from syncd.demo.window import ACCOUNT
from syncd.model.role import Role

PASS_SECONDS = 2
"""Pause between two looks at a calendar; short, so that a visitor sees changes at once."""

CONFIG, RULES = "syncd.toml", "offers.toml"

_TOML = """organisation = "{organisation}"
support = "Borgerservice, tlf. 12 34 56 78"
database = "sqlite:///syncd.sqlite3"
rules_file = "{rules}"
caseworkers_file = "caseworkers.csv"
rooms_file = "rooms.csv"

[http]
listen = "{host}:{port}"

[sync]
interval_seconds = {interval}
max_age_seconds = 120
hold_limit_seconds = 15

[log]
format = "json"

{calendars}
[sites.{site}]
name = "Jobcenter Byhavn, Torvet 1"
zone = "{zone}"
reception = "Receptionen i stuen"

[clients.portal]
token_sha256 = "{digest}"
rights = ["book", "why", "servers", "staff"]
"""

_PAGES = """
[pages]
portal_url = "https://jobnet.dk"

{accounts}
[supply.targets.job]
share = 80
"""

_ACCOUNT = """[[pages.accounts]]
name = "{name}"
password = "{kept}"
roles = [{roles}]
"""
_COST = 10
"""Of a hash: these passwords are long and random, and guard made-up people on one machine."""
ACCOUNTS: Mapping[str, tuple[Role, ...]] = {
    ACCOUNT: tuple(Role),
    "leder": (Role.MANAGER,),
    "lokaleservice": (Role.FACILITIES,),
    "koordinator": (Role.COORDINATOR,),
    CASEWORKERS[0].id: (Role.STAFF,),
    "drift": (Role.OPERATOR,),
}
"""Who may sign in to the town's pages, as what; the passwords are the town's secrets of the names."""

RULES_TEXT = """# What citizens of Byhavn can book. Minutes throughout.

[offers.jobsamtale]
title = {da = "Jobsamtale", en = "Job interview"}
minutes = {in-person = 45, phone = 30, video = 30}
who = ["team:job"]
step = 15
after = 10
notice = 120
horizon_days = 21
per_day = 4
hold_minutes = 10
moves = 3

[offers.sygeopfoelgning]
title = {da = "Opfølgning i sygedagpenge", en = "Follow-up during sick leave"}
minutes = {in-person = 30, phone = 30}
who = ["team:syge"]
after = 15
notice = 1440
horizon_days = 21
room = {step_free = true}

[offers.tryg-samtale]
title = {da = "Samtale i trygt lokale", en = "Talk in a secured room"}
minutes = {in-person = 30}
who = ["team:unge"]
notice = 240
horizon_days = 21
room = {features = ["alarm"]}

[offers.familiemoede]
title = {da = "Møde med familien", en = "Meeting with the family"}
minutes = {in-person = 60}
who = ["team:unge"]
horizon_days = 21
room = {seats = 6, features = ["screen"]}

[[hours]]
who = ["everyone"]
days = "mon-thu"
from = "08:30"
to = "15:30"
breaks = ["12:00-12:30"]

[[hours]]
who = ["everyone"]
days = "fri"
from = "08:30"
to = "13:00"
breaks = ["12:00-12:30"]

[everyone]
publish = "both"
expected_per_week = 8
"""
"""What can be booked in the town, as `syncd offers apply` takes it."""


def secret(folder: Path, name: str) -> str:
    """The town's secret of that name, made at the first call and kept in the folder (mode 0600)."""
    path = folder / "secrets" / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def key(folder: Path, name: str) -> None:
    """Make the town's key of that name: 32 bytes in hexadecimal digits."""
    path = folder / "secrets" / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(32), encoding="utf-8")


def passwords(folder: Path) -> Mapping[str, str]:
    """Passwords of everybody's calendar account."""
    owners = [owner.id for owner in (*CASEWORKERS, *ROOMS)]
    return {account: secret(folder, account) for account in (SERVICE_ACCOUNT, *owners)}


def pages(folder: Path) -> str:
    """The tables of the configuration that let the visitor in, as everybody, and say what is aimed at."""
    accounts = [
        _ACCOUNT.format(
            name=name,
            kept=hashed(secret(folder, f"page-{name}"), _COST),
            roles=", ".join(f'"{role.value}"' for role in roles),
        )
        for name, roles in ACCOUNTS.items()
    ]
    return _PAGES.format(accounts="\n".join(accounts))


def write(folder: Path, server: House, port: int, more: str = "") -> Path:
    """Write the operator's files for a daemon on *port*; the path of the configuration.

    :param more: further tables of the configuration.
    """
    text = _TOML.format(
        organisation=ORGANISATION,
        rules=RULES,
        host=HOST,
        port=port,
        interval=PASS_SECONDS,
        calendars=server.table(),
        site=SITE,
        zone=ZONE,
        digest=token_digest(secret(folder, "portal")),
    )
    (folder / CONFIG).write_text(text + more, encoding="utf-8")
    (folder / RULES).write_text(RULES_TEXT, encoding="utf-8")
    (folder / "caseworkers.csv").write_text(_people(server), encoding="utf-8")
    (folder / "rooms.csv").write_text(_rooms(server), encoding="utf-8")
    return folder / CONFIG


def _people(server: House) -> str:
    rows = [(*_common(one, server), one.team) for one in CASEWORKERS]
    return _table(("id", "name", "address", "site", "floor", "url", "teams"), rows)


def _rooms(server: House) -> str:
    rows = [
        (*_common(one, server), one.seats, " ".join(one.features), "yes" if one.step_free else "no") for one in ROOMS
    ]
    return _table(("id", "name", "address", "site", "floor", "url", "capacity", "features", "step_free"), rows)


def _common(owner: Owner, server: House) -> tuple[object, ...]:
    return owner.id, owner.name, owner.address, SITE, owner.floor, server.collection(owner.id)


def _table(columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([columns, *rows])
    return out.getvalue()
