"""How often a citizen picks a time whose room went since the page was shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncd.roomalloc.allocate import certificate
from syncd.roomalloc.day import Day
from syncd.roomalloc.instance import External, Instance, Request
from syncd.roomalloc.replay import Options, Run


@dataclass(slots=True)
class Picks:
    """Counts. :param stale: picks offered by a view of some minutes ago that had no room any more."""

    made: int = 0
    stale: int = 0
    before: dict[tuple[str, int], list[tuple[int, Day]]] = field(default_factory=dict)


def stale_picks(instance: Instance, age: int) -> Picks:
    """Replay the instance; every citizen picks from a view that is *age* minutes old."""
    run, picks = Run(instance, Options()), Picks()
    for event in instance.events:
        if isinstance(event, Request):
            key = (event.site, event.day)
            _pick(run, picks, event, age)
            _remember(run, picks, key, event.at)
            run.request(event)
        elif isinstance(event, External):
            _remember(run, picks, (instance.site_of[event.room], event.day), event.at)
            run.external(event)
        elif not hasattr(event, "day"):
            run.cancel(event)
    return picks


def _remember(run: Run, picks: Picks, key: tuple[str, int], at: int) -> None:
    picks.before.setdefault(key, []).append((at, run.day(*key, at).copy()))


def _pick(run: Run, picks: Picks, request: Request, age: int) -> None:
    """The best-liked start of the old view, tried on the day as it is."""
    now = run.day(request.site, request.day, request.at)
    changes = picks.before.get((request.site, request.day), [])
    while changes and changes[0][0] < request.at - age:
        changes.pop(0)
    seen = changes[0][1] if changes else now
    for start in request.starts:
        if certificate(seen, request.ask(start), run.policy):
            picks.made += 1
            picks.stale += seen is not now and certificate(now, request.ask(start), run.policy) is None
            return
