"""Sends reports on supply by schedule, each one exactly once to each recipient."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path

from syncd.adapters.handing import MaybeSent, NotSent
from syncd.adapters.smtp import Postman
from syncd.clock import Clock
from syncd.config import ReportSection, secret
from syncd.daemon.parts import Parts
from syncd.model.zones import instant, wall_clock
from syncd.observe.logs import log
from syncd.store.reports import Reports, Standing
from syncd.web.pages.language import language
from syncd.web.pages.supply.board import Board, Ground, board
from syncd.web.pages.supply.letter import Around, letter, table

SECONDS = 60.0
FOLDER = "folder"
"""The recipient that is a folder."""


def send_reports(parts: Parts, clock: Clock) -> None:
    """Send every report that is due; one that was certainly not taken is tried again later."""
    reports, now = parts.config.supply.reports, clock.now()
    if not reports:
        return
    if lost := parts.store.run(lambda tx: Reports(tx.session).give_up(now)):
        log.warning("reports.unknown", count=lost)
    ground = Ground(parts.store, parts.publisher, parts.directory, parts.reporting, now)
    counted = cache(lambda: board(ground))
    for report in reports:
        period = due(report, now, ground.zone)
        for recipient in (*report.to, *([FOLDER] if report.folder else [])):
            if period and parts.store.run(lambda tx: Reports(tx.session).take(report.name, period, recipient, now)):  # noqa: B023 - run at once
                _send(parts, report, period, recipient, clock, counted)


def due(report: ReportSection, now: datetime, zone: str) -> str | None:
    """The period whose report is due: this week's or month's, once its first day's hour has come.

    A service that was down on Monday morning sends it when it is up again.
    """
    today = wall_clock(now, zone).date()
    first = today - timedelta(days=today.weekday()) if report.every == "week" else today.replace(day=1)
    if now < instant(first, report.at, zone):
        return None
    return _named(report, first)


def _named(report: ReportSection, first: date) -> str:
    year, week, _ = first.isocalendar()
    return f"{year}-W{week:02d}" if report.every == "week" else f"{first:%Y-%m}"


def _send(
    parts: Parts, report: ReportSection, period: str, recipient: str, clock: Clock, counted: Callable[[], Board]
) -> None:
    standing, problem = Standing.SENT, None
    try:
        if recipient == FOLDER:
            _lay(parts, report, period, counted())
        else:
            _postman(parts).send(_message(parts, report, period, recipient, clock, counted()), recipient)
    except (NotSent, OSError) as error:
        standing, problem = Standing.WAITING, str(error)
        log.warning("reports.not_sent", report=report.name, period=period, error=type(error).__name__)
    except MaybeSent as error:
        standing, problem = Standing.UNKNOWN, str(error)
        log.warning("reports.unknown", report=report.name, period=period, error=type(error).__name__)
    else:
        log.info("reports.sent", report=report.name, period=period)
    now = clock.now()
    parts.store.run(lambda tx: Reports(tx.session).stand(report.name, period, recipient, standing, now, problem))


def _postman(parts: Parts) -> Postman:
    section = parts.config.mail
    return Postman(section, lambda: secret(section.password) if section.password else "")


def _message(
    parts: Parts, report: ReportSection, period: str, recipient: str, clock: Clock, counted: Board
) -> EmailMessage:
    """The message; its id is the same at each try, so that even a mail program would see that it is one."""
    config = parts.config
    around = Around(config.organisation, config.support, config.pages.public_url)
    message = letter(counted, report, config.supply, parts.rulebook(), language(config.language), around)
    with parts.store.read() as tx:
        installation = tx.settings.installation()
    message["From"], message["To"], message["Date"] = config.mail.sender, recipient, clock.now()
    message["Message-ID"] = f"<{report.name}.{period}.{installation}@{config.mail.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    return message


def _lay(parts: Parts, report: ReportSection, period: str, counted: Board) -> None:
    """Under its name only when it is complete."""
    folder = Path(report.folder or ".")
    text = table(counted, report, parts.config.supply, parts.rulebook(), language(parts.config.language))
    draft = folder / f".{report.name}-{period}.part"
    draft.write_text(text, encoding="utf-8", newline="")
    draft.replace(folder / f"{report.name}-{period}.csv")
