"""Commands about DFDG: what is owed to it, linking citizens, the figures of self-booking, deadlines."""

from __future__ import annotations

import csv
import getpass
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.cli import screen
from syncd.cli.opening import DEFAULT_CONFIG, ConfigOption, JsonOption, parts_of, window_of, zone_of
from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.model.zones import wall_clock

if TYPE_CHECKING:
    from syncd.daemon.parts import Parts
    from syncd.dfdg.figures import Figure
    from syncd.dfdg.reporting import Reporting

dfdg = typer.Typer(no_args_is_help=True, help="DFDG and Jobnet: reports, messages, deadlines, figures.")
OFF = "Neither [jobnet] nor [dfdg] is configured; see docs/howto/jobnet-reporting.md. Nothing was done."


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(dfdg, name="dfdg")


def _reporting(parts: Parts) -> Reporting:
    if parts.reporting is None:
        raise SyncdError(OFF)
    return parts.reporting


@dfdg.command("status")
def status(path: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """What is owed to DFDG, what it refused, and when its last message came."""
    now = SystemClock().now()
    with parts_of(path) as parts, parts.store.read() as tx:
        _reporting(parts)
        owed, since = tx.dfdg.owed()
        refused, waiting, last = tx.dfdg.refused(), tx.dfdg.messages_waiting(now), tx.dfdg.last_message()
        address, zone = parts.config.dfdg.url, zone_of(parts.config)
    if as_json:
        told = {"url": address, "owed": owed, "owed_since": since, "messages_waiting": waiting, "last_message": last}
        screen.print_json(told | {"refused": [{"record": one.id, "why": one.refused} for one in refused]})
        return
    screen.say(f"DFDG: {address or '(not reported to: no [dfdg] url)'}")
    screen.say(_counted(owed, "report is owed", "reports are owed") + _since(since, zone))
    came = f"the last one came {screen.ago(last, now)}" if last else "none has come yet"
    screen.say(f"{_counted(waiting, 'message waits', 'messages wait')} to be handled; {came}.")
    _listed("reports refused by DFDG", ("record", "why"), [(one.id, one.refused or "") for one in refused])


@dfdg.command("retry")
def retry(
    record: Annotated[str, typer.Argument(help="The record's id, as the task or the status shows it.")],
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Report once more what DFDG refused."""
    with parts_of(path) as parts:
        done = _reporting(parts).retry(record, f"cli:{getpass.getuser()}", SystemClock().now())
    if not done:
        raise SyncdError(f"Nothing of the record {record} was refused. Nothing was changed; see: syncd dfdg status")
    screen.say("It will be reported again.")


@dfdg.command("link")
def link(
    meeting: Annotated[str, typer.Argument(help="Id of the meeting, as `syncd bookings` shows it.")],
    purpose: Annotated[str, typer.Option(help="Why, for the audit log.")],
    kind: Annotated[int | None, typer.Option(help="Type of talk (Samtaletype), when its offer does not say.")] = None,
    path: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Say whose a meeting is that a caseworker made; DFDG hears of it. The number is asked for, or read from stdin."""
    from syncd.cpr import Cpr, NotACpr
    from syncd.dfdg.linking import Wish

    typed = getpass.getpass("CPR: ") if sys.stdin.isatty() else sys.stdin.readline()
    try:
        cpr = Cpr(typed.strip().replace("-", ""))
    except NotACpr as error:
        raise SyncdError(f"What was typed {error}. Nothing was changed.") from None
    with parts_of(path) as parts:
        actor, now = f"cli:{getpass.getuser()}", SystemClock().now()
        made = _reporting(parts).linker.link(Wish(meeting, cpr, kind, purpose), actor, now)
    screen.say(f"Linked; DFDG will know the meeting as {made.indkaldelse}.")


@dfdg.command("figures")
def figures(
    start: Annotated[str | None, typer.Option("--from", help="Talks from then on; 30 days ago if left out.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Talks before then; now if left out.")] = None,
    to_csv: Annotated[Path | None, typer.Option("--csv", help="Write them to this file; - for stdout.")] = None,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """The share of self-booked talks by group, as the authority counts it."""
    from syncd.dfdg.figures import RULES, told

    now = SystemClock().now()
    with parts_of(path) as parts:
        zone = zone_of(parts.config)
        first = start or (now - timedelta(days=30)).isoformat()
        period = window_of(first, end or now.isoformat(), zone, now, 30)
        with parts.store.read() as tx:
            found = _reporting(parts).figures(tx, period)
    if to_csv is not None:
        _write(to_csv, csv_of(found))
        return
    if as_json:
        screen.print_json([told(one) for one in found])
        return
    if not found:
        screen.say(f"No talk from {period.start:%Y-%m-%d} to {period.end:%Y-%m-%d} is known.")
        return
    rows = [
        (
            one.group or "(unknown)",
            str(one.self_booked),
            str(one.summoned),
            "-" if one.share is None else f"{one.share} %",
            ", ".join(f"{number} {why}" for why, number in sorted(one.left_out.items())),
            one.rule.value,
        )
        for one in found
    ]
    title = f"talks from {period.start:%Y-%m-%d} to {period.end:%Y-%m-%d}"
    screen.table(title, ("group", "self-booked", "summoned", "share", "left out", "rule"), rows)
    for rule in sorted({one.rule for one in found}):
        screen.say(f"rule of {rule}: {RULES[rule]}")
    screen.say(found[0].coverage.says)


@dfdg.command("deadlines")
def deadlines(
    outages: Annotated[bool, typer.Option(help="Those whose last day had an outage, for staff to make good.")] = False,
    days: Annotated[int, typer.Option(min=1, max=365, help="How far back outages are looked for.")] = 30,
    path: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Open deadlines by day, or deadlines that fell in an outage; by DFDG's ids, for nobody is named here."""
    from syncd.dfdg.deadlines import in_outages, per_day

    now = SystemClock().now()
    with parts_of(path) as parts, parts.store.read() as tx:
        reporting, zone = _reporting(parts), zone_of(parts.config)
        today = wall_clock(now, zone).date()
        if not outages:
            found = per_day(tx.dfdg.deadlines(since=today))
            rows = [(f"{one.day}", str(kind), str(number)) for one in found for kind, number in one.open.items()]
            _shown(as_json, "open deadlines", ("day", "type", "open"), rows)
            return
        hits = in_outages(tx, parts.rulebook(), reporting.ledger.words, today - timedelta(days=days), zone, now)
        rows = [
            (hit.deadline.id, f"{hit.deadline.until}", ", ".join(screen.local(one.start, zone) for one in hit.outages))
            for hit in hits
        ]
        _shown(as_json, "deadlines in an outage", ("deadline", "ends on", "nothing could be booked from"), rows)


def _shown(as_json: bool, title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if as_json:
        screen.print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        _listed(title, columns, rows)


def _listed(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table, or one line that says that there is nothing."""
    if rows:
        screen.table(f"{len(rows)} {title}", columns, rows)
    else:
        screen.say(f"No {title}.")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _since(since: datetime | None, zone: str) -> str:
    return f", the oldest since {screen.local(since, zone)}." if since else "."


def csv_of(found: list[Figure]) -> str:
    """Figures as a table that a spreadsheet opens."""
    from syncd.dfdg.figures import COLUMNS, row

    out = StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([COLUMNS, *(row(one) for one in found)])
    return out.getvalue()


def _write(to: Path, text: str) -> None:
    if str(to) == "-":
        sys.stdout.write(text)
        return
    try:
        to.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise SyncdError(f"{to} cannot be written ({error.strerror}). Nothing was changed.") from None
