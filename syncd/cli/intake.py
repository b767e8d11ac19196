"""Commands that take people and rooms over from lists: people import, rooms import."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, calendars_of
from syncd.cli.people import people
from syncd.cli.rooms import rooms
from syncd.errors import CalendarError, SyncdError
from syncd.model.directory import Mailbox, MailboxKind
from syncd.ports import GroupSource, Member, RoomSource

if TYPE_CHECKING:
    from syncd.config import Config
    from syncd.config.intake import Cells, Intake
    from syncd.daemon.checking import Checked

COLUMNS = {
    "caseworkers": ("id", "name", "address", "site", "floor", "teams"),
    "rooms": ("id", "name", "address", "site", "floor", "capacity", "features", "step_free"),
}
FileOption = Annotated[
    Path | None, typer.Argument(metavar="FILE.csv", help="Columns of the people or rooms file; address is enough.")
]
SiteOption = Annotated[str | None, typer.Option("--site", help="A site of the configuration, for rows without one.")]
RehearseOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
LeaversOption = Annotated[
    bool, typer.Option("--remove-leavers", help="Take out those the list no longer has, if they have no meetings.")
]


def add_to(_app: typer.Typer) -> None:
    """Add this module's commands below ``syncd people`` and ``syncd rooms``."""
    people.command("import")(people_import)
    rooms.command("import")(rooms_import)


def people_import(
    file: FileOption = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="ADDRESS", help="Ask the calendar server who is in this group.")
    ] = None,
    site: SiteOption = None,
    rehearse: RehearseOption = False,
    remove_leavers: LeaversOption = False,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Bring caseworkers_file up to date from a list: joiners, leavers, duplicates and mailboxes not found are told.

    Columns rid and guid (what a case system calls somebody) tell people apart and are printed for the table `jobnet`.
    """
    if (file is None) == (group is None):
        raise typer.BadParameter("Give either FILE.csv or --group ADDRESS.")

    def members(checked: Checked) -> list[Member]:
        sources = [port for port in checked.ports.values() if isinstance(port, GroupSource)]
        if not sources:
            raise SyncdError("No server of the configuration knows groups; give a FILE.csv. Nothing was changed.")
        return [one for one in sources[0].expand_group(group or "") if not one.left_out]

    with calendars_of(path) as checked:
        _take_over(checked, "caseworkers", file, members, site, (rehearse, remove_leavers), as_json)


def rooms_import(
    file: FileOption = None,
    lists: Annotated[bool, typer.Option("--lists", help="Ask the server's own room lists.")] = False,
    site: SiteOption = None,
    rehearse: RehearseOption = False,
    remove_leavers: LeaversOption = False,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Bring rooms_file up to date from a list: new rooms, those gone, duplicates and mailboxes not found are told."""
    if (file is None) != lists:
        raise typer.BadParameter("Give either FILE.csv or --lists.")

    def members(checked: Checked) -> list[Member]:
        sources = [port for port in checked.ports.values() if isinstance(port, RoomSource)]
        if not sources:
            raise SyncdError("No server of the configuration keeps room lists; give a FILE.csv. Nothing was changed.")
        return [Member(room.address, room.name) for port in sources for room in port.listed_rooms()]

    with calendars_of(path) as checked:
        _take_over(checked, "rooms", file, members, site, (rehearse, remove_leavers), as_json)


