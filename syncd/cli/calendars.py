"""Commands about calendars: check, sync, busy."""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from syncd.cli import screen
from syncd.cli.opening import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    between,
    calendars_of,
    config_option,
    known_zone,
    moment,
    parts_of,
)
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.model.mirror import UnreadableObject
from syncd.ports import CheckResult

if TYPE_CHECKING:
    from syncd.daemon.checking import Checked
    from syncd.daemon.parts import Parts
    from syncd.sync.outcome import LossPreview, Outcome

MailboxArguments = Annotated[
    list[str] | None, typer.Argument(metavar="MAILBOX", help="Caseworker or room ids; all when none is named.")
]

LONGEST_FILE = 100
"""Years that may be asked of one file, more than of a calendar."""


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(name="check")(check)
    app.command(name="sync")(sync)
    app.command(name="busy")(busy)


def _chosen(parts: Parts | Checked, named: list[str] | None) -> list[str]:
    known = parts.directory.mailboxes
    if unknown := sorted(set(named or ()) - known.keys()):
        raise SyncdError(f"No such mailbox: {', '.join(unknown)}. Nothing was done. Known: {', '.join(sorted(known))}.")
    return list(named) if named else list(known)


def check(
    mailboxes: MailboxArguments = None,
    path: ConfigOption = DEFAULT_CONFIG,
    problems: Annotated[bool, typer.Option("--problems", help="Show only what cannot be used.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check the configuration, then contact every calendar (read-only): what works, and what to do next."""
    from syncd.daemon.checking import next_steps, scopes_seen, servers_seen
    from syncd.daemon.jobnet import choices
    from syncd.daemon.letterbox import channels, reached

    with calendars_of(path) as parts:
        chosen = _chosen(parts, mailboxes)

        def look(mailbox: str) -> CheckResult:
            box = parts.directory.mailboxes[mailbox]
            return parts.ports[box.account].check(box)

        with ThreadPoolExecutor(8) as pool:
            results = dict(zip(chosen, pool.map(look, chosen), strict=True))
        scopes = scopes_seen(parts, chosen)
        advice = parts.warnings(SystemClock().now(), config_option(path))
        broken = [item for item in parts.kept.unreadable if item.mailbox in results]
        servers = servers_seen(parts, results)
        steps = next_steps(parts, results, config_option(path))
        chosen_for_jobnet = choices(parts.config)
        reach = {} if mailboxes else reached(parts.config, channels(parts.config))
    ways = {way.value: told for way, told in reach.items()}
    good = sum(result.ok for result in results.values())
    fine = good == len(results) and all(way.ok for way in ways.values())
    if as_json:
        told = _told_checks(results)
        objects = [_told_object(item) for item in broken]
        told_servers = {seen.account: seen.as_json() for seen in servers}
        told_scopes = [{"account": one, "ok": r.ok, "says": r.says, "facts": dict(r.facts)} for one, r in scopes]
        whole = {"mailboxes": told, "servers": told_servers, "unreadable": objects, "warnings": advice, "next": steps}
        whole |= {"jobnet_choices": chosen_for_jobnet} if chosen_for_jobnet else {}
        whole |= {"messages": _told_checks(ways)} if ways else {}
        screen.print_json({**whole, "scopes": told_scopes, "ok": fine})
    else:
        shown = {name: result for name, result in results.items() if not (problems and result.ok)}
        _print_check(path, shown, advice)
        screen.say(f"{good} of {len(results)} calendars can be used.")
        for seen in servers:
            screen.out.print(f"  [dim]server[/] {screen.escape(seen.says)}", soft_wrap=True)
        for account, scope in scopes:
            mark = "[green]fits[/]" if scope.ok else "[bold yellow]too much[/]"
            screen.out.print(f"  {mark} [bold]{screen.escape(account)}[/]  {screen.escape(scope.says)}", soft_wrap=True)
        _print_ways(ways)
        for one in chosen_for_jobnet:
            screen.out.print(f"  [dim]jobnet, our choice[/] {screen.escape(one)}", soft_wrap=True)
        _print_unreadable(broken, config_option(path))
        for step in steps:
            screen.out.print(f"  [bold]next[/] {screen.escape(step)}", soft_wrap=True)
    raise typer.Exit(0 if fine else 1)


def _print_check(path: Path, results: dict[str, CheckResult], advice: list[str]) -> None:
    screen.say(f"{path}: correct.")
    width = max(map(len, results), default=0)
    # Those that need something come first; each line says what works, or what to do.
    for name, result in sorted(results.items(), key=lambda one: one[1].ok):
        mark = "[green]ok  [/]" if result.ok else "[bold red]FAIL[/]"
        told = f"{mark} [bold]{screen.escape(name.ljust(width))}[/]  {screen.escape(result.says)}"
        screen.out.print(f"  {told}", soft_wrap=True)
    for warning in advice:
        screen.out.print(f"  [yellow]note[/] {screen.escape(warning)}", soft_wrap=True)


def _told_checks(results: Mapping[str, CheckResult]) -> dict[str, object]:
    return {name: {"ok": one.ok, "says": one.says, "facts": dict(one.facts)} for name, one in results.items()}


def _print_ways(ways: Mapping[str, CheckResult]) -> None:
    """How citizens are written to."""
    for way, told in ways.items():
        mark = "[green]ok  [/]" if told.ok else "[bold red]FAIL[/]"
        screen.out.print(f"  {mark} [bold]messages by {way}[/]  {screen.escape(told.says)}", soft_wrap=True)


def _told_object(item: UnreadableObject) -> dict[str, object]:
    return {
        "mailbox": item.mailbox,
        "object": item.key,
        "reason": item.reason,
        "sha256": item.digest,
        "seen": screen.iso(item.seen),
        "acknowledged": item.acknowledged,
    }


def _print_unreadable(broken: list[UnreadableObject], option: str) -> None:
    from syncd.sync.outcome import acknowledging

    if broken:
        screen.say("Objects that could not be understood; an offer is closed until each is mended or acknowledged:")
    for item in broken:
        mark = "acknowledged" if item.acknowledged else "[bold red]closes offers[/]"
        named = f"{item.mailbox} {item.key}: {item.reason}"
        screen.out.print(f"  {mark}  {screen.escape(named)}", soft_wrap=True)
        if item.acknowledged:
            screen.say(f"      SHA-256 {item.digest}")
        else:
            screen.say(f"      {acknowledging(item)} --digest {item.digest}{option}")


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
    digest: Annotated[
        str | None,
        typer.Option(metavar="SHA256", help="With --acknowledge: only if the object's content is this one."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read calendars now. The service does this by itself; use it to look, to hurry, or to settle a refused loss."""
    if digest is not None and acknowledge is None:
        raise typer.BadParameter("--digest belongs to --acknowledge HREF.")
    if accept_loss and acknowledge is not None:
        raise typer.BadParameter("--accept-loss and --acknowledge are two decisions; take one after the other.")
    with parts_of(path) as parts:
        chosen = _chosen(parts, mailboxes)
        if accept_loss or acknowledge is not None:
            if len(chosen) != 1 or not mailboxes:
                raise SyncdError("Name exactly one MAILBOX with --accept-loss or --acknowledge. Nothing was done.")
            to = screen.err if as_json else screen.out
            settled = (
                _let_go(parts, chosen[0], yes, to)
                if acknowledge is None
                else _acknowledge(parts, chosen[0], acknowledge, digest, to)
            )
            outcomes = [settled]
        else:
            outcomes = _read(parts, chosen, full, as_json)
            while not once:
                _show(outcomes, as_json)
                _rest(parts.config.sync.interval_seconds)
                outcomes = _read(parts, chosen, full, as_json)
    _show(outcomes, as_json)
    raise typer.Exit(0 if all(outcome.settled for outcome in outcomes) else 1)


def _rest(seconds: float) -> None:
    """Sleep second by second: a Ctrl-C that comes just before a sleep begins does not cut that one short."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(1.0, left))


def _show(outcomes: list[Outcome], as_json: bool) -> None:
    if as_json:
        screen.print_json([_told(outcome) for outcome in outcomes])
    else:
        _print_outcomes(outcomes)


def _acknowledge(parts: Parts, mailbox: str, key: str, digest: str | None, to: Console) -> Outcome:
    now = SystemClock().now()
    item = parts.engine.acknowledge(mailbox, key, now, digest=digest, actor=f"cli:{getpass.getuser()}")
    screen.say(f"{item.key} of {mailbox} is acknowledged as it was read (SHA-256 {item.digest}).", to)
    return parts.engine.sync_mailbox(mailbox, now, force=True)


def _let_go(parts: Parts, mailbox: str, yes: bool, to: Console) -> Outcome:
    preview = parts.engine.preview_loss(mailbox, SystemClock().now())
    _print_loss(preview, to)
    if not yes and not typer.confirm("Let these go?", default=False, err=to is screen.err):
        raise SyncdError("Nothing was changed.")
    actor = f"cli:{getpass.getuser()}"
    return parts.engine.sync_mailbox(mailbox, SystemClock().now(), accept_loss=True, shown=preview.loss, actor=actor)


def _print_loss(preview: LossPreview, to: Console) -> None:
    loss = preview.loss
    screen.say(f"{preview.mailbox}: {len(loss.groups)} of {loss.total} entries to come would go:", to)
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
    screen.table("", ("from (UTC)", "to", "type", "", "object"), sorted(rows), to)
    if loss.meetings:
        screen.say(f"Bookings touched: {len(loss.meetings)} meeting(s): {', '.join(loss.meetings)}", to)
        screen.say("These meetings would be cancelled, after a second look, and the citizens told by their portal.", to)


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
    window = between(moment(start, zone), moment(end, zone), LONGEST_FILE)
    found = busy_in(file, zone, window, merged=merged)
    if as_json:
        screen.print_json(
            [{"start": screen.iso(span.start), "end": screen.iso(span.end), "type": str(kind)} for span, kind in found]
        )
        return
    rows = [(screen.local(span.start, zone), screen.local(span.end, zone), str(kind)) for span, kind in found]
    screen.table(f"Busy in {zone}", ("from", "to", "type"), rows)
