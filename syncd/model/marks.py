"""What caseworkers say by a category in their own calendar (Outlook's categories, iCalendar's CATEGORIES)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from syncd.model.offer import RoomRequirement


class Mark(StrEnum):
    """A category that is obeyed, under the name it has inside; what follows a colon says more."""

    OPEN = "selvbook"
    """Opens time; ``selvbook: OFFER`` for that offer alone."""
    ROOM = "lokale"
    """Asks for a room: ``lokale: 6``, ``lokale: skærm``."""
    MISSED = "udeblevet"
    """On a booked meeting: the citizen did not come."""


SYNONYMS: Mapping[str, str] = {
    "skærm": "screen",
    "tavle": "whiteboard",
    "alarm": "alarm",
    "teleslynge": "hearing-loop",
    "trinfrit": "step-free",
    "trinfri": "step-free",
}
"""Danish words for what rooms have, beside the words of the configuration itself."""
STEP_FREE = "step-free"
_APART = re.compile(r"[,;/+&]|\bog\b|\band\b")
_SEATS = re.compile(r"(\d{1,4}) *(pladser|plads|personer|pers\.?|seats|people)?")


def folded(name: str) -> str:
    """*name* as it is compared: case and blanks make no difference."""
    return "".join(unicodedata.normalize("NFC", name).casefold().split())


def kept_categories(categories: Collection[str], obeyed: Collection[str]) -> tuple[str, ...]:
    """Those that mean something to us: a name of *obeyed*, or one followed by a colon and more."""
    return tuple(name for name in categories if folded(name.partition(":")[0]) in obeyed)


@dataclass(frozen=True, slots=True)
class Marks:
    """The categories an organisation uses.

    :param open, room, missed: their names, as people write them.
    :param features: words people write after `room`, by folded word, and the rooms' own words for them.
    """

    open: str = "Selvbook"
    room: str = "Lokale"
    missed: str = "Udeblevet"
    features: Mapping[str, str] = field(default_factory=lambda: SYNONYMS)

    @property
    def names(self) -> tuple[str, str, str]:
        """What adapters must keep; everything else is the caseworker's own business."""
        return (self.open, self.room, self.missed)

    def inside(self, categories: Iterable[str]) -> tuple[str, ...]:
        """Those of *categories* that are obeyed, under the names of `Mark`; what follows a colon stays as written."""
        known = {folded(self.open): Mark.OPEN, folded(self.room): Mark.ROOM, folded(self.missed): Mark.MISSED}
        parts = (category.partition(":") for category in categories)
        return tuple(f"{known[folded(word)]}{colon}{rest}" for word, colon, rest in parts if folded(word) in known)

    def room_wish(self, categories: Iterable[str], features: Collection[str]) -> RoomWish | None:
        """What the categories (under the names inside) ask of a room; None when they ask for none.

        :param features: the words that rooms are described by.
        """
        asked = [rest for mark, rest in said(categories) if mark is Mark.ROOM]
        if not asked:
            return None
        wish = RoomWish()
        for piece in (piece.strip() for rest in asked for piece in _APART.split(rest.casefold())):
            wish = wish.with_word(piece, self.features, features) if piece else wish
        return wish


@dataclass(frozen=True, slots=True)
class RoomWish:
    """What is asked of a room, and the words that nobody understands."""

    requirement: RoomRequirement = field(default_factory=RoomRequirement)
    unknown: tuple[str, ...] = ()

    def with_word(self, word: str, synonyms: Mapping[str, str], features: Collection[str]) -> RoomWish:
        """The wish with one more word in it: a number of seats, a feature, or something unknown."""
        asked = self.requirement
        if seats := _SEATS.fullmatch(word):
            more = RoomRequirement(max(int(seats[1]), asked.seats), asked.features, asked.step_free)
            return RoomWish(more, self.unknown)
        named = synonyms.get(folded(word), folded(word))
        if named == STEP_FREE:
            return RoomWish(RoomRequirement(asked.seats, asked.features, True), self.unknown)
        known = next((feature for feature in sorted(features) if folded(feature) == folded(named)), None)
        if known is None:
            return RoomWish(asked, (*self.unknown, word))
        return RoomWish(RoomRequirement(asked.seats, asked.features | {known}, asked.step_free), self.unknown)


def said(categories: Iterable[str]) -> Iterable[tuple[Mark, str]]:
    """The marks among *categories* (under the names inside), each with what follows the colon."""
    for category in categories:
        word, _, rest = category.partition(":")
        if (name := folded(word)) in _VALUES:
            yield Mark(name), rest.strip()


_VALUES = frozenset(mark.value for mark in Mark)
DEFAULT_MARKS = Marks()
