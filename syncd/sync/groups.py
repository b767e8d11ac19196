"""Follows distribution groups: who joins becomes a caseworker, who leaves is offered no more."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from syncd.errors import CalendarError
from syncd.model.directory import Directory, MailboxId
from syncd.model.enrolment import Enrolment, enrol
from syncd.model.task import Facts, TaskKind
from syncd.observe.logs import canonical_line
from syncd.ports import GroupSource
from syncd.store import Store, Tx


@dataclass(frozen=True, slots=True)
class Followed:
    """What one look at one group did.

    :param problem: why the people known of it were kept as they are; None when all is well.
    :param left_out: members who cannot be booked: address, and why.
    """

    group: str
    joined: tuple[MailboxId, ...] = ()
    left: tuple[MailboxId, ...] = ()
    members: int = 0
    problem: str | None = None
    left_out: tuple[tuple[str, str], ...] = ()


def follow(
    store: Store,
    group: str,
    source: Callable[[], GroupSource],
    taken: Collection[MailboxId],
    now: datetime,
    *,
    accept_loss: bool = False,
) -> Followed:
    """Ask who is in *group* (an address) and keep it; with no transaction open while the server is asked.

    :param taken: ids of the configuration's own people and of rooms.
    :param accept_loss: a person has said that all who are missing have left.
    :raises StoreError: the database cannot be used.
    """
    with canonical_line("group.followed") as facts:
        try:
            members = source().expand_group(group)
        except CalendarError as error:
            facts["outcome"], problem = "failed", str(error)
            return store.run(lambda tx: _untold(tx, group, problem, now))
        told = [(member.address, member.name) for member in members if not member.left_out]
        others = tuple((member.address, member.left_out) for member in members if member.left_out)
        followed = store.run(lambda tx: _kept(tx, group, told, taken, now, accept_loss))
        facts.update(joined=len(followed.joined), left=len(followed.left), members=followed.members)
        facts.update(left_out=len(others))
        facts["outcome"] = "refused" if followed.problem else "ok"
    return replace(followed, left_out=others)


def _untold(tx: Tx, group: str, problem: str, now: datetime) -> Followed:
    tx.tasks.raise_(TaskKind.GROUP_UNREADABLE, f"group:{group}", {"group": group, "problem": problem}, now)
    return Followed(group, problem=problem)


def _kept(
    tx: Tx, group: str, told: list[tuple[str, str]], taken: Collection[MailboxId], now: datetime, accept: bool
) -> Followed:
    found = enrol(group, tx.members.all(), told, taken, now)
    tx.tasks.settle(TaskKind.GROUP_UNREADABLE, f"group:{group}", now)
    if found.unbelievable and not accept:
        facts: Facts = {"group": group, "missing": len(found.left), "known": found.known}
        tx.tasks.raise_(TaskKind.GROUP_SHRANK, f"group:{group}", facts, now)
        return Followed(group, members=found.known, problem=_refusal(found, group))
    tx.tasks.settle(TaskKind.GROUP_SHRANK, f"group:{group}", now)
    if found.rows:
        tx.members.save(found.rows)
        tx.audit.add("syncd", "group.followed", detail=f"{group}: +{len(found.joined)} -{len(found.left)}", now=now)
        tx.settings.bump()
    return Followed(group, found.joined, found.left, len(told))


def _refusal(found: Enrolment, group: str) -> str:
    return (
        f"{len(found.left)} of {found.known} people vanished from {group} at once; nothing was changed. "
        "If it is right, run: syncd people follow --accept-loss"
    )


def ask_about_leavers(tx: Tx, directory: Directory, now: datetime) -> int:
    """Raise a task for each person who left with meetings to come, and settle those that are done with."""
    leavers = tx.members.leavers(now)
    for person in leavers:
        known = directory.caseworkers.get(person)
        facts = {"caseworker": known.name if known else person, "id": person}
        tx.tasks.raise_(TaskKind.CASEWORKER_LEFT, f"mailbox:{person}", facts, now)
    for task in tx.tasks.waiting(TaskKind.CASEWORKER_LEFT):
        if task.about.removeprefix("mailbox:") not in leavers:
            tx.tasks.settle(TaskKind.CASEWORKER_LEFT, task.about, now)
    return len(leavers)
