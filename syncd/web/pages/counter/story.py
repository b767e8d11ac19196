"""The history of one meeting in sentences: who did what, when, and from where; from the audit log alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from syncd.booking import counter
from syncd.booking.counter import Ground
from syncd.booking.openly import CLIENT as OPEN_PAGE
from syncd.config.jobnet import CLIENT as JOBNET
from syncd.store.history import Step
from syncd.store.rooms import CHANGED, REARRANGED
from syncd.web.pages.counter.words import GROUNDS, PURPOSES, name_of
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Visitor

SAID: dict[str, str] = {
    "hold.made": N_("%(who)s kept the time for a few minutes."),
    "hold.extended": N_("%(who)s asked for more time."),
    "booking.made": N_("%(who)s booked the meeting."),
    counter.MADE: N_(
        "%(who)s booked the meeting for the citizen, who is %(ground)s; it does not count as self-booked."
    ),
    "booking.imported": N_("%(who)s brought the meeting over from the former system."),
    "booking.accepted": N_("%(who)s accepted the time."),
    "booking.cancelled": N_("%(who)s cancelled the booking."),
    "booking.no-show": N_("%(who)s noted that the citizen did not come."),
    "booking.attended": N_("%(who)s took back that the citizen did not come."),
    "meeting.withdrawn": N_("%(who)s deleted the meeting."),
    "meeting.adopted": N_("%(who)s had the meeting, which the database did not know; it was taken up again."),
    "room.announced": N_("The room %(room)s was told to those concerned."),
    "room.changed": N_("The new room %(room)s was told to those concerned."),
    "room.pinned": N_("%(who)s decided that it stays in %(origin)s."),
    "room.unpinned": N_("%(who)s let syncd choose the room again."),
    CHANGED: N_("%(who)s moved it from %(origin)s to %(target)s, after people had been told."),
    REARRANGED: N_("%(who)s moved it from %(origin)s to %(target)s, before anybody was told."),
    "meeting.room-lost": N_("It lost the room %(origin)s; no other one was free."),
    "meeting.room-gone": N_("The room %(origin)s is not in use any more; now it is in %(target)s."),
    "citizen.linked": N_("%(who)s linked a citizen to the meeting; it does not count as self-booked."),
    "summons.taken-over": N_("%(who)s summoned the citizen; the meeting was taken over from there."),
    "record.reported": N_("The change was reported to DFDG."),
    "record.confirmed": N_("DFDG confirmed the report."),
    "record.retried": N_("%(who)s had it reported to DFDG again."),
    "message.sent": N_("A message was sent to the citizen: %(message)s."),
    "message.unknown": N_("A message may not have reached the citizen: %(message)s."),
    "message.failed": N_("A message could not be sent to the citizen: %(message)s."),
    "messages.stopped": N_("%(who)s wants no more messages."),
    "messages.resumed": N_("%(who)s wants messages again."),
    "mark.dismissed": N_("%(who)s removed what syncd had put beside the entry."),
    "mark.ended": N_("%(who)s took the mark off the entry."),
    "answer.replayed": N_("%(who)s asked again for the same, and got the same answer."),
}
MOVED = frozenset({"booking.moved", "meeting.moved", "meeting.rebooked"})
SHIFTED = N_("%(who)s moved the meeting from %(before)s to %(after)s.")
SHIFTED_AND_GIVEN = N_("%(who)s moved the meeting from %(before)s with %(giver)s to %(after)s with %(taker)s.")
SOMEWHERE = N_("%(who)s moved the meeting.")
HANDED = N_("%(who)s gave the meeting from %(origin)s to %(target)s.")
HANDED_BY_PHONE = N_("%(who)s made it a talk by telephone with %(target)s.")
OTHERWISE = N_("%(who)s: %(action)s")
LOOKS: dict[str, str] = {
    "booking.read": N_("%(who)s looked at the booking."),
    "citizen.shown": N_("%(who)s looked up whose booking it is: %(purpose)s."),
    "contact.read": N_("%(who)s looked at how the citizen can be reached: %(purpose)s."),
}
OTHER_MESSAGE = N_("a message")
MESSAGES: dict[str, str] = {
    "booked mail": N_("a receipt by mail"),
    "booked sms": N_("a receipt by text message"),
    "moved mail": N_("the new time or place by mail"),
    "moved sms": N_("the new time or place by text message"),
    "cancelled mail": N_("the cancellation by mail"),
    "cancelled sms": N_("the cancellation by text message"),
    "reminder mail": N_("a reminder by mail"),
    "reminder sms": N_("a reminder by text message"),
}
PORTAL, ON_JOBNET, COUNTER = N_("The citizen, through %(name)s,"), N_("The citizen, on Jobnet,"), N_("Staff")
OPENLY = N_("The citizen, on the booking page,")
CALENDAR, PAGES = N_("%(name)s, in the calendar,"), N_("%(name)s, on these pages,")
COMMAND, CASE_SYSTEM, PROGRAM = N_("%(name)s, by command,"), N_("The case system"), "syncd"
HERE = N_("The citizen, on the booking page,")


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence. :param at: when (UTC)."""

    at: datetime
    text: str


