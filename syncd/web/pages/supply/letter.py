"""A report on supply as mail: a few lines to read, and the whole as a table beside them."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage

from syncd.config import ReportSection, SupplySection
from syncd.model.offer import Rulebook
from syncd.web.pages.language import N_, Language
from syncd.web.pages.spreadsheet import written
from syncd.web.pages.supply import told
from syncd.web.pages.supply.board import Board, Team


@dataclass(frozen=True, slots=True)
class Around:
    """What a report says beside its figures. :param address: of the pages; empty when it is not known."""

    organisation: str
    support: str
    address: str


def table(board: Board, report: ReportSection, section: SupplySection, book: Rulebook, speaking: Language) -> str:
    """The report as text for a spreadsheet."""
    rows = told.rows(board, _teams(board, report), book, section.targets, speaking, persons=report.persons)
    return written(rows)


def letter(
    board: Board, report: ReportSection, section: SupplySection, book: Rulebook, speaking: Language, around: Around
) -> EmailMessage:
    """The report as a message; sender, recipient and id are for whoever sends it."""
    week, message = board.mondays[0].isocalendar().week, EmailMessage()
    message["Subject"] = speaking.say(N_("Supply in week %(week)s, %(name)s"), week=week, name=around.organisation)
    message.set_content("\n".join(_lines(board, report, section, speaking, around)) + "\n")
    message.add_attachment(
        table(board, report, section, book, speaking).encode(),
        maintype="text",
        subtype="csv",
        filename=f"supply-{board.mondays[0]}.csv",
        params={"charset": "utf-8"},
    )
    return message


def _teams(board: Board, report: ReportSection) -> list[Team]:
    chosen = [team for team in board.teams if not report.teams or team.name in report.teams]
    return chosen or ([] if report.teams else [board.whole])


def _lines(
    board: Board, report: ReportSection, section: SupplySection, speaking: Language, around: Around
) -> list[str]:
    say, lines = speaking.say, []
    for team in _teams(board, report):
        lines.append(told.team_name(team, speaking) if board.teams else say(told.EVERYBODY))
        cell = team.cells[0]
        lines.append(
            "  "
            + say(
                N_("This week: %(booked)s booked, %(left)s still on offer, %(expected)s expected."),
                booked=speaking.number(cell.booked),
                left=speaking.number(cell.left),
                expected="–" if cell.expected is None else speaking.number(cell.expected),
            )
        )
        for one in told.targets(team, section.targets.get(team.name), speaking):
            aim = say(N_("target %(aim)s"), aim=one.aim) if one.aim else say(N_("no target"))
            lines.append(f"  {one.name}: {one.value} ({aim}; {one.trend})")
        idle = sum(one.without is not None for one in team.people)
        if idle:
            lines.append("  " + speaking.count(*told.IDLE, idle))
        lines.append("")
    lines += [told.coverage(board, speaking), ""]
    if around.address:
        lines.append(say(N_("More: %(address)s"), address=f"{around.address}/supply"))
    if around.support:
        lines.append(say(N_("Help: %(support)s"), support=around.support))
    return lines
