"""Entries beside a caseworker's own events: the room she asked for by a category, or why it could not be had.

Her event is never written to and nothing of it is kept but its time and id. What syncd has to say stands beside it in
an entry of syncd's own, private and shown as free, so that it takes no time (docs: adr/0007).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime

from syncd.model.booking import Meeting, RoomState
from syncd.model.busy import BusyType, Stamp
from syncd.model.directory import Directory, MailboxId, Room
from syncd.model.entry import EntryDraft, Resource, stamped
from syncd.model.interval import Interval
from syncd.model.marks import Mark
from syncd.model.offer import RoomRequirement
from syncd.model.zones import wall_clock

PREFIX = "beside-"
"""How ids of what stands beside an event begin; no booked meeting's id holds a dash."""

WORDS: Mapping[str, Mapping[str, str]] = {
    "da": {
        "room": "Lokalet er holdt til din egen aftale på samme tid. Flyt eller slet din aftale, så følger lokalet med. "
        "Slet dette notat, hvis du ikke skal bruge lokalet.",
        "note": "Notatet optager ikke din tid. Slet det, når du har læst det; det kommer ikke igen.",
        "no-room": "Intet lokale",
        "not-open": "Selvbook: ikke åbnet",
        "changes": "kan ændres",
        "searching": "Der ledes efter et lokale.",
        "series": "syncd kan ikke holde et lokale til en aftale, der gentager sig. Sæt kategorien på en enkelt aftale "
        "uden gentagelse, eller book lokalet til hele serien i lokalets egen kalender.",
        "guest": "Det er en andens møde, så lokalet må findes af den, der holder det. Har du selv brug for et lokale, "
        "så opret din egen aftale på samme tid med kategorien {mark}.",
        "all-day": "Aftalen varer hele dagen. Giv den et begyndelses- og et sluttidspunkt, så finder syncd et lokale.",
        "long": "Et lokale holdes højst 12 timer ad gangen. Gør aftalen kortere, eller del den op.",
        "words": "syncd forstår ikke »{said}«. Skriv antal pladser eller et af ordene {known}, "
        "for eksempel »{mark}: 6« eller »{mark}: skærm«.",
        "offer": "»{said}« er ikke noget, borgerne kan booke hos dig, så tiden er ikke åbnet. "
        "Skriv »{mark}« alene, eller »{mark}:« og et af: {known}.",
        "none": "Intet passende lokale er ledigt ({asked}).",
        "instead": "Ledigt på samme tid: {rooms}.",
        "times": "Nærmeste tider med lokale: {times}.",
        "nothing": "Der er heller intet ledigt på nærliggende tider.",
        "goes-on": "syncd leder videre og skriver lokalet her, hvis et bliver ledigt.",
        "seats": "{n} pladser",
        "lacks": "uden {what}",
        "step-free": "trinfri adgang",
        "at": "{day} {date} kl. {time}",
        "clock": "%H.%M",
        "date": "{d}.{m}.",
        "days": "mandag tirsdag onsdag torsdag fredag lørdag søndag",
        "nothing-known": "(intet)",
    },
    "en": {
        "room": "The room is kept for your own appointment at the same time. Move or delete that, and it follows; "
        "delete this note if you do not need the room.",
        "note": "This note takes none of your time. Delete it when you have read it; it will not come again.",
        "no-room": "No room",
        "not-open": "Self-booking: not opened",
        "changes": "may change",
        "searching": "A room is being looked for.",
        "series": "syncd cannot keep a room for an appointment that repeats. Put the category on a single one, "
        "or book the room for the whole series in the room's own calendar.",
        "guest": "This is somebody else's meeting, so whoever holds it must find the room. If you need one yourself, "
        "make an appointment of your own at the same time with the category {mark}.",
        "all-day": "The appointment lasts all day. Give it a beginning and an end, and syncd finds a room.",
        "long": "A room is kept for 12 hours at most. Make the appointment shorter, or divide it.",
        "words": "syncd does not understand '{said}'. Write a number of seats or one of the words {known}, "
        "such as '{mark}: 6'.",
        "offer": "Citizens cannot book '{said}' with you, so the time was not opened. "
        "Write '{mark}' alone, or '{mark}:' and one of: {known}.",
        "none": "No suitable room is free ({asked}).",
        "instead": "Free at the same time: {rooms}.",
        "times": "Nearest times with a room: {times}.",
        "nothing": "Nothing is free at times near it either.",
        "goes-on": "syncd goes on looking and writes the room here if one becomes free.",
        "seats": "{n} seats",
        "lacks": "without {what}",
        "step-free": "step-free access",
        "at": "{day} {date} at {time}",
        "clock": "%H:%M",
        "date": "{d}/{m}",
        "days": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "nothing-known": "(nothing)",
    },
}
"""Danish and English, under the same names."""


