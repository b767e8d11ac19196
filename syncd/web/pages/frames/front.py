"""The rules in force, by what coordinators ask of them, each with its form."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from syncd.model.policy import Mode
from syncd.model.role import Role
from syncd.rulebook import RulesFile, read
from syncd.web.pages.counter.words import FORMS
from syncd.web.pages.frames.edits import MODES
from syncd.web.pages.frames.people import choices, spoken_who
from syncd.web.pages.language import N_
from syncd.web.pages.visiting import Visitor, needs

router = APIRouter(include_in_schema=False)

Deciding = Annotated[Visitor, Depends(needs(Role.COORDINATOR))]
Reading = Annotated[Visitor, Depends(needs(Role.COORDINATOR, Role.MANAGER, Role.AUDITOR))]
IN_FORCE = N_("Revision %(number)s of the rules is in force.")
SAME = N_("The rules say that already; nothing was changed.")


@router.get("/frames")
def frames(visitor: Reading) -> Response:
    """Everything on one page."""
    return shown(visitor)


def shown(visitor: Visitor, *, problem: str = "", problems: tuple[str, ...] = (), status: int = 200) -> Response:
    """The page. :param problem: what was wrong. :param problems: each mistake in the rules, in English."""
    deps = visitor.deps
    with deps.store.read() as tx:
        number, text = tx.rules.newest() or (0, "")
    rules = read(text) if text else None
    directory = deps.directory()
    teams = sorted({team for one in directory.caseworkers.values() for team in one.teams})
    asked = visitor.request.query_params
    done = visitor.say(IN_FORCE, number=number) if asked.get("done") == str(number) else ""
    return visitor.show(
        "frames/front.html",
        status,
        number=number,
        text=text,
        rules=rules,
        teams=[
            (team, _mode(rules, team), sum(team in one.teams for one in directory.caseworkers.values()))
            for team in teams
        ],
        modes=MODES,
        forms=FORMS,
        sites=list(directory.sites.values()),
        people=choices(visitor),
        say_who=lambda words: spoken_who(visitor, words),
        title=lambda offer: offer.title.get(visitor.language.code, offer.title["da"]),
        may_act=visitor.may(Role.COORDINATOR),
        weekdays=("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
        typed=_typed(visitor),
        done=visitor.say(SAME) if asked.get("same") else done,
        problem=problem,
        problems=problems,
    )


def _mode(rules: RulesFile | None, team: str) -> Mode:
    if rules is None:
        return Mode.LIVE
    return rules.teams[team].mode if team in rules.teams else rules.everyone.mode


def _typed(visitor: Visitor) -> dict[str, Any]:
    """What was sent, so that nothing must be written twice."""
    form, names = visitor.form, ("what", "first", "last", "why", "from", "to", "pause", "offer", "topics", "text")
    return {name: form.get(name, "") for name in names} | {"who": form.getlist("who"), "days": form.getlist("days")}
