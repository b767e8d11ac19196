"""The words by which rules mean people, as choices and in sentences."""

from __future__ import annotations

from collections.abc import Iterable

from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Visitor

EVERYONE, TEAM, SKILL = N_("everyone"), N_("team %(name)s"), N_("those who can %(name)s")


def choices(visitor: Visitor) -> list[tuple[str, str]]:
    """Every word for a group of people, then every person: value and words."""
    directory = visitor.deps.directory()
    people = directory.caseworkers.values()
    teams = sorted({f"team:{team}" for one in people for team in one.teams})
    skills = sorted({f"competence:{skill}" for one in people for skill in one.competences})
    groups = ["everyone", *(f"site:{site}" for site in directory.sites), *teams, *skills]
    persons = sorted(people, key=lambda one: one.name)
    return [(one, spoken(visitor, one)) for one in groups] + [(one.id, one.name) for one in persons]


def spoken(visitor: Visitor, word: str) -> str:
    """Whom one word means."""
    directory, (kind, _, name) = visitor.deps.directory(), word.partition(":")
    if word == "everyone":
        return visitor.say(EVERYONE)
    if kind == "site" and name in directory.sites:
        return directory.sites[name].name
    if (text := {"team": TEAM, "competence": SKILL}.get(kind)) and name:
        return visitor.say(text, name=name)
    known = directory.caseworkers.get(word)
    return known.name if known else word


def spoken_who(visitor: Visitor, words: Iterable[str]) -> str:
    """Whom these words mean."""
    return ", ".join(spoken(visitor, word) for word in words)
