"""What a caseworker reads in her calendar about a booked meeting, in her organisation's language.

Nothing here takes a citizen's name, CPR number or free text, and nothing of it ever reaches a room's calendar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syncd.booking.texts import reference
from syncd.model.booking import Meeting, RoomState
from syncd.model.offer import Form

WORDS: Mapping[str, Mapping[str, str]] = {
    "da": {
        "subject": "Selvbooket samtale",
        Form.IN_PERSON.value: "Personligt fremmøde",
        Form.PHONE.value: "Telefon",
        Form.VIDEO.value: "Video",
        "reports": "Borgeren melder sig her: {reception}",
        "call": "Ring til borgeren: {reach}",
        "link": "Link til mødet: {reach}",
        "reference": "Reference: {code}",
        "case": "Sagen: {url}",
        "conflict": "OBS: Tiden overlapper noget andet i din kalender. Flyt en af aftalerne, eller lad dem stå.",
        "no-room": "OBS: Der er intet lokale til samtalen.",
        "move": "Flyt eller slet aftalen her i kalenderen, så følger bookingen med.",
        "notes": "Egne noter over og under denne tekst bliver stående.",
        "support": "Spørgsmål? {support}",
        "room": "lokale {name}",
        "changes": "kan ændres",
        "missing": "Lokale mangler",
        "changing": "Lokalet skiftes",
        "room-before": "Lokalet er ændret; før var det {name}.",
    },
    "en": {
        "subject": "Self-booked talk",
        Form.IN_PERSON.value: "In person",
        Form.PHONE.value: "Phone",
        Form.VIDEO.value: "Video",
        "reports": "The citizen reports here: {reception}",
        "call": "Call the citizen: {reach}",
        "link": "Link to the meeting: {reach}",
        "reference": "Reference: {code}",
        "case": "The case: {url}",
        "conflict": "NB: The time overlaps something else in your calendar. Move one of the two, or leave them.",
        "no-room": "NB: There is no room for this talk.",
        "move": "Move or delete the appointment here in the calendar, and the booking follows.",
        "notes": "Notes of your own above and below this text stay.",
        "support": "Questions? {support}",
        "room": "room {name}",
        "changes": "may change",
        "missing": "Room missing",
        "changing": "The room is being changed",
        "room-before": "The room has changed; it was {name} before.",
    },
}
"""Danish and English, under the same names."""


@dataclass(frozen=True, slots=True)
class Around:
    """What an entry says that the meeting itself does not know.

    :param title: the offer's title by language; the entry's own, or the first there is.
    :param reception: where citizens report at the caseworker's site; told for meetings in person only.
    :param reach: the number to call (by phone) or the link to open (by video).
    :param cases: links to the case system, one per booking.
    :param support: whom to call when something is odd.
    :param room_before: another room, which had been announced.
    """

    title: Mapping[str, str]
    reception: str = ""
    reach: str = ""
    cases: Sequence[str] = ()
    support: str = ""
    room_before: str = ""


def subject(language: str) -> str:
    """The entry's subject: that somebody comes, not who or why."""
    return WORDS[language]["subject"]


def location(
    language: str,
    form: Form,
    room_name: str | None,
    room_state: RoomState,
    *,
    announced: bool = False,
    changing: bool = False,
) -> str:
    """Where the meeting is.

    :param announced: people were told; until then the room can be changed, and the text says so.
    :param changing: it has given one room back and does not have the next one yet.
    """
    words = WORDS[language]
    if changing:
        return words["changing"]
    if room_state is RoomState.MISSING:
        return words["missing"]
    if room_name is None:
        return words[form.value] if form is not Form.IN_PERSON else ""
    known = any(word in room_name.lower() for word in ("lokale", "room"))
    named = room_name if known else words["room"].format(name=room_name)
    return named if announced else f"{named} ({words['changes']})"


def description(language: str, meeting: Meeting, around: Around) -> str:
    """The entry's body: what it is about first, then what to do, then what could not be had."""
    words, form = WORDS[language], meeting.form
    reach = {Form.PHONE: "call", Form.VIDEO: "link"}.get(form)
    lines = [
        around.title.get(language) or next(iter(around.title.values()), ""),
        words[form.value],
        words["reports"].format(reception=around.reception) if around.reception and form is Form.IN_PERSON else "",
        words[reach].format(reach=around.reach) if reach and around.reach else "",
        words["room-before"].format(name=around.room_before) if around.room_before else "",
        words["reference"].format(code=reference(meeting.id)),
        *(words["case"].format(url=url) for url in around.cases),
        words["conflict"] if meeting.conflict else "",
        words["no-room"] if meeting.room_state is RoomState.MISSING and meeting.note is None else "",
        meeting.note or "",
        words["move"],
        words["notes"],
        words["support"].format(support=around.support) if around.support else "",
    ]
    return "\n".join(line for line in lines if line)


def case_links(template: str, meeting: Meeting, bookings: Sequence[str]) -> tuple[str, ...]:
    """Links to the case system; none without a template.

    :param template: with ``{booking}`` and ``{reference}``, as `syncd.config` has checked it.
    """
    if not template:
        return ()
    code = reference(meeting.id)
    links = (template.replace("{booking}", booking).replace("{reference}", code) for booking in bookings)
    return tuple(dict.fromkeys(links))
