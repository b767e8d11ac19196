"""Which change a form asks for: its name and fields become a proposed text of the rules, and a sentence about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from syncd.errors import ConfigError
from syncd.model.policy import Mode
from syncd.rulebook import edits, with_mode
from syncd.web.pages.frames.people import spoken_who
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Form, Visitor

NOT_A_DAY = "A day is written like 2026-12-24."
CLOSE, SUSPEND = N_("Close %(first)s – %(last)s: %(why)s"), N_("Offer nothing with %(who)s, %(first)s – %(last)s")
HOURS, DROP = N_("New working hours for %(who)s"), N_("Remove an entry")
SERVE, TOPICS, MATCHING = N_("Who serves %(offer)s"), N_("Topics of %(offer)s"), N_("Who may book %(offer)s")
MODE, TEXT, UNDO = N_("Team %(team)s: %(mode)s"), N_("The rules as a text"), N_("Back to revision %(number)s")
MODES: dict[Mode, str] = {
    Mode.LIVE: N_("live: citizens can book"),
    Mode.SHADOW: N_("in shadow: worked out, but not offered"),
    Mode.CLOSED: N_("closed: nothing is offered"),
}


@dataclass(frozen=True, slots=True)
class Edit:
    """A change that somebody asks for. :param text: the rules as they would be. :param says: what it does."""

    text: str
    says: str


Make = Callable[[Visitor, Form, str], Edit]


def edit(visitor: Visitor, text: str) -> Edit:
    """The change of the form that was sent.

    :raises ConfigError: it names no change, or the rules cannot be so.
    """
    make = _MAKES.get(visitor.form.get("what", ""))
    if make is None:
        raise ConfigError("rules", ["the form names no change that this page knows"])
    return make(visitor, visitor.form, text)


def _day(form: Form, name: str, otherwise: date | None = None) -> date:
    asked = form.get(name, "")
    if not asked and otherwise is not None:
        return otherwise
    try:
        return date.fromisoformat(asked)
    except ValueError:
        raise ConfigError("rules", [f"{name}: {NOT_A_DAY}"]) from None


def _close(visitor: Visitor, form: Form, text: str) -> Edit:
    first = _day(form, "first")
    last, why = _day(form, "last", first), form.get("why", "").strip()
    spoken = {"first": visitor.language.day(first, "short"), "last": visitor.language.day(last, "short"), "why": why}
    return Edit(edits.with_closing(text, first, last, why, form.getlist("sites")), visitor.say(CLOSE, **spoken))


def _suspend(visitor: Visitor, form: Form, text: str) -> Edit:
    first = _day(form, "first")
    last, who = _day(form, "last", first), form.getlist("who")
    spoken = {"first": visitor.language.day(first, "short"), "last": visitor.language.day(last, "short")}
    says = visitor.say(SUSPEND, who=spoken_who(visitor, who), **spoken)
    return Edit(edits.with_suspension(text, who, first, last, form.get("why", "").strip()), says)


def _hours(visitor: Visitor, form: Form, text: str) -> Edit:
    who, pause = form.getlist("who"), form.get("pause", "").replace("–", "-").replace(" ", "")
    made = edits.with_hours(text, who, form.getlist("days"), form.get("from", ""), form.get("to", ""), pause)
    return Edit(made, visitor.say(HOURS, who=spoken_who(visitor, who)))


def _drop(visitor: Visitor, form: Form, text: str) -> Edit:
    place = form.get("place", "")
    number = int(place) if place.isdecimal() and len(place) < 6 else -1
    return Edit(edits.without(text, form.get("listed", ""), number), visitor.say(DROP))


def _serve(visitor: Visitor, form: Form, text: str) -> Edit:
    offer = form.get("offer", "")
    return Edit(edits.with_who(text, offer, form.getlist("who")), visitor.say(SERVE, offer=offer))


def _topics(visitor: Visitor, form: Form, text: str) -> Edit:
    offer = form.get("offer", "")
    topics = [line.strip() for line in form.get("topics", "").splitlines() if line.strip()]
    return Edit(edits.with_topics(text, offer, topics), visitor.say(TOPICS, offer=offer))


def _matching(visitor: Visitor, form: Form, text: str) -> Edit:
    offer = form.get("offer", "")
    ways = [
        (_codes(one), _codes(other))
        for one, other in zip(form.getlist("groups"), form.getlist("categories"), strict=False)
    ]
    return Edit(edits.with_matching(text, offer, ways), visitor.say(MATCHING, offer=offer))


def _codes(text: str) -> list[str]:
    return [code for code in text.replace(",", " ").split() if code]


def _mode(visitor: Visitor, form: Form, text: str) -> Edit:
    team, wanted = form.get("team", ""), form.get("mode", "")
    if wanted not in set(Mode):
        raise ConfigError("rules", [f"mode: '{wanted[:20]}' is not one of {', '.join(Mode)}"])
    made = with_mode(text, team, Mode(wanted), visitor.deps.directory())
    return Edit(made, visitor.say(MODE, team=team, mode=visitor.say(MODES[Mode(wanted)])))


def _text(visitor: Visitor, form: Form, _text: str) -> Edit:
    return Edit(form.get("text", "").replace("\r\n", "\n"), visitor.say(TEXT))


def _undo(visitor: Visitor, form: Form, _text: str) -> Edit:
    number = form.get("to", "")
    with visitor.deps.store.read() as tx:
        older = tx.rules.text(int(number)) if number.isdecimal() and len(number) < 10 else None
    if older is None:
        raise ConfigError("rules", [f"there is no revision {number[:20]}"])
    return Edit(older, visitor.say(UNDO, number=number))


_MAKES: dict[str, Make] = {
    "close": _close,
    "suspend": _suspend,
    "hours": _hours,
    "drop": _drop,
    "serve": _serve,
    "topics": _topics,
    "matching": _matching,
    "mode": _mode,
    "text": _text,
    "undo": _undo,
}
