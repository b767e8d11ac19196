"""Commands about rooms."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.model.directory import Room
from syncd.model.interval import Interval

rooms = typer.Typer(help="Rooms: what there is, how they are taken, and how they are given.", no_args_is_help=False)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(rooms, name="rooms")


@rooms.callback(invoke_without_command=True)
def every(
    context: typer.Context,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Rooms: what there is, how they are taken, and how they are given. Alone it is `syncd rooms list`."""
    if context.invoked_subcommand is None:
        listed(path, as_json)


@rooms.command("list")
def listed(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Rooms, and how they are taken in the coming week."""
    now = SystemClock().now()
    week = Interval(now, now + timedelta(days=7))
    with parts_of(path) as parts:
        found = sorted(parts.directory.rooms.values(), key=lambda room: (room.site, room.floor, room.id))
        with parts.store.read() as tx:
            ours = tx.meetings.busy([room.id for room in found], week, now)
            seen = tx.mailboxes.occurrences([room.id for room in found], week)
    if as_json:
        screen.print_json(
            [_told(room) | {"meetings": len(ours[room.id]), "entries": len(seen[room.id])} for room in found]
        )
        return
    rows = [
        (
            room.id,
            room.name,
            room.site,
            str(room.floor),
            str(room.capacity),
            ", ".join(sorted(room.features)),
            "yes" if room.step_free else "",
            str(len(ours[room.id])),
            str(len(seen[room.id])),
        )
        for room in found
    ]
    columns = ("room", "name", "site", "floor", "seats", "features", "step-free", "ours", "entries")
    screen.table("Rooms; the coming week's meetings of ours, and all entries in their calendars", columns, rows)


def _told(room: Room) -> dict[str, object]:
    return {
        "id": room.id,
        "name": room.name,
        "site": room.site,
        "floor": room.floor,
        "capacity": room.capacity,
        "features": sorted(room.features),
        "step_free": room.step_free,
        "turnover": room.turnover,
    }


@rooms.command("replay")
def replay(
    instance: Annotated[Path, typer.Argument(help="A benchmark instance (rooms-bench/1).", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the decision log.")],
    moves: Annotated[int, typer.Option(min=0, max=8, help="Most meetings moved for one new one.")] = 3,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Rearrange days nobody was told of, every night.")] = False,
    shape: Annotated[bool, typer.Option("--shape", help="On busy days hide starts that leave useless gaps.")] = False,
) -> None:
    """Let the allocator decide a benchmark instance, and write down what it decided.

    Needs no configuration and touches no calendar: the same code as in service, on invented requests.
    """
    from syncd.roomalloc.cost import Policy
    from syncd.roomalloc.instance import parse
    from syncd.roomalloc.replay import Options
    from syncd.roomalloc.replay import replay as decide

    try:
        found = parse(instance.read_text(encoding="utf-8"), str(instance))
        log = decide(found, time.perf_counter, Options(Policy(moves=moves, told=moves), shape, rebuild))
        output.write_text(log.as_json(), encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SyncdError(f"{instance} could not be replayed into {output}: {error}. Nothing was decided.") from error
    requests = len(log.seconds)
    accepted = sum(1 for decision in log.decisions.values() if decision and "room" in decision)
    screen.say(f"{accepted} of {requests} requests have a room; the log is in {output}.")
