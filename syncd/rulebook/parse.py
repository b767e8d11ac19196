"""The text of a rules file becomes a Rulebook, with teams resolved to people."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import time

from pydantic import ValidationError

from syncd.errors import ConfigError
from syncd.model.busy import BusyType
from syncd.model.directory import Caseworker, Directory, MailboxId
from syncd.model.offer import AvailabilityRule, Offer, RoomRequirement, Rulebook
from syncd.model.policy import Blocks, Closing, DayException, Holidays, Policy
from syncd.rulebook.sections import (
    WEEKDAYS,
    BlocksSection,
    ExceptionSection,
    HoursSection,
    OfferSection,
    PolicySection,
    RulesFile,
)
from syncd.section import complaints, one_of, path_of

SOURCE = "rules"


def parse(text: str, directory: Directory, number: int, source: str = SOURCE, *, leavers: bool = False) -> Rulebook:
    """The rules in *text* as revision *number*, for the people of *directory*.

    :param source: what to call the text in messages: a file name, ``revision 7``.
    :param leavers: pass over names that nobody has any more: a revision that was right when it was applied stays
        in force when somebody leaves.
    :raises ConfigError: with all problems at once, each with its path and a hint.
    """
    rules = read(text, None if leavers else directory, source)
    people = directory.caseworkers
    return Rulebook(
        number=number,
        offers={name: _offer(name, offer, people) for name, offer in rules.offers.items()},
        hours=_hours(rules.hours, people),
        exceptions=_exceptions(rules.exceptions, people),
        policies=_policies(rules, people),
        closings=tuple(
            Closing(closing.first, closing.last or closing.first, closing.why, frozenset(closing.sites))
            for closing in rules.closings
        ),
        holidays=Holidays(**rules.holidays.model_dump()),
    )


def read(text: str, directory: Directory | None = None, source: str = SOURCE) -> RulesFile:
    """The tables of a rules file, checked; against *directory* too when one is given.

    :raises ConfigError: with all problems at once.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, [f"is not TOML: {error}"]) from None
    problems: list[str] = []
    rules: RulesFile | None = None
    try:
        rules = RulesFile.model_validate(raw)
    except ValidationError as error:
        problems += complaints(error, RulesFile)
    if directory is not None:
        problems += list(_unknown_names(raw, directory))
    if problems or rules is None:
        raise ConfigError(source, problems)
    return rules


def serving(who: Iterable[str], people: Mapping[MailboxId, Caseworker]) -> list[MailboxId]:
    """The ids that *who* means, in the directory's order."""
    wanted = set(who)
    return [person_id for person_id, person in people.items() if wanted & names_of(person)]


def names_of(person: Caseworker) -> set[str]:
    """Every word by which a rules file may mean this person."""
    return {person.id, "everyone", f"site:{person.site}", *(f"team:{team}" for team in person.teams)}


def _unknown_names(raw: Mapping[str, object], directory: Directory) -> Iterator[str]:
    """References that lead nowhere; on raw tables, so that they come together with the other problems."""
    people = directory.caseworkers.values()
    known = {"everyone"} | {f"site:{site}" for site in directory.sites} | {n for p in people for n in names_of(p)}
    for where, entry in _tables(raw):
        who = entry.get("who")
        for index, name in enumerate(who if isinstance(who, list) else ()):
            if isinstance(name, str) and name not in known:
                yield f"{path_of((*where, 'who', index))}: {_nobody(name, known)}"
        sites = entry.get("sites")
        for index, name in enumerate(sites if isinstance(sites, list) else ()):
            if isinstance(name, str) and name not in directory.sites:
                yield f"{path_of((*where, 'sites', index))}: {one_of('site', name, directory.sites)}"
    teams = raw.get("teams")
    have = {team for person in people for team in person.teams}
    for team in teams if isinstance(teams, Mapping) else ():
        if team not in have:
            yield f"{path_of(('teams', team))}: {one_of('team', team, have)}"


def _nobody(name: str, known: set[str]) -> str:
    kind, colon, rest = name.partition(":")
    if colon and kind in ("team", "site"):
        return one_of(kind, rest, {word.partition(":")[2] for word in known if word.startswith(f"{kind}:")})
    return one_of("caseworker", name, {word for word in known if ":" not in word and word != "everyone"})


