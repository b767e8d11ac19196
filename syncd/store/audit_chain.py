"""Chains the audit log: a row that is changed, removed or slipped in later is found out.

Rows are written by many transactions at once and chained a little later, in portions, so that booking waits for no
chain. What says something about a citizen (the reference's digest, purpose, detail) goes in as a salted digest of its
own: it can be erased, with its salt, and the chain still holds. The newest link, told to the system's journal every
minute, is what an intruder with the database in hand cannot change afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Row, Table, delete, exists, func, insert, select, update

from syncd.store import locks
from syncd.store.audit_tables import AuditLinkRow
from syncd.store.instants import epoch
from syncd.store.session import Store, Tx
from syncd.store.tables import AuditRow

PORTION = 500
"""Rows chained in one transaction."""
REACH = 20_000
"""How far behind the newest chained row one that committed late is looked for; `verify` looks everywhere."""
LATE = timedelta(minutes=10)
"""A row not chained after so long is a fault: the daemon chains every minute."""
BEGINNING = "0" * 64
ANCHOR = "audit_anchor"
"""The setting with number and link of the last link that was forgotten, ``NUMBER LINK``."""

_LINKS = cast(Table, AuditLinkRow.__table__)
_OPEN = ("at", "actor", "action", "booking", "meeting")
_PERSONAL = ("citizen", "purpose", "detail")


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link; number 0 when nothing was chained yet."""

    number: int
    link: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the log is not as it was chained.

    :param number: of the link; 0 when the row was never chained.
    :param audit: ``id`` of the row.
    """

    number: int
    audit: int
    says: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found.

    :param rows: rows of the log that were compared.
    :param forgotten: links whose row retention has removed.
    :param erased: rows whose personal part was erased.
    :param waiting: rows so young that they are not chained yet.
    """

    head: Head
    rows: int
    forgotten: int
    erased: int
    waiting: int
    faults: tuple[Fault, ...]


def chain(store: Store) -> Head:
    """Chain every row that waits, in many short transactions; safe to repeat and to interrupt.

    :raises StoreError: the database could not be used; what was chained before stays chained.
    """
    while True:
        more, head = store.run(_portion)
        if not more:
            return head


def _portion(tx: Tx) -> tuple[bool, Head]:
    locks.take(tx.session, ["0:audit-chain"])
    head = newest(tx)
    newest_id = tx.session.scalar(select(func.max(AuditLinkRow.audit))) or 0
    question = _unchained().where(AuditRow.id > newest_id - REACH)
    waiting = tx.session.execute(question.order_by(AuditRow.id).limit(PORTION)).all()
    links = []
    for row in waiting:
        salt = secrets.token_hex(16)
        personal = _personal(salt, row)
        head = Head(head.number + 1, _link(head.link, row, personal))
        links.append(
            {
                "number": head.number,
                "audit": row.id,
                "at": row.at,
                "salt": salt,
                "personal": personal,
                "link": head.link,
            }
        )
    if links:
        tx.session.execute(insert(_LINKS), links)
    return len(waiting) == PORTION, head


def newest(tx: Tx) -> Head:
    """The newest link."""
    row = tx.session.execute(
        select(AuditLinkRow.number, AuditLinkRow.link).order_by(AuditLinkRow.number.desc()).limit(1)
    ).one_or_none()
    return Head(row.number, row.link) if row is not None else _anchor(tx)


def verify(tx: Tx, now: datetime, kept: timedelta, known: Head | None = None) -> Verdict:
    """Compare the log with its chain.

    :param kept: rows older than this may be gone (`Periods.audit`).
    :param known: a head that was told to the journal once; it must be in the chain as it was.
    """
    head, faults = _anchor(tx), []
    counts = {"rows": 0, "forgotten": 0, "erased": 0}
    seen_known = known is None or known.number <= head.number
    for link, row in _pairs(tx):
        if link.number != head.number + 1:
            faults.append(Fault(link.number, link.audit, f"links {head.number + 1} to {link.number - 1} are missing"))
        fault = _fault(link, row, now - kept)
        if fault is None and row is not None and link.link != _link(head.link, row, link.personal):
            fault = "the row was changed, or the link before it"
        if fault is not None:
            faults.append(Fault(link.number, link.audit, fault))
        counts["forgotten" if row is None else "rows"] += 1
        counts["erased"] += row is not None and link.salt is None
        if known is not None and link.number == known.number:
            seen_known = hmac.compare_digest(link.link, known.link)
        head = Head(link.number, link.link)
    if known is not None and not seen_known:
        faults.append(Fault(known.number, 0, "the chain does not hold the link that the journal was told"))
    waiting, late = _waiting(tx, now)
    return Verdict(head, counts["rows"], counts["forgotten"], counts["erased"], waiting, (*faults, *late))


