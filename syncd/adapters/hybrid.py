"""One calendar port over two servers, Exchange on the premises and Microsoft 365: each mailbox is where it says it is.

Where a mailbox lives stands in what the engine keeps anyway, in one transaction with the calendar's content
(`syncd.adapters.sides`): nothing is remembered beside the mirror, and an account that becomes hybrid goes on where it
was. A mailbox changes sides only when the server that had it says that it has it no more, and the other one answers.
One that answers on both servers is refused: Exchange Online makes a second, empty mailbox for whoever gets a licence
while the real one is still on the premises, and an empty calendar looks free.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from syncd.adapters.sides import Side, SideMemory, sides
from syncd.errors import (
    AccessDenied,
    CalendarError,
    CalendarNotFound,
    HostedElsewhere,
    Rejected,
    VersionConflict,
)
from syncd.model.delta import Delta, GroupKey, Since
from syncd.model.directory import ListedRoom, Mailbox, MailboxId
from syncd.model.entry import Entry, EntryDraft
from syncd.model.interval import Interval
from syncd.model.subscription import Subscription
from syncd.ports import (
    CalendarPort,
    CheckResult,
    Glancing,
    Glimpse,
    GroupSource,
    Inviting,
    Listening,
    Member,
    Memory,
    Notifying,
    Preparing,
    RoomSource,
    Scoped,
    Translating,
)

T = TypeVar("T")
NOBODYS_UID = "00000000-0000-0000-0000-000000000000"
"""Looked for where the only question is whether the mailbox answers."""


class HybridCalendar:
    """Implements `CalendarPort`, and what both servers together offer beside; safe for several threads.

    :param name, port: the account that mailboxes name. :param other, other_port: where they may live instead.
    """

    def __init__(self, name: str, port: CalendarPort, other: str, other_port: CalendarPort) -> None:
        self._sides = sides(name, port, other, other_port)
        self._homes: dict[MailboxId, Side] = {}

    def close(self) -> None:
        """Let go of kept connections."""
        for side in self._sides:
            if (close := getattr(side.port, "close", None)) is not None:
                close()

    def changes(self, mailbox: Mailbox, window: Interval, since: Since | None, memory: Memory) -> Delta:
        """See `CalendarPort.changes`; after a move of the mailbox the answer is a full listing that says so."""
        before = self._before(since, memory)

        def ask(side: Side) -> Delta:
            stays = before in (None, side)
            found = side.port.changes(mailbox, window, side.since(since) if stays else None, SideMemory(memory, side))
            return side.delta(found, None if stays else self._renamed(mailbox, before, side, memory, window))

        return self._at_home(mailbox, ask, before)

    def find(self, mailbox: Mailbox, uid: str) -> tuple[Entry, ...]:
        """See `CalendarPort.find`."""
        return self._at_home(mailbox, lambda side: tuple(map(side.entry, side.port.find(mailbox, uid))))

    def create(self, mailbox: Mailbox, draft: EntryDraft) -> Entry:
        """See `CalendarPort.create`."""
        return self._at_home(mailbox, lambda side: side.entry(side.port.create(mailbox, draft)))

    def update(self, mailbox: Mailbox, entry: Entry, draft: EntryDraft) -> Entry:
        """See `CalendarPort.update`; an entry of before a move was removed."""
        return self._at_home(mailbox, lambda side: side.entry(side.port.update(mailbox, _bare(side, entry), draft)))

    def delete(self, mailbox: Mailbox, entry: Entry) -> None:
        """See `CalendarPort.delete`."""
        self._at_home(mailbox, lambda side: side.port.delete(mailbox, _bare(side, entry)))

    def check(self, mailbox: Mailbox) -> CheckResult:
        """See `CalendarPort.check`; says on which of both servers the mailbox lives."""
        here, there = ((side, side.port.check(mailbox)) for side in self._sides)
        good = [(side, result) for side, result in (here, there) if result.ok]
        if _stands(here[1]) and _stands(there[1]):
            return CheckResult(ok=False, says=_twice(mailbox, *self._sides), facts={"lives": "twice"})
        if good:
            side, result = good[0]
            unseen = there if side is here[0] else here
            says = f"Lives in {side.name}. {result.says}{_unseen(*unseen)}"
            return replace(result, says=says, facts={**result.facts, "lives": side.name})
        says = " ".join(f"{side.name}: {result.says}" for side, result in (here, there))
        return CheckResult(ok=False, says=says, facts={**here[1].facts, "lives": "unknown"})

    def glance(self, asked: Collection[tuple[Mailbox, Since]]) -> Glimpse:
        """See `Glancing.glance`; each mailbox is glanced at where it was read last."""
        unchanged: frozenset[MailboxId] = frozenset()
        requests = 0
        for side in self._sides:
            if not isinstance(side.port, Glancing):
                continue
            own = [(mailbox, since) for mailbox, kept in asked if (since := side.since(kept)) is not None]
            seen = side.port.glance(own)
            unchanged, requests = unchanged | seen.unchanged, requests + seen.requests
        return Glimpse(unchanged, requests)

    def heard(self, mailboxes: Collection[Mailbox]) -> frozenset[MailboxId]:
        """See `Listening.heard`; listens to those whose home is known."""
        found: frozenset[MailboxId] = frozenset()
        for side in self._sides:
            if isinstance(side.port, Listening):
                found |= side.port.heard([one for one in mailboxes if self._homes.get(one.id) is side])
        return found

    def subscribe(self, mailbox: Mailbox, url: str, word: str, until: datetime) -> Subscription:
        """See `Notifying.subscribe`; only what lives where somebody calls."""
        return self._calling(mailbox).subscribe(mailbox, url, word, until)

    def renew(self, mailbox: Mailbox, subscription: str, until: datetime) -> Subscription:
        """See `Notifying.renew`."""
        return self._calling(mailbox).renew(mailbox, subscription, until)

    def unsubscribe(self, mailbox: Mailbox, subscription: str) -> None:
        """See `Notifying.unsubscribe`; also of a mailbox that has moved away since."""
        for side in self._sides:
            if isinstance(side.port, Notifying):
                side.port.unsubscribe(mailbox, subscription)

    def _calling(self, mailbox: Mailbox) -> Notifying:
        home = self._homes.get(mailbox.id)
        if home is None or not isinstance(home.port, Notifying):
            raise Rejected(f"{mailbox.address} does not live, as far as is known, on a server that tells of changes.")
        return home.port

    def answers(self, room: Mailbox) -> bool:
        """See `Inviting.answers`; on both servers a room answers for itself, wherever it lives."""
        return any(isinstance(side.port, Inviting) and side.port.answers(room) for side in self._sides)

    def crosses(self) -> bool:
        """See `Crossing.crosses`: Graph chooses the UIDs of its meetings itself."""
        return True

    def silence(self, room: Mailbox) -> str:
        """See `Inviting.silence`."""
        port = self._homes.get(room.id, self._sides[0]).port
        return port.silence(room) if isinstance(port, Inviting) else ""

    def prepare(self, mailbox: Mailbox, categories: Collection[str]) -> tuple[str, ...]:
        """See `Preparing.prepare`."""

        def ask(side: Side) -> tuple[str, ...]:
            if isinstance(side.port, Preparing):
                return side.port.prepare(mailbox, categories)
            raise Rejected(f"{side.name} keeps no list of categories that syncd could add to.")

        return self._at_home(mailbox, ask)

    def expand_group(self, address: str) -> tuple[Member, ...]:
        """See `GroupSource.expand_group`; the first server that has the group tells."""
        missing: CalendarError = Rejected(f"Neither {self._sides[0].name} nor {self._sides[1].name} knows groups.")
        for side in self._sides:
            if isinstance(side.port, GroupSource):
                try:
                    return side.port.expand_group(address)
                except CalendarNotFound as error:
                    missing = error
        raise missing

    def listed_rooms(self) -> tuple[ListedRoom, ...]:
        """See `RoomSource.listed_rooms`; those of both servers."""
        sources = [side.port for side in self._sides if isinstance(side.port, RoomSource)]
        found = {room.address: room for port in reversed(sources) for room in port.listed_rooms()}
        return tuple(found[address] for address in sorted(found))

    def scope(self) -> tuple[CheckResult, ...]:
        """See `Scoped.scope`."""
        return tuple(result for side in self._sides if isinstance(side.port, Scoped) for result in side.port.scope())

    def _at_home(self, mailbox: Mailbox, work: Callable[[Side], T], before: Side | None = None) -> T:
        """Do *work* where the mailbox lives; where it does not any more, nothing was done."""
        side = self._homes.get(mailbox.id) or before or self._asked(mailbox)
        try:
            result = work(side)
        except HostedElsewhere as gone:
            side = self._opposite(side)
            try:
                result = work(side)
            except CalendarNotFound as error:
                raise CalendarNotFound(f"{gone} {error}") from error
        self._homes[mailbox.id] = side
        return result

    def _asked(self, mailbox: Mailbox) -> Side:
        """The only side that has a mailbox never met before.

        :raises Rejected: both answer for it. :raises AccessDenied: it cannot be told whether the second one does, too.
        """
        first, second = self._sides
        try:
            first.port.find(mailbox, NOBODYS_UID)
        except HostedElsewhere:
            return second
        try:
            second.port.find(mailbox, NOBODYS_UID)
        except CalendarNotFound:
            return first
        except AccessDenied:
            if not isinstance(second.port, Scoped):
                raise
            return first  # a twin beyond the scope of our application takes nobody's place
        raise Rejected(_twice(mailbox, first, second))

    def _before(self, since: Since | None, memory: Memory) -> Side | None:
        """Where the mailbox was when it was read last; None when it never was, or was empty."""
        token = since.token if since is not None else None
        kept = token if token is not None else next(iter(memory.versions()), None)
        return None if kept is None else next(side for side in self._sides if side.owns(kept))

    def _opposite(self, side: Side) -> Side:
        return self._sides[0] if side is self._sides[1] else self._sides[1]

    def _renamed(
        self, mailbox: Mailbox, before: Side | None, now: Side, memory: Memory, window: Interval
    ) -> Mapping[GroupKey, GroupKey]:
        """What we hold, by the names of the server that has it now, as far as that server can tell."""
        if before is None or not isinstance(now.port, Translating):
            return {}
        keys = list(SideMemory(memory, before).touching(window))
        found = now.port.translated(mailbox, keys)
        return {before.kept(old): now.kept(new) for old, new in found.items()}


def _bare(side: Side, entry: Entry) -> Entry:
    """The entry by its server's own name.

    :raises VersionConflict: it was read on the other server; whoever looks again finds it here.
    """
    if not side.owns(entry.key):
        raise VersionConflict(f"The entry {entry.uid} was read before its mailbox moved to {side.name}; look again.")
    return replace(entry, key=side.bare(entry.key))


def _stands(result: CheckResult) -> bool:
    """Whether the mailbox is there: a calendar that may only be read is one, too."""
    return result.ok or result.facts.get("writable") == "no"


def _unseen(side: Side, result: CheckResult) -> str:
    """A sentence about the other server when it does not let us see whether the mailbox is there, too."""
    if result.facts.get("error") != "AccessDenied" or isinstance(side.port, Scoped):
        return ""
    return (
        f" Whether it is in {side.name}, too, cannot be told, and until it was read once nothing is offered on it: "
        f"{result.says}"
    )


def _twice(mailbox: Mailbox, first: Side, second: Side) -> str:
    return (
        f"{mailbox.address} has a mailbox in {first.name} and in {second.name}, and syncd cannot know which one is in "
        "use. If it was never read before, nothing is offered on it; if it was, syncd stays with the one it knows. "
        "Remove the one that is not in use (often an empty one that came with a licence), or name an account that is "
        "not hybrid for this mailbox."
    )
