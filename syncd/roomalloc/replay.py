"""Runs the allocator over a benchmark instance and writes its decision log (``rooms-log/1``)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from syncd.roomalloc.allocate import DEFAULT, Certificate, Move, certificate, commit, pull
from syncd.roomalloc.cost import Policy
from syncd.roomalloc.day import DAY, Day, Standing
from syncd.roomalloc.instance import Cancel, External, Instance, Request, Tick
from syncd.roomalloc.offers import Want, leaves_no_hole
from syncd.roomalloc.rebuild import rebuild

POLICY_NAME = "syncd"


@dataclass(frozen=True, slots=True)
class Options:
    """How the allocator is run.

    :param shape: hide starts that leave holes on busy days. :param rebuild: rearrange unannounced days nightly.
    :param pull: after a cancellation let one tentative meeting leave a larger room.
    """

    policy: Policy = DEFAULT
    shape: bool = False
    rebuild: bool = False
    pull: bool = True


@dataclass(slots=True)
class Log:
    """What was decided. :param seconds: what each request took. :param nightly: moves of the nightly rebuilds."""

    decisions: dict[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    nightly: int = 0

    def as_json(self) -> str:
        """The decision log as the judge reads it."""
        ms = sorted(1000 * took for took in self.seconds)
        facts = {}
        if ms:
            facts = {f"p{p}": round(ms[min(len(ms) - 1, len(ms) * p // 100)], 3) for p in (50, 99)}
            facts |= {"mean": round(sum(ms) / len(ms), 3), "max": round(ms[-1], 3)}
        log = {"format": "rooms-log/1", "policy": POLICY_NAME, "decisions": self.decisions, "ms": facts}
        return json.dumps(log | {"nightly_moves": self.nightly})


def replay(instance: Instance, clock: Callable[[], float], options: Options | None = None) -> Log:
    """Take the instance's events one by one, as they would have come.

    :param clock: seconds, such as ``time.perf_counter``; only for the times in the log.
    """
    run = Run(instance, options or Options())
    for event in instance.events:
        if isinstance(event, Request):
            began = clock()
            run.request(event)
            run.log.seconds.append(clock() - began)
        elif isinstance(event, External):
            run.external(event)
        elif isinstance(event, Cancel):
            run.cancel(event)
        else:
            run.tick(event)
    return run.log


class Run:
    """The state of one replay: a day per site and date, made when first needed."""

    def __init__(self, instance: Instance, options: Options) -> None:
        self.instance, self.options, self.log = instance, options, Log()
        # Told on booking, every move is an announced one; else two at most for one booking.
        told = options.policy.moves if instance.announce_lead is None else min(2, options.policy.told)
        self.policy = replace(options.policy, told=told)
        self.days: dict[tuple[str, int], Day] = {}
        self.where: dict[str, Day] = {}
        self.busy: dict[tuple[str, int], dict[str, tuple[int, int]]] = {}
        self.whose: dict[str, tuple[str, int]] = {}

    def day(self, site: str, number: int, at: int) -> Day:
        """The site's day, standing as firmly as it does at that moment."""
        instance = self.instance
        day = self.days.get((site, number))
        if day is None:
            layout = instance.layouts[site]
            blocked = {space.id: instance.blocked.get((space.id, number), ()) for space in layout.spaces}
            day = self.days[site, number] = Day(
                layout,
                hours=instance.hours,
                blocked=blocked,
                grid=instance.grid,
                shortest=instance.shortest,
                starts=instance.starts,
            )
        standing = self.standing(number, at)
        if standing > day.standing:
            day.stand(standing)
        return day

    def standing(self, number: int, at: int) -> Standing:
        """How firmly meetings of that day have their rooms."""
        if at >= number * DAY - self.instance.freeze_lead:
            return Standing.FIXED
        lead = self.instance.announce_lead
        return Standing.ANNOUNCED if lead is None or at >= number * DAY - lead else Standing.TENTATIVE

    def request(self, request: Request) -> None:
        """Give the best-liked start that has a room."""
        day = self.day(request.site, request.day, request.at)
        self.log.decisions[request.id] = None
        busy = self.busy.setdefault((request.caseworker, request.day), {})
        for start in self._wishes(day, request):
            end = start + request.minutes
            if any(s < end and start < e for s, e in busy.values()):
                continue
            ask = request.ask(start)
            proof = certificate(day, ask, self.policy)
            if proof:
                commit(day, ask, proof, day.standing)
                busy[request.id] = (start, end)
                self.where[request.id], self.whose[request.id] = day, (request.caseworker, request.day)
                self.log.decisions[request.id] = _accepted(proof, start)
                return

    def _wishes(self, day: Day, request: Request) -> tuple[int, ...]:
        """The acceptable starts, best-liked first; on a shaped busy day those without holes come before."""
        if not self.options.shape or day.fill < self.policy.crowded:
            return request.starts
        want = Want(request.requirement, request.minutes)
        return tuple(sorted(request.starts, key=lambda start: not leaves_no_hole(day, want, start, self.policy)))

    def external(self, external: External) -> None:
        """Somebody books a room directly; the mailbox declines when it is taken."""
        day = self.day(self.instance.site_of[external.room], external.day, external.at)
        first, last = day.span(external.start, external.end)
        if day.free(first, last, 1 << day.layout.number[external.room]):
            day.foreign(external.id, external.room, external.start, external.end)

    def cancel(self, cancel: Cancel) -> None:
        """Free the room, and perhaps let one tentative meeting leave a larger one."""
        day = self.where.pop(cancel.id, None)
        if day is None:
            return
        del self.busy[self.whose.pop(cancel.id)][cancel.id]
        number = next(number for (_, number), known in self.days.items() if known is day)
        standing = self.standing(number, cancel.at)
        if standing > day.standing:
            day.stand(standing)
        left = day.remove(cancel.id)
        move = pull(day, left) if self.options.pull else None
        if move:
            day.shift([(move.meeting, day.layout.number[move.room])])
            self.log.decisions[f"cancel:{cancel.id}"] = {"moves": _pairs((move,))}

    def tick(self, tick: Tick) -> None:
        """A night: days that nobody was told of yet may be arranged anew."""
        if not self.options.rebuild:
            return
        moves: list[Move] = []
        for (_, number), day in sorted(self.days.items()):
            if self.standing(number, tick.at) is Standing.TENTATIVE and (better := rebuild(day)):
                day.shift([(move.meeting, day.layout.number[move.room]) for move in better.moves])
                moves += better.moves
        self.log.nightly += len(moves)
        if moves:
            self.log.decisions[f"tick:{tick.day}"] = {"moves": _pairs(moves)}


def _accepted(proof: Certificate, start: int) -> dict[str, Any]:
    return {"room": proof.room, "start": start, "moves": _pairs(proof.moves)}


def _pairs(moves: tuple[Move, ...] | list[Move]) -> list[list[str]]:
    return [[move.meeting, move.room] for move in moves]
