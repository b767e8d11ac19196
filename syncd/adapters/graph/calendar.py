"""The calendar port over Microsoft Graph."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from syncd.adapters.graph import directory, rights, subscriptions
from syncd.adapters.graph.account import GraphAccount
from syncd.adapters.graph.advice import silent_room
from syncd.adapters.graph.client import Client
from syncd.adapters.graph.entries import Entries
from syncd.adapters.graph.ours import Copies
from syncd.adapters.graph.reading import Reading
from syncd.adapters.graph.rounds import Token, mark_of, next_round
from syncd.adapters.graph.survey import survey, troubled
from syncd.clock import Clock, SystemClock
from syncd.errors import CalendarError
from syncd.model.delta import Delta, GroupKey, Since
from syncd.model.directory import ListedRoom, Mailbox, MailboxId, MailboxKind
from syncd.model.entry import Entry, EntryDraft
from syncd.model.interval import Interval
from syncd.model.marks import folded
from syncd.model.subscription import Subscription
from syncd.observe.logs import log
from syncd.observe.metrics import GRAPH_DRIFT, GRAPH_SEEDS
from syncd.ports import CheckResult, Glimpse, Member, Memory


class GraphCalendar:
    """The mailboxes of one Microsoft 365 tenant; implements `CalendarPort` and what may be offered beside.

    Safe to be called by several threads at once; calls for one mailbox wait for each other.

    :param obeyed: names of the categories that mean something to us; all others are dropped on reading.
    """

    def __init__(self, account: GraphAccount, *, obeyed: Iterable[str] = (), clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.client = Client(account, self._clock)
        self._copies = Copies()
        self._cursors: dict[MailboxId, Token] = {}
        self._obeyed = frozenset(folded(name) for name in obeyed)

    def close(self) -> None:
        """Let go of kept connections."""
        self.client.close()

    def changes(self, mailbox: Mailbox, window: Interval, since: Since | None, memory: Memory) -> Delta:
        """See `CalendarPort.changes`."""
        mark = self._mark(mailbox)
        with self.client.call(mailbox.address) as call:
            reading = Reading(self.client, mailbox, window, self._obeyed, self._copies, mark)
            token = Token.decode(since.token, mark) if since is not None else None
            if since is not None and token is not None and token.span.contains(window):
                delta = reading.poll(token, since, memory, lambda: call.requests)
            else:
                delta = reading.seed(since, memory, lambda: call.requests, token or self._cursors.get(mailbox.id))
                self._note(mailbox, reading.drift)
            if (ended := Token.decode(delta.token, mark)) is not None:
                self._cursors[mailbox.id] = ended
            return delta

    def glance(self, asked: Collection[tuple[Mailbox, Since]]) -> Glimpse:
        """See `Glancing.glance`; one small request for each mailbox, several at a time."""
        if not asked:
            return Glimpse(frozenset(), 0)
        with ThreadPoolExecutor(min(self.client.meter.most, len(asked)), "glance") as pool:
            looks = list(pool.map(lambda pair: self._still(*pair), asked))
        return Glimpse(frozenset(one for one, _ in looks if one is not None), sum(requests for _, requests in looks))

    def find(self, mailbox: Mailbox, uid: str) -> tuple[Entry, ...]:
        """See `CalendarPort.find`."""
        with self.client.call(mailbox.address):
            return self._entries(mailbox).find(uid)

    def create(self, mailbox: Mailbox, draft: EntryDraft) -> Entry:
        """See `CalendarPort.create`."""
        with self.client.call(mailbox.address):
            return self._entries(mailbox).create(draft)

    def update(self, mailbox: Mailbox, entry: Entry, draft: EntryDraft) -> Entry:
        """See `CalendarPort.update`."""
        with self.client.call(mailbox.address):
            return self._entries(mailbox).update(entry, draft)

    def delete(self, mailbox: Mailbox, entry: Entry) -> None:
        """See `CalendarPort.delete`."""
        with self.client.call(mailbox.address):
            self._entries(mailbox).delete(entry)

    def check(self, mailbox: Mailbox) -> CheckResult:
        """See `CalendarPort.check`."""
        tomorrow = Interval.at(self._clock.now() + timedelta(days=1), 24 * 60)
        try:
            with self.client.call(mailbox.address):
                return survey(self.client, mailbox, tomorrow)
        except CalendarError as error:
            return troubled(error)

    def answers(self, room: Mailbox) -> bool:
        """See `syncd.ports.Inviting.answers`."""
        return room.kind is MailboxKind.ROOM and room.invited

    def silence(self, room: Mailbox) -> str:
        """See `syncd.ports.Inviting.silence`."""
        return silent_room(room.address)

    def expand_group(self, address: str) -> tuple[Member, ...]:
        """See `syncd.ports.GroupSource.expand_group`."""
        with self.client.call(address):
            return directory.expand(self.client, address)

    def listed_rooms(self) -> tuple[ListedRoom, ...]:
        """See `syncd.ports.RoomSource.listed_rooms`."""
        with self.client.call("the rooms"):
            return directory.listed_rooms(self.client)

    def translated(self, mailbox: Mailbox, keys: Collection[GroupKey]) -> Mapping[GroupKey, GroupKey]:
        """See `syncd.ports.Translating.translated`."""
        with self.client.call(mailbox.address):
            return directory.translated(self.client, mailbox.address, keys)

    def subscribe(self, mailbox: Mailbox, url: str, word: str, until: datetime) -> Subscription:
        """See `syncd.ports.Notifying.subscribe`."""
        with self.client.call(mailbox.address):
            return subscriptions.subscribe(self.client, mailbox.address, url, word, until)

    def renew(self, mailbox: Mailbox, subscription: str, until: datetime) -> Subscription:
        """See `syncd.ports.Notifying.renew`."""
        with self.client.call(mailbox.address):
            return subscriptions.renew(self.client, mailbox.address, subscription, until)

    def unsubscribe(self, mailbox: Mailbox, subscription: str) -> None:
        """See `syncd.ports.Notifying.unsubscribe`."""
        with self.client.call(mailbox.address):
            subscriptions.unsubscribe(self.client, mailbox.address, subscription)

    def scope(self) -> tuple[CheckResult, ...]:
        """See `syncd.ports.Scoped.scope`."""
        return rights.scope(self.client, Interval.at(self._clock.now() + timedelta(days=1), 24 * 60))

    def _note(self, mailbox: Mailbox, drift: int) -> None:
        GRAPH_SEEDS.inc()
        GRAPH_DRIFT.inc(drift)
        if drift:
            log.warning("graph.drift", mailbox=mailbox.id, count=drift)

    def _entries(self, mailbox: Mailbox) -> Entries:
        return Entries(self.client, mailbox, self._copies)

    def _mark(self, mailbox: Mailbox) -> str:
        return mark_of(self.client.root, mailbox.address)

    def _still(self, mailbox: Mailbox, since: Since) -> tuple[MailboxId | None, int]:
        """The mailbox's id when it surely did not change, and what the look cost."""
        token = Token.decode(since.token, self._mark(mailbox))
        if token is None:
            return None, 0
        with self.client.calls.begin(self.client.account.timeout) as call:
            try:
                with self.client.call(mailbox.address):
                    said = next_round(self.client, mailbox.address, token.link)
            except CalendarError:
                return None, call.requests  # whoever reads it meets the trouble again, and says so
            return (None if said.rows else mailbox.id), call.requests
