"""Commands about rooms."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, between, moment, parts_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.model.directory import Room
from syncd.model.interval import Interval
from syncd.model.zones import wall_clock

if TYPE_CHECKING:
    from syncd.booking.room_usage import Ground

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
            closed = tx.rooms.closed(Interval(now, now + timedelta(days=90)))
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
    columns = ("room", "name", "site", "floor", "seats", "features", "step-free", "ours", "all")
    screen.table("Rooms; the coming week's meetings of ours, and all entries in their calendars", columns, rows)
    zones = {room.id: parts.directory.sites[room.site].zone for room in found}
    shut = [
        (one.room, *(screen.local(at, zones[one.room]) for at in (one.interval.start, one.interval.end)), one.reason)
        for one in closed
        if one.room in zones
    ]
    if shut:
        screen.table("Closed in the coming 90 days", ("room", "from", "to", "why"), shut)


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


@rooms.command("plan")
def plan(
    day: Annotated[str, typer.Option(help="The day, such as 2026-11-27.")],
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Show what the nightly rearrangement of a day would move, without moving anything."""
    now = SystemClock().now()
    with parts_of(path) as parts:
        found = {
            site.id: parts.rooms.preview(site, _date(day, site.zone), now) for site in parts.directory.sites.values()
        }
    if as_json:
        told = {site: [asdict(move) for move in better.moves] if better else [] for site, better in found.items()}
        screen.print_json(told)
        return
    for site, better in found.items():
        if better is None:
            screen.say(f"{site}: nobody moves; the day was announced already, or nothing would get better.")
            continue
        before, after = better.before, better.after
        screen.table(
            f"{site}: waste {before.waste} → {after.waste}, walking {before.walking} → {after.walking}, "
            f"unusable minutes {before.unusable} → {after.unusable}",
            ("meeting", "from", "to"),
            [(move.meeting, move.origin, move.room) for move in better.moves],
        )


