"""Caseworkers who come from distribution groups, as the rest of syncd knows people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from syncd.config.groups import GroupSection
from syncd.model.directory import Caseworker, Mailbox, MailboxId, MailboxKind, Site
from syncd.model.enrolment import Enrolled


def enrolled(
    groups: Iterable[GroupSection],
    members: Iterable[Enrolled],
    sites: Mapping[str, Site],
    account: str,
    known: Collection[Caseworker],
) -> dict[MailboxId, Caseworker]:
    """The people of *groups*; one in several has the first one's place and the teams of all.

    Whoever is named in the configuration herself is left out: what stands there counts. Whoever left every group
    is kept without her teams until her meetings are over.

    :param members: those in a group, and those who left one with meetings to come.
    :param account: the calendar account of groups that name none.
    """
    named = {person.mailbox.address for person in known} | {person.id for person in known}
    by_group: dict[str, list[Enrolled]] = {}
    for one in members:
        by_group.setdefault(one.group, []).append(one)
    found: dict[MailboxId, Caseworker] = {}
    for group in groups:
        for member in by_group.get(group.address.lower(), ()):
            if not {member.address, member.id} & named:
                person = _person(group, member, sites[group.site], group.account or account)
                found[member.id] = _joined(found.get(member.id), person)
    return found


def words_of(groups: Iterable[GroupSection]) -> frozenset[str]:
    """Names that rules may use even while the groups are empty."""
    listed = [(group.teams, group.competences) for group in groups]
    teams = {f"team:{team}" for some, _ in listed for team in some}
    return frozenset(teams | {f"competence:{one}" for _, some in listed for one in some})


def _person(group: GroupSection, member: Enrolled, site: Site, account: str) -> Caseworker:
    user = member.address.partition("@")[0]
    url = group.url.replace("{user}", user) if group.url else None
    box = Mailbox(member.id, MailboxKind.PERSON, account, member.address, site.zone, url)
    left = member.left is not None
    return Caseworker(
        id=member.id,
        name=member.name,
        mailbox=box,
        site=site.id,
        floor=group.floor,
        teams=() if left else group.teams,
        competences=() if left else group.competences,
        leaving=left,
    )


def _joined(before: Caseworker | None, person: Caseworker) -> Caseworker:
    """One person of two groups."""
    if before is None:
        return person
    return replace(
        before if not before.leaving else person,
        teams=tuple(dict.fromkeys((*before.teams, *person.teams))),
        competences=tuple(dict.fromkeys((*before.competences, *person.competences))),
        leaving=before.leaving and person.leaving,
    )
