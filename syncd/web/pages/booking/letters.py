"""Receipts and reminders in words: as mail, in plain text and HTML with the .ics beside it, and as a text message.

Mail and text messages are read by whoever holds the telephone, so they say as little as they can: when, how and where,
never what about, with whom or whose. The room stands on the meeting's page only, because it may change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage

from syncd.booking.results import Appointment
from syncd.model.message import Kind
from syncd.web.pages import frame
from syncd.web.pages.booking.taken_along import taken_along
from syncd.web.pages.booking.words import FORMS
from syncd.web.pages.language import N_, Language

HEADINGS: dict[Kind, str] = {
    Kind.BOOKED: N_("Your meeting is booked"),
    Kind.MOVED: N_("Your meeting has a new time or place"),
    Kind.CANCELLED: N_("Your meeting is cancelled"),
    Kind.REMINDER: N_("Remember your meeting"),
}
MEETING = N_("Meeting")
WHEN, HOW, WHERE, VIDEO, REFERENCE = N_("When"), N_("How"), N_("Where"), N_("Join by video"), N_("Reference")
NOBODY_EXPECTS = N_("Nobody expects you then. If you have a deadline, remember to book another time.")
CHANGE = N_("Move the meeting, or cancel it")
CALL = N_("If you cannot come, please tell us: %(support)s")
STOP = N_("Send me no more messages")
HELP = N_("Do you need help? %(support)s")
WHY = N_("You get this message because you gave us your address for the meeting. It cannot be answered.")
SHORT = N_("%(organisation)s: %(heading)s: %(day)s at %(clock)s (%(how)s).")


@dataclass(frozen=True, slots=True)
class Around:
    """What a message says besides the meeting.

    :param place: where to come, without the room. :param link: to the meeting's page; empty when it has none.
    :param stop: to the page on which messages are stopped. :param video: where a talk by video is held, if known.
    :param sender: the address that mail comes from.
    """

    organisation: str
    office: str
    support: str
    place: str
    link: str
    stop: str
    video: str
    sender: str


def text(kind: Kind, found: Appointment, around: Around, speaking: Language) -> str:
    """As a text message, in letters that GSM 03.38 has, so that it is not cut into shorter parts."""
    meeting, say = found.meeting, speaking.say
    lines = [
        say(
            SHORT,
            organisation=around.organisation,
            heading=say(HEADINGS[kind]),
            day=speaking.day(_local(speaking, meeting.interval.start, meeting.zone), "short"),
            clock=speaking.clock(meeting.interval.start, meeting.zone),
            how=say(FORMS[meeting.form]),
        )
    ]
    if kind is not Kind.CANCELLED:
        lines += [one for one in (around.place, around.video) if one]
        lines += [f"{say(CHANGE)}: {around.link}"] if around.link else []
    lines += [] if around.link and kind is not Kind.CANCELLED else [f"{say(STOP)}: {around.stop}"]
    return "\n".join([*lines, *([say(HELP, support=around.support)] if around.support else [])])


def mail(kind: Kind, found: Appointment, around: Around, speaking: Language, now: datetime) -> EmailMessage:
    """As mail; recipient and id are for whoever sends it."""
    message, heading = EmailMessage(), speaking.say(HEADINGS[kind])
    message["Subject"] = f"{heading} · {around.organisation}"
    message["From"] = Address(around.organisation, addr_spec=around.sender)
    message["Date"] = now
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = speaking.code
    facts, said = list(_facts(kind, found, around, speaking)), _sentences(around, speaking)
    gone = kind is Kind.CANCELLED
    message.set_content(_plain(heading, facts, said, around, gone=gone))
    page = frame.environment(speaking.code).get_template("booking/letter.html")
    html = page.render(heading=heading, gone=gone, facts=facts, around=around, said=said)
    message.add_alternative(html, subtype="html")
    _take_along(message, kind, found, around, speaking, now)
    return message


def _local(speaking: Language, at: datetime, zone: str) -> datetime:
    return datetime.fromisoformat(speaking.walltime(at, zone))


def _facts(kind: Kind, found: Appointment, around: Around, speaking: Language) -> Iterator[tuple[str, str]]:
    meeting, say = found.meeting, speaking.say
    span, zone = meeting.interval, meeting.zone
    until = f"{speaking.clock(span.start, zone)}–{speaking.clock(span.end, zone)}"
    yield say(WHEN), f"{speaking.localday(span.start, zone)} {say(N_('at'))} {until}"
    if kind is not Kind.CANCELLED:
        yield say(HOW), say(FORMS[meeting.form])
        if around.place:
            yield say(WHERE), around.place
    yield say(REFERENCE), found.reference


def _sentences(around: Around, speaking: Language) -> dict[str, str]:
    say, support = speaking.say, around.support
    return {
        "gone": say(NOBODY_EXPECTS),
        "change": say(CHANGE),
        "call": say(CALL, support=support) if support else "",
        "video": say(VIDEO),
        "stop": say(STOP),
        "help": say(HELP, support=support) if support else "",
        "why": say(WHY),
    }


def _plain(
    heading: str, facts: Iterable[tuple[str, str]], said: Mapping[str, str], around: Around, *, gone: bool
) -> str:
    """The same without HTML."""
    lines = [heading, "", *(f"{name}: {value}" for name, value in facts), ""]
    if gone:
        lines += [said["gone"], ""]
    else:
        lines += [f"{said['video']}: {around.video}", ""] if around.video else []
        lines += [f"{said['change']}: {around.link}", ""] if around.link else [said["call"], ""]
    lines += [said["help"], ""] if said["help"] and (around.link or gone) else []
    lines += [f"{around.organisation}, {around.office}", "", said["why"], f"{said['stop']}: {around.stop}"]
    return "\n".join(lines) + "\n"


def _take_along(
    message: EmailMessage, kind: Kind, found: Appointment, around: Around, speaking: Language, now: datetime
) -> None:
    """The event beside the words: published, or withdrawn again (RFC 5546 3.2.1, 3.2.5; RFC 6047 2.4)."""
    body = taken_along(found, speaking.say(MEETING), around.place, around.organisation, now, around.sender)
    method = "CANCEL" if kind is Kind.CANCELLED else "PUBLISH"
    message.add_attachment(
        body,
        maintype="text",
        subtype="calendar",
        filename="meeting.ics",
        params={"method": method, "charset": "utf-8"},
    )
