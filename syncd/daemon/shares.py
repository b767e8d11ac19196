"""Calendars of an account in shares: what one node reads in one go.

They are cut once for each directory: to work out anew for each share who is in it takes, with thousands of calendars,
longer than to read them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from syncd.model.directory import Mailbox, MailboxId

SIZE = 16
"""Calendars that one node reads in one go, a few at a time: about as many as a server answers in a second or two."""


@dataclass(frozen=True, slots=True)
class Share:
    """Some of the calendars of an account, always the same ones: number *number* of *of*."""

    account: str
    number: int = 0
    of: int = 1

    @property
    def name(self) -> str:
        """The account, and which share if there are several."""
        return self.account if self.of == 1 else f"{self.account}/{self.number + 1}of{self.of}"


def cut(boxes: Iterable[Mailbox], *, alone: bool) -> Mapping[Share, tuple[Mailbox, ...]]:
    """Shares which together are all *boxes*; one may be empty.

    :param alone: no other node takes any: all calendars of an account are one share.
    """
    accounts = defaultdict[str, list[Mailbox]](list)
    for box in boxes:
        accounts[box.account].append(box)
    found = dict[Share, tuple[Mailbox, ...]]()
    for account, own in sorted(accounts.items()):
        of = 1 if alone else -(-len(own) // SIZE)
        parts: list[list[Mailbox]] = [[] for _ in range(of)]
        for box in own:
            parts[_number(box.id, of)].append(box)
        found |= {Share(account, number, of): tuple(part) for number, part in enumerate(parts)}
    return found


def _number(mailbox: MailboxId, of: int) -> int:
    """The same on every node."""
    return 0 if of == 1 else int.from_bytes(sha256(mailbox.encode()).digest()[:8]) % of
