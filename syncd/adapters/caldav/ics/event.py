"""A VEVENT (or AVAILABLE) becomes what matters about it: when, how often, how it blocks, whether it is ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Final

from syncd.adapters.caldav.ics.kind import kind_of, same_address
from syncd.adapters.caldav.ics.lines import Component
from syncd.adapters.caldav.ics.refusal import Unparsable
from syncd.adapters.caldav.ics.rules import Rule, parse
from syncd.adapters.caldav.ics.values import Clocks, Length, When, duration, when
from syncd.model.busy import BusyType, Stamp
from syncd.model.marks import folded

LONGEST_UID: Final = 2000
MAX_DATES: Final = 50_000

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPED: Final = re.compile(r"\\(.)")
_COMMA: Final = re.compile(r"(?<!\\),")
_NOTHING: Final = timedelta(0)
_RANGE: Final = re.compile(r';RANGE="?THISANDFUTURE', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reader:
    """What it takes to read one object's events.

    :param clocks: explains TZIDs.
    :param home: the mailbox's clock.
    :param owner: the calendar owner's mail address, lower case.
    :param obeyed: categories to keep, folded (`syncd.model.marks.folded`); what follows a colon is not compared.
    :param ours: the text is our own memory, whose X-SYNCD- lines may be believed.
    """

    clocks: Clocks
    home: tzinfo
    owner: str = ""
    obeyed: frozenset[str] = frozenset()
    ours: bool = False

    def when(self, rest: str) -> When:
        """Read one date or time."""
        return when(rest, self.clocks, self.home)


@dataclass(frozen=True, slots=True)
class Extra:
    """One RDATE; a PERIOD brings its own end or length."""

    start: When
    end: When | None = None
    length: Length | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One VEVENT, without a word of what it is about.

    :param uid: empty when it has none.
    :param end: DTEND; :param length: DURATION; at most one of them.
    :param recurrence: RECURRENCE-ID; ``onwards`` when its RANGE is THISANDFUTURE.
    :param kind: None when cancelled.
    :param guest: somebody else organises it; looked at only when it has categories that are obeyed.
    """

    uid: str
    start: When
    end: When | None
    length: Length | None
    kind: BusyType | None
    recurrence: When | None = None
    onwards: bool = False
    sequence: int = 0
    rules: tuple[Rule, ...] = ()
    excluded_by: tuple[Rule, ...] = ()
    extras: tuple[Extra, ...] = ()
    exceptions: tuple[When, ...] = ()
    categories: tuple[str, ...] = ()
    stamp: Stamp | None = None
    guest: bool = False

    @property
    def repeats(self) -> bool:
        """Whether it has more instances than DTSTART, or may exclude it."""
        return bool(self.rules or self.extras or self.exceptions)


def read_event(component: Component, reader: Reader) -> Event:
    """Read one VEVENT or AVAILABLE.

    :raises Unparsable: no DTSTART, or a time or rule that cannot be read.
    """
    lines = component.lines
    start = _single(component, "DTSTART", reader)
    if start is None:
        raise Unparsable("an event in it has no DTSTART")
    categories = _categories(component, reader)
    many = "RRULE" in lines or "RDATE" in lines or "EXDATE" in lines or "EXRULE" in lines
    return Event(
        uid=read_uid(component),
        start=start,
        end=_single(component, "DTEND", reader),
        length=_length(component),
        kind=_kind(component, reader),
        recurrence=_single(component, "RECURRENCE-ID", reader),
        onwards="RECURRENCE-ID" in lines and bool(_RANGE.search(lines["RECURRENCE-ID"][0])),
        sequence=_sequence(component),
        rules=_rules(component, "RRULE") if many else (),
        excluded_by=_rules(component, "EXRULE") if many else (),
        extras=tuple(extra for _, extra in read_periods(component, "RDATE", reader)) if many else (),
        exceptions=tuple(_exceptions(component, reader)) if many else (),
        categories=categories,
        stamp=_stamp(component),
        guest=bool(categories) and _guest(component, reader),
    )


def _single(component: Component, name: str, reader: Reader) -> When | None:
    """A property that may stand once; a second one that says something else makes the object unreadable."""
    found = component.lines.get(name)
    if found is None:
        return None
    if len(found) > 1 and len({reader.when(rest).utc for rest in found}) > 1:
        raise Unparsable(f"an event in it has two different {name}")
    return reader.when(found[0])


def read_uid(component: Component) -> str:
    """The UID; empty without one.

    :raises Unparsable: longer than `LONGEST_UID`.
    """
    found = component.lines.get("UID")
    if found is None:
        return ""
    uid = found[0].partition(":")[2].strip()
    if len(uid) > LONGEST_UID:
        raise Unparsable(f"a UID in it is longer than {LONGEST_UID} characters")
    return _plain(uid)


def _plain(text: str) -> str:
    """TEXT without escapes (RFC 5545 3.3.11) and control characters, which no database wants."""
    text = _ESCAPED.sub(r"\1", text) if "\\" in text else text
    return text if text.isprintable() else _CONTROL.sub("", text)


def _length(component: Component) -> Length | None:
    if "DTEND" in component.lines or "DURATION" not in component.lines:
        return None
    return duration(component.lines["DURATION"][0].rpartition(":")[2])


