"""The figures that describe a state rather than an event, taken now and then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil, inf

from syncd.clock import Clock, SystemClock
from syncd.daemon.expiring import certificates
from syncd.daemon.letterbox import channels
from syncd.daemon.node import Role
from syncd.daemon.parts import Parts
from syncd.model.interval import Interval
from syncd.model.mirror import MailboxStatus, trust
from syncd.model.task import TaskKind
from syncd.observe import metrics
from syncd.observe.logs import log
from syncd.store import Tx
from syncd.store.backup import last_backup
from syncd.store.citizen_messages import CitizenMessages
from syncd.store.nodes import Node, Nodes
from syncd.store.overview import due, overlapping, owed, server_clock
from syncd.store.pauses import paused

CHECK_SECONDS = 300.0


def gauge(parts: Parts, clock: Clock) -> None:
    """Set every figure that describes a state."""
    now = clock.now()
    with parts.store.read() as tx:
        statuses = tx.mailboxes.statuses()
        _writes(tx, now)
        _waiting(tx)
        metrics.MESSAGES_WAITING.set(CitizenMessages(tx.session).waiting(now) if channels(parts.config) else 0)
        made = last_backup(tx)
        metrics.MAINTENANCE.set(paused(tx.settings) is not None)
        elsewhere = server_clock(tx.session) if not parts.store.sqlite else None
        nodes = [] if parts.node.name is None else Nodes(tx.session).all()
    _calendars(parts, [statuses.get(box) for box in parts.directory.mailboxes], now)
    metrics.BACKUP_AGE.set((now - made).total_seconds() if made else inf)
    if elsewhere is not None:
        metrics.CLOCK_OFFSET.set((SystemClock().now() - elsewhere).total_seconds())
    _nodes(nodes)
    for account, expires in certificates(parts.config):
        metrics.CERTIFICATE.labels(account).set((expires - now).total_seconds())


def _nodes(nodes: Sequence[Node]) -> None:
    metrics.NODE_AGE.set(max((node.silent.total_seconds() for node in nodes), default=0))
    for role in Role:
        metrics.NODES.labels(role.value).set(sum(node.role == role.value for node in nodes))


def check_claims(parts: Parts, clock: Clock) -> None:
    """Look for what the database must never let happen: two active claims on the same time of one person or room."""
    with parts.store.read() as tx:
        found = overlapping(tx.session, clock.now())
    metrics.VIOLATIONS.inc(len(found))
    if found:
        log.error("claims.overlap", mailboxes=sorted(found))


def _writes(tx: Tx, now: datetime) -> None:
    debt = owed(tx.session, now)
    metrics.OUTBOX_PENDING.set(debt.pending)
    metrics.OUTBOX_OLDEST.set(debt.oldest_seconds)
    metrics.NEEDS_ATTENTION.set(debt.attention)
    metrics.ENGINE_PENDING.labels("meetings").set(due(tx.session, now))


def _waiting(tx: Tx) -> None:
    waiting, messages = tx.tasks.counts(), tx.events.standing().values()
    for kind in TaskKind:
        metrics.TASKS.labels(kind=kind.value).set(waiting.get(kind, 0))
    metrics.WEBHOOKS_WAITING.set(sum(some for some, _ in messages))
    metrics.WEBHOOKS_GIVEN_UP.set(sum(dead for _, dead in messages))
    metrics.ENGINE_PENDING.labels("webhooks").set(sum(some for some, _ in messages))


def _calendars(parts: Parts, watched: Sequence[MailboxStatus | None], now: datetime) -> None:
    sync = parts.config.sync
    max_age = timedelta(seconds=sync.max_age_seconds)
    trusted = [trust(status, now, max_age, Interval.at(now, 1)).open for status in watched]
    known = [status for status in watched if status is not None]
    ages = sorted((now - status.as_of).total_seconds() for status in known if status.as_of)
    for quantile in metrics.QUANTILES:
        metrics.SYNC_AGE.labels(f"{quantile:g}").set(ranked(ages, quantile))
    metrics.SYNC_INTERVAL.set(sync.interval_seconds)
    metrics.MAILBOXES.labels(trust="open").set(trusted.count(True))
    metrics.MAILBOXES.labels(trust="closed").set(trusted.count(False))
    metrics.BREAKERS_OPEN.set(sum(status.retry_at is not None and status.retry_at > now for status in known))
    metrics.WRITES_STOPPED.set(parts.reconciler.brake() is not None)


def ranked(ordered: Sequence[float], quantile: float) -> float:
    """The smallest of *ordered* that at least this share of them does not exceed; 0 when there are none."""
    return ordered[max(0, ceil(quantile * len(ordered)) - 1)] if ordered else 0.0
