"""What the server of each account can do: looked at now and then, kept in the database, told to the adapter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from syncd.clock import Clock
from syncd.model.directory import Directory
from syncd.observe.logs import log
from syncd.ports import CalendarPort, Learning
from syncd.store import Store, Tx

if TYPE_CHECKING:
    from syncd.daemon.parts import Parts

PROBE_SECONDS = 6 * 3600.0
"""Between two looks at the same server; it may be upgraded, or replaced by another behind the same address."""


@dataclass(frozen=True, slots=True)
class Server:
    """What was found out about one account's server.

    :param facts: as `syncd.ports.CheckResult` has them, without those of a single calendar.
    :param noted: when it was looked at last. :param since: since when it has been so.
    """

    facts: Mapping[str, str]
    noted: datetime
    since: datetime


def kept(tx: Tx, account: str) -> Server | None:
    """What the database knows of an account's server; None when it was never looked at."""
    text = tx.settings.value(_name(account))
    if text is None:
        return None
    row = json.loads(text)
    return Server(row["facts"], datetime.fromisoformat(row["noted"]), datetime.fromisoformat(row["since"]))


def remind(store: Store, ports: Mapping[str, CalendarPort]) -> None:
    """Tell the adapters what was found out before this start."""
    with store.read() as tx:
        known = {name: kept(tx, name) for name in ports}
    for name, port in ports.items():
        server = known[name]
        if server is not None and isinstance(port, Learning):
            port.remember(server.facts)


def probe(parts: Parts, clock: Clock) -> None:
    """Look at each account's server through the first of its calendars that answers; a failure changes nothing."""
    for name, port in parts.ports.items():
        if not isinstance(port, Learning):
            continue
        facts = _asked(parts.directory, name, port)
        if facts:
            port.remember(facts)
            note(parts.store, name, facts, clock.now())


def note(store: Store, account: str, facts: Mapping[str, str], now: datetime) -> None:
    """Keep *facts*; a server that is another one than before is logged."""

    def work(tx: Tx) -> Mapping[str, str]:
        before = kept(tx, account)
        since = before.since if before is not None and before.facts == facts else now
        row = {"facts": dict(facts), "noted": now.isoformat(), "since": since.isoformat()}
        tx.settings.put(_name(account), json.dumps(row))
        return before.facts if before is not None else facts

    before = store.run(work)
    if changed := differences(before, facts):
        log.warning("server.changed", account=account, changed=", ".join(changed))


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What is another now, in words; that something became known is no difference."""
    return [
        f"{name}: {before[name]} > {after[name]}"
        for name in sorted(before.keys() & after.keys())
        if before[name] != after[name] and "unknown" not in (before[name], after[name])
    ]


def _asked(directory: Directory, account: str, port: Learning) -> Mapping[str, str] | None:
    for mailbox in directory.mailboxes.values():
        if mailbox.account == account:
            found = port.check(mailbox)
            if found.ok:
                return port.of_server(found)
    return None


def _name(account: str) -> str:
    return f"server:{account}"
