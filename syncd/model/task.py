"""What a person must do: a closed list of kinds, each with a sentence in Danish and in English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from string import Formatter
from typing import Any, NamedTuple

Facts = Mapping[str, str | int]
"""What fills a sentence: ids, names of ours, counts; never a citizen's data, never a subject. Not what changes with
every look (an age, a clock): other facts are another matter, and open a task again that somebody had done with."""


class TaskKind(StrEnum):
    """What happened. A new kind needs its two sentences below, and nothing else."""

    CASEWORKER_LEFT = "caseworker-left"
    """Somebody who left the group has meetings to come. About ``mailbox:ID``."""
    GROUP_UNREADABLE = "group-unreadable"
    """A distribution group cannot be asked for its people. About ``group:ADDRESS``."""
    GROUP_SHRANK = "group-shrank"
    """So many are gone from a group at once that it is not believed. About ``group:ADDRESS``."""
    ABSENCE_SUGGESTED = "absence-suggested"
    """The calendar says that somebody is away who has meetings then. About ``mailbox:ID``."""
    ABSENCE_OPEN = "absence-open"
    """An absence was given, and meetings in it still have nobody. About ``absence:ID``."""
    CALENDAR_GONE = "calendar-gone"
    """A caseworker's calendar cannot be read for long, and there are meetings to come. About ``mailbox:ID``."""
    CALL_CITIZEN = "call-citizen"
    """A change so near that the citizen must be called. About ``meeting:ID``."""
    SUPPLY_SHORT = "supply-short"
    """Too few times can be booked in a window that a rule guards. About ``offer:NAME:FIRST-LAST`` (days)."""
    CASEWORKER_SHORT = "caseworker-short"
    """A caseworker has fewer times in the coming week than are expected of her. About ``mailbox:ID``."""
    MANY_BOOKINGS = "many-bookings"
    """A citizen booked more often than a limit says. About ``citizen:DIGEST``, with a caseworker ``…:ID``."""
    ROOM_NEEDED = "room-needed"
    """A meeting has no room, or the room it is pinned to is closed or taken. About ``meeting:ID``."""
    LOOK_AT_MEETING = "look-at-meeting"
    """A meeting needs a person: calendars lag, rooms lack, entries collide. About ``meeting:ID``."""
    JOBNET_ERRORS = "jobnet-errors"
    """Jobnet or DFDG reported an error in what we answered. About ``jobnet``."""
    ENTRY_WITHOUT_MEETING = "entry-without-meeting"
    """A room's calendar holds a meeting of ours that nobody knows any more. About ``meeting:ID``."""
    DEADLINE_TO_MOVE = "deadline-to-move"
    """We cancelled a talk, or moved it past the last day it may be held on. About ``meeting:ID``."""
    REPORT_REFUSED = "report-refused"
    """DFDG did not take a report. About ``record:ID``."""
    REPORT_LATE = "report-late"
    """DFDG has not answered for long, and reports are owed to it. About ``dfdg``."""
    RECORD_MISSING = "record-missing"
    """DFDG does not have a booking that was made on Jobnet. About ``record:ID``."""
    RECORD_CLASH = "record-clash"
    """A talk was changed both here and in the case system. About ``record:ID``."""
    CITIZEN_NOT_TOLD = "citizen-not-told"
    """A receipt or reminder did not, or may not, have reached a citizen. About ``booking:ID``."""
    DEADLINES_SHORT = "deadlines-short"
    """Fewer talks can be booked than citizens must have by their deadlines. About ``offer:NAME:deadlines``."""


class Sentence(NamedTuple):
    """What to do, with the names of the facts in braces: ``{x:meeting|meetings}`` is a count, ``{x:day}`` a date."""

    da: str
    en: str


