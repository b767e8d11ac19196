"""Figures for Prometheus; labels come from short fixed lists, never from people or mailboxes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from syncd import __version__
from syncd.errors import CalendarError, OutcomeUnknown, Throttled, Transient, VersionConflict

REGISTRY = CollectorRegistry()
QUANTILES = (0.5, 0.95, 0.99, 1.0)

BUILD = Gauge("syncd_build_info", "Always 1; the label tells the version", ["version"], registry=REGISTRY)
BUILD.labels(__version__).set(1)

SYNC_SECONDS = Histogram("syncd_sync_duration_seconds", "Length of one mailbox pass", ["outcome"], registry=REGISTRY)
SYNC_AGE = Gauge(
    "syncd_mailbox_sync_age_seconds", "Ages of the mirrors: quantile 1 is the oldest", ["quantile"], registry=REGISTRY
)
SYNC_INTERVAL = Gauge("syncd_sync_interval_seconds", "Pause between two looks at a calendar", registry=REGISTRY)
BREAKERS_OPEN = Gauge("syncd_breaker_open", "Mailboxes whose server failed and is left alone", registry=REGISTRY)
MAILBOXES = Gauge("syncd_mailboxes", "Mailboxes by how far they can be trusted", ["trust"], registry=REGISTRY)
OUTBOX_PENDING = Gauge(
    "syncd_outbox_pending", "Meetings whose calendars are not yet as they should be", registry=REGISTRY
)
OUTBOX_OLDEST = Gauge("syncd_outbox_oldest_seconds", "How long the oldest of them has waited", registry=REGISTRY)
NEEDS_ATTENTION = Gauge("syncd_needs_attention", "Meetings a person must look at", registry=REGISTRY)
TASKS = Gauge("syncd_tasks", "What waits for a person (syncd tasks)", ["kind"], registry=REGISTRY)
WEBHOOKS_WAITING = Gauge("syncd_webhooks_waiting", "Messages on their way to receivers", registry=REGISTRY)
WEBHOOKS_GIVEN_UP = Gauge("syncd_webhooks_given_up", "Messages no receiver took; a person must look", registry=REGISTRY)
SUPPLY_SHORT = Gauge("syncd_supply_windows_short", "Guarded windows with too few times", registry=REGISTRY)
RESERVES_OPEN = Gauge("syncd_supply_reserves_open", "Reserves opened because times are short", registry=REGISTRY)
DATABASE_SECONDS = Gauge("syncd_db_busy_seconds", "What an empty write to the database took last", registry=REGISTRY)
RECONCILED = Counter("syncd_reconciled_total", "Meetings compared with their calendars", ["outcome"], registry=REGISTRY)
JOBNET_CALLS = Counter(
    "syncd_jobnet_calls_total", "Calls of Jobnet's planner contract", ["operation", "outcome"], registry=REGISTRY
)
JOBNET_INVALID = Counter(
    "syncd_jobnet_invalid_answers_total",
    "Answers that would have violated the published schema and were not sent",
    ["operation"],
    registry=REGISTRY,
)
JOBNET_REPORTS = Counter("syncd_jobnet_reports_total", "Errors that Jobnet or DFDG reported", registry=REGISTRY)
DFDG_OWED = Gauge("syncd_dfdg_owed", "Reports owed to DFDG and not refused", registry=REGISTRY)
DFDG_OLDEST = Gauge("syncd_dfdg_oldest_seconds", "How long the oldest of them has waited", registry=REGISTRY)
DFDG_REFUSED = Gauge("syncd_dfdg_refused", "Reports DFDG refused; a person must look", registry=REGISTRY)
DFDG_MESSAGES_WAITING = Gauge("syncd_dfdg_messages_waiting", "DFDG's messages not handled yet", registry=REGISTRY)
MESSAGES = Counter(
    "syncd_citizen_messages_total",
    "Receipts and reminders that were tried; waiting is a try that failed and is repeated",
    ["kind", "channel", "outcome"],
    registry=REGISTRY,
)
MESSAGES_WAITING = Gauge(
    "syncd_citizen_messages_waiting", "Receipts and reminders that should have been sent by now", registry=REGISTRY
)
HTTP_SECONDS = Histogram("syncd_http_seconds", "Length of one request", ["route", "status"], registry=REGISTRY)
GRAPH_SEEDS = Counter("syncd_graph_seeds_total", "Calendars in the cloud read completely", registry=REGISTRY)
GRAPH_DRIFT = Counter(
    "syncd_graph_drift_total", "Entries that polls had missed and a complete reading put right", registry=REGISTRY
)
GRAPH_TEAMS_MISSING = Counter(
    "syncd_graph_teams_missing_total", "Meetings by video for which Microsoft 365 made no link", registry=REGISTRY
)


NOTICES = Counter(
    "syncd_graph_notices_total",
    "Notifications of Microsoft 365 that came; a stranger's change nothing",
    ["outcome"],
    registry=REGISTRY,
)
REMOTE = Counter(
    "syncd_remote_requests_total",
    "Calls to calendar servers; the outcome unknown is a write whose answer was lost",
    ["account", "op", "outcome"],
    registry=REGISTRY,
)
THROTTLED = Counter("syncd_throttled_seconds_total", "Pauses that calendar servers asked for", registry=REGISTRY)
BOOKING_REQUESTS = Counter("syncd_booking_requests_total", "Requests to book", ["result"], registry=REGISTRY)
BOOKING_SECONDS = Histogram("syncd_booking_seconds", "Length of a request to book", registry=REGISTRY)
REPLAYS = Counter("syncd_idempotent_replays_total", "Answers given again under the same key", registry=REGISTRY)
DRIFT_FOUND = Counter("syncd_drift_found_total", "Meetings found not to be as they should", ["kind"], registry=REGISTRY)
DRIFT_REPAIRED = Counter("syncd_drift_repaired_total", "Writes that put such a meeting right", registry=REGISTRY)
DUPLICATES = Counter("syncd_duplicates_removed_total", "Surplus copies of our entries removed", registry=REGISTRY)
VIOLATIONS = Counter(
    "syncd_invariant_violations_total", "Overlapping claims found in the database; must stay 0", registry=REGISTRY
)
AUDIT_CHAIN_OK = Gauge(
    "syncd_audit_chain_ok", "1 while the audit log is as it was chained; NaN until it was compared", registry=REGISTRY
)
AUDIT_CHAIN_OK.set(float("nan"))
WRITES_STOPPED = Gauge("syncd_writes_stopped", "1 while the outward brake is on", registry=REGISTRY)
ENGINE_PENDING = Gauge("syncd_engine_pending", "Work that is due now", ["queue"], registry=REGISTRY)
TASK_FAILURES = Counter(
    "syncd_task_failures_total", "Runs of a task that ended in an error", ["task"], registry=REGISTRY
)
CERTIFICATE = Gauge(
    "syncd_cert_expiry_seconds", "Until a certificate of the configuration expires", ["account"], registry=REGISTRY
)
BACKUP_AGE = Gauge("syncd_backup_age_seconds", "Age of the newest backup; +Inf when there is none", registry=REGISTRY)
CLOCK_OFFSET = Gauge(
    "syncd_clock_offset_seconds", "This clock less the database server's; NaN on SQLite", registry=REGISTRY
)
CLOCK_OFFSET.set(float("nan"))
NODE_AGE = Gauge(
    "syncd_node_heartbeat_age_seconds",
    "How long the node that was silent longest has been silent; 0 where one node serves",
    registry=REGISTRY,
)
NODES = Gauge("syncd_nodes", "Nodes that serve together, by role", ["role"], registry=REGISTRY)
TAKEOVERS = Counter("syncd_takeovers_total", "Dead nodes whose work this one gave to the living", registry=REGISTRY)
NODE_AWAY = Counter(
    "syncd_node_away_total", "Times this node was taken for dead though it was only away", registry=REGISTRY
)
MAINTENANCE = Gauge("syncd_maintenance", "1 while offers are closed for maintenance", registry=REGISTRY)

_OUTCOMES = (
    (OutcomeUnknown, "unknown"),
    (Throttled, "throttled"),
    (Transient, "transient"),
    (VersionConflict, "conflict"),
)


@contextmanager
def remote(account: str, op: str) -> Iterator[None]:
    """Count one call to the calendar server of *account*, by how it ends.

    :param op: ``read``, ``find``, ``create``, ``update`` or ``delete``.
    """
    try:
        yield
    except CalendarError as error:
        outcome = next((word for kind, word in _OUTCOMES if isinstance(error, kind)), "rejected")
        REMOTE.labels(account, op, outcome).inc()
        if isinstance(error, Throttled):
            THROTTLED.inc(error.retry_after)
        raise
    REMOTE.labels(account, op, "ok").inc()


def text() -> bytes:
    """All figures in the Prometheus text format."""
    return generate_latest(REGISTRY)
