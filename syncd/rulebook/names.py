"""Whom the words of a rules file mean, and which words mean nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from syncd.model.directory import Caseworker, Directory, MailboxId
from syncd.section import one_of, path_of


def serving(who: Iterable[str], people: Mapping[MailboxId, Caseworker]) -> list[MailboxId]:
    """The ids that *who* means, in the directory's order; nobody who is leaving."""
    wanted = set(who)
    return [one for one, person in people.items() if not person.leaving and wanted & names_of(person)]


def names_of(person: Caseworker) -> set[str]:
    """Every word by which a rules file may mean this person."""
    teams = (f"team:{team}" for team in person.teams)
    return {person.id, "everyone", f"site:{person.site}", *teams, *(f"competence:{one}" for one in person.competences)}


def unknown_names(raw: Mapping[str, object], directory: Directory) -> Iterator[str]:
    """References that lead nowhere; on raw tables, so that they come together with the other problems."""
    people = directory.caseworkers.values()
    known = {"everyone"} | {f"site:{site}" for site in directory.sites} | {n for p in people for n in names_of(p)}
    known |= directory.words
    have = {competence for person in people for competence in person.competences}
    have |= {word.removeprefix("competence:") for word in directory.words if word.startswith("competence:")}
    for where, entry in _tables(raw):
        for place, names in _whos(entry):
            yield from (
                f"{path_of((*where, *place, index))}: {_nobody(name, known)}"
                for index, name in enumerate(names)
                if isinstance(name, str) and name not in known
            )
        yield from _unknown(entry, (*where, "sites"), "site", set(directory.sites))
        if where[0] == "offers":
            yield from _unknown(entry, (*where, "competences"), "competence", have)
    teams = raw.get("teams")
    have = {team for person in people for team in person.teams}
    have |= {word.removeprefix("team:") for word in directory.words if word.startswith("team:")}
    for team in teams if isinstance(teams, Mapping) else ():
        if team not in have:
            yield f"{path_of(('teams', team))}: {one_of('team', team, have)}"


def unknown_words(raw: Mapping[str, object]) -> Iterator[str]:
    """Periods and offers that one table names and no other one has."""
    listed = raw.get("periods")
    periods = {one.get("name") for one in listed if isinstance(one, Mapping)} if isinstance(listed, list) else set()
    offers = raw.get("offers")
    for where, entry in _tables(raw):
        name = entry.get("during")
        if isinstance(name, str) and name not in periods:
            yield f"{path_of((*where, 'during'))}: {one_of('period', name, {str(one) for one in periods})}"
        if where[0] == "limits":
            yield from _unknown(entry, (*where, "offers"), "offer", set(offers if isinstance(offers, Mapping) else ()))


def _whos(entry: Mapping[str, object]) -> Iterator[tuple[tuple[str | int, ...], list[object]]]:
    """Each list of people in a table, with its place."""
    who, partners = entry.get("who"), entry.get("partners")
    if isinstance(who, list):
        yield ("who",), who
    for index, names in enumerate(partners if isinstance(partners, list) else ()):
        if isinstance(names, list):
            yield ("partners", index), names


def _unknown(entry: Mapping[str, object], where: tuple[str | int, ...], noun: str, known: set[str]) -> Iterator[str]:
    names = entry.get(str(where[-1]))
    for index, name in enumerate(names if isinstance(names, list) else ()):
        if isinstance(name, str) and name not in known:
            yield f"{path_of((*where, index))}: {one_of(noun, name, known)}"


def _nobody(name: str, known: set[str]) -> str:
    kind, colon, rest = name.partition(":")
    if colon and kind in ("team", "site", "competence"):
        return one_of(kind, rest, {word.partition(":")[2] for word in known if word.startswith(f"{kind}:")})
    return one_of("caseworker", name, {word for word in known if ":" not in word and word != "everyone"})


def _tables(raw: Mapping[str, object]) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, object]]]:
    for table in ("hours", "openings", "exceptions", "closings", "limits"):
        listed = raw.get(table)
        for index, entry in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(entry, Mapping):
                yield (table, index), entry
    offers = raw.get("offers")
    for name, entry in offers.items() if isinstance(offers, Mapping) else ():
        if isinstance(entry, Mapping):
            yield ("offers", name), entry
