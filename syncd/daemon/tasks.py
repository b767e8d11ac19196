"""What the service does again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from syncd.clock import Clock
from syncd.config import RetentionSection
from syncd.daemon import loudness, messages, reports
from syncd.daemon.auditing import Auditing
from syncd.daemon.gauges import CHECK_SECONDS, check_claims, gauge
from syncd.daemon.issuer import REFRESH_SECONDS
from syncd.daemon.jobnet import forget as forget_jobnet
from syncd.daemon.notices import notice_tasks
from syncd.daemon.parts import Parts
from syncd.daemon.people import follow_groups, outdated
from syncd.daemon.polling import due
from syncd.daemon.reporting import reporting_tasks
from syncd.daemon.servers import PROBE_SECONDS, probe
from syncd.daemon.shares import Share
from syncd.dispatch.port import Scope, Task
from syncd.model.zones import wall_clock
from syncd.notify.deliver import deliver
from syncd.notify.relay import relay
from syncd.observe import metrics
from syncd.observe.logs import canonical_line, log
from syncd.ports import Listening
from syncd.store import audit_chain, retention
from syncd.store.erasure import replay
from syncd.sync.outcome import Result

LISTEN_SECONDS = 0.5
RECONCILE_SECONDS = 1.0
RECONCILE_BATCH = 50
WRITERS = 4
EXPIRE_SECONDS = 15.0
EVENT_SECONDS = 1.0
RECORD_SECONDS = 5.0
GAUGE_SECONDS = 15.0
FORGET_SECONDS = 3600.0
SWEEP_SECONDS = 300.0
WATCH_SECONDS = 60.0
GUARD_SECONDS = 60.0
EXPECTED_SECONDS = 3600.0
MARKS_SECONDS = 2.0
GROUPS_SECONDS = 300.0
PEOPLE_SECONDS = 60.0
REPAIR_SECONDS = 60.0
ANNOUNCE_SECONDS = 15.0
NIGHT_SECONDS = 3600.0
NIGHT = 2
"""The hour of the night, on the first site's clocks, at which rooms are rearranged."""


def tasks(
    parts: Callable[[], Parts], clock: Clock, stopping: Callable[[], bool], reload: Callable[[], None]
) -> list[Task]:
    """The tasks of one node; *parts* brings the ones in force, so that a reload needs no new tasks but for times.

    :param reload: asks for the parts to be built anew, because there are other people now.
    """
    return [
        *_reading(parts, clock, stopping),
        *_writing(parts, clock, stopping),
        *_telling(parts, clock, stopping),
        Task("citizens.tell", messages.SECONDS, lambda beat: messages.send_messages(parts(), clock, beat, stopping)),
        *notice_tasks(parts, clock, stopping),
        *reporting_tasks(lambda: parts().config, lambda: parts().reporting, lambda: parts().store, clock, stopping),
        Task("supply.record", RECORD_SECONDS, lambda _beat: record(parts(), clock), scope=Scope.ONE),
        Task("holds.expire", EXPIRE_SECONDS, lambda _beat: expire(parts(), clock)),
        Task("marks.obey", MARKS_SECONDS, lambda _beat: obey_marks(parts(), clock)),
        Task("groups.follow", GROUPS_SECONDS, lambda _beat: follow_people(parts(), clock, reload)),
        Task("groups.people", PEOPLE_SECONDS, lambda _beat: take_in_people(parts(), clock, reload), scope=Scope.EACH),
        Task("rooms.repair", REPAIR_SECONDS, lambda _beat: repair_rooms(parts(), clock)),
        Task("rooms.announce", ANNOUNCE_SECONDS, lambda _beat: announce_rooms(parts(), clock)),
        Task("rooms.rearrange", NIGHT_SECONDS, lambda _beat: rearrange_rooms(parts(), clock)),
        Task("meetings.sweep", SWEEP_SECONDS, lambda _beat: sweep(parts(), clock)),
        Task("supply.guard", GUARD_SECONDS, lambda _beat: guard_supply(parts(), clock), scope=Scope.EACH),
        Task("supply.expected", EXPECTED_SECONDS, lambda _beat: expect_supply(parts(), clock)),
        Task("reports.send", reports.SECONDS, lambda _beat: reports.send_reports(parts(), clock)),
        Task("people.asked", WATCH_SECONDS, lambda _beat: ask_people(parts(), clock)),
        Task("servers.probe", PROBE_SECONDS, lambda _beat: probe(parts(), clock), scope=Scope.EACH),
        Task("gauges", GAUGE_SECONDS, lambda _beat: gauge(parts(), clock), scope=Scope.EACH),
        Task("log.level", loudness.LOOK_SECONDS, lambda _beat: loudness.follow(parts(), clock), scope=Scope.EACH),
        Task("claims.check", CHECK_SECONDS, lambda _beat: check_claims(parts(), clock)),
        Task("retention", FORGET_SECONDS, lambda _beat: forget(parts(), clock)),
        Task("oauth.keys", REFRESH_SECONDS, lambda _beat: parts().issuer.refresh(), scope=Scope.EACH),
        *Auditing(parts, clock).tasks(),
    ]


