"""Many organisations on one machine: from one table to a configuration and a unit's size for each."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from math import ceil
from typing import Any

from syncd.config.first import ADAPTERS, CONFIG, PEOPLE, ROOMS, RULES, Answers, first_files
from syncd.config.places import STATE

COLUMNS = ("name", "organisation", "adapter", "url", "username", "site", "mailboxes")
MORE = ("tenant", "auth", "database")
FIRST_PORT = 8100
"""The first organisation's API; its monitor is on the next port, the second organisation two further on.

Who has a configuration keeps its ports; a new one gets the next two that are in none."""
RESIDENT_MB = 90
"""What a process needs before it knows a calendar (docs/reference/performance.md)."""
PER_MAILBOX_MB = 0.05
"""A calendar's share, twice what was measured with 1,000 entries in each."""
LEAST_MB = 256
SECRET = '{credential = "kalender"}'  # noqa: S105 - where it is, not what
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True, slots=True)
class Instance:
    """One organisation as a row of the table names it.

    :param name: of the unit, ``syncd@NAME``. :param port: of its API. :param database: its URL.
    """

    name: str
    mailboxes: int
    port: int
    database: str
    answers: Answers

    @property
    def memory_mb(self) -> int:
        """What its unit may use: three times what it should need, in steps of 64."""
        return max(LEAST_MB, 64 * ceil(3 * (RESIDENT_MB + PER_MAILBOX_MB * self.mailboxes) / 64))


def instances(
    rows: Iterable[Mapping[str, str]], held: Mapping[str, Collection[int]] | None = None
) -> tuple[list[Instance], list[str]]:
    """What the table's rows say, and every problem they have.

    :param held: by organisation, the ports in its configuration, its API's first; those not in the table, too, for
        their units may still run.
    """
    held = held or {}
    taken = {port for ports in held.values() for port in ports}
    free = (port for port in count(FIRST_PORT, 2) if not taken & {port, port + 1})
    found: list[Instance] = []
    problems: list[str] = []
    for number, row in enumerate(rows):
        wrong = list(_wrong(row, {one.name for one in found}))
        problems += [f"row {number + 2}: {problem}" for problem in wrong]
        if not wrong:
            mine = held.get(row["name"].strip())
            found.append(_instance(row, next(iter(mine)) if mine else next(free)))
    return found, problems


def ports_in(configuration: str) -> list[int]:
    """The ports of a configuration, its API's first; none of one that cannot be read."""
    try:
        said = tomllib.loads(configuration)
    except tomllib.TOMLDecodeError:
        return []
    return list(_ports(said))


def _ports(said: Mapping[str, Any]) -> Iterator[int]:
    for section in ("http", "monitor", "tls", "jobnet", "notices"):
        listen = said.get(section, {}).get("listen", "") if isinstance(said.get(section), dict) else ""
        port = str(listen).rpartition(":")[2]
        if port.isdecimal():
            yield int(port)


def _wrong(row: Mapping[str, str], taken: set[str]) -> Iterable[str]:
    for column in COLUMNS:
        if not row.get(column, "").strip() and not (column == "url" and row.get("adapter", "").strip() == "graph"):
            yield f"{column} is missing"
    name = row.get("name", "").strip()
    if name and not _NAME.fullmatch(name):
        yield f"name {name!r} must be small letters, digits and hyphens, for it names a unit: syncd@NAME"
    if name in taken:
        yield f"name {name!r} is another row's already"
    if (adapter := row.get("adapter", "").strip()) and adapter not in ADAPTERS:
        yield f"adapter {adapter!r} is none of {', '.join(ADAPTERS)}"
    if (mailboxes := row.get("mailboxes", "").strip()) and not mailboxes.isdecimal():
        yield f"mailboxes {mailboxes!r} is not a number"


def _instance(row: Mapping[str, str], port: int) -> Instance:
    told = {column: row.get(column, "").strip() for column in (*COLUMNS, *MORE)}
    answers = Answers(
        organisation=told["organisation"],
        adapter=told["adapter"],
        url=told["url"],
        username=told["username"],
        site=told["site"],
        secret=SECRET,
        tenant=told["tenant"],
        auth=told["auth"] or "ntlm",
        template="jobcenter",
        beside=False,
    )
    # Named, though the service would find it by itself: commands in a shell would look in another folder.
    database = told["database"] or f"sqlite:///{STATE}-{told['name']}/syncd.sqlite3"
    return Instance(told["name"], int(told["mailboxes"]), port, database, answers)


def files_of(instance: Instance) -> dict[str, str]:
    """Its files, by their place in the configuration folder; what people keep by hand lies in a folder of its own."""
    made = first_files(instance.answers)
    text = made[CONFIG].replace("127.0.0.1:8080", f"127.0.0.1:{instance.port}")
    text = text.replace("127.0.0.1:8081", f"127.0.0.1:{instance.port + 1}")
    for name in (RULES, PEOPLE, ROOMS):
        text = text.replace(f'"{name}"', f'"{instance.name}/{name}"')
    text = text.replace("rules_file", f'database = "{instance.database}"\nrules_file', 1)
    return {
        f"{instance.name}.toml": text,
        **{f"{instance.name}/{name}": made[name] for name in (RULES, PEOPLE, ROOMS)},
    }


def unit_of(instance: Instance) -> tuple[str, str]:
    """The drop-in that sizes its unit: place in systemd's folder, and text."""
    told = f"# For {instance.mailboxes} mailboxes; made by: syncd organisations make\n"
    return f"syncd@{instance.name}.service.d/size.conf", f"{told}[Service]\nMemoryMax={instance.memory_mb}M\n"