def _tables(raw: Mapping[str, object]) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, object]]]:
    for table in ("hours", "exceptions", "closings"):
        listed = raw.get(table)
        for index, entry in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(entry, Mapping):
                yield (table, index), entry
    offers = raw.get("offers")
    for name, entry in offers.items() if isinstance(offers, Mapping) else ():
        if isinstance(entry, Mapping):
            yield ("offers", name), entry


def _offer(name: str, offer: OfferSection, people: Mapping[MailboxId, Caseworker]) -> Offer:
    fields = offer.model_dump(exclude={"who", "room", "room_forms"})
    return Offer(
        name=name,
        caseworkers=tuple(serving(offer.who, people)),
        room=RoomRequirement(offer.room.seats, offer.room.features, offer.room.step_free),
        room_forms=frozenset(offer.room_forms) & frozenset(offer.minutes),
        **fields,
    )


def _hours(
    sections: Iterable[HoursSection], people: Mapping[MailboxId, Caseworker]
) -> dict[MailboxId, tuple[AvailabilityRule, ...]]:
    """By person: the rules that name her; else her teams'; else her site's; else everyone's."""
    listed = list(sections)
    hours: dict[MailboxId, tuple[AvailabilityRule, ...]] = {}
    for person_id, person in people.items():
        levels = [{person_id}, {f"team:{team}" for team in person.teams}, {f"site:{person.site}"}, {"everyone"}]
        for names in levels:
            mine = [section for section in listed if names & set(section.who)]
            if mine:
                hours[person_id] = tuple(rule for section in mine for rule in _rules(section))
                break
    return hours


def _rules(section: HoursSection) -> Iterator[AvailabilityRule]:
    """The hours without their breaks: one rule for each part of the day."""
    weekdays = frozenset(WEEKDAYS.index(day) for day in section.days)
    for starts, ends in without_breaks(section.starts, section.ends, section.breaks):
        yield AvailabilityRule(weekdays, starts, ends, section.valid_from, section.valid_to)


def without_breaks(starts: time, ends: time, breaks: Iterable[tuple[time, time]]) -> list[tuple[time, time]]:
    """The parts of *starts* to *ends* between *breaks*; an *ends* not after *starts* is on the next day."""
    parts: list[tuple[time, time]] = []
    overnight = ends <= starts
    at = starts
    for begin, end in sorted(breaks, key=lambda pair: (overnight and pair[0] < starts, pair[0])):
        if at != begin:
            parts.append((at, begin))
        at = end
    return [*parts, (at, ends)] if at != ends or not parts else parts


def _exceptions(
    sections: Iterable[ExceptionSection], people: Mapping[MailboxId, Caseworker]
) -> dict[MailboxId, tuple[DayException, ...]]:
    """By person, the less particular first, so that the last one that holds is the most particular."""
    found: dict[MailboxId, list[tuple[int, DayException]]] = {}
    for section in sections:
        value = DayException(section.first, section.last or section.first, section.hours, section.why)
        for person_id in serving(section.who, people):
            rank = _particular(section.who, people[person_id])
            found.setdefault(person_id, []).append((rank, value))
    return {
        person_id: tuple(value for _, value in sorted(pairs, key=lambda pair: pair[0]))
        for person_id, pairs in found.items()
    }


def _particular(who: Iterable[str], person: Caseworker) -> int:
    """3 for the person herself, 2 for a team, 1 for the site, 0 for everyone."""
    ranks = {person.id: 3, f"site:{person.site}": 1, "everyone": 0} | {f"team:{team}": 2 for team in person.teams}
    return max(ranks.get(name, -1) for name in who)


def _policies(rules: RulesFile, people: Mapping[MailboxId, Caseworker]) -> dict[MailboxId, Policy]:
    """By person; people of one team share one value."""
    teams = {team: _policy(section) for team, section in rules.teams.items()}
    everyone = _policy(rules.everyone)
    return {
        person_id: next((teams[team] for team in person.teams if team in teams), everyone)
        for person_id, person in people.items()
    }


def _policy(section: PolicySection) -> Policy:
    return Policy(
        mode=section.mode,
        source=section.publish,
        blocks=_blocks(section.blocks),
        free_all_day_blocks=section.free_all_day_blocks,
        per_day=section.per_day or None,
        per_week=section.per_week or None,
        weight=section.weight,
    )


def _blocks(section: BlocksSection) -> dict[BusyType, Blocks]:
    return {BusyType(name): value for name, value in section.model_dump(by_alias=True).items()}
