"""`syncd organisations`: hundreds of instances from one table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.placing import place

group = typer.Typer(no_args_is_help=True, help="Many organisations on one machine, one instance each (syncd@NAME).")


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(group, name="organisations")


@group.command("make")
def make(
    table: Annotated[Path, typer.Argument(help="A CSV file: name, organisation, adapter, url, username, site, …")],
    folder: Annotated[Path, typer.Option("--folder", help="Where configurations go.")] = Path("/etc/syncd"),
    units: Annotated[Path, typer.Option("--units", help="Where systemd looks for units.")] = Path(
        "/etc/systemd/system"
    ),
    dry: Annotated[bool, typer.Option("--dry-run", help="Only say what would be made.")] = False,
) -> None:
    """Write a configuration and a unit's size for every row that has none yet; what exists is left as it is.

    The sizes of units follow the table each time.
    """
    from syncd.config.organisations import files_of, instances, unit_of

    found, problems = instances(_rows(table), _held(folder))
    if problems:
        screen.complain("\n".join([f"{table} has {len(problems)} problem(s). Nothing was made.", *problems]))
        raise typer.Exit(1)
    rows = []
    for one in found:
        new = [folder / name for name in files_of(one) if not (folder / name).exists()]
        unit, size = unit_of(one)
        if not dry:
            for file in new:
                place(file, files_of(one)[file.relative_to(folder).as_posix()])
            place(units / unit, size, 0o644)
            _make_room_for_secrets(folder, one.name)
        told = "made" if new else "left as it is"
        rows.append((f"syncd@{one.name}", one.answers.organisation, str(one.port), f"{one.memory_mb} MB", told))
    screen.table("Organisations", ("unit", "organisation", "port", "memory at most", "configuration"), rows)
    total = sum(one.memory_mb for one in found)
    screen.say(
        f"{len(found)} organisations, {sum(one.mailboxes for one in found)} mailboxes, {total} MB at the very most."
    )
    if dry:
        screen.say("Nothing was written (--dry-run).")
        return
    screen.say(f"Next: a password in {folder}/credentials/NAME/kalender (0600), then for each NAME:")
    screen.say(f"  CREDENTIALS_DIRECTORY={folder}/credentials/NAME syncd check --config {folder}/NAME.toml")
    screen.say("  systemctl daemon-reload; systemctl enable --now syncd@NAME syncd-backup@NAME.timer")


def _held(folder: Path) -> dict[str, list[int]]:
    """The ports of every configuration that is there."""
    from syncd.config.organisations import ports_in

    texts = {file.stem: file.read_text(encoding="utf-8", errors="replace") for file in sorted(folder.glob("*.toml"))}
    return {name: ports for name, text in texts.items() if (ports := ports_in(text))}


def _make_room_for_secrets(folder: Path, name: str) -> None:
    """The folders whose files systemd hands to the instance; it does not start one that lacks a folder."""
    from syncd.errors import SyncdError

    try:
        for kind in ("credentials", "credentials.sealed"):
            (folder / kind / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SyncdError(f"{folder}: {error.strerror}. What was made before it stays.") from None


def _rows(table: Path) -> list[dict[str, str]]:
    from syncd.errors import SyncdError

    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SyncdError(f"{table} cannot be read ({type(error).__name__}). Nothing was made.") from None
    separator = ";" if text.partition("\n")[0].count(";") else ","
    try:
        rows = list(csv.DictReader(text.splitlines(), delimiter=separator))
    except csv.Error as error:
        raise SyncdError(f"{table} is no table: {error}. Nothing was made.") from None
    return [{key or "": value or "" for key, value in row.items()} for row in rows]
