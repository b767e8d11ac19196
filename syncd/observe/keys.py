"""Every key a log line may have, and what it means; a test fails on one that is not here.

No key may ever hold a name, an address, a subject, a citizen's reference or a token.
"""

from __future__ import annotations

from collections.abc import Mapping

EVERY: Mapping[str, str] = {
    "at": "When, in UTC (ISO 8601).",
    "level": "`debug`, `info`, `warning` or `error`.",
    "event": "What happened: a constant, `noun.verb`.",
    "outcome": "How a unit of work ended; `ok` and `unchanged` are logged as `info`, others as `warning`.",
    "duration_ms": "How long it took, in milliseconds.",
    "error": "The class of the error, never its text where that might quote a citizen.",
    "request_id": "Id of the HTTP request, also in its answer's `X-Request-Id`.",
}
"""Keys of any line."""

KEYS: Mapping[str, str] = {
    "about": "DFDG's id of that thing.",
    "account": "Name of a `[calendars]` table.",
    "address": "Address that syncd itself listens on.",
    "answers": "Stored answers to repeated requests that were forgotten.",
    "audit": "Rows of the audit log that were forgotten.",
    "audit_links": "Links of the audit chain that were forgotten.",
    "backup": "File of the backup that was made.",
    "before": "Layout of the database before the upgrade.",
    "begun": "Wishes of caseworkers taken up or changed.",
    "caseworkers": "How many caseworkers.",
    "changed": "How many objects of a calendar changed; for `server.changed` which facts did.",
    "client": "Name of a `[clients]` table.",
    "contacts": "Bookings whose contact data was forgotten.",
    "count": "How many.",
    "day": "Local date (ISO 8601).",
    "days": "How many days.",
    "dfdg": "Rows about citizens of Jobnet that were forgotten.",
    "did": "What came of it.",
    "drained": "Whether all work had ended when the service stopped.",
    "ended": "Wishes whose event or mark was gone.",
    "entity": "What kind of thing it is about (DFDG's number).",
    "erased_again": "Bookings erased once more after a restore.",
    "failed": "Mailboxes whose server did not answer as it should.",
    "full": "Whether everything was compared.",
    "holds": "Reservations that were never booked and were forgotten.",
    "jobnet": "Reservations, reports and citizens of Jobnet that were forgotten.",
    "joined": "People who came into a group.",
    "kept": "What stays in force.",
    "layout": "Layout of the database.",
    "left": "People who left a group.",
    "left_out": "Members of a group who cannot be booked: guests, disabled accounts.",
    "level_now": "Least level that is logged from here on.",
    "link": "Head of the audit chain: the digest that covers every row before.",
    "links": "Personal links to bookings that lead nowhere any more and were removed.",
    "mailbox": "Our own short id of a caseworker or room.",
    "mailboxes": "Such ids.",
    "meeting": "Id of a meeting.",
    "meetings": "How many meetings.",
    "members": "People in a group.",
    "message": "Id of a message of DFDG.",
    "method": "HTTP method.",
    "mirror": "Occurrences of past days that were forgotten.",
    "missed": "No-shows noted, or taken back.",
    "missing": "Meetings left without a room.",
    "moved": "Meetings that got another room.",
    "needs_restart": "Keys of the configuration that only a restart brings into force.",
    "new": "How many were not known before.",
    "node": "A process among those that serve together: its machine and a random word.",
    "nodes": "Such nodes, dead.",
    "number": "Number of the newest row of the audit log that the link covers.",
    "offers": "How many offers.",
    "ok": "Mailboxes that were read and had changed.",
    "operation": "Operation of Jobnet's planner contract.",
    "overtaken": "Mailboxes that another process read meanwhile.",
    "owed": "Meetings whose calendars are not as they should be.",
    "problem": "A sentence for the operator; it names no person.",
    "problems": "Such sentences.",
    "queue": "Name of a queue of work that nodes share.",
    "reason": "A sentence for the operator; it names no person.",
    "references": "Bookings that no longer say whose they were.",
    "refused": "Mailboxes whose unbelievable loss waits for a person.",
    "removed": "How many objects of a calendar are gone.",
    "reports": "Notes of who was sent which report on supply that were forgotten.",
    "requests": "HTTP requests to the calendar server.",
    "reserves_open": "Ids of offers whose reserves are open.",
    "revision": "Number of the rules' revision.",
    "role": "What a node does: `all`, `api` or `worker`.",
    "rooms": "How many rooms.",
    "route": "Template of the HTTP path; never the path itself.",
    "rules": "Number of the rules' revision in force.",
    "says": "A sentence for the operator; it names no person.",
    "site": "Name of a `[sites]` table.",
    "slot": "When a task was to begin, in seconds since 1970.",
    "source": "Name of the library that logged.",
    "status": "HTTP status.",
    "period": "The week or month a report is of.",
    "report": "Name of a `[[supply.reports]]` table.",
    "supply": "Rows of the record of supply that were forgotten.",
    "task": "Name of the task (`syncd/daemon/tasks.py`).",
    "tasks": "Tasks that were done long ago and were forgotten.",
    "text": "First line of a library's own message.",
    "told": "Meetings whose caseworkers were told.",
    "told_by": "What named the endpoint of a mailbox.",
    "traces": "Claims and entries of old meetings that were forgotten.",
    "unchanged": "Mailboxes that were read and had not changed.",
    "url": "Endpoint of a calendar server.",
    "waiting": "Mailboxes whose pause after a failure is not over.",
    "where": "File, line and function in our code.",
    "why": "Why it waits.",
    "windows": "Guarded windows with too few times, by offer and days.",
}
"""Keys of certain lines."""


def page() -> str:
    """The reference page, in Markdown."""
    lines = [
        "# Log lines and their keys",
        "",
        "Generated from `syncd/observe/keys.py`; `python -m syncd.config write` writes it anew.",
        "syncd logs to stderr, one JSON object a line under systemd; `[log]` sets level and form.",
        "`syncd log level` changes the level of the running service.",
        "A test fails on a key that is not listed here, and anything that looks like a CPR number is blanked.",
        "",
        "## Of any line",
        "",
        *_table(EVERY),
        "",
        "## Of certain lines",
        "",
        *_table(KEYS),
    ]
    return "\n".join(lines) + "\n"


def _table(keys: Mapping[str, str]) -> list[str]:
    return ["| key | meaning |", "|---|---|", *(f"| `{key}` | {meaning} |" for key, meaning in sorted(keys.items()))]
