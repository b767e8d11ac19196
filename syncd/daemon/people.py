"""Distribution groups of the configuration: where each is asked, and one look at all of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from syncd.adapters.groupfile import FileGroup
from syncd.config import Config, GroupSection
from syncd.daemon.parts import Parts
from syncd.errors import Rejected
from syncd.ports import CalendarPort, GroupSource
from syncd.sync.groups import Followed, ask_about_leavers, follow


def follow_groups(parts: Parts, now: datetime, *, accept_loss: bool = False) -> list[Followed]:
    """Ask every group of the configuration who is in it, and staff about those who left with meetings to come.

    :raises StoreError: the database cannot be used.
    """
    config = parts.config
    taken = {person.id for person in config.caseworkers} | set(parts.directory.rooms)
    done = [
        follow(
            parts.store,
            group.address.lower(),
            partial(_source, config, parts.ports, group),
            taken,
            now,
            accept_loss=accept_loss,
        )
        for group in config.groups
    ]
    if done:
        parts.store.run(lambda tx: ask_about_leavers(tx, parts.directory, now))
    return done


def outdated(parts: Parts, now: datetime) -> bool:
    """Whether the people in force are not those of the groups any more, so that the parts must be built anew."""
    if not parts.config.groups:
        return False
    with parts.store.read() as tx:
        members = tx.members.serving(now)
    return dict(parts.config.directory(members).caseworkers) != dict(parts.directory.caseworkers)


def _source(config: Config, ports: Mapping[str, CalendarPort], group: GroupSection) -> GroupSource:
    """Where *group* is asked.

    :raises Rejected: its calendar server knows no groups.
    """
    if group.file is not None:
        return FileGroup(group.file)
    port = ports[config.account_of(group.account)]
    if isinstance(port, GroupSource):
        return port
    raise Rejected(
        f"The calendar server of {group.address} cannot tell who is in a group. "
        "Give the group a file of addresses (file = …), or name its people in [[caseworkers]]."
    )
