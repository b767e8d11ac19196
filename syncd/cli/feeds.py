"""Commands about feeds for calendar programs."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.model.directory import Directory
from syncd.publish.feeds import people_of
from syncd.store.feeds import FeedKind

feeds = typer.Typer(no_args_is_help=True, help="Addresses at which a calendar program can read free and busy time.")


_PEOPLE = (("free slots", "/feeds/{}.ics"), ("busy time", "/feeds/{}.ifb"))
PATHS = {
    FeedKind.CASEWORKER: _PEOPLE,
    FeedKind.TEAM: _PEOPLE,
    FeedKind.ROOM: (("calendar", "/feeds/{}.ics"), ("door", "/display/{}")),
    FeedKind.SITE: (("display", "/display/{}"),),
}
"""What each kind of address shows, and where."""


def _known(directory: Directory, kind: FeedKind, subject: str) -> bool:
    places = {FeedKind.ROOM: directory.rooms, FeedKind.SITE: directory.sites}
    return subject in places[kind] if kind in places else bool(people_of(directory, kind.value, subject))


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(feeds, name="feeds")


@feeds.command("new")
def new(
    kind: Annotated[
        FeedKind, typer.Argument(help="Whose time: one caseworker's, a team's, a room's, or all rooms of a site.")
    ],
    subject: Annotated[str, typer.Argument(help="The caseworker's, room's or site's id, or the team's name.")],
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make an address and print it; it is shown once, and whoever has it can read."""
    with parts_of(path) as parts:
        if not _known(parts.directory, kind, subject):
            raise SyncdError(f"There is no {kind.value} '{subject}'. Nothing was made.")
        with parts.store.begin() as tx:
            now = SystemClock().now()
            secret = tx.feeds.add(kind, subject, f"cli:{getpass.getuser()}", now)
            tx.audit.add(f"cli:{getpass.getuser()}", "feed.made", detail=f"{kind.value} {subject}", now=now)
        base = f"http://{parts.config.http.listen}"
    for what, place in PATHS[kind]:
        screen.say(f"{what:11} {base}{place.format(secret)}")
    screen.say(
        "Behind a reverse proxy, put its name in place of the address. To close it: syncd feeds revoke " + subject
    )


@feeds.command("list")
def listed(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """All feeds; their addresses are not kept."""
    with parts_of(path) as parts, parts.store.read() as tx:
        zone, found = zone_of(parts.config), tx.feeds.all()
    if as_json:
        screen.print_json(
            [
                {
                    "name": one.name,
                    "kind": one.kind,
                    "subject": one.subject,
                    "created": screen.iso(one.created),
                    "by": one.actor,
                    "revoked": screen.iso(one.revoked) if one.revoked else None,
                }
                for one in found
            ]
        )
        return
    rows = [
        (
            one.name,
            f"{one.kind} {one.subject}",
            screen.local(one.created, zone),
            one.actor,
            screen.local(one.revoked, zone) if one.revoked else "",
        )
        for one in found
    ]
    screen.table(f"{len(rows)} feed(s)", ("feed", "whose", "made", "by", "revoked"), rows)


@feeds.command("revoke")
def revoke(
    name: Annotated[
        str, typer.Argument(help="A feed's name from the list, or a caseworker or team for all of theirs.")
    ],
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Close feeds; their addresses show nothing from now on."""
    actor = f"cli:{getpass.getuser()}"
    with parts_of(path) as parts, parts.store.begin() as tx:
        now = SystemClock().now()
        closed = tx.feeds.revoke(name, now)
        for one in closed:
            tx.audit.add(actor, "feed.revoked", detail=f"{one.kind} {one.subject}", now=now)
    if not closed:
        raise SyncdError(
            f"No open feed is called '{name}' or belongs to it. Nothing was changed; see: syncd feeds list"
        )
    screen.say(f"{len(closed)} closed.")
