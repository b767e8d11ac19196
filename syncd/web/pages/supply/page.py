"""Supply, for managers by person, for coordinators by team, and for each caseworker her own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Response

from syncd.model.directory import Caseworker
from syncd.model.role import Role
from syncd.publish.weeks import Window
from syncd.web.computing import Result
from syncd.web.pages import charts
from syncd.web.pages.language import N_
from syncd.web.pages.spreadsheet import download
from syncd.web.pages.supply import told
from syncd.web.pages.supply.board import AHEAD, Board, Cell, Ground, Person, Team, board, causes
from syncd.web.pages.visiting import Refusal, Visitor, needs

router = APIRouter(include_in_schema=False)

Looking = Annotated[Visitor, Depends(needs(Role.MANAGER, Role.COORDINATOR, Role.STAFF))]
USUAL = 4
"""Weeks shown unless somebody asks for others."""
NO_TEAM = N_("There is no team of that name. Choose one from the list on the page of supply.")
NO_WEEKS = N_("Supply is shown for one to six weeks ahead. Choose one of them.")
NOT_ONE = N_(
    "Nobody among the caseworkers has the name you signed in with, so your own supply cannot be shown. Those who "
    "operate the service can let your account carry your mail address ([pages.oidc] user_claim)."
)
COLOURS = 4
"""A chart tells so many lines apart."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see. :param team: empty for all. :param own: whose own page it is; None: may see teams.

    :param persons: whether people may be compared.
    """

    team: str
    weeks: int
    own: Caseworker | None
    persons: bool

    @property
    def query(self) -> str:
        """The same question as part of an address."""
        return urlencode({"team": self.team, "weeks": self.weeks})


@router.get("/supply")
def supply(visitor: Looking) -> Response:
    """The page; while it is worked out it says how far it is."""
    asked = _asked(visitor)
    found = _board(visitor, 0.1)
    shown = _Shown(visitor, asked, found.value) if found.value else None
    return visitor.show("supply/supply.html", wide=True, asked=asked, share=found.share, shown=shown)


@router.get("/supply.csv")
def supply_csv(visitor: Looking) -> Response:
    """The same as a table for a spreadsheet."""
    asked = _asked(visitor)
    found = _board(visitor, 120).value
    if found is None or asked.own is not None:
        raise Refusal(visitor, NO_TEAM, 404)
    shown, aims = _Shown(visitor, asked, found), visitor.deps.pages.supply.targets
    made = told.rows(found, shown.teams, visitor.deps.rulebook(), aims, visitor.language, persons=asked.persons)
    return download(made, f"supply-{found.mondays[0]}.csv")


def _board(visitor: Visitor, patience: float) -> Result[Board]:
    deps = visitor.deps
    ground = Ground(deps.store, deps.publisher, deps.directory(), deps.reporting, deps.clock.now())
    key = ("supply", deps.rulebook().number, len(ground.directory.caseworkers))
    return deps.pages.computing.ask(key, lambda tell: board(ground, tell), patience)


def _asked(visitor: Visitor) -> Asked:
    query = visitor.request.query_params
    weeks, all_teams = query.get("weeks", "") or str(USUAL), visitor.may(Role.MANAGER, Role.COORDINATOR)
    if weeks not in {str(n) for n in range(1, AHEAD + 1)}:
        raise Refusal(visitor, NO_WEEKS, 422)
    own = None if all_teams else own_caseworker(visitor)
    if not all_teams and own is None:
        raise Refusal(visitor, NOT_ONE, 404)
    return Asked(query.get("team", "") if all_teams else "", int(weeks), own, visitor.may(Role.MANAGER))


def own_caseworker(visitor: Visitor) -> Caseworker | None:
    """The caseworker who is signed in: the one whose id or mail address the account bears."""
    subject = (visitor.visit.subject or "").casefold() if visitor.visit else ""
    people = visitor.deps.directory().caseworkers.values()
    return next((one for one in people if subject in (one.id.casefold(), one.mailbox.address.casefold())), None)


class _Shown:
    """The board as one visitor may see it."""

    def __init__(self, visitor: Visitor, asked: Asked, found: Board) -> None:
        self.visitor, self.asked, self.board = visitor, asked, found
        self.speaking, self.aims = visitor.language, visitor.deps.pages.supply.targets
        self.zone = next((site.zone for site in visitor.deps.directory().sites.values()), "UTC")
        self.me = found.person(asked.own.id) if asked.own else None
        self.teams = self._teams()
        self.whole = self.teams[0] if asked.team else found.whole
        self.mondays, self.last = found.mondays[: asked.weeks], timedelta(days=6)

    def _teams(self) -> list[Team]:
        if self.asked.team:
            team = self.board.team(self.asked.team)
            if team is None:
                raise Refusal(self.visitor, NO_TEAM, 404)
            return [team]
        if self.asked.own is not None:
            return [team for team in self.board.teams if team.name in self.asked.own.teams]
        return list(self.board.teams) or [self.board.whole]

    def name(self, team: Team) -> str:
        """What a team is called."""
        return told.team_name(team, self.speaking) if self.board.teams else self.speaking.say(told.EVERYBODY)

    @property
    def every(self) -> list[str]:
        """All teams that can be chosen."""
        return [team.name for team in self.board.teams if team.name]

    @property
    def people(self) -> Sequence[Person]:
        """The people that may be shown one by one."""
        if self.me is not None:
            return (self.me,)
        return self.whole.people if self.asked.persons else ()

    def scale(self, of: Sequence[Team | Person]) -> int:
        """What the longest bar stands for."""
        cells = (cell for one in of for cell in one.cells[: self.asked.weeks])
        return max((max(cell.booked + cell.left, cell.expected or 0) for cell in cells), default=0) or 1

    def missing(self, cell: Cell) -> str:
        """How many are missing, in words; empty when none is."""
        return self.speaking.count(*told.MISSING, cell.missing) if cell.missing else ""

    @cached_property
    def idle(self) -> list[tuple[str, str, list[Person], int]]:
        """Those with nothing on offer, by cause: (why, what to do, who, how many).

        Nobody is named where people may not be compared.
        """
        counted, say = causes(self.whole.people), self.speaking.say
        shown = self.people
        return [
            (say(why), say(then), [one for one in shown if one.without and one.without.cause is cause], counted[cause])
            for cause, (why, then) in told.CAUSES.items()
            if (counted[cause] if self.me is None else any(one.without and one.without.cause is cause for one in shown))
        ]

    @property
    def windows(self) -> list[tuple[str, list[Window]]]:
        """Times left, by offer; of the team's people when one is chosen, and then nobody asks for a number."""
        found: dict[str, list[Window]] = {}
        here = {one.who.id for one in self.whole.people}
        for one in self.board.windows:
            shown = one
            if self.asked.team:
                each = {who: number for who, number in one.each.items() if who in here}
                shown = replace(one, each=each, asked=None)
            if shown.asked is not None or one.asked is None:
                title = told.offer_name(self.visitor.deps.rulebook(), one.offer, self.speaking)
                found.setdefault(title, []).append(shown)
        return list(found.items())

    @property
    def targets(self) -> list[tuple[str, list[told.Target]]]:
        """Each team with its targets."""
        return [(self.name(one), told.targets(one, self.aims.get(one.name), self.speaking)) for one in self.teams]

    @property
    def coverage(self) -> str:
        """What the share rests on."""
        return told.coverage(self.board, self.speaking)

    @property
    def means(self) -> str:
        """How the share is counted."""
        return self.speaking.say(told.SHARE_MEANS)

    @cached_property
    def chart(self) -> str:
        """The share by week: of the teams when there are few, else of all together."""
        few = self.teams if len(self.teams) <= COLOURS else [self.whole]
        if not any(value is not None for team in few for value in team.shares):
            return ""
        series = {
            self.name(team) if team in self.teams else self.speaking.say(told.EVERYBODY): team.shares for team in few
        }
        weeks = [str(monday.isocalendar().week) for monday in self.board.past]
        words = self.speaking.say(N_("Share of self-booked talks by week"))
        return charts.lines(words, weeks, series, said=self.speaking.percent)
