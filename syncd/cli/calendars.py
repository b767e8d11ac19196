"""Commands about calendars: check, sync, busy."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, known_zone, moment, parts_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.model.interval import Interval
from syncd.ports import CheckResult

if TYPE_CHECKING:
    from syncd.daemon.parts import Parts
    from syncd.sync.outcome import LossPreview, Outcome

MailboxArguments = Annotated[
    list[str] | None, typer.Argument(metavar="[MAILBOX]...", help="Caseworker or room ids; all when none is named.")
]


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(name="check")(check)
    app.command(name="sync")(sync)
    app.command(name="busy")(busy)


def _chosen(parts: Parts, named: list[str] | None) -> list[str]:
    known = parts.directory.mailboxes
    if unknown := sorted(set(named or ()) - known.keys()):
        raise SyncdError(f"No such mailbox: {', '.join(unknown)}. Nothing was done. Known: {', '.join(sorted(known))}.")
    return list(named) if named else list(known)


def check(
    mailboxes: MailboxArguments = None,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Check the configuration, then contact every calendar (read-only) and say how each stands."""
    with parts_of(path) as parts:
        chosen = _chosen(parts, mailboxes)

        def look(mailbox: str) -> CheckResult:
            box = parts.directory.mailboxes[mailbox]
            return parts.ports[box.account].check(box)

        with ThreadPoolExecutor(8) as pool:
            results = dict(zip(chosen, pool.map(look, chosen), strict=True))
        advice = parts.warnings(SystemClock().now())
    good = sum(result.ok for result in results.values())
    if as_json:
        told = {name: {"ok": r.ok, "says": r.says, "facts": dict(r.facts)} for name, r in results.items()}
        screen.print_json({"mailboxes": told, "warnings": advice, "ok": good == len(results)})
    else:
        _print_check(path, results, advice, good)
    raise typer.Exit(0 if good == len(results) else 1)


def _print_check(path: Path, results: dict[str, CheckResult], advice: list[str], good: int) -> None:
    screen.say(f"{path}: correct.")
    for name, result in results.items():
        mark = "[green]ok  [/]" if result.ok else "[bold red]FAIL[/]"
        screen.out.print(f"  {mark} [bold]{screen.escape(name)}[/]  {screen.escape(result.says)}", soft_wrap=True)
    for warning in advice:
        screen.out.print(f"  [yellow]note[/] {screen.escape(warning)}", soft_wrap=True)
    screen.say(f"{good} of {len(results)} calendars can be used.")


