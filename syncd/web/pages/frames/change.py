"""A change of the rules: first what it would do to the times on offer, then, when somebody says so, in force."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from difflib import unified_diff

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from syncd.errors import BookingError, ChangedMeanwhile, ConfigError
from syncd.model.interval import Interval
from syncd.model.offer import Rulebook
from syncd.publish import Publisher
from syncd.publish.inforce import Proposed
from syncd.rulebook import apply_text, parse, warnings
from syncd.web.pages.counter.words import name_of, title_of
from syncd.web.pages.frames.edits import Edit, edit
from syncd.web.pages.frames.front import Deciding, shown
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import CSRF, Visitor

router = APIRouter(include_in_schema=False)

AHEAD = timedelta(days=14)
NAMED = 12
"""So many people are named whose times change most."""
WRONG = N_("The rules cannot be so. Nothing was changed; what you wrote is still here.")
MEANWHILE = N_("Somebody else has changed the rules meanwhile. Nothing was changed by you; look at how they are now.")

Counts = dict[str, Counter[str]]
"""Times on offer, by offer and person."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What becomes of one offer's, or one person's, times."""

    name: str
    now: int
    then: int


@router.post("/frames/change")
def change(visitor: Deciding) -> Response:
    """Show what the change would do; with ``sure`` put it in force, unless somebody else was faster."""
    form, deps = visitor.form, visitor.deps
    with deps.store.read() as tx:
        number, text = tx.rules.newest() or (0, "")
    if form.get("seen", "") != str(number):
        return shown(visitor, problem=visitor.say(MEANWHILE), status=409)
    try:
        wanted = edit(visitor, text)
        proposed = parse(wanted.text, deps.directory(), number + 1, "rules")
    except ConfigError as error:
        return shown(visitor, problem=visitor.say(WRONG), problems=error.problems, status=422)
    if wanted.text == text:
        return RedirectResponse("/frames?same=1", 303)
    if not form.get("sure"):
        return _preview(visitor, number, text, wanted, proposed)
    try:
        made = apply_text(deps.store, wanted.text, deps.directory(), visitor.actor, deps.clock.now(), seen=number)
    except ChangedMeanwhile:
        return shown(visitor, problem=visitor.say(MEANWHILE), status=409)
    return RedirectResponse(f"/frames?done={made}", 303)


def _preview(visitor: Visitor, number: int, text: str, wanted: Edit, proposed: Rulebook) -> Response:
    deps, now = visitor.deps, visitor.deps.clock.now()
    window = Interval(now, now + AHEAD)
    before = _counts(visitor, deps.publisher, deps.rulebook(), window)
    after = _counts(visitor, deps.publisher.trying(Proposed(proposed)), proposed, window)
    offers = {**deps.rulebook().offers, **proposed.offers}
    lines = unified_diff(text.splitlines(), wanted.text.splitlines(), lineterm="", n=1)
    return visitor.show(
        "frames/preview.html",
        says=wanted.says,
        fields=[pair for pair in visitor.form.multi_items() if pair[0] not in (CSRF, "seen", "sure")],
        number=number,
        offers=[
            Effect(title_of(visitor, offers, name), _sum(before, name), _sum(after, name)) for name in sorted(offers)
        ],
        people=_people(visitor, before, after),
        advice=[one for one in warnings(proposed, deps.directory(), now.date()) if one not in _old(visitor)],
        lines=[line for line in list(lines)[2:] if not line.startswith("@@")],
    )


def _old(visitor: Visitor) -> set[str]:
    """What could be said of the rules in force, too: it is not for this change to answer for."""
    deps = visitor.deps
    return set(warnings(deps.rulebook(), deps.directory(), deps.clock.now().date()))


def _counts(visitor: Visitor, publisher: Publisher, rules: Rulebook, window: Interval) -> Counts:
    found: Counts = {}
    for name in rules.offers:
        try:
            found[name] = Counter(publisher.answer(name, window, visitor.deps.clock.now()).by_caseworker())
        except BookingError:
            found[name] = Counter()
    return found


def _sum(counts: Counts, offer: str) -> int:
    return counts.get(offer, Counter()).total()


def _people(visitor: Visitor, before: Counts, after: Counts) -> list[Effect]:
    """Those whose times change most, over all offers."""
    now: Counter[str] = sum(before.values(), Counter())
    then: Counter[str] = sum(after.values(), Counter())
    changed = sorted(now.keys() | then.keys(), key=lambda one: (-abs(now[one] - then[one]), one))
    directory = visitor.deps.directory()
    return [Effect(name_of(directory, one), now[one], then[one]) for one in changed[:NAMED] if now[one] != then[one]]
