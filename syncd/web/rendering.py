"""Slots as JSON, fast: no object per field, and the same answer is written out once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from threading import Lock
from typing import Any, NamedTuple

import msgspec

from syncd.model.directory import MailboxId
from syncd.model.offer import Answer, Form

SAY = {
    "fully-booked": {
        "da": "Der er ingen ledige tider i perioden. Prøv en anden periode.",
        "en": "There are no free times in this period. Please try another.",
    },
    "temporarily-closed": {
        "da": "Tiderne kan ikke vises lige nu. Prøv igen om lidt.",
        "en": "The times cannot be shown right now. Please try again in a little while.",
    },
}
REMEMBERED = 512
"""Answers kept written out; at about 40 kB each."""


class Question(NamedTuple):
    """What a client asked; *named* when it wants to know who serves each time."""

    offer: str
    start: datetime
    end: datetime
    caseworker: MailboxId | None
    form: Form | None
    named: bool


class SlotOut(msgspec.Struct, omit_defaults=True):
    """One time, with how many can serve it."""

    start: datetime
    end: datetime
    form: str
    count: int
    caseworkers: list[str] = []


class ClosedOut(msgspec.Struct, omit_defaults=True):
    """Why some caseworkers' times are not shown."""

    reason: str
    count: int
    caseworkers: list[str] = []


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer written out, with its entity tag (strong: it changes with any byte)."""

    answer: Answer
    etag: str
    body: bytes

    def matches(self, if_none_match: str) -> bool:
        """Whether a client's If-None-Match names this answer (RFC 9110 13.1.2, weak comparison)."""
        tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
        return if_none_match.strip() == "*" or self.etag in tags


class Renderer:
    """Writes answers out, and remembers the last ones; thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Question, Rendered] = OrderedDict()
        self._lock = Lock()

    def of(self, question: Question, answer: Answer, support: str) -> Rendered:
        """The answer to *question* as JSON; *support* is told when something is closed."""
        with self._lock:
            kept = self._kept.get(question)
        # The publisher gives the same object while nothing changed.
        if kept is not None and kept.answer is answer:
            return kept
        fresh = render(question, answer, support)
        with self._lock:
            self._kept[question] = fresh
            self._kept.move_to_end(question)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
        return fresh


def render(question: Question, answer: Answer, support: str) -> Rendered:
    """Write the answer out."""
    status = "open" if answer.slots else "temporarily-closed" if answer.closed else "fully-booked"
    content: dict[str, Any] = {
        "offer": question.offer,
        "from": question.start,
        "to": question.end,
        "status": status,
        "generation": answer.generation,
        "as_of": answer.as_of,
        "valid_until": answer.valid_until,
        "slots": _times(answer, question.named),
        "closed": _closed(answer, question.named),
    }
    if status in SAY:
        content["say"] = SAY[status]
    if answer.closed and support:
        content["support"] = support
    body = msgspec.json.encode(content)
    return Rendered(answer, f'"{answer.generation}-{blake2b(body, digest_size=8).hexdigest()}"', body)


def _times(answer: Answer, named: bool) -> list[SlotOut]:
    """Each time once; caseworkers in the publisher's order."""
    times: dict[tuple[datetime, datetime, Form], SlotOut] = {}
    for slot in answer.slots:
        start, end, form = slot.interval.start, slot.interval.end, slot.form
        seen = times.get((start, end, form))
        if seen is None:
            times[start, end, form] = SlotOut(start, end, form.value, 1, [slot.caseworker] if named else [])
        else:
            seen.count += 1
            if named:
                seen.caseworkers.append(slot.caseworker)
    return list(times.values())


def _closed(answer: Answer, named: bool) -> list[ClosedOut]:
    reasons: dict[str, list[str]] = {}
    for caseworker, reason in answer.closed.items():
        reasons.setdefault(reason, []).append(caseworker)
    return [ClosedOut(reason, len(who), who if named else []) for reason, who in reasons.items()]