def _sequence(component: Component) -> int:
    text = component.value("SEQUENCE") if "SEQUENCE" in component.lines else ""
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _rules(component: Component, name: str) -> tuple[Rule, ...]:
    found = component.lines.get(name, [])
    if len(found) > 20:
        raise Unparsable(f"an event in it has more than 20 {name}")
    return tuple(parse(rest.partition(":")[2]) for rest in found)


def _listed(component: Component, name: str) -> Iterator[tuple[str, str]]:
    """Parameters and each value of properties that hold comma lists and may come repeatedly."""
    count = 0
    for rest in component.lines.get(name, []):
        params, _, values = rest.rpartition(":")
        for value in values.split(","):
            count += 1
            if count > MAX_DATES:
                raise Unparsable(f"an event in it has more than {MAX_DATES} {name}")
            if value := value.strip():
                yield params, value


def read_periods(component: Component, name: str, reader: Reader) -> Iterator[tuple[str, Extra]]:
    """The dates, times or PERIODs of a property that lists them, each with the property's parameters.

    :raises Unparsable: one that cannot be read, or more than `MAX_DATES`.
    """
    for params, value in _listed(component, name):
        start, slash, end = value.partition("/")
        begin = reader.when(f"{params}:{start}")
        if not slash:
            yield params, Extra(begin)
        elif end[:1] in ("P", "p", "+", "-"):
            yield params, Extra(begin, length=duration(end))
        else:
            yield params, Extra(begin, end=reader.when(f"{params}:{end}"))


def _exceptions(component: Component, reader: Reader) -> Iterator[When]:
    for params, value in _listed(component, "EXDATE"):
        yield reader.when(f"{params}:{value.partition('/')[0]}")


def _kind(component: Component, reader: Reader) -> BusyType | None:
    if reader.ours and "X-SYNCD-BUSY" in component.lines:
        word = component.lines["X-SYNCD-BUSY"][0][1:]
        return BusyType(word) if word else None
    return kind_of(component, reader.owner)


def _categories(component: Component, reader: Reader) -> tuple[str, ...]:
    """Only those that syncd obeys; the others are the caseworker's own business."""
    if reader.ours:
        return tuple(_plain(rest[1:]) for rest in component.lines.get("X-SYNCD-CATEGORY", []))
    if not reader.obeyed or "CATEGORIES" not in component.lines:
        return ()
    names = [
        _plain(name.strip()) for rest in component.lines["CATEGORIES"] for name in _COMMA.split(rest.partition(":")[2])
    ]
    return tuple(name for name in names if folded(name.partition(":")[0]) in reader.obeyed)


def _guest(component: Component, reader: Reader) -> bool:
    """Whether an ORGANIZER is named who is not the owner of the calendar (RFC 5545 3.8.4.3)."""
    if reader.ours:
        return "X-SYNCD-GUEST" in component.lines
    named = component.lines.get("ORGANIZER", [])
    return bool(named and reader.owner) and not any(same_address(one, reader.owner) for one in named)


def _stamp(component: Component) -> Stamp | None:
    found = component.lines.get("X-SYNCD-STAMP")
    return Stamp.decode(_plain(found[0].partition(":")[2])) if found else None


def written(event: Event, name: str = "VEVENT") -> Iterator[str]:
    """The content lines we remember of *event*: times, rules, ids, busy type, stamp; nothing else."""
    yield f"BEGIN:{name}"
    if event.uid:
        yield f"UID:{_escaped(event.uid)}"
    yield event.start.written("DTSTART")
    if event.end is not None:
        yield event.end.written("DTEND")
    if event.length is not None:
        yield event.length.written("DURATION")
    if event.recurrence is not None:
        yield event.recurrence.written("RECURRENCE-ID;RANGE=THISANDFUTURE" if event.onwards else "RECURRENCE-ID")
    if event.sequence:
        yield f"SEQUENCE:{event.sequence}"
    yield f"X-SYNCD-BUSY:{event.kind or ''}"
    yield from (f"RRULE:{rule.text}" for rule in event.rules)
    yield from (f"EXRULE:{rule.text}" for rule in event.excluded_by)
    for extra in event.extras:
        yield extra.start.written("RDATE") + _period_end(extra)
    yield from _exception_lines(event)
    yield from (f"X-SYNCD-CATEGORY:{_escaped(name)}" for name in event.categories)
    if event.guest:
        yield "X-SYNCD-GUEST:1"
    if event.stamp is not None:
        yield f"X-SYNCD-STAMP:{_escaped(event.stamp.encode())}"
    yield f"END:{name}"


def _exception_lines(event: Event) -> Iterator[str]:
    """One EXDATE per way of writing; some series have thousands of exceptions."""
    lists: dict[str, list[str]] = {}
    for moment in event.exceptions:
        head, _, value = moment.written("EXDATE").rpartition(":")
        lists.setdefault(head, []).append(value)
    return (f"{head}:{','.join(values)}" for head, values in lists.items())


def _period_end(extra: Extra) -> str:
    if extra.end is not None:
        return "/" + extra.end.written("").rpartition(":")[2]
    return "/" + extra.length.written("")[1:] if extra.length is not None else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\") if "\\" in text else text
