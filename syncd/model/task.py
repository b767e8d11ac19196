"""What a person must do: a closed list of kinds, each with a sentence in Danish and in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

Facts = Mapping[str, str | int]
"""What fills a sentence: ids, names of ours, counts; never a citizen's data, never a subject. Not what changes with
every look (an age, a clock): other facts are another matter, and open a task again that somebody had done with."""


class TaskKind(StrEnum):
    """What happened. A new kind needs its two sentences below, and nothing else."""

    CASEWORKER_LEFT = "caseworker-left"
    """Somebody who left the group has meetings to come. About ``mailbox:ID``."""


class Sentence(NamedTuple):
    """What to do, with the names of the facts in braces."""

    da: str
    en: str


SENTENCES: dict[TaskKind, Sentence] = {
    TaskKind.CASEWORKER_LEFT: Sentence(
        da="{caseworker} er ikke længere i gruppen, men har {meetings} samtaler foran sig. "
        "Giv dem til en kollega, eller giv borgerne besked.",
        en="{caseworker} is no longer in the group, but has {meetings} meetings to come. "
        "Give them to a colleague, or tell the citizens.",
    ),
}


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that waits for a person, or did.

    :param about: what it is about, ``mailbox:ID``, ``meeting:ID``, ``offer:NAME`` …; with *kind*, what makes it one.
    :param since: when it was first raised, or raised again after it was done (UTC).
    :param done: when it was done with; None while it waits.
    :param actor: who was done with it (``cli:USER``), or ``syncd`` when its cause went away.
    """

    id: int
    kind: TaskKind
    about: str
    facts: Facts
    since: datetime
    done: datetime | None = None
    actor: str | None = None

    @property
    def da(self) -> str:
        """The sentence in Danish."""
        return SENTENCES[self.kind].da.format_map(self.facts)

    @property
    def en(self) -> str:
        """The sentence in English."""
        return SENTENCES[self.kind].en.format_map(self.facts)