def id_of(installation: str, mailbox: MailboxId, mark: Mark, uid: str) -> str:
    """The id of what stands beside an event for a mark: always the same, also after a restore."""
    told = f"{installation}\n{mailbox}\n{mark.value}\n{uid}"
    return PREFIX + hashlib.sha256(told.encode()).hexdigest()[:20]


def beside_of(mark: Mark, uid: str) -> str:
    """What a row remembers of the event it stands beside."""
    return f"{mark.value}:{uid}"


def beside_draft(meeting: Meeting, directory: Directory, stamp: Stamp, *, announced: bool = False) -> EntryDraft:
    """What should stand in the caseworker's calendar beside her own event.

    :param announced: she was told her room; until then it can change, and says so.
    """
    words = WORDS[directory.language]
    room = directory.rooms.get(meeting.room) if meeting.room else None
    return stamped(
        EntryDraft(
            uid=meeting.uid,
            interval=meeting.interval,
            zone=meeting.zone,
            summary=_headline(meeting, room, words),
            description="\n".join((words["room"],) if room else (meeting.note or words["searching"], words["note"])),
            location=_place(room, words, announced),
            stamp=stamp,
            room=Resource(room.mailbox.address, room.name, room.mailbox.invited) if room else None,
            # An invited room takes over how its invitation is shown; it stands on her own busy time anyway.
            busy=BusyType.BUSY if room and room.mailbox.invited else BusyType.FREE,
        )
    )


def _place(room: Room | None, words: Mapping[str, str], announced: bool) -> str:
    if room is None:
        return ""
    return room.name if announced else f"{room.name} ({words['changes']})"


def _headline(meeting: Meeting, room: Room | None, words: Mapping[str, str]) -> str:
    if room is not None:
        return room.name if "lokale" in room.name.lower() or "room" in room.name.lower() else f"Lokale {room.name}"
    opening = (meeting.beside or "").startswith(f"{Mark.OPEN.value}:")
    return words["not-open"] if opening else words["no-room"]


def refusal(name: str, language: str, mark: str, said: str = "", known: Collection[str] = ()) -> str:
    """Why a mark has no effect, and what would.

    :param name: a key of `WORDS`: ``series``, ``guest``, ``all-day``, ``long``, ``words`` or ``offer``.
    :param mark: the category's name in this organisation.
    """
    words = WORDS[language]
    return words[name].format(mark=mark, said=said, known=", ".join(sorted(known)) or words["nothing-known"])


def no_room(
    language: str,
    asked: RoomRequirement,
    instead: Collection[Room],
    times: Collection[tuple[Interval, Room]],
    zone: str,
) -> str:
    """What a caseworker is told who could not have a room: what comes nearest."""
    words = WORDS[language]
    told = [words["none"].format(asked=_asked(asked, words))]
    if instead:
        told.append(words["instead"].format(rooms=", ".join(f"{r.name} ({_lacks(r, asked, words)})" for r in instead)))
    near = ", ".join(f"{_at(span.start, zone, words)} ({room.name})" for span, room in times)
    told.append(words["times"].format(times=near) if near else words["nothing"])
    return "\n".join((*told, words["goes-on"]))


def _asked(asked: RoomRequirement, words: Mapping[str, str]) -> str:
    more = [*sorted(asked.features), *([words["step-free"]] if asked.step_free else [])]
    return ", ".join((words["seats"].format(n=asked.seats), *more))


def _lacks(room: Room, asked: RoomRequirement, words: Mapping[str, str]) -> str:
    missing = [*sorted(asked.features - room.features)]
    missing += [words["step-free"]] if asked.step_free and not room.step_free else []
    return ", ".join((words["seats"].format(n=room.capacity), *(words["lacks"].format(what=one) for one in missing)))


def _at(moment: datetime, zone: str, words: Mapping[str, str]) -> str:
    local = wall_clock(moment, zone)
    day, date = words["days"].split()[local.weekday()], words["date"].format(d=local.day, m=local.month)
    return words["at"].format(day=day, date=date, time=local.strftime(words["clock"]))


def lacking(meeting: Meeting) -> bool:
    """Whether it wants a room, has none, and its caseworker was not told yet what comes nearest."""
    return meeting.wanted and meeting.room_state is RoomState.MISSING and meeting.note is None
