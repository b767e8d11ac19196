"""Commands about supply: slots, why."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from syncd.cli import screen
from syncd.cli.evidence import show_as_of
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, moment, parts_of, window_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.model.eligibility import Traits, Whom
from syncd.model.offer import Answer, Form
from syncd.model.zones import wall_clock

ImmediateOption = Annotated[bool, typer.Option("--immediate", help="For immediate booking, with what is kept for it.")]
LatestOption = Annotated[
    str | None, typer.Option("--latest", metavar="DATE", help="The last day on which the meeting may be held.")
]
ContactGroupOption = Annotated[str | None, typer.Option("--contact-group", help="For citizens of this contact group.")]
CategoryOption = Annotated[str | None, typer.Option("--category", help="For citizens of this client category.")]
GroupOption = Annotated[
    list[str] | None, typer.Option("--group", help="For citizens in this person group; may repeat.")
]
OwnOption = Annotated[str | None, typer.Option("--own", help="For citizens whose own caseworker this is.")]
FormOption = Annotated[Form | None, typer.Option("--form", help="Only meetings of this form.")]


def traits_of(
    contact_group: str | None, category: str | None, groups: list[str] | None, own: str | None
) -> Traits | None:
    """What was said of the citizens in question; None when nothing was."""
    if contact_group is None and category is None and not groups and own is None:
        return None
    return Traits(contact_group or "", category or "", frozenset(groups or ()), own)


def whom(traits: Traits | None, latest: str | None, *, immediate: bool) -> Whom:
    """For whom the question is; staff's own where nothing was said of a citizen.

    :raises SyncdError: *latest* is no date.
    """
    try:
        day = date.fromisoformat(latest) if latest else None
    except ValueError:
        raise SyncdError(f"'{latest}' is no date; write it like 2026-12-10") from None
    return Whom(traits, immediate, day, staff=traits is None)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(name="slots")(slots)
    app.command(name="why")(why)


def slots(
    offer: Annotated[str, typer.Argument(help="Name of the offer.")],
    start: Annotated[str | None, typer.Option("--from", help="Beginning; now if left out.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="End; a week later if left out.")] = None,
    caseworker: Annotated[str | None, typer.Option(help="Only this caseworker's times.")] = None,
    form: FormOption = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="What could have been booked as seen at this time, from the record.")
    ] = None,
    contact_group: ContactGroupOption = None,
    category: CategoryOption = None,
    group: GroupOption = None,
    own: OwnOption = None,
    immediate: ImmediateOption = False,
    latest: LatestOption = None,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """The times that citizens can book now, or could have booked at a time that has passed."""
    now, traits = SystemClock().now(), traits_of(contact_group, category, group, own)
    asked = whom(traits, latest, immediate=immediate)
    with parts_of(path) as parts:
        zone = zone_of(parts.config)
        if as_of is not None:
            at = moment(as_of, zone)
            if at > now:
                raise SyncdError(
                    f"--as-of ({screen.local(at, zone)}) is still to come; leave it out to see what is on offer now."
                )
            show_as_of(parts, offer, at, window_of(start, end, zone, at, days=7), traits, as_json=as_json)
            return
        window = window_of(start, end, zone, now, days=7)
        answer = parts.publisher.answer(offer, window, now, caseworker=caseworker, form=form, whom=asked)
    if as_json:
        screen.print_json(_told(answer))
        return
    _print_days(answer, offer, zone)


def _told(answer: Answer) -> dict[str, object]:
    listed = [
        {
            "start": screen.iso(s.interval.start),
            "end": screen.iso(s.interval.end),
            "caseworker": s.caseworker,
            "form": str(s.form),
        }
        for s in answer.slots
    ]
    return {
        "slots": listed,
        "as_of": screen.iso(answer.as_of),
        "generation": answer.generation,
        "valid_until": screen.iso(answer.valid_until),
        "closed": dict(answer.closed),
        "counts": dict(answer.counts),
    }


def _print_days(answer: Answer, offer: str, zone: str) -> None:
    days: dict[tuple[str, str, str], list[str]] = {}
    for slot in answer.slots:
        at = wall_clock(slot.interval.start, zone)
        days.setdefault((at.strftime("%a %Y-%m-%d"), slot.caseworker, str(slot.form)), []).append(at.strftime("%H:%M"))
    rows = [(day, who, form, " ".join(times)) for (day, who, form), times in days.items()]
    screen.table(f"{offer}: {len(answer.slots)} times ({zone})", ("day", "caseworker", "form", "times"), rows)
    for who, reason in answer.closed.items():
        screen.out.print(f"  [yellow]closed[/] {screen.escape(who)}: {screen.escape(reason)}", soft_wrap=True)
    steps = " → ".join(f"{name} {count}" for name, count in answer.counts.items())
    screen.say(f"as of {screen.iso(answer.as_of) or 'never'}; candidates left by step: {steps or 'none'}")


def why(
    offer: Annotated[str, typer.Argument(help="Name of the offer.")],
    caseworker: Annotated[str, typer.Argument(help="The caseworker's id.")],
    time: Annotated[str, typer.Argument(metavar="TIME", help="When the meeting would begin.")],
    form: FormOption = None,
    contact_group: ContactGroupOption = None,
    category: CategoryOption = None,
    group: GroupOption = None,
    own: OwnOption = None,
    immediate: ImmediateOption = False,
    latest: LatestOption = None,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Why a time is not on offer: which step removed it; or that it is offered."""
    now = SystemClock().now()
    asked = whom(traits_of(contact_group, category, group, own), latest, immediate=immediate)
    with parts_of(path) as parts:
        zone = zone_of(parts.config)
        verdict = parts.publisher.why(offer, caseworker, moment(time, zone), now, form=form, whom=asked)
    if as_json:
        screen.print_json(
            {
                "offer": verdict.offer,
                "caseworker": verdict.caseworker,
                "form": str(verdict.form),
                "start": screen.iso(verdict.interval.start),
                "end": screen.iso(verdict.interval.end),
                "offered": verdict.offered,
                "reason": str(verdict.reason),
                "says": dict(verdict.says),
                "facts": dict(verdict.facts),
                "counts": dict(verdict.counts),
            }
        )
        return
    mark = "[green]offered[/]" if verdict.offered else "[yellow]not offered[/]"
    screen.out.print(
        f"{mark}  {screen.local(verdict.interval.start, zone)}  {screen.escape(verdict.says['en'])}", soft_wrap=True
    )
    screen.say(f"  {verdict.says['da']}")
    steps = " → ".join(f"{name} {count}" for name, count in verdict.counts.items())
    screen.say(f"  candidates of the day left by step: {steps}")