def story(visitor: Visitor, steps: Iterable[Step], zone: str) -> tuple[list[Told], list[Told]]:
    """What happened, and who only looked, each in order of time."""
    happened: list[Told] = []
    looked: list[Told] = []
    for step in steps:
        # What staff book for a citizen is told by the row that says who it was, and why.
        if step.actor == f"client:{counter.CLIENT}":
            continue
        told = Told(step.at, sentence(visitor, step, zone))
        (looked if step.action in LOOKS else happened).append(told)
    return happened, looked


def sentence(visitor: Visitor, step: Step, zone: str) -> str:
    """One row of the audit log."""
    who = actor(visitor, step.actor)
    if step.action in MOVED:
        return _shifted(visitor, who, step.detail or "", zone)
    directory = visitor.deps.directory()
    origin, _, target = (step.detail or "").partition(" > ")
    names = {"origin": name_of(directory, origin), "room": name_of(directory, origin) or "–"}
    if step.action == "meeting.handed-over":
        phone = target.endswith(" by phone")
        taker = name_of(directory, target.removesuffix(" by phone"))
        return visitor.say(HANDED_BY_PHONE if phone else HANDED, who=who, target=taker, **names)
    text = SAID.get(step.action) or LOOKS.get(step.action) or OTHERWISE
    return visitor.say(
        text,
        who=who,
        target=name_of(directory, target) or "–",
        action=step.action,
        message=visitor.say(MESSAGES.get(step.detail or "", OTHER_MESSAGE)),
        ground=visitor.say(GROUNDS[Ground(step.purpose)]) if step.purpose in set(Ground) else "–",
        purpose=visitor.say(PURPOSES[step.purpose]) if step.purpose in PURPOSES else step.purpose or "–",
        **names,
    )


def actor(visitor: Visitor, who: str) -> str:
    """Who it was, and from where."""
    kind, _, name = who.partition(":")
    if kind == "client":
        if name == counter.CLIENT:
            return visitor.say(COUNTER)
        if name == OPEN_PAGE:
            return visitor.say(OPENLY)
        if name.startswith("page:"):
            return visitor.say(HERE)
        return visitor.say(ON_JOBNET) if name == JOBNET else visitor.say(PORTAL, name=name)
    if kind == "dfdg":
        return visitor.say(CASE_SYSTEM)
    where = {"calendar": CALENDAR, "staff": PAGES, "cli": COMMAND}.get(kind)
    return PROGRAM if where is None else visitor.say(where, name=name_of(visitor.deps.directory(), name))


def _shifted(visitor: Visitor, who: str, detail: str, zone: str) -> str:
    """From when and whom to when and whom; rows from before this was noted do not know."""
    places = [place.partition(" ") for place in detail.split(" > ")]
    try:
        (before, _, giver), (after, _, taker) = places
        first, then = (datetime.fromisoformat(at) for at in (before, after))
    except ValueError:
        return visitor.say(SOMEWHERE, who=who)
    directory, spoken = visitor.deps.directory(), visitor.language
    text = SHIFTED if giver == taker else SHIFTED_AND_GIVEN
    return visitor.say(
        text,
        who=who,
        before=spoken.moment(first, zone),
        after=spoken.moment(then, zone),
        giver=name_of(directory, giver),
        taker=name_of(directory, taker),
    )
