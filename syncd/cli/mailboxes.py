"""Commands about mailboxes themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from csv import writer
from dataclasses import asdict
from io import StringIO
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, calendars_of
from syncd.errors import CalendarError, SyncdError
from syncd.model.directory import ListedRoom, Mailbox, MailboxKind
from syncd.ports import CalendarPort, Preparing, RoomSource

mailboxes = typer.Typer(no_args_is_help=True, help="What is set up once in each mailbox.")

BY_HAND = (
    "its server keeps no list of categories that syncd could add to. The caseworker types them once: in Outlook "
    "Categorize > All Categories > New; docs/howto/sagsbehandler.da.md shows how."
)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(mailboxes, name="mailboxes")


@mailboxes.command("prepare")
def prepare(
    named: Annotated[
        list[str] | None, typer.Argument(metavar="CASEWORKER", help="Caseworkers' ids; all when none is named.")
    ] = None,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Put the categories syncd obeys into each caseworker's own list, so that Outlook offers them."""
    with calendars_of(path) as checked:
        people = {box.id: box for box in checked.directory.mailboxes.values() if box.kind is MailboxKind.PERSON}
        if unknown := sorted(set(named or ()) - people.keys()):
            raise SyncdError(f"No such caseworker: {', '.join(unknown)}. Nothing was done.")
        categories = checked.config.marks.marks().names
        results = {
            one: _prepared(checked.ports[people[one].account], people[one], categories) for one in named or people
        }
    failed = [one for one, (done, _) in results.items() if not done]
    if as_json:
        screen.print_json([{"mailbox": one, "ok": done, "says": says} for one, (done, says) in results.items()])
    else:
        screen.table("Categories", ("mailbox", "says"), [(one, says) for one, (_, says) in results.items()])
    if failed:
        raise typer.Exit(1)


@mailboxes.command("rooms")
def rooms(
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print those not known yet as lines for rooms_file, to be completed.")
    ] = False,
) -> None:
    """List the rooms that the servers' own room lists name, and which of them syncd does not know yet."""
    with calendars_of(path) as checked:
        known = {room.mailbox.address for room in checked.directory.rooms.values()}
        sources = [port for port in checked.ports.values() if isinstance(port, RoomSource)]
        if not sources:
            raise SyncdError("No server of the configuration keeps room lists; name the rooms in [[rooms]].")
        found = {room.address: room for port in sources for room in port.listed_rooms()}
        sites = tuple(checked.directory.sites)
    if as_csv:
        new = [room for mail, room in found.items() if mail not in known]
        typer.echo(room_lines(new, sites[0] if len(sites) == 1 else ""), nl=False)
        return
    if as_json:
        screen.print_json([{**asdict(room), "known": mail in known} for mail, room in found.items()])
        return
    rows = [(*_shown(room), "" if mail in known else "not in the configuration") for mail, room in found.items()]
    screen.table("Rooms", ("address", "name", "seats", "where", "equipment", ""), rows)
    if not found:
        screen.say("There are no room lists: New-DistributionGroup -RoomList -Name Rooms -Members ROOM, ROOM")


def _shown(room: ListedRoom) -> tuple[str, str, str, str, str]:
    """What is known of it, without what is not."""
    where = [room.building, "" if room.floor is None else f"floor {room.floor}"]
    words = [*room.features, *(["step-free"] if room.step_free else [])]
    seats = "" if room.capacity is None else str(room.capacity)
    return room.address, room.name, seats, ", ".join(one for one in where if one), " ".join(words)


def room_lines(found: Iterable[ListedRoom], site: str) -> str:
    """The lines of a rooms file, heading included; what the server does not say is for a person to put right.

    :param site: empty where there are several to choose from.
    """
    text = StringIO()
    lines = writer(text, delimiter=";", lineterminator="\n")
    lines.writerow(("id", "name", "address", "site", "floor", "capacity", "features", "step_free"))
    for room in found:
        key = re.sub(r"[^a-z0-9._-]+", "-", room.address.partition("@")[0].lower())
        words, free = " ".join(room.features), "yes" if room.step_free else "no"
        lines.writerow((key, room.name, room.address, site, room.floor or 0, room.capacity or 2, words, free))
    return text.getvalue()


def _prepared(port: CalendarPort, mailbox: Mailbox, categories: tuple[str, ...]) -> tuple[bool, str]:
    """Whether it was done, and a sentence."""
    if not isinstance(port, Preparing):
        return False, BY_HAND
    try:
        added = port.prepare(mailbox, categories)
    except CalendarError as error:
        return False, f"{error} The list was left as it is."
    return True, f"added {', '.join(added)}" if added else "has them all already"
