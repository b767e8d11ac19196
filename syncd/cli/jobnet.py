"""Commands about the planner facade of Jobnet: reported errors, who books by herself, changed numbers, our choices."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.model.jobnet import Standing

if TYPE_CHECKING:
    from syncd.cpr import Cpr, CprKey
    from syncd.daemon.parts import Parts

jobnet = typer.Typer(no_args_is_help=True, help="Jobnet's citizens, and errors that Jobnet reported.")
PurposeOption = Annotated[str, typer.Option("--purpose", help="Why; it is written to the audit log.")]


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(jobnet, name="jobnet")


@jobnet.command("errors")
def errors(
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    done: Annotated[bool, typer.Option("--done", help="You have seen to all of them: take the task off.")] = False,
) -> None:
    """Errors that Jobnet or DFDG reported in what we answered, the newest first."""
    from syncd.model.task import TaskKind

    actor, now = f"cli:{getpass.getuser()}", SystemClock().now()
    with parts_of(path) as parts:
        with parts.store.begin() as tx:
            found = tx.jobnet.reports()
            if done:
                seen = tx.jobnet.reports_done(now)
                tx.tasks.settle(TaskKind.JOBNET_ERRORS, "jobnet", now)
                tx.audit.add(actor, "jobnet.errors_seen", detail=f"{seen} report(s)", now=now)
        zone = zone_of(parts.config)
    if as_json:
        screen.print_json(
            [
                {"number": one.number, "at": screen.iso(one.at), "code": one.code, "says": one.said}
                | {"origin": one.origin, "offer": one.offer, "booking": one.indkaldelse, "done": one.done is not None}
                for one in found
            ]
        )
        return
    rows = [
        (
            str(one.number),
            screen.local(one.at, zone),
            "DFDG" if one.origin == 30 else "Jobnet",
            str(one.code),
            one.said,
            one.indkaldelse or one.offer or "",
        )
        for one in found
    ]
    screen.table(f"{len(rows)} error(s) reported", ("no.", "at", "by", "code", "says", "about"), rows)
    if done:
        screen.say("All of them count as seen to.")


@jobnet.command("standing")
def standing(
    state: Annotated[Standing, typer.Argument(help="open, exempt, deprived or elsewhere.")],
    purpose: PurposeOption,
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Say whether a citizen books by herself; her number is asked for, never an argument."""
    actor, now = f"cli:{getpass.getuser()}", SystemClock().now()
    with parts_of(path) as parts:
        key, cpr = _key(parts), _number("The citizen's number")
        reference = key.reference(cpr)
        with parts.store.begin() as tx:
            tx.jobnet.stand(reference, (key.name, key.seal(cpr)), state, now)
            tx.audit.add(actor, "citizen.standing", citizen=reference, purpose=purpose, detail=state.value, now=now)
    screen.say(f"Noted: {state.value}. What she has booked stays.")


@jobnet.command("reference")
def reference(purpose: PurposeOption, path: ConfigOption = DEFAULT_CONFIG) -> None:
    """Print the reference by which a citizen is known here, for other commands; the look-up is audited."""
    with parts_of(path) as parts:
        found = _key(parts).reference(_number("The citizen's number"))
        with parts.store.begin() as tx:
            now, actor = SystemClock().now(), f"cli:{getpass.getuser()}"
            tx.audit.add(actor, "citizen.referenced", citizen=found, purpose=purpose, now=now)
    screen.say(found)


@jobnet.command("renumber")
def renumber(path: ConfigOption = DEFAULT_CONFIG) -> None:
    """Move everything of a citizen who got another number; both are asked for, never arguments."""
    from syncd.booking.renumber import renumber as move

    with parts_of(path) as parts:
        key = _key(parts)
        old, new = _number("The old number"), _number("The new number")
        moved = move(parts.store, key, old, new, f"cli:{getpass.getuser()}", SystemClock().now())
    screen.say(f"{moved} row(s) belong to the new number now." if moved else "Nothing was known of the old number.")


@jobnet.command("choices")
def choices(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """What the contract leaves open, and what the mapping file chose."""
    from syncd.config import load
    from syncd.web.jobnet.mapping import read

    found = list(read(load(path).jobnet.mapping).choices())
    if as_json:
        screen.print_json(found)
        return
    for one in found:
        screen.say(one)


def _key(parts: Parts) -> CprKey:
    from syncd.config import sealing_key
    from syncd.cpr import CprKey

    ref = parts.config.jobnet.cpr_key
    if ref is None:
        raise SyncdError("[jobnet] has no cpr_key, so no citizen is known by number. Nothing was done.")
    return CprKey(sealing_key(ref))


def _number(asked: str) -> Cpr:
    from syncd.cpr import Cpr, NotACpr

    typed = typer.prompt(asked, hide_input=True, err=True)
    try:
        return Cpr(typed.strip().replace("-", "").replace(" ", ""))
    except NotACpr as error:
        raise SyncdError(f"What was typed {error}. Nothing was done.") from None
