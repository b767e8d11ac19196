"""How the service stands, for operators: the figures of `/metrics` in words, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from syncd.errors import StoreError
from syncd.model.role import Role
from syncd.model.verdict import Reason
from syncd.web.health import SUMMARY, Standing
from syncd.web.pages import charts
from syncd.web.pages.language import N_
from syncd.web.pages.operations.condition import Condition, look
from syncd.web.pages.operations.figures import figures, length, total
from syncd.web.pages.visiting import Visitor, needs

router = APIRouter(include_in_schema=False)

Operating = Annotated[Visitor, Depends(needs(Role.OPERATOR))]
FRESH_BACKUP = timedelta(days=2)
AGES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
NEXT: Mapping[str, str] = {
    "database": N_("See that the database runs and that its disk is not full; syncd goes on by itself."),
    "calendars": N_("syncd check --problems says for each calendar what to do."),
    "writes": N_("syncd writes status shows what waits; syncd writes resume lets writing go on after a stop."),
    "tasks": N_("syncd tasks lists them, each with what to do."),
    "scheduler": N_("Look into the journal (journalctl -u syncd); a restart loses nothing."),
    "startup": N_("Wait; a large upgrade can take minutes."),
}
REMEDY: Mapping[Reason, str] = {
    Reason.NEVER_READ: N_("Wait for the first reading; if it does not come, see: syncd check --problems"),
    Reason.REFUSED_LOSS: N_("Look into the calendar; if it is right: syncd sync --accept-loss NAME"),
    Reason.UNREADABLE: N_("See what it is: syncd check --problems. Mend it in the calendar, or acknowledge it."),
    Reason.STALE: N_("See whether its server answers: syncd check --problems"),
    Reason.NOT_COVERED: N_("The next whole reading goes far enough; nothing needs to be done."),
}
BELOW, ABOVE, NEVER = "≤ {}", "> {}", N_("never")


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound that was met, or not. :param bad: whether somebody should look. :param then: what to do."""

    name: str
    value: str
    bad: bool
    then: str


@router.get("/health")
def health(visitor: Operating) -> Response:
    """The page; when the database cannot be read it says so and what was found without it."""
    standing = visitor.deps.health()
    code = visitor.language.code
    try:
        found = look(visitor.deps)
    except StoreError as error:
        found, problem = None, str(error)
    else:
        problem = ""
    return visitor.show(
        "operations/health.html",
        wide=True,
        summary=SUMMARY[standing.standing][code],
        overall=standing.standing.value,
        checks=[
            (one.standing.value, getattr(one, code), "" if one.standing is Standing.GOOD else _next(visitor, one.name))
            for one in standing.checks
        ],
        found=found,
        problem=problem,
        zone=next((site.zone for site in visitor.deps.directory().sites.values()), "UTC"),
        remedy=REMEDY,
        length=lambda span: length(span, visitor.language),
        ages=_ages(visitor, found) if found else [],
        chart=_chart(visitor, found) if found and found.calendars else "",
        limits=list(_limits(visitor, found)) if found else [],
        stale=found is not None and (found.backup is None or found.now - found.backup > FRESH_BACKUP),
        figures=list(figures(visitor.language)),
    )


def _next(visitor: Visitor, check: str) -> str:
    return visitor.say(NEXT[check]) if check in NEXT else ""


def _ages(visitor: Visitor, found: Condition) -> list[tuple[str, int]]:
    """How many calendars were read how long ago."""
    counted = Counter(
        len(AGES) + 1 if one.age is None else next((n for n, edge in enumerate(AGES) if one.age <= edge), len(AGES))
        for one in found.calendars
    )
    words = [BELOW.format(length(edge, visitor.language)) for edge in AGES]
    words += [ABOVE.format(length(AGES[-1], visitor.language)), visitor.say(NEVER)]
    return [(word, counted[n]) for n, word in enumerate(words)]


def _chart(visitor: Visitor, found: Condition) -> str:
    words, told = visitor.say(N_("Calendars by how long ago they were read")), _ages(visitor, found)
    series = {words: [number for _, number in told]}
    return charts.bars(words, [label for label, _ in told], series, said=visitor.language.number)


def _limits(visitor: Visitor, found: Condition) -> Iterator[Limit]:
    """What was held back, and by whom."""
    say, speaking = visitor.say, visitor.language
    alone = sum(one.retry_at is not None for one in found.calendars)
    yield Limit(
        say(N_("Calendars whose server failed and is left alone for a while")),
        speaking.number(alone),
        alone > 0,
        say(N_("syncd tries again by itself; if it lasts, ask whoever runs the server.")),
    )
    paused = timedelta(seconds=total("syncd_throttled_seconds_total"))
    yield Limit(
        say(N_("Pauses that calendar servers asked for since the start")),
        length(paused, speaking),
        paused > timedelta(hours=1),
        say(N_("Ask for a higher limit (throttling policy), or read less often (sync.interval_seconds).")),
    )
    yield Limit(
        say(N_("Writing to calendars is stopped by the brake")),
        say(N_("yes")) if (stopped := total("syncd_writes_stopped") > 0) else say(N_("no")),
        stopped,
        say(N_("See why and let it go on: syncd writes status, syncd writes resume")),
    )
    refused = total("syncd_http_seconds_count", status="429")
    yield Limit(
        say(N_("Requests turned away for coming too fast since the start")),
        speaking.number(refused),
        refused > 0,
        say(N_("A portal asks more often than it may; its log says for how long it should wait.")),
    )
    yield Limit(
        say(N_("Reports that may not have arrived")),
        speaking.number(found.unsure),
        found.unsure > 0,
        say(N_("Ask whoever should have one; if it is missing: syncd reports list, syncd reports again")),
    )
    failures = total("syncd_task_failures_total")
    yield Limit(
        say(N_("Runs of tasks that ended in an error since the start")),
        speaking.number(failures),
        failures > 0,
        say(N_("The journal names the task and the error: journalctl -u syncd -p warning")),
    )
