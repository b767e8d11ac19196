"""Commands about the rules: apply, export, preview, history."""

from __future__ import annotations

import getpass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of
from syncd.clock import SystemClock
from syncd.errors import ConfigError, SyncdError
from syncd.model.interval import Interval

if TYPE_CHECKING:
    from syncd.daemon.parts import Parts

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
