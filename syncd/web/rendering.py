"""Slots as JSON, fast: no object per field, and the same answer is written out once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import blake2b
from threading import Lock
from typing import Any, NamedTuple

import msgspec

from syncd.model.directory import MailboxId
from syncd.model.offer import Answer, Form
from syncd.model.zones import wall_clock
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
    "not-entitled": {
        "da": "Du kan ikke booke dette møde selv. Kontakt kommunen, hvis du mener, at det er en fejl.",
        "en": "You cannot book this meeting yourself. Contact the municipality if you think this is a mistake.",
    },
}
REMEMBERED = 512
"""Answers kept written out; at about 40 kB each."""


class Question(NamedTuple):
    """What a client asked, as far as the bytes of the answer differ by it.

    :param named: who serves each time is told. :param limit: most times of one page; None for all.
    :param days: the zone by whose days times are counted; None lists the times themselves.
    """

    offer: str
    start: datetime
    end: datetime
    caseworker: MailboxId | None
    form: Form | None
    named: bool
    limit: int | None = None
    days: str | None = None


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
    status = status_of(answer)
    times = _times(answer, named=question.named)
    page, after = _page(times, question.limit)
    content: dict[str, Any] = {
        "offer": question.offer,
        "from": question.start,
        "to": question.end,
        "status": status,
        "generation": answer.generation,
        "as_of": answer.as_of,
        "valid_until": answer.valid_until,
        "slots": msgspec.Raw(_listed([] if question.days else page, named=question.named).encode()),
        "closed": _closed(answer, named=question.named),
    }
    if question.days:
        content["days"] = _days(times, question.days)
    elif after is not None:
        content["next"] = datetime.fromtimestamp(after, UTC)
    if status in SAY:
        content["say"] = answer.say or SAY[status]
    if status == "temporarily-closed" and answer.since:
        content["since"] = min(answer.since.values())
    if (answer.closed or not answer.entitled) and support:
        content["support"] = support
    body = msgspec.json.encode(content)
    return Rendered(answer, f'"{answer.generation}-{blake2b(body, digest_size=8).hexdigest()}"', body)


def status_of(answer: Answer) -> str:
    """What the answer comes to, in one word."""
    if not answer.entitled:
        return "not-entitled"
    return "open" if answer.slots else "temporarily-closed" if answer.closed else "fully-booked"


def _times(answer: Answer, *, named: bool) -> list[Time]:
    """Each time once."""
    if not isinstance(answer.slots, SlotTable):
        raise TypeError("the publisher answers with a SlotTable")
    return answer.slots.times(named=named)


def _page(times: list[Time], limit: int | None) -> tuple[list[Time], int | None]:
    """The times of one page, and where the next one begins; what begins together stays together."""
    if limit is None or len(times) <= limit:
        return times, None
    after: int | None = times[limit].start
    if after == times[0].start:
        after = next((time.start for time in times if time.start > times[0].start), None)
    return [time for time in times if after is None or time.start < after], after


def _days(times: list[Time], zone: str) -> list[dict[str, Any]]:
    """The days that have times, with how many and the first; days without any are left out."""
    found: dict[date, list[int]] = {}
    for time in times:
        found.setdefault(wall_clock(datetime.fromtimestamp(time.start, UTC), zone).date(), []).append(time.start)
    return [
        {"date": day, "times": len(set(starts)), "first": datetime.fromtimestamp(starts[0], UTC)}
        for day, starts in found.items()
    ]


def _listed(times: list[Time], *, named: bool) -> str:
    """Each time as JSON; put together from text, for an answer may have thousands."""
    if not named and not (times and times[0].seats):
        return f"[{','.join([f'{_head(at.start, at.end, at.form)}{at.number}}}' for at in times])}]"
    if not named:
        return f"[{','.join([f'{_head(at.start, at.end, at.form)}{at.number}{_seats(at)}}}' for at in times])}]"
    return f"[{','.join([_named(at) for at in times])}]"


def _named(at: Time) -> str:
    who = msgspec.json.encode(at.servers).decode()
    return f'{_head(at.start, at.end, at.form)}{at.number}{_seats(at)},"caseworkers":{who}}}'


def _seats(at: Time) -> str:
    """The seats left, of a group's time."""
    return f',"seats":{at.seats}' if at.seats else ""


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
    return [
        {"reason": reason, "count": len(who), **_about(answer, who, named=named)} for reason, who in reasons.items()
    ]


def _about(answer: Answer, who: list[str], *, named: bool) -> dict[str, Any]:
    """Since when they are closed, as far as it is known, and who they are when that was asked."""
    since = [answer.since[one] for one in who if one in answer.since]
    return ({"since": min(since)} if since else {}) | ({"caseworkers": who} if named else {})
