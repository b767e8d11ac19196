"""Every revision of the rules: who made it, when, and what it changed; and the way back."""

from __future__ import annotations

from difflib import unified_diff

from fastapi import APIRouter, Response

from syncd.model.role import Role
from syncd.web.pages.counter.story import actor
from syncd.web.pages.frames.front import Reading
from syncd.web.pages.language import N_
from syncd.web.pages.rooms.places import site_of
from syncd.web.pages.visiting import Refusal

router = APIRouter(include_in_schema=False)

SHOWN = 200
NO_REVISION = N_("There is no revision of that number.")


@router.get("/frames/history")
def history(visitor: Reading) -> Response:
    """The list, the newest first."""
    with visitor.deps.store.read() as tx:
        found = tx.rules.history()[:SHOWN]
    return visitor.show(
        "frames/history.html",
        revisions=[(one, actor(visitor, one.actor)) for one in found],
        zone=site_of(visitor).zone,
    )


@router.get("/frames/history/{number}")
def revision(visitor: Reading, number: int) -> Response:
    """What one revision changed, line by line."""
    with visitor.deps.store.read() as tx:
        text = tx.rules.text(number) if 0 < number < 2**31 else None
        before = (tx.rules.text(number - 1) if text and number > 1 else None) or ""
        newest = tx.rules.number()
        made = next((one for one in tx.rules.history() if one.number == number), None)
    if text is None or made is None:
        raise Refusal(visitor, NO_REVISION, 404)
    lines = list(unified_diff(before.splitlines(), text.splitlines(), lineterm="", n=2))[2:]
    return visitor.show(
        "frames/revision.html",
        made=made,
        who=actor(visitor, made.actor),
        zone=site_of(visitor).zone,
        lines=[line for line in lines if not line.startswith("@@")],
        newest=newest,
        may_act=visitor.may(Role.COORDINATOR),
    )
