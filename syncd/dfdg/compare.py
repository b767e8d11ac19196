"""Who changed what: three states of one record, the last agreed, ours and theirs, become one verdict. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from syncd.model.dfdg import Said


@dataclass(frozen=True, slots=True)
class Agreed:
    """DFDG holds what we want. :param known: that."""

    known: Said


@dataclass(frozen=True, slots=True)
class Owed:
    """Only we changed something: DFDG is to hear of it. :param known: what DFDG holds."""

    known: Said


@dataclass(frozen=True, slots=True)
class Followed:
    """They changed something, which is to be done here, too.

    :param merged: their changes, and ours beside them. :param clash: both changed the same; ours stands.
    """

    known: Said
    merged: Said
    clash: bool = False


Verdict: TypeAlias = Agreed | Owed | Followed


def compare(known: Said | None, sent: Said | None, ours: Said, theirs: Said) -> Verdict:
    """Decide what follows from what DFDG holds now.

    :param known: what DFDG was last known to hold; None when we never knew. :param sent: a report of unknown outcome.
    :param ours: what our meeting says now. A caseworker's hand in Outlook is obeyed, never reversed: where both sides
        changed the same thing, ours stands. What is annulled on one side is annulled on both.
    """
    if theirs != sent:
        theirs = like(known, theirs)
    if theirs == ours or (theirs.gone and ours.gone):
        return Agreed(theirs)
    if theirs.gone:
        return Followed(theirs, replace(ours, gone=True))
    if ours.gone or theirs in (known, sent):
        return Owed(theirs)
    base = known or ours
    merged, clash = _merged(base, ours, theirs)
    return Followed(theirs, merged, clash) if merged != ours or clash else Owed(theirs)


def like(known: Said | None, theirs: Said) -> Said:
    """*theirs* with the place we know: DFDG may write places its own way, and nobody moves a room from there."""
    return theirs if known is None else replace(theirs, place=known.place)


def _merged(base: Said, ours: Said, theirs: Said) -> tuple[Said, bool]:
    """Each part from whoever changed it; a time is one part. Whether both changed the same part differently."""
    parts = (("start", "end"), ("caseworker",), ("form", "link"))
    merged, clash = ours, False
    for names in parts:
        was, here, there = (tuple(getattr(one, name) for name in names) for one in (base, ours, theirs))
        if there not in (was, here):
            if here == was:
                merged = replace(merged, **dict(zip(names, there, strict=True)))
            else:
                clash = True
    return merged, clash
