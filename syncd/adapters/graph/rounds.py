"""One round of calendarView/delta, and plain listings: pages followed to their end.

A round is the unit: whatever it says holds when its last page has been read, together with the link it ends in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote

from syncd.adapters.graph.client import TEXT, Client
from syncd.adapters.graph.rows import PAGES, SELECT, Page, Row
from syncd.errors import Transient
from syncd.model.delta import ChangeToken
from syncd.model.interval import Interval

MAX_PAGES = 1000
TOP = "500"
"""Rows in one page of a plain listing; Graph's own limit is 1,000."""


@dataclass(frozen=True, slots=True)
class Token:
    """Our change token: where the last round ended, whose it is, and the span that is frozen inside the link.

    :param mark: digest of server and address; a link of another mailbox would mean something there, too.
    """

    mark: str
    link: str
    span: Interval

    def encode(self) -> ChangeToken:
        """One string."""
        return json.dumps([self.mark, self.link, self.span.start.isoformat(), self.span.end.isoformat()])

    @classmethod
    def decode(cls, text: ChangeToken | None, mark: str) -> Token | None:
        """The token in *text*, if it is one of ours for this mailbox."""
        try:
            owner, link, start, end = json.loads(text or "")
            span = Interval(_utc(start), _utc(end))
        except (ValueError, TypeError):
            return None
        return cls(owner, link, span) if owner == mark and isinstance(link, str) else None


@dataclass(frozen=True, slots=True)
class Round:
    """What a round said: the last word on each id, and where to go on."""

    rows: Mapping[str, Row]
    link: str


def mark_of(url: str, mailbox: str) -> str:
    """Stands for one mailbox on one server in its tokens."""
    return sha256(f"{url} {mailbox}".encode()).hexdigest()[:12]


def user(mailbox: str) -> str:
    """The path of a mailbox."""
    return f"/users/{quote(mailbox, safe='@')}"


def bounds(span: Interval) -> dict[str, str]:
    """startDateTime and endDateTime: their own offset counts, whatever Prefer says."""
    return {"startDateTime": f"{span.start:%Y-%m-%dT%H:%M:%SZ}", "endDateTime": f"{span.end:%Y-%m-%dT%H:%M:%SZ}"}


def first_round(client: Client, mailbox: str, span: Interval) -> Round:
    """Everything in *span*, and the beginning of a history."""
    return _round(client, mailbox, f"{user(mailbox)}/calendarView/delta", bounds(span))


def next_round(client: Client, mailbox: str, link: str) -> Round:
    """What changed since the round that ended in *link*.

    :raises TokenExpired: Graph does not know that place any more.
    """
    return _round(client, mailbox, link, None)


def listed(client: Client, mailbox: str, path: str, params: Mapping[str, str]) -> list[Row]:
    """All rows of a plain listing."""
    page = client.read(path, mailbox, PAGES, params={"$top": TOP, **params})
    rows = [*page.value]
    for _ in range(MAX_PAGES):
        if page.next is None:
            return rows
        page = client.read(page.next, mailbox, PAGES)
        rows += page.value
    raise _endless(client, mailbox)


def instances(client: Client, mailbox: str, master: str, span: Interval) -> list[Row]:
    """The dated instances of a series as they stand now, each in full.

    :raises Absent: there is no such series.
    """
    return listed(
        client, mailbox, f"{user(mailbox)}/events/{quote(master)}/instances", {"$select": SELECT, **bounds(span)}
    )


def _round(client: Client, mailbox: str, path: str, params: Mapping[str, str] | None) -> Round:
    prefer = f"odata.maxpagesize={client.account.page}, {TEXT}"
    rows: dict[str, Row] = {}
    seen = {path}
    for _ in range(MAX_PAGES):
        page: Page = client.read(path, mailbox, PAGES, params=params, prefer=prefer)
        rows |= {row.id: row for row in page.value}
        if page.delta is not None:
            return Round(rows, page.delta)
        if page.next is None or page.next in seen:
            break
        seen.add(page.next)
        path, params = page.next, None
    raise _endless(client, mailbox)


def _endless(client: Client, mailbox: str) -> Transient:
    return Transient(f"{client.host} does not come to the end of what it lists of {mailbox}; it is tried again later.")


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
