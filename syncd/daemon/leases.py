"""Leases that this node takes and gives back; none stays behind unknown to it, whatever becomes of its line."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import count

from syncd.errors import StoreError
from syncd.observe.logs import log
from syncd.store import Store
from syncd.store.nodes import Nodes


@dataclass(frozen=True, slots=True)
class Taken:
    """Leases that were taken at once, by a node of that name; perhaps none."""

    names: tuple[str, ...]
    node: str
    epoch: int


class Leases:
    """Takes leases for one node. Thread-safe.

    A lease holds for as long as its node is heard of, so one that was taken by a statement whose answer was lost, or
    could not be given back, would be kept from everybody for good. It is remembered, and given back by `settle`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._epochs = count(1)
        self._doubtful: set[Taken] = set()
        self._lock = threading.Lock()

    def take(self, names: Collection[str], node: str) -> Taken:
        """Those of *names* that no living node has.

        :raises StoreError: the database cannot be used.
        """
        wish = Taken(tuple(sorted(names)), node, next(self._epochs))
        try:
            got = self._store.run(lambda tx: Nodes(tx.session).take(wish.names, node, wish.epoch))
        except StoreError:
            self._doubt(wish)
            raise
        return replace(wish, names=tuple(got))

    def give_back(self, taken: Taken) -> None:
        """Let others have them; when the database does not hear of it, `settle` says it again."""
        try:
            self._store.run(lambda tx: Nodes(tx.session).give_back(taken.names, taken.node, taken.epoch))
        except StoreError as error:
            self._doubt(taken)
            log.warning("node.lease_kept", node=taken.node, problem=str(error))

    def settle(self) -> None:
        """Give back what may have been kept, now that the database answers."""
        with self._lock:
            doubtful, self._doubtful = self._doubtful, set()
        for taken in doubtful:
            self.give_back(taken)

    def _doubt(self, taken: Taken) -> None:
        with self._lock:
            self._doubtful.add(taken)
