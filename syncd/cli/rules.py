"""Commands about the rules: apply, export, preview, history."""

from __future__ import annotations

import getpass
from collections import Counter
from datetime import timedelta
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import ConfigError, SyncdError
from syncd.model.interval import Interval
from syncd.model.policy import Mode

if TYPE_CHECKING:
    from syncd.daemon.parts import Parts
    from syncd.model.offer import Rulebook

offers = typer.Typer(
    no_args_is_help=True, help="The rules: what can be booked, when, and with whom. Kept as numbered revisions."
)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE.toml", help="Offers and working hours.")]


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(offers, name="offers")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(str(file), [f"cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError(str(file), ["is not UTF-8 text"]) from None


@offers.command("apply")
def apply(file: FileArgument, path: ConfigOption = DEFAULT_CONFIG) -> None:
    """Check FILE.toml and put it in force as the next revision; with a mistake in it nothing changes."""
    from syncd import rulebook

    text = _text(file)
    with parts_of(path) as parts:
        number = rulebook.apply_text(
            parts.store, text, parts.directory, f"cli:{getpass.getuser()}", SystemClock().now(), source=str(file)
        )
        advice = parts.warnings(SystemClock().now())
    screen.say(f"Revision {number} is in force.")
    for warning in advice:
        screen.out.print(f"  [yellow]note[/] {screen.escape(warning)}", soft_wrap=True)


@offers.command("export")
def export(
    number: Annotated[
        int | None, typer.Option("--revision", help="An older revision instead of the one in force.")
    ] = None,
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Print a revision as TOML, as it was applied."""
    with parts_of(path) as parts, parts.store.read() as tx:
        newest = tx.rules.newest()
        text = tx.rules.text(number) if number is not None else newest and newest[1]
    if text is None:
        raise SyncdError(
            f"There is no revision {number}."
            if number is not None
            else "No rules are in force yet: syncd offers apply FILE.toml"
        )
    typer.echo(text, nl=not text.endswith("\n"))


@offers.command("undo")
def undo(
    to: Annotated[int | None, typer.Option("--to", help="This revision; the one before if left out.")] = None,
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Put an older revision in force again, as a new one; nothing is lost."""
    from syncd import rulebook

    with parts_of(path) as parts:
        with parts.store.read() as tx:
            number = tx.rules.number()
            wanted = number - 1 if to is None else to
            text = tx.rules.text(wanted)
        if text is None:
            raise SyncdError(f"There is no revision {wanted} to go back to; {number} stays in force.")
        source = f"revision {wanted}"
        now, who = SystemClock().now(), f"cli:{getpass.getuser()}"
        made = rulebook.apply_text(parts.store, text, parts.directory, who, now, source=source)
    screen.say(f"Revision {made} is in force; it says what revision {wanted} said.")


@offers.command("diff")
def diff(
    file: Annotated[Path | None, typer.Argument(metavar="FILE.toml", help="Rules to compare with.")] = None,
    since: Annotated[int | None, typer.Option("--revision", help="An older revision instead of a file.")] = None,
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show line by line how FILE.toml, or an older revision, differs from the rules in force."""
    with parts_of(path) as parts, parts.store.read() as tx:
        number = tx.rules.number()
        before, other = tx.rules.text(number) or "", number - 1 if since is None else since
        older = tx.rules.text(other)
    if file is None and older is None:
        raise SyncdError(f"There is no revision {other} to compare with; name a file, or --revision.")
    if file is not None:
        sides = (before, _text(file), f"revision {number}", str(file))
    else:
        sides = (older or "", before, f"revision {other}", f"revision {number}")
    lines = unified_diff(sides[0].splitlines(), sides[1].splitlines(), sides[2], sides[3], lineterm="")
    for line in list(lines) or ["No difference."]:
        typer.echo(line)


@offers.command("mode")
def mode(
    team: Annotated[str, typer.Argument(help="Name of the team.")],
    wanted: Annotated[Mode, typer.Argument(metavar="MODE", help="closed, shadow or live.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, only the week to come is shown.")] = False,
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Close a team, let it run in shadow, or let it go live; what would be published next week is shown first."""
    from syncd import rulebook

    now = SystemClock().now()
    with parts_of(path) as parts:
        with parts.store.read() as tx:
            newest = tx.rules.newest()
        if newest is None:
            raise SyncdError("No rules are in force yet: syncd offers apply FILE.toml")
        text = rulebook.with_mode(newest[1], team, wanted, parts.directory)
        proposed = rulebook.parse(text, parts.directory, newest[0] + 1)
        if wanted is Mode.LIVE:
            _print_week(parts, proposed, team)
        if not yes:
            screen.say(f"Nothing was changed. Do it with: syncd offers mode {team} {wanted} --yes")
            return
        made = rulebook.apply_text(parts.store, text, parts.directory, f"cli:{getpass.getuser()}", now)
    screen.say(f"Revision {made} is in force: team {team} is {wanted}.")


def _print_week(parts: Parts, proposed: Rulebook, team: str) -> None:
    """The times of the team's people in the next seven days, as they would be on offer."""
    people = [one.id for one in parts.directory.caseworkers.values() if team in one.teams]
    rows = []
    with parts.trying(proposed) as trial:
        now = SystemClock().now()
        window, zone = Interval(now, now + timedelta(days=7)), zone_of(parts.config)
        for name, offer in proposed.offers.items():
            for person in people:
                if person in offer.caseworkers:
                    slots = trial.publisher.answer(name, window, now, caseworker=person).slots
                    days = Counter(screen.local(slot.interval.start, zone)[:14] for slot in slots)
                    rows.append(
                        (name, person, ", ".join(f"{day}: {count}" for day, count in days.items()) or "no times")
                    )
    screen.table(f"Times of team {team} in the next 7 days, once it is live", ("offer", "caseworker", "times"), rows)


@offers.command("history")
def history(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List all revisions, the newest first."""
    with parts_of(path) as parts, parts.store.read() as tx:
        revisions = tx.rules.history()
    if as_json:
        screen.print_json([{"number": r.number, "applied": screen.iso(r.applied), "actor": r.actor} for r in revisions])
        return
    screen.table(
        "",
        ("revision", "applied (UTC)", "by"),
        [(str(r.number), screen.iso(r.applied) or "", r.actor) for r in revisions],
    )


@offers.command("preview")
def preview(
    file: FileArgument,
    path: ConfigOption = DEFAULT_CONFIG,
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days ahead to compare.")] = 14,
    as_json: JsonOption = False,
) -> None:
    """Show what FILE.toml would change in the slots on offer, without putting it in force."""
    from syncd import rulebook

    text = _text(file)
    now = SystemClock().now()
    with parts_of(path) as parts:
        proposed = rulebook.parse(text, parts.directory, parts.rulebook().number + 1, source=str(file))
        before = _counts(parts, days)
        with parts.trying(proposed) as trial:
            after = _counts(trial, days)
        advice = rulebook.warnings(proposed, parts.directory, now.date(), parts.config.sync.horizon_days)
    rows = [
        (offer, person, before.get((offer, person), 0), after.get((offer, person), 0))
        for offer, person in sorted(before.keys() | after.keys())
    ]
    if as_json:
        screen.print_json([{"offer": o, "caseworker": p, "now": b, "then": a} for o, p, b, a in rows])
    else:
        told = [(o, p, str(b), str(a), f"{a - b:+d}" if a != b else "") for o, p, b, a in rows]
        screen.table(f"Slots in the next {days} days", ("offer", "caseworker", "now", "then", "change"), told)
        for warning in advice:
            screen.out.print(f"  [yellow]note[/] {screen.escape(warning)}", soft_wrap=True)


def _counts(parts: Parts, days: int) -> dict[tuple[str, str], int]:
    now = SystemClock().now()
    window = Interval(now, now + timedelta(days=days))
    counted: dict[tuple[str, str], int] = {}
    for name, offer in parts.rulebook().offers.items():
        for person in offer.caseworkers:
            answer = parts.publisher.answer(name, window, now, caseworker=person)
            counted[name, person] = len(answer.slots)
    return counted
