"""Every figure of `/metrics` in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite, isnan

from prometheus_client.metrics_core import Metric

from syncd.observe.metrics import REGISTRY
from syncd.web.pages.language import N_, Language

MEANINGS = (
    N_("Always 1; the label tells the version"),
    N_("Ages of the mirrors: quantile 1 is the oldest"),
    N_("Pause between two looks at a calendar"),
    N_("Mailboxes whose server failed and is left alone"),
    N_("Mailboxes by how far they can be trusted"),
    N_("Meetings whose calendars are not yet as they should be"),
    N_("How long the oldest of them has waited"),
    N_("Meetings a person must look at"),
    N_("What waits for a person (syncd tasks)"),
    N_("Messages on their way to receivers"),
    N_("Messages no receiver took; a person must look"),
    N_("Guarded windows with too few times"),
    N_("Reserves opened because times are short"),
    N_("What an empty write to the database took last"),
    N_("Meetings compared with their calendars"),
    N_("Calls of Jobnet's planner contract"),
    N_("Answers that would have violated the published schema and were not sent"),
    N_("Errors that Jobnet or DFDG reported"),
    N_("Reports owed to DFDG and not refused"),
    N_("Reports DFDG refused; a person must look"),
    N_("DFDG's messages not handled yet"),
    N_("Calendars in the cloud read completely"),
    N_("Entries that polls had missed and a complete reading put right"),
    N_("Meetings by video for which Microsoft 365 made no link"),
    N_("Calls to calendar servers; the outcome unknown is a write whose answer was lost"),
    N_("Pauses that calendar servers asked for"),
    N_("Requests to book"),
    N_("Answers given again under the same key"),
    N_("Meetings found not to be as they should"),
    N_("Writes that put such a meeting right"),
    N_("Surplus copies of our entries removed"),
    N_("Overlapping claims found in the database; must stay 0"),
    N_("1 while the outward brake is on"),
    N_("Work that is due now"),
    N_("Runs of a task that ended in an error"),
    N_("Until a certificate of the configuration expires"),
    N_("Age of the newest backup; +Inf when there is none"),
    N_("This clock less the database server's; NaN on SQLite"),
    N_("1 while offers are closed for maintenance"),
)
"""What the figures mean (`syncd.observe.metrics`), for the catalogs; one that is not here is told in English."""
SECONDS = "_seconds"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. :param labels: what it is of, empty for all together. :param value: as people write it."""

    name: str
    means: str
    labels: str
    value: str


def figures(speaking: Language) -> Iterator[Figure]:
    """All figures but how long things took, which need a program to be read (histograms)."""
    for family in REGISTRY.collect():
        if family.type != "histogram":
            yield from _told(family, speaking)


def _told(family: Metric, speaking: Language) -> Iterator[Figure]:
    means = speaking.say(family.documentation)
    for sample in family.samples:
        if not sample.name.endswith("_created"):
            labels = ", ".join(f"{name} {value}" for name, value in sorted(sample.labels.items()))
            yield Figure(sample.name, means, labels, _written(sample.name, sample.value, speaking))


def total(name: str, **labels: str) -> float:
    """The sum of a figure's samples that have these labels; 0 when there are none."""
    samples = (sample for family in REGISTRY.collect() for sample in family.samples if sample.name == name)
    return sum(one.value for one in samples if labels.items() <= one.labels.items())


def _written(name: str, value: float, speaking: Language) -> str:
    if isnan(value) or not isfinite(value):
        return "–"
    if name.removesuffix("_total").endswith(SECONDS):
        return length(timedelta(seconds=value), speaking)
    return speaking.number(value, 2)


def length(span: timedelta, speaking: Language) -> str:
    """A length in the largest two units that tell something: 3 d 4 t, 2 t 5 min, 40 s."""
    seconds = int(span.total_seconds())
    sign = "-" if seconds < 0 else ""
    if abs(seconds) < 60:
        return f"{seconds} s"
    days, rest = divmod(abs(seconds), 86_400)
    if days:
        hour = "t" if speaking.code == "da" else "h"
        return f"{sign}{speaking.number(days)} d {rest // 3600} {hour}"
    return sign + speaking.hours(timedelta(seconds=abs(seconds)))
