"""Who is a caseworker because a distribution group holds her: joiners, leavers, and those who come back; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from syncd.model.directory import MailboxId

SHARE, LEAST = 0.2, 5
"""A larger part of a group gone at once, and at least so many, is not believed (architecture, decision 4)."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One person of one group.

    :param id: our own stable name, made from the address when she was first seen.
    :param group: the group's address.
    :param left: when she was first missed (UTC); None while she is in it.
    """

    id: MailboxId
    group: str
    address: str
    name: str
    joined: datetime
    left: datetime | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What a look at a group changes. :param gone: how many of those known are missing."""

    rows: tuple[Enrolled, ...]
    joined: tuple[MailboxId, ...]
    left: tuple[MailboxId, ...]
    known: int

    @property
    def unbelievable(self) -> bool:
        """Whether so many are missing that the list is more likely to be wrong than the people to be gone."""
        gone = len(self.left)
        return gone == self.known > 1 or (gone >= LEAST and gone > SHARE * self.known)


def enrol(
    group: str,
    known: Sequence[Enrolled],
    told: Iterable[tuple[str, str]],
    taken: Collection[MailboxId],
    now: datetime,
) -> Enrolment:
    """Compare the people of *group* with what the server tells.

    :param known: everybody of every group, those who left too: one person keeps her id in all of them.
    :param told: addresses and names.
    :param taken: ids that belong to others: people of the configuration, and rooms.
    """
    ids = {one.address: one.id for one in known}
    here = {one.address: one for one in known if one.group == group}
    there = {address.lower(): name for address, name in told}
    rows: list[Enrolled] = []
    joined: list[MailboxId] = []
    for address, name in sorted(there.items()):
        before = here.get(address)
        if before is None:
            ids[address] = ids.get(address) or id_of(address, {*taken, *ids.values()})
            before = Enrolled(ids[address], group, address, name, now, left=now)
        if before.left is not None:
            joined.append(before.id)
        if before.left is not None or before.name != name:
            rows.append(replace(before, name=name, left=None))
    gone = [one for one in here.values() if one.left is None and one.address not in there]
    present = sum(one.left is None for one in here.values())
    rows += [replace(one, left=now) for one in gone]
    return Enrolment(tuple(rows), tuple(joined), tuple(one.id for one in gone), present)


def id_of(address: str, taken: Collection[MailboxId]) -> MailboxId:
    """A short name from the part before the @; with some digits of the address when somebody has it already."""
    named = re.sub(r"[^a-z0-9._-]+", "-", address.partition("@")[0].lower()).strip("._-")[:48] or "person"
    return named if named not in taken else f"{named}-{sha256(address.encode()).hexdigest()[:6]}"
