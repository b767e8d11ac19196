"""Judges a journal of requests against what stands in the end; written without a line of the product.

What a client did is one JSON object a line: ``{"key", "path", "body", "status", "answer"}``, status null when no answer
came. What stands is read from the API and, by plain WebDAV, from the calendars. Events are taken apart by hand here, so
that the product's own reading of calendars is not what it is judged by.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]
_LINE = re.compile(r"^(DTSTART|DTEND)((?:;[^:\r\n]*)?):(\d{8}T\d{6}Z?)\r?$", re.MULTILINE)


@dataclass
class Journal:
    """What clients asked and heard, kept as it happens; safe to append from many threads (one write a line)."""

    path: Path

    def note(self, key: str, path: str, body: Mapping[str, Any], status: int | None, answer: str) -> None:
        """Write one attempt down."""
        line = {"key": key, "path": path, "body": body, "status": status, "answer": answer}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """Everything noted."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]


@dataclass
class Verdict:
    """What was found. :param counted: how much was looked at, for the report."""

    broken: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)


def judge(
    journal: Iterable[Mapping[str, Any]],
    booking: Callable[[str], Mapping[str, Any] | None],
    calendars: Mapping[str, Iterable[str]],
) -> Verdict:
    """Every promise that was broken.

    :param booking: asks the API for a booking; None when it knows none.
    :param calendars: the texts of all objects in each calendar.
    """
    verdict, lines = Verdict(), list(journal)
    verdict.broken += _same_key_same_bytes(lines)
    verdict.broken += _unanswered(lines)
    acknowledged = _acknowledged(lines)
    standing = {name: found for name in acknowledged if (found := booking(name)) is not None}
    verdict.broken += [f"{name} WAS ACKNOWLEDGED AND LOST" for name in acknowledged.keys() - standing.keys()]
    verdict.broken += list(_as_said(acknowledged, standing))
    entries = {name: sorted(span for text in texts for span in spans(text)) for name, texts in calendars.items()}
    verdict.broken += list(_where_they_should(standing, entries))
    verdict.broken += list(_overlaps(entries))
    verdict.counted.update(
        attempts=len(lines),
        unanswered=sum(line["status"] is None for line in lines),
        acknowledged=len(acknowledged),
        cancelled=sum(not live(one) for one in standing.values()),
        entries=sum(map(len, entries.values())),
    )
    return verdict


def live(booking: Mapping[str, Any]) -> bool:
    """Whether it should stand in calendars."""
    return booking["state"] in ("pending", "confirmed")


def spans(text: str) -> Iterator[Span]:
    """Start and end (UTC) of each event in an iCalendar text."""
    unfolded = text.replace("\r\n ", "").replace("\n ", "")
    for event in re.findall(r"BEGIN:VEVENT.*?END:VEVENT", unfolded, re.DOTALL):
        found = {name: _moment(parameters, value) for name, parameters, value in _LINE.findall(event)}
        if "STATUS:CANCELLED" not in event:
            yield found["DTSTART"], found["DTEND"]


def _moment(parameters: str, value: str) -> datetime:
    moment = datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S")
    zone = re.search(r"TZID=\"?([^;:\"]+)", parameters)
    return moment.replace(tzinfo=ZoneInfo(zone[1]) if zone else UTC).astimezone(UTC)


def _same_key_same_bytes(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Whoever asks again with the same key hears the same."""
    heard = defaultdict(set)
    for line in lines:
        if line["status"] in (200, 201):
            heard[line["key"]].add((line["status"], line["answer"]))
    yield from (f"key {key} was answered in {len(said)} ways" for key, said in heard.items() if len(said) > 1)


def _unanswered(lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Clients must have gone on until they were answered; else nobody can say what is right."""
    answered = {line["key"] for line in lines if line["status"] is not None}
    yield from (f"key {key} was never answered" for key in {line["key"] for line in lines} - answered)


def _acknowledged(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """What was said about each booking, in the order in which it was heard."""
    said: dict[str, list[dict[str, Any]]] = defaultdict(list)
    seen: set[str] = set()
    for line in lines:
        if line["path"].startswith("/bookings") and line["status"] in (200, 201) and line["key"] not in seen:
            seen.add(line["key"])
            answer = json.loads(line["answer"])
            said[answer["id"]].append(answer)
    return said


def _as_said(said: Mapping[str, list[dict[str, Any]]], standing: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The last thing a client was told is true: time, person, form, and whether it is cancelled."""
    for name, now in standing.items():
        last = said[name][-1]
        if live(last) != live(now):
            yield f"{name} was said to be {last['state']}, and is {now['state']}"
        for what in ("start", "end", "caseworker", "form"):
            if last[what] != now[what]:
                yield f"{name}: its {what} was said to be {last[what]}, and is {now[what]}"
        if now["state"] == "pending":
            yield f"{name} never came to rest"


def _where_they_should(standing: Mapping[str, Mapping[str, Any]], entries: Mapping[str, list[Span]]) -> Iterator[str]:
    """Each live booking once in its caseworker's and its room's calendar; nothing else anywhere.

    A room that is not announced yet is not named: then one room or other must hold the meeting.
    """
    expected: dict[str, list[Span]] = defaultdict(list)
    somewhere = Counter[Span]()
    for one in filter(live, standing.values()):
        span, room = _span(one), one.get("room") or {}
        expected[one["caseworker"]].append(span)
        if room.get("id"):
            expected[room["id"]].append(span)
        elif "announced" in room:
            somewhere[span] += 1
    for calendar, found in entries.items():
        missing, surplus = Counter(expected[calendar]) - Counter(found), Counter(found) - Counter(expected[calendar])
        yield from (f"{calendar} lacks {start:%d %H:%M}" for start, _ in missing.elements())
        for span in surplus.elements():
            if somewhere[span]:
                somewhere[span] -= 1
            else:
                yield f"{calendar} holds {span[0]:%d %H:%M}, which nobody booked"
    yield from (f"no room holds {start:%d %H:%M}" for start, _ in somewhere.elements())


def _span(booking: Mapping[str, Any]) -> Span:
    return datetime.fromisoformat(booking["start"]), datetime.fromisoformat(booking["end"])


def _overlaps(entries: Mapping[str, list[Span]]) -> Iterator[str]:
    for calendar, found in entries.items():
        for (_, end), (start, _) in pairwise(found):
            if start < end:
                yield f"{calendar} is BOOKED TWICE at {start:%d %H:%M}"
