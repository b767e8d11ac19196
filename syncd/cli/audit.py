"""Commands about the audit log: whether it is whole, and who looked at a citizen's data."""

from __future__ import annotations

import getpass
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import BadRequest

if TYPE_CHECKING:
    from syncd.store.audit_chain import Head, Verdict

audit = typer.Typer(help="The log of who looked at or changed what.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(audit, name="audit")


@audit.command("verify")
def verify(
    head: Annotated[
        str | None,
        typer.Option(
            "--head", metavar="NUMBER:LINK", help="A head that the journal was told: it must be in the chain."
        ),
    ] = None,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Compare the log with its chain: a row changed, removed or slipped in is named. Exits 1 when one is found.

    The journal has heads: journalctl -u syncd | grep audit.head
    """
    from syncd.store import audit_chain

    with parts_of(path) as parts, parts.store.read() as tx:
        kept = timedelta(days=parts.config.retention.audit_days)
        verdict = audit_chain.verify(tx, SystemClock().now(), kept, _head(head))
    if as_json:
        screen.print_json(_content(verdict))
    else:
        _say(verdict)
    raise typer.Exit(1 if verdict.faults else 0)


@audit.command("for-citizen")
def for_citizen(
    reference: Annotated[str, typer.Argument(metavar="REF", help="The client's reference of the citizen.")],
    staff: Annotated[bool, typer.Option("--staff", help="Show which members of staff it was, too.")] = False,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """When this citizen's data were looked at or changed, by whom in kind, and for what; this look is logged, too."""
    from syncd.store.audit_trail import trail

    now, actor = SystemClock().now(), f"cli:{getpass.getuser()}"
    with parts_of(path) as parts:
        zone = zone_of(parts.config)
        with parts.store.begin() as tx:
            found = trail(tx, reference, staff=staff)
            tx.audit.add(actor, "citizen.trail", citizen=reference, now=now, detail="staff shown" if staff else None)
    if as_json:
        lines = [
            {"at": screen.iso(one.at), "action": one.action, "who": one.who, "purpose": one.purpose} for one in found
        ]
        screen.print_json(lines)
        return
    rows = [(screen.local(one.at, zone), one.action, one.who, one.purpose or "") for one in found]
    screen.table(f"{len(rows)} look(s) and change(s)", ("when", "what", "who", "purpose"), rows)


@audit.command("forget")
def forget(
    reference: Annotated[str, typer.Argument(metavar="REF", help="The client's reference of the citizen.")],
    path: ConfigOption = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Let the log itself forget a citizen; that somebody looked, and when, stays, and the chain holds."""
    from syncd.store import audit_chain

    with parts_of(path) as parts:
        if not yes:
            typer.confirm("Nobody can be told afterwards who looked at this citizen's data. Go on?", abort=True)
        audit_chain.chain(parts.store)
        with parts.store.begin() as tx:
            count = audit_chain.erase(tx, tx.audit.citizen_digest(reference))
            tx.audit.add(
                f"cli:{getpass.getuser()}", "citizen.forgotten", now=SystemClock().now(), detail=f"{count} row(s)"
            )
    screen.say(f"{count} row(s) no longer say whom they were about.")


def _head(text: str | None) -> Head | None:
    from syncd.store.audit_chain import Head

    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}:[0-9a-f]{64}", text):
        raise BadRequest("A head is written NUMBER:LINK, such as 17:9f2c…, with the 64 digits of the journal's line.")
    number, _, link = text.partition(":")
    return Head(int(number), link)


def _say(verdict: Verdict) -> None:
    screen.say(
        f"{verdict.rows} row(s) compared, {verdict.erased} of them erased; {verdict.forgotten} were forgotten in time, "
        f"{verdict.waiting} are too young to be chained. Newest link: {verdict.head.number}:{verdict.head.link}"
    )
    if not verdict.faults:
        screen.say("The log is as it was written.")
        return
    rows = [(str(fault.number or "-"), str(fault.audit or "-"), fault.says) for fault in verdict.faults]
    screen.table(f"{len(rows)} fault(s)", ("link", "row", "what is wrong"), rows)


def _content(verdict: Verdict) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(verdict)