class _Speaker(Formatter):
    """Counts with the right noun, and dates as people write them."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """One fact in words."""
        if "|" in format_spec:
            one, _, many = format_spec.partition("|")
            return f"{value} {one if value == 1 else many}"
        if format_spec == "day":
            return re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3.\2.\1", str(value))
        return str(value)


_SPEAKER = _Speaker()

SENTENCES: dict[TaskKind, Sentence] = {
    TaskKind.CASEWORKER_LEFT: Sentence(
        da="{caseworker} er ikke længere i gruppen, men har samtaler foran sig. "
        "Giv dem til kolleger: syncd absence give {id}",
        en="{caseworker} is no longer in the group, but has meetings to come. "
        "Give them to colleagues: syncd absence give {id}",
    ),
    TaskKind.GROUP_UNREADABLE: Sentence(
        da="Hvem der er i gruppen {group}, kan ikke læses; de kendte beholdes. {problem}",
        en="Who is in the group {group} cannot be told; those known are kept. {problem}",
    ),
    TaskKind.GROUP_SHRANK: Sentence(
        da="{missing} af {known} er på én gang væk fra gruppen {group}; intet er ændret. "
        "Er det rigtigt, så kør: syncd people follow --accept-loss",
        en="{missing} of {known} are gone from the group {group} at once; nothing was changed. "
        "If it is right, run: syncd people follow --accept-loss",
    ),
    TaskKind.ABSENCE_SUGGESTED: Sentence(
        da="{caseworker} er ifølge kalenderen fraværende fra {start} til {end}, men har {meetings:møde|møder}. "
        "Se forslag: syncd absence suggest {id}",
        en="By the calendar {caseworker} is away from {start} to {end}, but has {meetings:meeting|meetings}. "
        "See proposals: syncd absence suggest {id}",
    ),
    TaskKind.ABSENCE_OPEN: Sentence(
        da="{caseworker} er fraværende fra {start} til {end}; {meetings:møde|møder} har endnu ingen løsning: "
        "syncd absence show {id}",
        en="{caseworker} is away from {start} to {end}; {meetings:meeting has|meetings have} no solution yet: "
        "syncd absence show {id}",
    ),
    TaskKind.CALENDAR_GONE: Sentence(
        da="Kalenderen for {caseworker} har ikke kunnet læses siden {start}, og der er {meetings:møde|møder} forude. "
        "Kontrollér kalenderen (syncd check), eller giv møderne videre: syncd absence suggest {id}",
        en="The calendar of {caseworker} could not be read since {start}, and {meetings:meeting is|meetings are} to "
        "come. Look at the calendar (syncd check), or give the meetings to others: syncd absence suggest {id}",
    ),
    TaskKind.CALL_CITIZEN: Sentence(
        da="Ring til borgeren: mødet {when} (reference {reference}) {change}.",
        en="Call the citizen: the meeting of {when} (reference {reference}) {change_en}.",
    ),
    TaskKind.SUPPLY_SHORT: Sentence(
        da="Færre end {least} møder kan bookes af '{offer}' fra {first} til {last} dage frem. Borgere kan ikke "
        "overholde deres frist: luk tid op, eller forlæng fristerne. Hvorfor: syncd why {offer} MEDARBEJDER TID",
        en="Fewer than {least} meetings of '{offer}' can be booked from {first} to {last} days ahead. Citizens cannot "
        "keep their deadlines: open more time, or extend the deadlines. Why: syncd why {offer} CASEWORKER TIME",
    ),
    TaskKind.CASEWORKER_SHORT: Sentence(
        da="{caseworker} har færre end de forventede {least} møder, bookede eller ledige, i ugen fra {week:day}.",
        en="{caseworker} has fewer than the expected {least} meetings, booked or on offer, "
        "in the week from {week:day}.",
    ),
    TaskKind.MANY_BOOKINGS: Sentence(
        da="En borger har lavet mere end {most} bookinger på {days} dage{whom}, aflyste talt med; den seneste er "
        "{booking}. Der er ikke afvist noget. Tal med borgeren, hvis der er noget galt.",
        en="A citizen made more than {most} bookings within {days} days{whom_en}, cancelled ones included; the latest "
        "is {booking}. Nothing was refused. Talk to the citizen if something is wrong.",
    ),
    TaskKind.ROOM_NEEDED: Sentence(
        da="Mødet {when} (reference {reference}) mangler et lokale (fastholdt i: {room}). Tider samme dag med lokale: "
        "{times}. Ledige lokaler, der mangler noget: {rooms}. Flyt mødet i kalenderen, eller vælg et lokale: "
        "syncd rooms pin {reference} --room LOKALE",
        en="The meeting of {when} (reference {reference}) lacks a room (pinned to: {room}). Times of that day with a "
        "room: {times}. Free rooms that lack something: {rooms}. Move the meeting in the calendar, or choose a room: "
        "syncd rooms pin {reference} --room ROOM",
    ),
    TaskKind.LOOK_AT_MEETING: Sentence(
        da="Mødet {when} hos {caseworker} (reference {reference}): {says}",
        en="The meeting of {when} with {caseworker} (reference {reference}) needs a look. {says}",
    ),
    TaskKind.JOBNET_ERRORS: Sentence(
        da="{origin} har meldt fejl {code}; {number} fejlmelding(er) er ikke set igennem: syncd jobnet errors",
        en="{origin} reported error {code}; {number} report(s) wait to be looked at: syncd jobnet errors",
    ),
    TaskKind.ENTRY_WITHOUT_MEETING: Sentence(
        da="Lokale {room} er optaget {when} af et møde (reference {reference}), som hverken databasen eller nogen "
        "sagsbehandlers kalender kender, formentlig efter en gendannelse. Slet aftalen i lokalets kalender, hvis den "
        "er overflødig; syncd sletter den ikke.",
        en="Room {room} is taken on {when} by a meeting (reference {reference}) that neither the database nor any "
        "caseworker's calendar knows, probably after a restore. Delete the entry in the room's calendar if it is "
        "not needed; syncd does not.",
    ),
    TaskKind.DEADLINE_TO_MOVE: Sentence(
        da="Mødet {when} (reference {reference}) er aflyst eller flyttet forbi sidste afholdelsesdato ({latest:day}): "
        "flyt fristen i fagsystemet (frist {deadline}).",
        en="The meeting of {when} (reference {reference}) was cancelled, or moved past the last day it may be held on "
        "({latest:day}): move the deadline in the case system (deadline {deadline}).",
    ),
    TaskKind.REPORT_REFUSED: Sentence(
        da="DFDG tog ikke imod ændringen af mødet {when} (reference {reference}, post {record} i DFDG): {says} "
        "Ret det i fagsystemet, eller prøv igen: syncd dfdg retry {record}",
        en="DFDG did not take the change of the meeting of {when} (reference {reference}, record {record}). {says} "
        "Put it right in the case system, or try again: syncd dfdg retry {record}",
    ),
    TaskKind.REPORT_LATE: Sentence(
        da="DFDG har ikke svaret længe, og ændringer siden {since} er ikke indberettet. syncd bliver ved med at prøve; "
        "borgere ser imens det gamle tidspunkt på Jobnet: syncd dfdg status",
        en="DFDG has not answered for long, and changes since {since} are not reported. syncd goes on trying; "
        "meanwhile citizens see the old time on Jobnet: syncd dfdg status",
    ),
    TaskKind.RECORD_MISSING: Sentence(
        da="Mødet {when} (reference {reference}) blev booket på Jobnet, men DFDG kender ikke posten {record}. "
        "Borgeren kan ikke se det: opret den i fagsystemet, eller aflys mødet.",
        en="The meeting of {when} (reference {reference}) was booked on Jobnet, but DFDG does not know the record "
        "{record}. The citizen cannot see it: make it in the case system, or cancel the meeting.",
    ),
    TaskKind.RECORD_CLASH: Sentence(
        da="Mødet {when} (reference {reference}) blev ændret både i kalenderen og i fagsystemet. Kalenderen gælder og "
        "er indberettet; kontrollér med borgeren.",
        en="The meeting of {when} (reference {reference}) was changed both in the calendar and in the case system. The "
        "calendar holds and was reported; make sure with the citizen.",
    ),
    TaskKind.CITIZEN_NOT_TOLD: Sentence(
        da="Ring til borgeren: beskeden om mødet {when} (reference {reference}) nåede måske ikke frem; {what}.",
        en="Call the citizen: the message about the meeting of {when} (reference {reference}) may not have arrived; "
        "{what_en}.",
    ),
    TaskKind.DEADLINES_SHORT: Sentence(
        da="Der kan bookes færre '{offer}' til og med {until:day}, end borgere har frist til. Luk tid op, eller flyt "
        "frister i fagsystemet: syncd dfdg deadlines",
        en="Fewer '{offer}' can be booked until {until:day} than citizens have deadlines for. Open more time, or move "
        "deadlines in the case system: syncd dfdg deadlines",
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
        return _SPEAKER.vformat(SENTENCES[self.kind].da, (), self.facts)

    @property
    def en(self) -> str:
        """The sentence in English, with what staff are told of the cause, which may be Danish."""
        return _SPEAKER.vformat(SENTENCES[self.kind].en, (), self.facts)

    @property
    def english(self) -> str:
        """The same without it."""
        whole = _SPEAKER.vformat(SENTENCES[self.kind].en, (), {**self.facts, "says": ""})
        return " ".join(whole.split())

    @property
    def says(self) -> str:
        """What staff are told of the cause, a sentence of its own; often empty."""
        return str(self.facts.get("says", ""))
