"""Slots as JSON, fast: no object per field, and the same answer is written out once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from threading import Lock
from typing import Any, NamedTuple

import msgspec

from syncd.model.directory import MailboxId
from syncd.model.offer import Answer, Form
from syncd.slots.table import SlotTable, Time

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
        "slots": msgspec.Raw(_times(answer, named=question.named).encode()),
        "closed": _closed(answer, named=question.named),
    }
    if status in SAY:
        content["say"] = SAY[status]
    if answer.closed and support:
        content["support"] = support
    body = msgspec.json.encode(content)
    return Rendered(answer, f'"{answer.generation}-{blake2b(body, digest_size=8).hexdigest()}"', body)


def _times(answer: Answer, *, named: bool) -> str:
    """Each time once, as JSON; put together from text, for an answer may have thousands."""
    if not isinstance(answer.slots, SlotTable):
        raise TypeError("the publisher answers with a SlotTable")
    times = answer.slots.times(named=named)
    if not named:
        return f"[{','.join([f'{_head(at.start, at.end, at.form)}{at.number}}}' for at in times])}]"
    return f"[{','.join([_named(at) for at in times])}]"


def _named(at: Time) -> str:
    who = msgspec.json.encode(at.servers).decode()
    return f'{_head(at.start, at.end, at.form)}{at.number},"caseworkers":{who}}}'


@lru_cache(65_536)
def _head(start: int, end: int, form: Form) -> str:
    """Everything of a time but its count: the same text in answer after answer."""
    begins, ends = (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (start, end))
    return f'{{"start":"{begins}","end":"{ends}","form":"{form.value}","count":'


def _closed(answer: Answer, *, named: bool) -> list[dict[str, Any]]:
    """Each reason once."""
    reasons: dict[str, list[str]] = {}
    for caseworker, reason in answer.closed.items():
        reasons.setdefault(reason, []).append(caseworker)
    names = {reason: {"caseworkers": who} if named else {} for reason, who in reasons.items()}
    return [{"reason": reason, "count": len(who), **names[reason]} for reason, who in reasons.items()]