def _fault(link: Row[Any], row: Row[Any] | None, kept_since: datetime) -> str | None:
    if row is None:
        # An hour's grace: retention and this look may read the clock at different moments.
        gone_early = link.at >= epoch(kept_since + timedelta(hours=1))
        return "the row was removed before its time" if gone_early else None
    if link.salt is None:
        left = any(getattr(row, name) is not None for name in _PERSONAL)
        return "an erased row says something about a citizen again" if left else None
    return None if hmac.compare_digest(link.personal, _personal(link.salt, row)) else "the row's citizen was changed"


def forget(tx: Tx, before: datetime) -> int:
    """Remove the oldest links, as far as their rows are gone and older than *before*; the anchor keeps the chain whole.

    :returns: how many went; at most `PORTION`.
    """
    some = select(AuditLinkRow).order_by(AuditLinkRow.number).limit(PORTION).subquery()
    there = exists().where(AuditRow.id == some.c.audit)
    old = tx.session.execute(
        select(some.c.number, some.c.at, some.c.link, there.label("there")).order_by(some.c.number)
    ).all()
    gone = []
    for row in old:
        if row.there or row.at >= epoch(before):
            break
        gone.append(row)
    if gone:
        tx.settings.put(ANCHOR, f"{gone[-1].number} {gone[-1].link}")
        tx.session.execute(delete(AuditLinkRow).where(AuditLinkRow.number <= gone[-1].number))
    return len(gone)


def erase(tx: Tx, citizen_digest: str) -> int:
    """Let the log forget one citizen: the digest, purposes and details of her rows, and what they could be guessed by.

    That somebody looked, and when, stays. Unchained rows must be chained first (`chain`).
    """
    ids = list(tx.session.scalars(select(AuditRow.id).where(AuditRow.citizen == citizen_digest)))
    for begin in range(0, len(ids), PORTION):
        some = ids[begin : begin + PORTION]
        tx.session.execute(update(AuditLinkRow).where(AuditLinkRow.audit.in_(some)).values(salt=None))
        nothing = dict.fromkeys(_PERSONAL)
        tx.session.execute(update(AuditRow).where(AuditRow.id.in_(some)).values(nothing))
    return len(ids)


def _unchained() -> Any:
    # The highest chained id is no bound by itself: a transaction with a lower one may have committed later.
    return select(AuditRow.__table__).where(~exists().where(AuditLinkRow.audit == AuditRow.id))


def _waiting(tx: Tx, now: datetime) -> tuple[int, list[Fault]]:
    rows = tx.session.execute(_unchained()).all()
    late = [
        Fault(0, row.id, "the row was never chained, or slipped in later") for row in rows if row.at < epoch(now - LATE)
    ]
    return len(rows) - len(late), late


def _pairs(tx: Tx) -> Iterator[tuple[Row[Any], Row[Any] | None]]:
    """Each link with its row, by number, a portion at a time."""
    last = 0
    while True:
        question = select(_LINKS).where(AuditLinkRow.number > last).order_by(AuditLinkRow.number).limit(PORTION)
        links = tx.session.execute(question).all()
        if not links:
            return
        asked = select(AuditRow.__table__).where(AuditRow.id.in_([link.audit for link in links]))
        rows = {row.id: row for row in tx.session.execute(asked)}
        for link in links:
            yield link, rows.get(link.audit)
        last = links[-1].number


def _anchor(tx: Tx) -> Head:
    number, _, link = (tx.settings.value(ANCHOR) or f"0 {BEGINNING}").partition(" ")
    return Head(int(number), link)


def _personal(salt: str, row: Row[Any]) -> str:
    return _digest([salt, *(getattr(row, name) for name in _PERSONAL)])


def _link(before: str, row: Row[Any], personal: str) -> str:
    return _digest([before, row.id, *(getattr(row, name) for name in _OPEN), personal])


def _digest(parts: list[Any]) -> str:
    """SHA-256 of the parts as JSON: nothing can wander from one part to its neighbour."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
