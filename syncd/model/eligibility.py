"""Who may book an offer: rules on what the portal says of a citizen, and on whose caseworker she is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from syncd.model.directory import MailboxId


class Own(StrEnum):
    """What it means for an offer that a citizen has a caseworker of her own."""

    ANY = "any"
    """Nothing: everybody who serves the offer counts alike."""
    FIRST = "first"
    """Hers as long as she has times; then everybody's."""
    ONLY = "only"
    """Nobody else's."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a request says of a citizen, as the planner contract passes it; codes are texts of the portal's own.

    :param contact_group: kontaktgruppe. :param category: klientkategori.
    :param groups: persongruppemarkeringer (GUIDs).
    :param caseworker: her own caseworker; None when she has none, or when nothing was said.
    """

    contact_group: str = ""
    category: str = ""
    groups: frozenset[str] = frozenset()
    caseworker: MailboxId | None = None


@dataclass(frozen=True, slots=True)
class Whom:
    """For whom a time is asked or taken, as far as that decides which times there are.

    :param traits: None when nothing was said.
    :param immediate: for immediate booking (straksbooking), which may have what is kept for it.
    :param latest: the last day (of the site) on which the meeting may be held; None for no limit.
    :param staff: asked by staff or the program itself: who may book is not asked.
    :param sealed: as if no reserve had been opened.
    """

    traits: Traits | None = None
    immediate: bool = False
    latest: date | None = None
    staff: bool = False
    sealed: bool = False


STAFF = Whom(staff=True)


@dataclass(frozen=True, slots=True)
class Matching:
    """One way to be let in: everything that is not empty must hold. Codes are compared without regard to case.

    :param contact_groups, categories: one of them is the citizen's.
    :param groups: she is in at least one. :param not_groups: she is in none.
    """

    contact_groups: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    not_groups: frozenset[str] = frozenset()

    def lets_in(self, traits: Traits) -> bool:
        """Whether this citizen fits."""
        groups = _folded(traits.groups)
        return (
            (not self.contact_groups or traits.contact_group.casefold() in _folded(self.contact_groups))
            and (not self.categories or traits.category.casefold() in _folded(self.categories))
            and (not self.groups or bool(groups & _folded(self.groups)))
            and not groups & _folded(self.not_groups)
        )


def entitled(open_to: Iterable[Matching], traits: Traits) -> bool:
    """Whether one of the ways is open; everybody may where no rule is."""
    ways = tuple(open_to)
    return not ways or any(way.lets_in(traits) for way in ways)


def _folded(codes: Iterable[str]) -> frozenset[str]:
    return frozenset(code.casefold() for code in codes)
