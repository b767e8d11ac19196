"""What caseworkers' marks ask for, and what is to be done about each: pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from syncd.booking.beside import beside_of, refusal
from syncd.model.booking import Meeting
from syncd.model.directory import Directory, MailboxId
from syncd.model.interval import Interval
from syncd.model.marks import Mark, Marks, folded, said
from syncd.model.offer import RoomRequirement, Rulebook
from syncd.slots.blocking import names_of
from syncd.store.marks import Marked

LONGEST = timedelta(hours=12)
"""A longer event gets no room: it is a course or a mistake, and is seldom meant."""

Key = tuple[MailboxId, str]
"""A caseworker, and what a row remembers of the event (`syncd.booking.beside.beside_of`)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What should stand beside one event.

    :param beside: the mark and the event's UID.
    :param interval: the event's time; of a series that only gets a note, the next instance's.
    :param asks: a room like this; None when there is only something to say.
    :param note: what there is to say; None when a room is asked for.
    """

    mailbox: MailboxId
    mark: Mark
    uid: str
    interval: Interval
    asks: RoomRequirement | None
    note: str | None

    @property
    def key(self) -> Key:
        """By which a wish and its row are found."""
        return self.mailbox, beside_of(self.mark, self.uid)

    def met_by(self, row: Meeting) -> bool:
        """Whether *row* stands for this very wish: carried out, or dismissed by the caseworker."""
        if self.note is not None:
            return row.asks is None and row.note == self.note
        return row.asks == self.asks and row.interval == self.interval


@dataclass(frozen=True, slots=True)
class Ends:
    """The event or its mark is gone, so what stands beside it should go too."""

    row: Meeting


def wishes(seen: Iterable[Marked], marks: Marks, directory: Directory, rulebook: Rulebook) -> dict[Key, Wish]:
    """What the marks ask for; marks that need no answer ask for nothing.

    :param seen: by mailbox and time.
    """
    events: dict[tuple[MailboxId, str], list[Marked]] = {}
    for one in seen:
        if one.mailbox in directory.caseworkers:
            events.setdefault((one.mailbox, one.uid), []).append(one)
    found: list[Wish | None] = []
    for dated in events.values():
        found.append(_room_wish(dated, marks, directory))
        found.append(_unknown_offer(dated, marks, directory, rulebook))
    return {wish.key: wish for wish in found if wish is not None}


def _room_wish(dated: Sequence[Marked], marks: Marks, directory: Directory) -> Wish | None:
    first = dated[0]
    site = directory.caseworkers[first.mailbox].site
    features = {feature for room in directory.rooms.values() if room.site == site for feature in room.features}
    asked = marks.room_wish([category for one in dated for category in one.categories], features)
    if asked is None:
        return None
    reason = _refused(first, bool(asked.unknown))
    if reason is None and len(dated) == 1:
        return Wish(first.mailbox, Mark.ROOM, first.uid, first.interval, asked.requirement, None)
    note = refusal(reason or "series", directory.language, marks.room, ", ".join(asked.unknown), features)
    return Wish(first.mailbox, Mark.ROOM, first.uid, first.interval, None, note)


def _refused(event: Marked, unknown: bool) -> str | None:
    """Why no room can be kept for this event; None when one can."""
    reasons = {
        "guest": event.guest,
        "series": event.recurring,
        "all-day": event.all_day,
        "long": event.interval.duration > LONGEST,
        "words": unknown,
    }
    return next((name for name, holds in reasons.items() if holds), None)


def _unknown_offer(dated: Sequence[Marked], marks: Marks, directory: Directory, rulebook: Rulebook) -> Wish | None:
    """Something to say when a mark opens time for an offer that nobody can book with this caseworker."""
    first = dated[0]
    asked = {rest for one in dated for mark, rest in said(one.categories) if mark is Mark.OPEN and rest}
    if not asked:
        return None
    served = [offer for offer in rulebook.offers.values() if first.mailbox in offer.caseworkers]
    names = {name for offer in served for name in names_of(offer)}
    unknown = sorted(rest for rest in asked if folded(rest) not in names)
    if not unknown:
        return None
    known = {offer.title.get(directory.language) or offer.name for offer in served}
    note = refusal("offer", directory.language, marks.open, ", ".join(unknown), known)
    return Wish(first.mailbox, Mark.OPEN, first.uid, first.interval, None, note)


def changes(
    wanted: Mapping[Key, Wish], rows: Iterable[Meeting], readable: Callable[[Meeting], bool]
) -> Collection[Wish | Ends]:
    """What is to be done so that *rows* stand for *wanted*: nothing when it was done before.

    :param readable: whether the calendar beside whose event a row stands was read where the event was; only then
        does an event that is not seen count as gone.
    """
    known = {(row.caseworker, row.beside or ""): row for row in rows}
    made = [wish for key, wish in wanted.items() if key not in known or not wish.met_by(known[key])]
    ended = [
        Ends(row)
        for key, row in known.items()
        if key not in wanted and (row.wanted or row.asks or row.note) and readable(row)
    ]
    return [*ended, *made]