@rooms.command("why")
def why(
    booking: Annotated[str, typer.Argument(help="A booking's or a meeting's id.")],
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Why a meeting has its room: what it was chosen by, beside the next two, and who is in their way."""
    now = SystemClock().now()
    with parts_of(path) as parts:
        reasons = parts.rooms.why(booking, now)
    if as_json:
        screen.print_json([asdict(reason) for reason in reasons])
        return
    for mark, reason in zip(("has ", "then", "then"), reasons, strict=False):
        screen.say(f"{mark}  {reason.says()}")


@rooms.command("block")
def block(
    room: Annotated[str, typer.Argument(help="The room's id.")],
    start: Annotated[str, typer.Option("--from", help="Beginning, such as 2026-11-27T08:00.")],
    end: Annotated[str, typer.Option("--to", help="End.")],
    reason: Annotated[str, typer.Option(help="Why, for colleagues.")] = "",
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Close a room for a while; its meetings get other rooms at once."""
    now = SystemClock().now()
    with parts_of(path) as parts:
        if room not in parts.directory.rooms:
            raise SyncdError(f"There is no room '{room}'. Rooms are: {', '.join(sorted(parts.directory.rooms))}.")
        zone = parts.directory.sites[parts.directory.rooms[room].site].zone
        kept = parts.rooms.block(room, between(moment(start, zone), moment(end, zone)), reason, getpass.getuser(), now)
    screen.say(f"{room} is closed; {len(kept.moves)} meeting(s) have another room, {kept.told} of them were announced.")
    for meeting in kept.missing:
        screen.say(f"  no room was found for meeting {meeting}: syncd bookings --attention")


@rooms.command("unblock")
def unblock(
    room: Annotated[str, typer.Argument(help="The room's id.")],
    start: Annotated[str, typer.Option("--from", help="Beginning, such as 2026-11-27T08:00.")],
    end: Annotated[str, typer.Option("--to", help="End.")],
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Open a room again: every closure that touches this time is removed."""
    now = SystemClock().now()
    with parts_of(path) as parts:
        if room not in parts.directory.rooms:
            raise SyncdError(f"There is no room '{room}'. Rooms are: {', '.join(sorted(parts.directory.rooms))}.")
        zone = parts.directory.sites[parts.directory.rooms[room].site].zone
        number = parts.rooms.unblock(room, between(moment(start, zone), moment(end, zone)), getpass.getuser(), now)
    screen.say(f"{room} is open again; {number} closure(s) removed." if number else f"{room} was not closed then.")


@rooms.command("pin")
def pin(
    booking: Annotated[str, typer.Argument(help="A booking, a meeting, or the code in the calendar.")],
    room: Annotated[str | None, typer.Option(help="Another room; the one it has if left out.")] = None,
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Keep a meeting in its room (or in another one), whatever would be better."""
    with parts_of(path) as parts:
        kept = parts.rooms.pin(booking, room, getpass.getuser(), SystemClock().now())
    screen.say(f"The meeting stays in {kept} until: syncd rooms unpin {booking}")


@rooms.command("unpin")
def unpin(
    booking: Annotated[str, typer.Argument(help="A booking's or a meeting's id.")],
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Let syncd choose the room of a meeting again."""
    with parts_of(path) as parts:
        was = parts.rooms.unpin(booking, getpass.getuser(), SystemClock().now())
    screen.say("The meeting may be moved to another room again." if was else "It was not pinned; nothing was changed.")


@rooms.command("usage")
def usage(
    start: Annotated[str | None, typer.Option("--from", help="Beginning; 28 days ago if left out.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="End; 28 days after the beginning if left out.")] = None,
    site: Annotated[str | None, typer.Option(help="Only this site's rooms.")] = None,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """How rooms were used, and which times had none; names nobody."""
    from syncd.booking import room_usage
    from syncd.roomalloc.demand import shortages

    with _ground_of(path, start, end) as ground:
        names = _sites(ground, site)
        found = room_usage.usage(ground, site)
        missed = [row for name in names for row in shortages(room_usage.wishes(ground, name))]
    if as_json:
        screen.print_json({"figures": asdict(found), "shortages": [asdict(row) for row in missed]})
        return
    rows = [(name.replace("_", " "), "" if value is None else f"{value:.3g}") for name, value in asdict(found).items()]
    screen.table("Rooms: figures (docs/reference/rooms.md)", ("figure", "value"), rows)
    if missed:
        lines = [(row.needs, DAYS[row.weekday], f"{row.hour:02d}", str(row.withheld + row.refused)) for row in missed]
        screen.table("Times that had no room", ("needed", "day", "hour", "times"), lines)


@rooms.command("what-if")
def what_if(
    site: Annotated[str, typer.Argument(help="The site.")],
    without: Annotated[list[str] | None, typer.Option(help="A room to leave out; may be repeated.")] = None,
    like: Annotated[str | None, typer.Option(help="Add rooms like this one.")] = None,
    more: Annotated[int, typer.Option(min=1, max=50, help="How many of them.")] = 1,
    start: Annotated[str | None, typer.Option("--from", help="Beginning; 28 days ago if left out.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="End; 28 days after the beginning if left out.")] = None,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Replay recorded demand with fewer or more rooms, and say how much of it would have had one."""
    from syncd.booking import room_usage

    with _ground_of(path, start, end) as ground:
        _sites(ground, site)
        unknown = sorted({*(without or ()), *([like] if like else [])} - {room.id for room in ground.rooms(site)})
        if unknown:
            raise SyncdError(f"{site} has no room {', '.join(unknown)}.")
        now = room_usage.outlook(ground, site)
        then = room_usage.outlook(ground, site, without=without or (), like=like, more=more)
    if as_json:
        screen.print_json({"now": asdict(now) | {"share": now.share}, "then": asdict(then) | {"share": then.share}})
        return
    for name, one in (("with today's rooms", now), ("with the others", then)):
        screen.say(f"{name}: {one.accepted} of {one.wished} ({one.share:.1%}), rooms {one.utilisation:.0%} taken")


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@contextmanager
def _ground_of(path: Path, start: str | None, end: str | None) -> Iterator[Ground]:
    from syncd.booking.room_usage import Ground

    now = SystemClock().now()
    with parts_of(path) as parts:
        zone = zone_of(parts.config)
        first = moment(start, zone) if start else now - timedelta(days=28)
        last = moment(end, zone) if end else first + timedelta(days=28)
        with parts.store.read() as tx:
            yield Ground(tx, parts.directory, parts.rulebook(), between(first, last))


def _sites(ground: Ground, site: str | None) -> list[str]:
    known = list(ground.directory.sites)
    if site is not None and site not in known:
        raise SyncdError(f"There is no site '{site}'. Sites are: {', '.join(known)}.")
    return known if site is None else [site]


def _date(text: str, zone: str) -> date:
    return wall_clock(moment(text, zone), zone).date()