def sync(
    mailboxes: MailboxArguments = None,
    path: ConfigOption = DEFAULT_CONFIG,
    once: Annotated[
        bool, typer.Option("--once/--repeat", help="One pass, or one after the other until Ctrl-C.")
    ] = True,
    full: Annotated[
        bool, typer.Option("--full", help="Compare everything, not only what the server says changed.")
    ] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="A refused loss is right: show what goes, ask, and let it go.")
    ] = False,
    acknowledge: Annotated[
        str | None,
        typer.Option(metavar="HREF", help="Open offers although this object cannot be read, while it stays the same."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read calendars now. The service does this by itself; use it to look, to hurry, or to settle a refused loss."""
    with parts_of(path) as parts:
        chosen = _chosen(parts, mailboxes)
        if accept_loss or acknowledge is not None:
            if len(chosen) != 1 or not mailboxes:
                raise SyncdError("Name exactly one MAILBOX with --accept-loss or --acknowledge. Nothing was done.")
            outcomes = [_settle(parts, chosen[0], acknowledge, yes)]
        else:
            outcomes = _read(parts, chosen, full, as_json)
            while not once:
                _show(outcomes, as_json)
                time.sleep(parts.config.sync.interval_seconds)
                outcomes = _read(parts, chosen, full, as_json)
    _show(outcomes, as_json)
    raise typer.Exit(0 if all(outcome.settled for outcome in outcomes) else 1)


def _show(outcomes: list[Outcome], as_json: bool) -> None:
    if as_json:
        screen.print_json([_told(outcome) for outcome in outcomes])
    else:
        _print_outcomes(outcomes)


def _settle(parts: Parts, mailbox: str, acknowledge: str | None, yes: bool) -> Outcome:
    now = SystemClock().now()
    if acknowledge is not None:
        item = parts.engine.acknowledge(mailbox, acknowledge)
        screen.say(
            f"{item.key} is acknowledged as it is now (SHA-256 {item.digest[:12]}…); {mailbox} opens without it."
        )
        return parts.engine.sync_mailbox(mailbox, now, force=True)
    preview = parts.engine.preview_loss(mailbox, now)
    _print_loss(preview)
    if not yes and not typer.confirm("Let these go?", default=False):
        raise SyncdError("Nothing was changed.")
    return parts.engine.sync_mailbox(mailbox, SystemClock().now(), accept_loss=True)


def _print_loss(preview: LossPreview) -> None:
    loss = preview.loss
    screen.say(f"{preview.mailbox}: {len(loss.groups)} of {loss.total} entries to come would go:")
    rows = [
        (
            screen.iso(o.interval.start) or "",
            screen.iso(o.interval.end) or "",
            str(o.busy),
            "ours" if o.stamp else "",
            key,
        )
        for key, occurrences in loss.groups.items()
        for o in occurrences[:1]
    ]
    screen.table("", ("from (UTC)", "to", "type", "", "object"), sorted(rows))
    if loss.meetings:
        screen.say(f"Bookings touched: {len(loss.meetings)} meeting(s): {', '.join(loss.meetings)}")
        screen.say("These meetings would be cancelled, after a second look, and the citizens told by their portal.")


def _read(parts: Parts, chosen: list[str], full: bool, silent: bool) -> list[Outcome]:
    bar = Progress(
        TextColumn("Reading calendars"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=screen.err,
        transient=True,
        disable=silent or not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("", total=len(chosen))
        return parts.engine.sync_many(
            chosen, SystemClock(), full=full, force=True, progress=lambda _outcome: bar.advance(task)
        )


def _told(outcome: Outcome) -> dict[str, object]:
    return {
        "mailbox": outcome.mailbox,
        "result": str(outcome.result),
        "problem": outcome.problem,
        "full": outcome.full,
        "changed": outcome.changed,
        "removed": outcome.removed,
        "unreadable": outcome.unreadable,
        "requests": outcome.requests,
    }


def _print_outcomes(outcomes: list[Outcome]) -> None:
    rows = [
        (o.mailbox, str(o.result), str(o.changed), str(o.removed), str(o.requests), o.problem or "") for o in outcomes
    ]
    screen.table("", ("mailbox", "result", "changed", "gone", "requests", "what to do"), rows)


def busy(
    file: Annotated[Path, typer.Argument(metavar="FILE.ics", help="An iCalendar file.")],
    start: Annotated[str, typer.Option("--from", help="Beginning of the window, ISO 8601.")],
    end: Annotated[str, typer.Option("--to", help="End of the window, ISO 8601.")],
    zone: Annotated[
        str, typer.Option("--zone", help="Zone of floating times and all-day dates.")
    ] = "Europe/Copenhagen",
    merged: Annotated[
        bool, typer.Option("--merged", help="Join touching and overlapping intervals of one type.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """The busy intervals of one .ics file, exactly as the engine sees them."""
    from syncd.daemon.files import busy_in

    zone = known_zone(zone)
    found = busy_in(file, zone, _window(moment(start, zone), moment(end, zone)), merged=merged)
    if as_json:
        screen.print_json(
            [{"start": screen.iso(span.start), "end": screen.iso(span.end), "type": str(kind)} for span, kind in found]
        )
        return
    rows = [(screen.local(span.start, zone), screen.local(span.end, zone), str(kind)) for span, kind in found]
    screen.table(f"Busy in {zone}", ("from", "to", "type"), rows)


def _window(start: datetime, end: datetime) -> Interval:
    if end <= start:
        raise SyncdError("--to must be later than --from.")
    return Interval(start, end)
