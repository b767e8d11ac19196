"""Commands about what is kept of citizens: see whom to call, erase it."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import screen
from syncd.cli.desk import booked
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError

if TYPE_CHECKING:
    from syncd.store.erasure import Erased


def add_to(_app: typer.Typer) -> None:
    """Add this module's commands; they stand below ``syncd bookings``."""
    booked.command("erase")(erase)
    booked.command("contact")(contact)


def erase(
    citizen: Annotated[str, typer.Option("--citizen", metavar="REF", help="The client's reference of the citizen.")],
    client: Annotated[
        str | None, typer.Option("--client", help="Only what this client booked; another may call somebody else so.")
    ] = None,
    path: ConfigOption = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Forget whose bookings these were: references, contact data, stored answers; a ledger keeps them erased.

    What is still ahead is listed and kept until it is over; cancel it first if it shall not take place.
    """
    from syncd.store.erasure import erase as erase_within
    from syncd.store.erasure import named, remember

    now, actor = SystemClock().now(), f"cli:{getpass.getuser()}"
    with parts_of(path) as parts:
        if not yes:
            typer.confirm("Erase this citizen for good? It cannot be undone.", abort=True, err=as_json)
        with parts.store.begin() as tx:
            # First the ledger: should the commit fail, the hourly replay erases all the same.
            remember(parts.config.ledger, tx.audit.citizen_digest(named(citizen, client)), now)
            erased = erase_within(tx, citizen, now, actor, client)
        unknown = client is not None and client not in parts.config.clients
    _report(erased, as_json)
    if unknown:  # Not refused: a client that was taken out of the configuration leaves bookings behind.
        screen.say(f"Look again: there is no client {client!r} in the configuration.", screen.err)


def contact(
    name: Annotated[str, typer.Argument(metavar="MEETING", help="A booking, a meeting, or the code in the calendar.")],
    purpose: Annotated[str, typer.Option("--purpose", help="Why you look; it is written to the audit log.")],
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """How to reach the citizens of a meeting, while that is kept. The look is audited."""
    from syncd.store.overview import meeting_named

    now = SystemClock().now()
    with parts_of(path) as parts, parts.store.begin() as tx:
        meeting = meeting_named(tx.session, name)
        if meeting is None:
            raise SyncdError(f"There is no meeting {name!r}.")
        found = parts.contacts.of_meeting(tx, meeting, f"cli:{getpass.getuser()}", now, purpose)
    rows = [
        (who.name or "", who.birth_date.isoformat() if who.birth_date else "", who.phone or "", who.mail or "", booking)
        for booking, who in found.items()
    ]
    screen.table(f"{len(rows)} contact(s) are kept", ("name", "born", "phone", "mail", "booking"), rows)


def _report(erased: Erased, as_json: bool) -> None:
    if as_json:
        screen.print_json(asdict(erased))
        return
    screen.say(
        f"{len(erased.bookings)} booking(s) no longer say whose they were; {erased.answers} stored answer(s) are gone "
        f"(a repeated request gets 410), contact data of {erased.contacts}, {erased.letters} owed or dead notice(s)."
    )
    if erased.live:
        screen.say(
            f"Still ahead, and kept until they are over: {', '.join(erased.live)}. They are erased by themselves "
            "within an hour of their end."
        )
