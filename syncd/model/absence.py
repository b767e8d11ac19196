"""A caseworker's absence: time in which they hold no meetings."""

from __future__ import annotations

from dataclasses import dataclass

from syncd.model.directory import MailboxId
from syncd.model.interval import Interval


@dataclass(frozen=True, slots=True)
class Absence:
    """Given by hand; nothing of the caseworker's is offered in it.

    :param reachable: whether they can be reached by telephone, and could hold a talk that way.
    :param actor: who gave it (``cli:USER``, ``client:NAME``).
    """

    id: int
    caseworker: MailboxId
    interval: Interval
    reachable: bool
    actor: str
