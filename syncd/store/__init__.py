"""The database: one transaction per fact, no network inside it."""

from syncd.store.session import Store, Tx

__all__ = ["Store", "Tx"]
