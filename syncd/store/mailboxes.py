"""The mirror of the calendars: how far each was read, and when its owner is busy."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from syncd.model.busy import Occurrence
from syncd.model.delta import Delta, Group, GroupKey, Unreadable
from syncd.model.directory import Mailbox, MailboxId
from syncd.model.interval import Interval
from syncd.model.marks import DEFAULT_MARKS, Marks
from syncd.model.mirror import MailboxStatus, UnreadableObject
from syncd.store import mirror_rows as rows
from syncd.store.chunks import chunks
from syncd.store.instants import epoch, moment, span
from syncd.store.locks import take
from syncd.store.settings import Settings
from syncd.store.tables import GroupRow, MailboxRow, OccurrenceRow, UnreadableRow

FEW = 20
"""Groups that are removed by their keys without asking first which of them are here."""


class Change(Protocol):
    """What `apply` needs of a plan (`syncd.sync.plan.Plan`)."""

    @property
    def replaced(self) -> Iterable[Group]:
        """Groups to write whole."""
        ...

    @property
    def removed(self) -> Iterable[GroupKey]:
        """Groups and unreadable objects to forget."""
        ...

    @property
    def unreadable(self) -> Iterable[Unreadable]:
        """Objects to remember as not understood."""
        ...

    @property
    def covers(self) -> Interval:
        """The window known afterwards."""
        ...


class Mailboxes:
    """Watched calendars, seen from inside one transaction."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self._session = session
        self._settings = settings

    def ensure(self, mailboxes: Iterable[Mailbox], marks: Marks = DEFAULT_MARKS) -> None:
        """Know these mailboxes; one whose account, address, URL or zone changed is read from the beginning.

        All are when the categories that are obeyed have other names: what bears the new ones was not kept.
        """
        take(self._session, ["0:mailboxes"])
        known = {row.id: row for row in self._session.scalars(select(MailboxRow))}
        changed: list[MailboxId] = []
        for mailbox in mailboxes:
            told = (mailbox.account, mailbox.address, mailbox.url or "", mailbox.zone)
            source = "|".join(told if marks.names == DEFAULT_MARKS.names else (*told, *marks.names))
            row = known.get(mailbox.id)
            if row is None:
                row = MailboxRow(id=mailbox.id, attempts=0, revision=0)
                self._session.add(row)
            elif row.source != source:
                changed.append(mailbox.id)
            row.kind, row.account, row.source = mailbox.kind.value, mailbox.account, source
        self._session.flush()
        if changed:
            self.forget(*changed)

    def forget(self, *ids: MailboxId) -> None:
        """Drop everything read from these calendars; nothing is offered on them until they are read again."""
        never = dict.fromkeys(
            ("token", "covered_start", "covered_end", "as_of", "full_at", "problem", "problem_since", "refused")
        )
        fresh = {**never, "retry_at": None, "attempts": 0, "revision": MailboxRow.revision + 1}
        for some in chunks(ids):
            for table in (OccurrenceRow, GroupRow, UnreadableRow):
                gone = delete(table).where(table.mailbox.in_(some))
                self._session.execute(gone.execution_options(synchronize_session=False))
            change = update(MailboxRow).where(MailboxRow.id.in_(some)).values(**fresh)
            self._session.execute(change.execution_options(synchronize_session=False))
        self._session.expire_all()
        self._settings.bump()

    def forget_others(self, ids: Collection[MailboxId]) -> list[MailboxId]:
        """`forget` what is read but not among *ids* any more; returns whom."""
        held = self._session.scalars(select(MailboxRow.id).where(MailboxRow.as_of.is_not(None)))
        others = sorted(set(held) - set(ids))
        if others:
            self.forget(*others)
        return others

    def lock(self, *ids: MailboxId) -> None:
        """Let nobody else decide about these calendars until we commit; always in the same order.

        On SQLite the one writer has the lock already.
        """
        if self._session.get_bind().dialect.name != "sqlite":
            self._session.execute(rows.LOCK, {"some": ids})

    def status(self, mailbox: MailboxId) -> MailboxStatus | None:
        """How this mailbox stands; None when it is not known."""
        row = self._session.execute(rows.STATUS, {"mailbox": mailbox}).one_or_none()
        return None if row is None else rows.status(row)

    def statuses(self, ids: Collection[MailboxId] | None = None) -> dict[MailboxId, MailboxStatus]:
        """How mailboxes stand: these, or all; unknown ones are left out."""
        if ids is None:
            return {row.id: rows.status(row) for row in self._session.execute(rows.STATUSES)}
        found: dict[MailboxId, MailboxStatus] = {}
        for some in chunks(ids):
            found |= {row.id: rows.status(row) for row in self._session.execute(rows.STATUSES_OF, {"some": some})}
        return found

    def apply(
        self, mailbox: MailboxId, plan: Change, delta: Delta, began: datetime, *, full: bool, visible: bool
    ) -> None:
        """Write a completed pass: groups whole, then how far the mailbox was read.

        :param began: when the pass asked the server; what changed later is for the next one.
        :param full: the pass compared everything.
        :param visible: answers may differ afterwards; the generation grows.
        """
        covers = plan.covers
        self._clear(mailbox, [*plan.removed, *(group.key for group in plan.replaced)])
        self._write(mailbox, plan.replaced)
        self._remember_unreadable(mailbox, plan.unreadable, began)
        self._session.execute(rows.FORGET_PAST, {"of": mailbox, "begin": epoch(covers.start)})
        fresh: dict[str, Any] = dict.fromkeys(("problem", "problem_since", "refused", "retry_at"))
        fresh |= {"which": mailbox, "token": delta.token, "as_of": epoch(began)}
        fresh |= {"covered_start": epoch(covers.start), "covered_end": epoch(covers.end)}
        whole = {"full_at": epoch(began)} if full else {}
        self._session.execute(rows.READ_WHOLE if full else rows.READ, fresh | whole)
        if visible:
            self._settings.bump()

    def unchanged(self, ids: Collection[MailboxId], began: datetime) -> None:
        """Note that a look that began at *began* found these calendars as they were last read; no answer differs."""
        if len(ids) == 1:
            self._session.execute(rows.SEEN, {"which": next(iter(ids)), "seen": epoch(began)})
            return
        for some in chunks(ids):
            older = (MailboxRow.id.in_(some), MailboxRow.as_of < epoch(began))
            self._session.execute(update(MailboxRow).where(*older).values(as_of=epoch(began)))

    def _clear(self, mailbox: MailboxId, keys: list[GroupKey]) -> None:
        if len(keys) > FEW:  # most likely a first reading, of which nothing is here
            held = self.keys(mailbox)
            keys = [key for key in keys if key in held]
        for some in chunks(keys):
            for statement in rows.CLEAR:
                self._session.execute(statement, {"of": mailbox, "keys": some})

    def _write(self, mailbox: MailboxId, groups: Iterable[Group]) -> None:
        connection = self._session.connection()
        dialect = connection.dialect
        whole = [rows.group_row(mailbox, group) for group in groups]
        # SQLite's driver spends a microsecond on each boolean to find out that it is a number.
        flag = bool if dialect.supports_native_boolean else int
        dated = [rows.occurrence_row(mailbox, group.key, o, flag) for group in groups for o in group.occurrences]
        for table, values in ((rows.GROUPS, whole), (rows.OCCURRENCES, dated)):
            if values:
                connection.exec_driver_sql(rows.adding(table, dialect), values)

    def _remember_unreadable(self, mailbox: MailboxId, objects: Iterable[Unreadable], seen: datetime) -> None:
        """In place of a group under the same key; an acknowledgement stays while the bytes stay."""
        found = list(objects)
        if not found:
            return
        known = {row.key: row for row in self._session.execute(rows.UNREADABLE_OF, {"of": mailbox})}
        for item in found:
            before = known.get(item.key)
            same = before is not None and before.digest == item.digest
            self._clear(mailbox, [item.key])
            row: dict[str, Any] = {"mailbox": mailbox, "key": item.key, "version": item.version, "digest": item.digest}
            row |= {"reason": item.reason, "seen": before.seen if before and same else epoch(seen)}
            row |= {"acknowledged": bool(before and same and before.acknowledged)}
            self._session.execute(rows.ADD_UNREADABLE, row)

    def failed(self, mailbox: MailboxId, reason: str, now: datetime, retry_at: datetime) -> None:
        """Record that a pass did not complete; the mirror stays as it was and ages."""
        self._trouble(mailbox, now, problem=reason, attempts=MailboxRow.attempts + 1, retry_at=epoch(retry_at))

    def refuse(self, mailbox: MailboxId, reason: str, now: datetime) -> None:
        """Record that an unbelievable loss waits for a person; the mailbox is closed until then."""
        self._trouble(mailbox, now, problem=reason, refused=reason, attempts=0, retry_at=None)
        self._settings.bump()

    def _trouble(self, mailbox: MailboxId, now: datetime, **values: Any) -> None:
        since = func.coalesce(MailboxRow.problem_since, epoch(now))
        self._session.execute(update(MailboxRow).where(MailboxRow.id == mailbox).values(problem_since=since, **values))

    def occurrences(self, ids: Collection[MailboxId], window: Interval) -> dict[MailboxId, list[Occurrence]]:
        """What the mirror holds in *window*, by mailbox and in order; every id has an entry."""
        found: dict[MailboxId, list[Occurrence]] = {mailbox: [] for mailbox in ids}
        within = {"begin": epoch(window.start), "until": epoch(window.end)}
        for some in chunks(ids):
            # Equality with one id is what indexes like best.
            query = rows.OCCURRENCES_OF_ONE if len(some) == 1 else rows.OCCURRENCES_OF
            which = {"of": some[0]} if len(some) == 1 else {"many": some}
            for mailbox, *fields in self._session.execute(query, within | which):
                found[mailbox].append(rows.occurrence(*fields))
        return found

    def groups(self, mailbox: MailboxId, keys: Iterable[GroupKey]) -> dict[GroupKey, tuple[Occurrence, ...]]:
        """The occurrences of those of these groups that we hold; a group without any has an empty entry."""
        found: dict[GroupKey, list[Occurrence]] = {}
        for some in chunks(keys):
            which = {"of": mailbox, "keys": some}
            found |= {key: [] for key in self._session.scalars(rows.GROUPS_KNOWN, which)}
            for key, *fields in self._session.execute(rows.GROUPS_HELD, which):
                found.setdefault(key, []).append(rows.occurrence(*fields))
        return {key: tuple(occurrences) for key, occurrences in found.items()}

    def keys(self, mailbox: MailboxId) -> frozenset[GroupKey]:
        """Keys of everything held of a mailbox, readable or not."""
        return frozenset(self._session.scalars(rows.GROUP_KEYS, {"of": mailbox})) | self.unreadable_keys(mailbox)

    def upcoming(self, mailbox: MailboxId, now: datetime) -> int:
        """How many groups of the mailbox have an occurrence that is not over."""
        return self._session.scalar(rows.UPCOMING, {"of": mailbox, "now": epoch(now)}) or 0

    def own(self, mailbox: MailboxId, now: datetime) -> list[tuple[str, GroupKey | None, Interval, bool, bool]]:
        """Our entries here whose meeting is not long over.

        :returns: meeting, key, time, whether it should stand here, and whether it is a note to the caseworker only.
        """
        found = self._session.execute(rows.OWN, {"of": mailbox, "since": epoch(now - timedelta(days=1))})
        return [
            (one, key, span(start, end), here and held, bool(only)) for one, key, start, end, here, held, only in found
        ]

    def unreadable(self, mailbox: MailboxId | None = None) -> list[UnreadableObject]:
        """Objects that could not be understood, of one mailbox or all, acknowledged ones too."""
        return [
            UnreadableObject(row.mailbox, row.key, row.digest, row.reason, moment(row.seen), row.acknowledged)
            for row in self._session.execute(rows.UNREADABLE_OF if mailbox else rows.UNREADABLE, {"of": mailbox})
        ]

    def unreadable_keys(self, mailbox: MailboxId) -> frozenset[GroupKey]:
        """Keys of the objects of a mailbox that could not be understood."""
        return frozenset(self._session.scalars(rows.UNREADABLE_KEYS, {"of": mailbox}))

    def acknowledge(self, mailbox: MailboxId, key: GroupKey, digest: str) -> bool:
        """Let offers open although this object cannot be understood, as long as its bytes stay the same.

        :returns: False when there is no such object with this digest.
        """
        same = (UnreadableRow.mailbox == mailbox, UnreadableRow.key == key, UnreadableRow.digest == digest)
        query = update(UnreadableRow).where(*same).values(acknowledged=True).returning(UnreadableRow.key)
        if self._session.scalar(query) is None:
            return False
        self._settings.bump()
        return True
