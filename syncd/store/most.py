"""What nearly every row has in common, so that looking it up by its index would read nearly all of them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func

from syncd.store.tables import BookingRow

STATE: ColumnElement[str] = func.coalesce(BookingRow.state, "")
"""A booking's state beside something that few have: SQLite, which knows no numbers of rows, would begin with the index
of states and read every booking ever made; of an expression it has no index."""
