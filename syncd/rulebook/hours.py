"""Working and opening hours of a rules file, by person and by site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time
from typing import Protocol

from syncd.model.directory import Caseworker, MailboxId
from syncd.model.offer import AvailabilityRule
from syncd.model.policy import DayException
from syncd.rulebook.names import names_of, serving
from syncd.rulebook.sections import ExceptionSection, HoursSection, OpeningSection, PeriodSection
from syncd.rulebook.terms import WEEKDAYS


def hours(
    sections: Iterable[HoursSection], periods: Iterable[PeriodSection], people: Mapping[MailboxId, Caseworker]
) -> dict[MailboxId, tuple[AvailabilityRule, ...]]:
    """By person: the rules that name her; else her teams'; else her site's; else everyone's.

    Hours of a period are looked up in the same way by themselves, and replace the usual ones in it, as an exception
    would.
    """
    listed, stretches = list(sections), _stretches(periods)
    found: dict[MailboxId, tuple[AvailabilityRule, ...]] = {}
    for person_id, person in people.items():
        odd = {name: mine for name in stretches if (mine := _nearest(listed, person, name))}
        outside = tuple(stretch for name in odd for stretch in stretches[name])
        usual = [rule for section in _nearest(listed, person, None) for rule in _rules(section, outside=outside)]
        special = [
            rule for name, mine in odd.items() for section in mine for rule in _rules(section, during=stretches[name])
        ]
        if rules := (*usual, *special):
            found[person_id] = rules
    return found


Stretches = tuple[tuple[date, date], ...]


def _stretches(periods: Iterable[PeriodSection]) -> dict[str, Stretches]:
    found: dict[str, Stretches] = {}
    for period in periods:
        found[period.name] = (*found.get(period.name, ()), (period.first, period.last))
    return found


def _nearest(sections: Sequence[HoursSection], person: Caseworker, during: str | None) -> list[HoursSection]:
    """The sections on the most particular level that has any for this period (None: for usual days)."""
    teams, skills = {f"team:{team}" for team in person.teams}, {f"competence:{one}" for one in person.competences}
    for names in ({person.id}, teams | skills, {f"site:{person.site}"}, {"everyone"}):
        if mine := [one for one in sections if one.during == during and names & set(one.who)]:
            return mine
    return []


def openings(sections: Iterable[OpeningSection], sites: Iterable[str]) -> dict[str, tuple[AvailabilityRule, ...]]:
    """When citizens can get in, by site; sites that nothing is said of have no entry."""
    listed = list(sections)
    found = {
        site: tuple(
            rule for one in listed if not one.sites or site in one.sites for rule in weekly(one.days, one.hours, one)
        )
        for site in sites
    }
    return {site: rules for site, rules in found.items() if rules}


class _Valid(Protocol):
    """What says from when to when it holds."""

    @property
    def valid_from(self) -> date | None: ...
    @property
    def valid_to(self) -> date | None: ...


def weekly(
    days: Iterable[str], spans: Iterable[tuple[time, time]], valid: _Valid | None = None
) -> tuple[AvailabilityRule, ...]:
    """These spans on these weekdays, one rule for each."""
    weekdays = frozenset(WEEKDAYS.index(day) for day in days)
    limits = (valid.valid_from, valid.valid_to) if valid else (None, None)
    return tuple(AvailabilityRule(weekdays, starts, ends, *limits) for starts, ends in spans)


def _rules(section: HoursSection, during: Stretches = (), outside: Stretches = ()) -> Iterator[AvailabilityRule]:
    """The hours without their breaks: one rule for each part of the day."""
    weekdays = frozenset(WEEKDAYS.index(day) for day in section.days)
    for starts, ends in without_breaks(section.starts, section.ends, section.breaks):
        yield AvailabilityRule(weekdays, starts, ends, section.valid_from, section.valid_to, during, outside)


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


def exceptions(
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
    """3 for the person herself, 2 for a team or competence, 1 for the site, 0 for everyone."""
    teams = dict.fromkeys(names_of(person), 2)
    ranks = teams | {person.id: 3, f"site:{person.site}": 1, "everyone": 0}
    return max(ranks.get(name, -1) for name in who)