def _take_over(
    checked: Checked,
    kind: str,
    file: Path | None,
    members: Callable[[Checked], list[Member]],
    site: str | None,
    how: tuple[bool, bool],
    as_json: bool,
) -> None:
    from syncd.config.intake import compare, written

    rehearse, remove = how
    target: Path | None = getattr(checked.config, f"{kind}_file")
    if target is None:
        raise SyncdError(f'Name the file that is to be kept: {kind}_file = "{kind}.csv". Nothing was changed.')
    before = [row for _, row in _table(target)] if target.exists() else []
    listed = _table(file) if file is not None else _rows(_asked(members, checked))
    only = next(iter(checked.config.sites)) if len(checked.config.sites) == 1 else ""
    found = compare(before, listed, site or only, _others(checked.config, before))
    missing = _not_found(checked, kind, found.joiners)
    keeping, busy = _leaving(checked, found, remove)
    joined = [row for row in found.joiners if row["id"] not in missing]
    rows = [*found.stay, *keeping, *joined]
    if not rehearse and rows != before:
        _write(target, written(sorted(rows, key=lambda row: row["id"]), COLUMNS[kind]))
    _tell(found, missing, busy, target, how, as_json)
    raise typer.Exit(1 if missing or found.problems or found.twice else 0)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SyncdError(f"{path} cannot be read: {error.strerror}. Nothing was changed.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:  # Danish spreadsheets still save Windows-1252
        return content.decode("cp1252", errors="replace")


def _table(path: Path) -> list[tuple[int, dict[str, str]]]:
    from syncd.config.intake import rows_of

    try:
        return rows_of(_text(path))
    except ValueError as error:
        raise SyncdError(f"{path} is no table: {error}. Nothing was changed.") from None


def _asked(members: Callable[[Checked], list[Member]], checked: Checked) -> list[Member]:
    try:
        found = members(checked)
    except CalendarError as error:
        raise SyncdError(f"{error} Nothing was changed.") from None
    for one in found:
        if one.left_out:
            screen.complain(f"{one.address} is left out: {one.left_out}")
    return [one for one in found if not one.left_out]


def _rows(members: list[Member]) -> list[tuple[int, dict[str, str]]]:
    return [(n, {"address": one.address, "name": one.name}) for n, one in enumerate(members, 1)]


def _others(config: Config, before: list[dict[str, str]]) -> set[str]:
    """Ids and addresses of everybody and every room that is not in the file itself."""
    own = {row.get("id", "") for row in before} | {row.get("address", "").lower() for row in before}
    persons = {text for one in config.caseworkers for text in (one.id, one.address.lower())}
    places = {text for one in config.rooms for text in (one.id, one.address.lower())}
    return (persons | places) - own


def _not_found(checked: Checked, kind: str, joiners: Collection[Cells]) -> dict[str, str]:
    """Why a new mailbox cannot be used, by our id; each is looked at, read-only."""
    config = checked.config

    def look(row: Cells) -> str | None:
        account = row.get("account") or next(iter(config.calendars))
        place = config.sites.get(row["site"])
        if account not in config.calendars or place is None:
            return f"there is no account {account!r} or no site {row['site']!r}"
        own = MailboxKind.PERSON if kind == "caseworkers" else MailboxKind.ROOM
        invited = own is MailboxKind.ROOM and config.calendars[account].invites_rooms
        box = Mailbox(row["id"], own, account, row["address"], place.zone, row.get("url") or None, invited=invited)
        result = checked.ports[account].check(box)
        return None if result.ok else result.says

    with ThreadPoolExecutor(8) as pool:
        told = zip(joiners, pool.map(look, joiners), strict=True)
    return {row["id"]: why for row, why in told if why is not None}


def _leaving(checked: Checked, found: Intake, remove: bool) -> tuple[list[Cells], set[str]]:
    """The leavers that stay in the file, and those of them who have meetings to come."""
    from syncd.daemon.checking import with_meetings

    busy = with_meetings(checked.config, {row["id"] for row in found.leavers})
    return [row for row in found.leavers if not remove or row["id"] in busy], busy


def _write(target: Path, text: str) -> None:
    """Put *text* in place at once, so that a reload meanwhile reads the old file or the new one."""
    draft = target.with_name(f".{target.name}.new")
    try:
        draft.write_text(text, encoding="utf-8")
        if target.exists():
            draft.chmod(target.stat().st_mode & 0o777)
            os.chown(draft, target.stat().st_uid, target.stat().st_gid)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise SyncdError(f"{target} cannot be written: {error.strerror}. Nothing was changed.") from None


def _tell(
    found: Intake, missing: Mapping[str, str], busy: set[str], target: Path, how: tuple[bool, bool], as_json: bool
) -> None:
    rehearse, remove = how
    kept = "has meetings to come; kept" if remove else "not in the list; kept (--remove-leavers takes out)"
    rows = [(row["id"], row["address"], "joins", "") for row in found.joiners if row["id"] not in missing]
    rows += [
        (row["id"], row["address"], "not found", missing[row["id"]]) for row in found.joiners if row["id"] in missing
    ]
    rows += [(row["id"], row["address"], "changes", "") for row in found.stay if row["id"] in found.changed]
    rows += [
        (row["id"], row["address"], "leaves", kept if not remove or row["id"] in busy else "taken out")
        for row in found.leavers
    ]
    rows += [("", "", "duplicate", text) for text in found.twice] + [
        ("", "", "problem", text) for text in found.problems
    ]
    if as_json:
        told: list[dict[str, Any]] = [dict(zip(("id", "address", "what", "says"), row, strict=True)) for row in rows]
        screen.print_json({"file": str(target), "kept": not rehearse, "rows": told, "case_ids": dict(found.foreign)})
        return
    screen.table("", ("id", "address", "", "what to do"), rows)
    unchanged = len(found.stay) - len(found.changed)
    joining = len(found.joiners) - len(missing)
    counted = f"{joining} join, {len(found.changed)} change, {unchanged} unchanged."
    screen.say(f"{counted} {_conclusion(target, rehearse)}")
    if found.foreign:
        screen.say("What the case system calls them, for [jobnet] in syncd.toml:")
        screen.say("caseworkers = {" + ", ".join(f'"{k}" = "{v}"' for k, v in found.foreign.items()) + "}")


def _conclusion(target: Path, rehearse: bool) -> str:
    if rehearse:
        return "This was a rehearsal; nothing was changed."
    return f"{target} is up to date; a running service takes it with: systemctl reload syncd"
