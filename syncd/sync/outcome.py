"""What came of one pass over one mailbox."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from syncd.model.directory import MailboxId
from syncd.model.interval import Interval
from syncd.model.mirror import UnreadableObject
from syncd.sync.plan import Loss


class Result(StrEnum):
    """How a pass ended."""

    OK = "ok"
    """Completed, and something was different."""
    UNCHANGED = "unchanged"
    """Completed; nothing new."""
    FAILED = "failed"
    """The server did not answer as it should; the mirror is as it was."""
    REFUSED = "refused"
    """An unbelievable loss waits for a person; the mirror is as it was."""
    WAITING = "waiting"
    """Not tried: it failed before and its pause is not over."""
    OVERTAKEN = "overtaken"
    """Another process completed a pass meanwhile; this one was dropped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one pass over one mailbox.

    :param problem: a sentence for the operator: what is wrong and which command helps; None when nothing is.
    :param full: everything was compared.
    :param changed, removed: groups written and groups forgotten.
    :param unreadable: objects of this mailbox that cannot be understood and are not acknowledged.
    :param requests: HTTP requests it cost.
    :param dirty: spans in which answers may differ.
    :param touched: ids of our meetings that reconcile will look at.
    """

    mailbox: MailboxId
    result: Result
    problem: str | None = None
    full: bool = False
    changed: int = 0
    removed: int = 0
    unreadable: int = 0
    requests: int = 0
    dirty: tuple[Interval, ...] = ()
    touched: tuple[str, ...] = ()

    @property
    def completed(self) -> bool:
        """Whether the mirror equals the calendar as it was when the pass began."""
        return self.result in (Result.OK, Result.UNCHANGED)

    @property
    def settled(self) -> bool:
        """Whether nobody needs to do anything about it."""
        return self.completed or self.result is Result.OVERTAKEN


@dataclass(frozen=True, slots=True)
class LossPreview:
    """What accepting the present state of a calendar would remove from the mirror.

    :param refused: whether it would be refused without a person's word.
    """

    mailbox: MailboxId
    loss: Loss
    refused: bool


def unreadable_problem(broken: Sequence[UnreadableObject]) -> str | None:
    """What to do about objects that cannot be understood; None without any."""
    if not broken:
        return None
    first = broken[0]
    others = f" (all of them: syncd check {first.mailbox})" if broken[1:] else ""
    return (
        f"{len(broken)} object(s) cannot be understood ({first.reason}), so nothing is offered on this calendar"
        f"{others}. Mend them, or if they do not matter run: {acknowledging(first)}"
    )


def acknowledging(item: UnreadableObject) -> str:
    """The command that acknowledges *item*, as a shell takes it."""
    return f"syncd sync {shlex.quote(item.mailbox)} --acknowledge {shlex.quote(item.key)}"
