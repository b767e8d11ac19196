"""What we hold of a mailbox, lent to an adapter while it talks to the server; no transaction stays open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, or_, select

from syncd.model.delta import GroupKey, Version
from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.ports import Remembered
from syncd.store import mirror_rows as rows
from syncd.store.chunks import chunks
from syncd.store.instants import epoch
from syncd.store.prepared import prepared
from syncd.store.tables import GroupRow

if TYPE_CHECKING:
    from syncd.store.session import Store

_REMEMBERED = prepared(
    select(GroupRow.key, GroupRow.version, GroupRow.memory).where(
        GroupRow.mailbox == bindparam("of"), GroupRow.key.in_(bindparam("keys", expanding=True))
    )
)


class StoredMemory:
    """A `syncd.ports.Memory`; each call is a short read of its own.

    :param retry_unreadable: keep quiet about objects that could not be understood, so that the adapter
        fetches them again (a newer syncd may understand them).
    """

    def __init__(self, store: Store, mailbox: MailboxId, *, retry_unreadable: bool = False) -> None:
        self._store = store
        self._mailbox = mailbox
        self._retry_unreadable = retry_unreadable

    def versions(self) -> Mapping[GroupKey, Version]:
        """Version of every group and every unreadable object we hold."""
        of = {"of": self._mailbox}
        with self._store.read() as tx:
            known = dict(tx.session.execute(rows.GROUP_VERSIONS, of).all())
            if not self._retry_unreadable:
                known |= dict(tx.session.execute(rows.UNREADABLE_VERSIONS, of).all())
        return known

    def recall(self, keys: Iterable[GroupKey]) -> Mapping[GroupKey, Remembered]:
        """The adapter's own memory of these groups; unknown keys are left out."""
        found: dict[GroupKey, Remembered] = {}
        keys = list(keys)
        if not keys:
            return found
        with self._store.read() as tx:
            for some in chunks(keys):
                some_rows = tx.session.execute(_REMEMBERED, {"of": self._mailbox, "keys": some})
                found |= {key: Remembered(version, memory) for key, version, memory in some_rows}
        return found

    def touching(self, window: Interval) -> Iterable[GroupKey]:
        """Keys of groups whose first..last span touches *window* (endless series always do)."""
        reaches = or_(GroupRow.last.is_(None), GroupRow.last >= epoch(window.start))
        query = select(GroupRow.key).where(
            GroupRow.mailbox == self._mailbox, GroupRow.first < epoch(window.end), reaches
        )
        with self._store.read() as tx:
            return list(tx.session.scalars(query))
