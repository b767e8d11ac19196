"""Tables of many nodes: who serves, and who alone may do what; empty where one node serves."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from syncd.store.tables import Base


class NodeRow(Base):
    """A process that serves together with others; all instants are the database server's."""

    __tablename__ = "nodes"
    id: Mapped[str] = mapped_column(primary_key=True)
    """Machine and a random word; another one after each start, and after each time it was taken for dead."""
    role: Mapped[str]
    version: Mapped[str]
    layout: Mapped[str] = mapped_column(server_default="0021")
    """The newest layout of the database that it knows; those before it was asked know the one that began to ask."""
    started: Mapped[int]
    beat: Mapped[int]
    """When it was heard of last; silent for `syncd.store.nodes.DEAD`, it is dead."""


class LeaseRow(Base):
    """What one node alone does, for as long as that node is heard of."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(primary_key=True)
    node: Mapped[str]
    epoch: Mapped[int]
    """Of the node's own choice, another one each time, so that what is given back late is not one taken since."""