def _reading(parts: Callable[[], Parts], clock: Clock, stopping: Callable[[], bool]) -> list[Task]:
    """Tasks of their own for each account, so that a server that hangs delays only its own calendars."""
    pace = parts().config.sync.interval_seconds

    def read(share: Share, beat: Callable[[], None]) -> None:
        now = parts()
        if share in now.shares:  # else a reload has cut them otherwise
            sync(now, share, clock, stopping, beat)

    def hear(account: str, beat: Callable[[], None]) -> None:
        listen(parts(), account, clock, stopping, beat)

    accounts = sorted({box.account for box in parts().directory.mailboxes.values()})
    reading = [
        Task(f"sync.{share.name}", pace, partial(read, share), jitter=pace // 10, queue=f"sync.{share.account}")
        for share in parts().shares
    ]
    told = [name for name in accounts if isinstance(parts().ports.get(name), Listening)]
    return reading + [Task(f"listen.{name}", LISTEN_SECONDS, partial(hear, name), scope=Scope.ONE) for name in told]


def _writing(parts: Callable[[], Parts], clock: Clock, stopping: Callable[[], bool]) -> list[Task]:
    """Several writers side by side, so that a calendar that hangs holds up one of them and not the others."""

    def write(beat: Callable[[], None]) -> None:
        reconcile(parts(), clock, stopping, beat)

    return [Task(f"reconcile.{n}", RECONCILE_SECONDS, write, scope=Scope.WORKERS) for n in range(WRITERS)]


def _telling(parts: Callable[[], Parts], clock: Clock, stopping: Callable[[], bool]) -> list[Task]:
    """One task per receiver of webhooks, so that one that hangs delays nobody else."""

    def tell(name: str, beat: Callable[[], None]) -> None:
        now = parts()
        if (receiver := now.receivers.get(name)) is not None:
            deliver(now.store, now.courier, receiver, clock, beat, stopping)

    def spread(_beat: Callable[[], None]) -> None:
        relay(parts().store, parts().receivers, clock.now())

    relaying = Task("events.relay", EVENT_SECONDS, spread)
    return [relaying, *(Task(f"webhooks.{name}", EVENT_SECONDS, partial(tell, name)) for name in parts().receivers)]


def sync(parts: Parts, share: Share, clock: Clock, stopping: Callable[[], bool], beat: Callable[[], None]) -> None:
    """One pass over every mailbox of *share* that is due."""
    boxes = due(parts, parts.shares[share], clock.now())
    if not boxes:
        return
    with canonical_line("sync.round", account=share.account) as facts:
        outcomes = parts.engine.sync_many(boxes, clock, progress=lambda _outcome: beat(), stopping=stopping)
        ordered = sorted(outcomes, key=lambda outcome: outcome.result)
        counted = {str(result): len(list(group)) for result, group in groupby(ordered, key=lambda o: o.result)}
        facts.update(counted, requests=sum(outcome.requests for outcome in outcomes))
    if any(outcome.mailbox in parts.directory.rooms and outcome.result is Result.OK for outcome in outcomes):
        repair_rooms(parts, clock)  # somebody changed a room's calendar: put our meetings right at once


def listen(parts: Parts, account: str, clock: Clock, stopping: Callable[[], bool], beat: Callable[[], None]) -> None:
    """One pass over the mailboxes of *account* in which the server says that something happened."""
    port: object = parts.ports.get(account)
    boxes = [box for box in parts.directory.mailboxes.values() if box.account == account]
    if isinstance(port, Listening) and (news := port.heard(boxes)):
        parts.engine.sync_many(sorted(news), clock, progress=lambda _outcome: beat(), stopping=stopping)


def reconcile(parts: Parts, clock: Clock, stopping: Callable[[], bool], beat: Callable[[], None]) -> None:
    """Bring the calendars of due meetings to what they should be, one after the other."""

    def ending() -> bool:
        beat()
        return stopping()

    while not ending() and _anything_due(parts, clock):
        parts.reconciler.run_due(clock.now(), RECONCILE_BATCH, ending)


def _anything_due(parts: Parts, clock: Clock) -> bool:
    """Whether it is worth to ask for a lease; a look that waits for no writer."""
    if parts.reconciler.brake() is not None:
        return False
    with parts.store.read() as tx:
        return bool(tx.meetings.due(clock.now(), 1))


def expire(parts: Parts, clock: Clock) -> None:
    """End holds whose time is over, so that their slots are offered again."""
    if ended := parts.reconciler.free_expired_holds(clock.now()):
        log.info("holds.expired", count=ended)


def sweep(parts: Parts, clock: Clock) -> None:
    """Look again at settled meetings that the mirror does not show where they should be."""
    if strayed := parts.reconciler.sweep(clock.now()):
        log.info("meetings.swept", count=strayed)


def ask_people(parts: Parts, clock: Clock) -> None:
    """Raise a task for every meeting that needs a person, and for every absence that leaves meetings open."""
    parts.watch.look(clock.now())


def guard_supply(parts: Parts, clock: Clock) -> None:
    """Tell of windows with too few times, and open reserves for them."""
    found = parts.guard.look(clock.now())
    metrics.SUPPLY_SHORT.set(len(found.short))
    metrics.RESERVES_OPEN.set(len(found.opened))
    if found.short:
        log.warning("supply.short", windows=[one.about for one in found.short], reserves_open=list(found.opened))


def expect_supply(parts: Parts, clock: Clock) -> None:
    """Tell of caseworkers with fewer times next week than are expected of them."""
    if lacking := parts.guard.expected(clock.now()):
        log.info("supply.expected_more", caseworkers=len(lacking))


def obey_marks(parts: Parts, clock: Clock) -> None:
    """Do what caseworkers ask for by categories in their own calendars."""
    done = parts.marks.obey(clock.now())
    if done.any:
        log.info("marks.obeyed", **asdict(done))


def follow_people(parts: Parts, clock: Clock, reload: Callable[[], None]) -> None:
    """Ask distribution groups who is in them."""
    follow_groups(parts, clock.now())
    take_in_people(parts, clock, reload)


def take_in_people(parts: Parts, clock: Clock, reload: Callable[[], None]) -> None:
    """Other people in distribution groups mean other parts."""
    if outdated(parts, clock.now()):
        reload()


def repair_rooms(parts: Parts, clock: Clock) -> None:
    """Give other rooms to meetings whose own was closed or taken by somebody else."""
    kept = parts.rooms.repair(clock.now())
    if kept.moves or kept.missing:
        log.info("rooms.repaired", moved=len(kept.moves), told=kept.told, missing=len(kept.missing))


def announce_rooms(parts: Parts, clock: Clock) -> None:
    """Tell rooms when it is time, and again when they change."""
    if told := parts.announcer.announce(clock.now()):
        log.info("rooms.announced", meetings=told)


def rearrange_rooms(parts: Parts, clock: Clock) -> None:
    """Once a night, rearrange the days nobody was told of."""
    zones = [site.zone for site in parts.directory.sites.values()]
    if (
        zones
        and wall_clock(clock.now(), zones[0]).hour == NIGHT
        and (moves := parts.rooms.rearrange(clock.now()).moves)
    ):
        log.info("rooms.rearranged", moved=len(moves))


def record(parts: Parts, clock: Clock) -> None:
    """Keep the record of what is on offer, and let those who listen know of other times."""
    if changed := parts.recorder.record(clock.now()):
        log.info("supply.recorded", offers=len(changed), days=sum(len(days) for days in changed.values()))


def forget(parts: Parts, clock: Clock) -> None:
    """Forget what is older than it may be kept, and say how much."""
    now = clock.now()
    with canonical_line("retention.swept") as facts:
        facts.update(asdict(retention.sweep(parts.store, now, _periods(parts.config.retention))))
        facts.update(audit_links=_forget_links(parts, now - timedelta(days=parts.config.retention.audit_days)))
        facts.update(jobnet=forget_jobnet(parts, now))
        facts.update(erased_again=len(replay(parts.store, parts.config.ledger, now).bookings))


def _forget_links(parts: Parts, before: datetime) -> int:
    total = 0
    while gone := parts.store.run(lambda tx: audit_chain.forget(tx, before)):
        total += gone
    return total


def _periods(kept: RetentionSection) -> retention.Periods:
    return retention.Periods(
        bookings=timedelta(days=kept.bookings_days),
        answers=timedelta(days=kept.answers_days),
        contacts=timedelta(days=kept.contact_days),
        mirror=timedelta(days=kept.mirror_days),
        supply=timedelta(days=kept.supply_days),
        audit=timedelta(days=kept.audit_days),
    )
