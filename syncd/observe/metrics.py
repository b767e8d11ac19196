"""Figures for Prometheus; labels come from short fixed lists, never from people or mailboxes."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()

SYNC_SECONDS = Histogram("syncd_sync_duration_seconds", "Length of one mailbox pass", ["outcome"], registry=REGISTRY)
SYNC_AGE = Gauge("syncd_mailbox_sync_age_seconds", "Age of the oldest mirror", registry=REGISTRY)
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
HTTP_SECONDS = Histogram("syncd_http_seconds", "Length of one request", ["route", "status"], registry=REGISTRY)


def text() -> bytes:
    """All figures in the Prometheus text format."""
    return generate_latest(REGISTRY)
