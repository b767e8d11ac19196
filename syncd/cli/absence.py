"""Commands about caseworkers who are away, and meetings that change hands."""

from __future__ import annotations

import getpass
import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import screen
from syncd.cli.desk import booked
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, between, moment, parts_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError

if TYPE_CHECKING:
    from syncd.booking.handover import Choice, Done
    from syncd.booking.proposals import Proposal, Remedy
    from syncd.daemon.parts import Parts
    from syncd.model.absence import Absence

absence = typer.Typer(help="Caseworkers who are away, and what becomes of their meetings.", no_args_is_help=False)

IdArgument = Annotated[int, typer.Argument(metavar="ID", help="The number that `syncd absence` shows.")]
FromOption = Annotated[str, typer.Option("--from", help="Beginning: a day, or a time on the first site's clocks.")]
ToOption = Annotated[str, typer.Option("--to", help="End; a day is meant up to its beginning.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(absence, name="absence")
    booked.command("handover")(handover)


@absence.callback(invoke_without_command=True)
def every(context: typer.Context, path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Absences that were given, and those that calendars suggest."""
    if context.invoked_subcommand is not None:
        return
    now = SystemClock().now()
    with parts_of(path) as parts, parts.store.read() as tx:
        zone, known = zone_of(parts.config), tx.absences.coming(now)
        suggested = parts.watch.suggested(tx, now)
    rows = [(str(one.id), one.caseworker, one.interval, "given", "") for one in known]
    rows += [("", one.caseworker, one.interval, str(one.why), str(one.meetings)) for one in suggested]
    if as_json:
        names = ("id", "caseworker", "from", "to", "why", "meetings")
        flat = [(i, who, screen.iso(span.start), screen.iso(span.end), why, n) for i, who, span, why, n in rows]
        screen.print_json([{k: v for k, v in zip(names, row, strict=True) if v} for row in flat])
        return
    screen.table(
        f"{len(rows)} absence(s)",
        ("absence", "who", "from", "to", "why", "meetings"),
        [
            (i, who, screen.local(span.start, zone), screen.local(span.end, zone), why, n)
            for i, who, span, why, n in rows
        ],
    )


@absence.command("give")
def give(
    caseworker: Annotated[str, typer.Argument(help="Who is away.")],
    start: FromOption,
    end: ToOption,
    reachable: Annotated[
        bool, typer.Option("--reachable", help="They can hold talks by telephone; only those in person are affected.")
    ] = False,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Say that a caseworker is away: nothing is offered then, and each meeting gets a proposal."""
    now, actor = SystemClock().now(), f"cli:{getpass.getuser()}"
    with parts_of(path) as parts:
        if caseworker not in parts.directory.caseworkers:
            raise SyncdError(f"There is no caseworker {caseworker!r}. Nothing was changed.")
        zone = zone_of(parts.config)
        span = between(moment(start, zone), moment(end, zone))
        with parts.store.begin() as tx:
            made = tx.absences.add(caseworker, span, reachable=reachable, actor=actor, now=now)
            tx.audit.add(actor, "absence.given", detail=f"{caseworker} {screen.iso(span.start)}", now=now)
        found = parts.away.proposals(caseworker, span, now, reachable=reachable)
    _show(found, as_json, f"Absence {made.id} of {caseworker}: nothing is offered then. ")
    if found and not as_json:
        screen.say(f"Carry the proposals out: syncd absence settle {made.id}")


@absence.command("show")
def show(number: IdArgument, path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """What is proposed for the meetings that an absence still leaves without anybody."""
    with parts_of(path) as parts:
        given = _known(parts, number)
        found = parts.away.proposals(given.caseworker, given.interval, SystemClock().now(), reachable=given.reachable)
    _show(found, as_json, f"Absence {number} of {given.caseworker}: ")


@absence.command("suggest")
def suggest(
    caseworker: Annotated[str, typer.Argument(help="Whose calendar suggests an absence.")],
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """What would be proposed for an absence that the calendar suggests; nothing is changed."""
    now = SystemClock().now()
    with parts_of(path) as parts:
        if caseworker not in parts.directory.caseworkers:
            raise SyncdError(f"There is no caseworker {caseworker!r}. Nothing was changed.")
        zone = zone_of(parts.config)
        with parts.store.read() as tx:
            mine = [one for one in parts.watch.suggested(tx, now) if one.caseworker == caseworker]
        if not mine:
            raise SyncdError(f"Nothing suggests that {caseworker!r} is away while there are meetings.")
        span = mine[0].interval
        found = parts.away.proposals(caseworker, span, now)
    _show(found, as_json, f"{caseworker} seems to be away ({mine[0].why}). ")
    if not as_json:
        begin, until = (screen.local(at, zone)[4:].replace(" ", "T") for at in (span.start, span.end))
        screen.say(f"If that is right: syncd absence give {caseworker} --from {begin} --to {until}")


@absence.command("settle")
def settle(
    number: IdArgument,
    choose: Annotated[
        list[str] | None,
        typer.Option(
            "--choose",
            metavar="MEETING=WHAT",
            help="Another solution for one meeting: a colleague, phone:COLLEAGUE, TIME@COLLEAGUE, cancel or skip.",
        ),
    ] = None,
    path: ConfigOption = DEFAULT_CONFIG,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Carry out what is proposed, or chosen, for all meetings of an absence, and print whom reception must call."""
    now = SystemClock().now()
    with parts_of(path) as parts:
        zone, given = zone_of(parts.config), _known(parts, number)
        found = parts.away.proposals(given.caseworker, given.interval, now, reachable=given.reachable)
        choices = _choices(found, choose or [], zone)
        if not yes:
            _table(found, zone)
            typer.confirm(f"Carry out {len(choices)} change(s)?", abort=True, err=as_json)
        done = parts.handover.carry_out(choices, f"cli:{getpass.getuser()}", now)
    _report(found, done, zone, as_json)


@absence.command("end")
def end(number: IdArgument, path: ConfigOption = DEFAULT_CONFIG) -> None:
    """The caseworker is back, or the absence was a mistake: the time is offered again; meetings stay as they are."""
    actor, now = f"cli:{getpass.getuser()}", SystemClock().now()
    with parts_of(path) as parts, parts.store.begin() as tx:
        ended = tx.absences.end(number)
        if ended:
            tx.audit.add(actor, "absence.ended", detail=str(number), now=now)
    if not ended:
        raise SyncdError(f"There is no absence {number}; nothing was changed. `syncd absence` lists them.")
    screen.say("The time is offered again.")


def handover(
    name: Annotated[str, typer.Argument(metavar="MEETING", help="A booking, a meeting, or the code in the calendar.")],
    to: Annotated[str | None, typer.Option("--to", help="Who takes it; left out, those who could are shown.")] = None,
    by_phone: Annotated[bool, typer.Option("--by-phone", help="It is held by telephone from now on.")] = False,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Give a meeting to another caseworker whose calendar is known and free; time and room stay.

    Or turn it into a talk by telephone.
    """
    from syncd.booking.handover import Choice
    from syncd.booking.proposals import Remedy
    from syncd.store.overview import meeting_named

    now = SystemClock().now()
    with parts_of(path) as parts:
        zone = zone_of(parts.config)
        with parts.store.read() as tx:
            meeting = meeting_named(tx.session, name)
        proposal = parts.away.of(meeting, now) if meeting else None
        if proposal is None:
            raise SyncdError(f"There is no meeting {name!r} that is still to be held. Nothing was changed.")
        if to is None:
            _show([proposal], as_json, "")
            return
        remedy = Remedy.PHONE if by_phone else Remedy.COLLEAGUE
        done = parts.handover.carry_out([Choice(proposal.meeting.id, remedy, to)], f"cli:{getpass.getuser()}", now)
    _report([proposal], done, zone, as_json)


def _known(parts: Parts, number: int) -> Absence:
    with parts.store.read() as tx:
        found = tx.absences.get(number)
    if found is None:
        raise SyncdError(f"There is no absence {number}; nothing was changed. `syncd absence` lists them.")
    return found


def _choices(found: list[Proposal], said: list[str], zone: str) -> list[Choice]:
    """Proposals as they are, but for those that the operator decided otherwise."""
    from syncd.booking.handover import accepted

    chosen = {}
    for text in said:
        meeting, _, what = text.partition("=")
        if meeting not in {one.meeting.id for one in found} or not what:
            raise SyncdError(f"'{text}' names no meeting of this absence. Write MEETING=WHAT; nothing was changed.")
        chosen[meeting] = _choice(meeting, what, zone)
    every = [chosen.get(one.meeting.id, accepted(one)) for one in found]
    return [one for one in every if one is not None]


def _choice(meeting: str, what: str, zone: str) -> Choice | None:
    from syncd.booking.handover import Choice
    from syncd.booking.proposals import Remedy

    if what in ("cancel", "skip"):
        return Choice(meeting, Remedy.CANCEL) if what == "cancel" else None
    if match := re.fullmatch(r"phone:(.+)", what):
        return Choice(meeting, Remedy.PHONE, match[1])
    if match := re.fullmatch(r"(.+)@(.+)", what):
        return Choice(meeting, Remedy.NEW_TIME, match[2], moment(match[1], zone))
    return Choice(meeting, Remedy.COLLEAGUE, what)


def told(proposal: Proposal) -> dict[str, Any]:
    """A proposal for a script."""
    meeting, affected = proposal.meeting, proposal.affected
    return {
        "meeting": meeting.id,
        "start": screen.iso(meeting.interval.start),
        "caseworker": meeting.caseworker,
        "form": meeting.form,
        "remedy": proposal.remedy,
        "to": proposal.to,
        "new_start": screen.iso(proposal.start),
        "call": proposal.call,
        "colleagues": list(affected.colleagues),
        "by_phone": list(affected.by_phone),
        "times": [{"start": screen.iso(one.interval.start), "caseworker": one.caseworker} for one in affected.times],
    }


def _show(found: list[Proposal], as_json: bool, opening: str) -> None:
    if as_json:
        screen.print_json([told(one) for one in found])
        return
    screen.say(f"{opening}{len(found)} meeting(s) need a solution.")
    if found:
        _table(found, found[0].meeting.zone)


def _table(found: list[Proposal], zone: str) -> None:
    rows = [
        (
            screen.local(one.meeting.interval.start, zone),
            one.meeting.form.value,
            _solution(one.remedy, one.to, one.start, zone),
            "call the citizen" if one.call else "",
            ", ".join(one.affected.colleagues),
            one.meeting.id,
        )
        for one in found
    ]
    screen.table("", ("when", "form", "proposed", "", "colleagues who could", "meeting"), rows)


def _solution(remedy: Remedy, to: str | None, start: datetime | None, zone: str) -> str:
    at = f" {screen.local(start, zone)}" if start else ""
    return f"{remedy}{at}" + (f" ({to})" if to else "")


def _report(found: list[Proposal], done: list[Done], zone: str, as_json: bool) -> None:
    meetings = {one.meeting.id: one.meeting for one in found}
    if as_json:
        screen.print_json(
            [
                {"meeting": one.choice.meeting, "remedy": one.choice.remedy, "refused": one.refused, "call": one.call}
                for one in done
            ]
        )
    else:
        rows = [
            (
                screen.local(meetings[one.choice.meeting].interval.start, zone),
                _solution(one.choice.remedy, one.choice.to, one.choice.start, zone),
                one.refused or ("done; call the citizen" if one.call else "done"),
                one.choice.meeting,
            )
            for one in done
        ]
        screen.table("", ("when", "what", "", "meeting"), rows)
        if any(one.call for one in done):
            screen.say("Reception must call those citizens; the list is kept: syncd tasks")
    raise typer.Exit(0 if all(one.refused is None for one in done) else 1)
