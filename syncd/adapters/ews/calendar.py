"""The calendar port over Exchange Web Services."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from syncd.adapters.ews import groups
from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.advice import silent_room
from syncd.adapters.ews.categories import prepare
from syncd.adapters.ews.client import Client
from syncd.adapters.ews.entries import Entries
from syncd.adapters.ews.look import Token, mark_of, unchanged_since
from syncd.adapters.ews.reading import Reading
from syncd.adapters.ews.rooms import listed_rooms
from syncd.adapters.ews.stream import Listener
from syncd.adapters.ews.survey import survey, troubled
from syncd.clock import Clock, SystemClock
from syncd.errors import CalendarError
from syncd.model.delta import Delta, Since
from syncd.model.directory import ListedRoom, Mailbox, MailboxId, MailboxKind
from syncd.model.entry import Entry, EntryDraft
from syncd.model.interval import Interval
from syncd.model.marks import folded
from syncd.ports import CheckResult, Glimpse, Member, Memory


class EwsCalendar:
    """The mailboxes of one Exchange server; implements `CalendarPort` and what may be offered beside.

    Safe to be called by several threads at once; calls for one mailbox wait for each other.

    :param obeyed: names of the categories that mean something to us; all others are dropped on reading.
    """

    def __init__(self, account: EwsAccount, *, obeyed: Iterable[str] = (), clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._client = Client(account, self._clock)
        self._listener = Listener(account, self._client.sessions, self._client.endpoints)
        self._obeyed = frozenset(folded(name) for name in obeyed)

    def close(self) -> None:
        """Let go of kept connections."""
        self._listener.close()
        self._client.close()

    def changes(self, mailbox: Mailbox, window: Interval, since: Since | None, memory: Memory) -> Delta:
        """See `CalendarPort.changes`."""
        with self._client.call(mailbox.address) as call:
            reading = Reading(self._client, mailbox, window, self._obeyed)
            return reading.delta(since, memory, lambda: call.requests)

    def glance(self, asked: Collection[tuple[Mailbox, Since]]) -> Glimpse:
        """See `Glancing.glance`; one small request for each mailbox, several at a time."""
        if not asked:
            return Glimpse(frozenset(), 0)
        with ThreadPoolExecutor(min(self._client.account.connections, len(asked)), "glance") as pool:
            looks = list(pool.map(lambda pair: self._still(*pair), asked))
        return Glimpse(frozenset(one for one, _ in looks if one is not None), sum(requests for _, requests in looks))

    def find(self, mailbox: Mailbox, uid: str) -> tuple[Entry, ...]:
        """See `CalendarPort.find`."""
        with self._client.call(mailbox.address):
            return Entries(self._client, mailbox).find(uid)

    def create(self, mailbox: Mailbox, draft: EntryDraft) -> Entry:
        """See `CalendarPort.create`."""
        with self._client.call(mailbox.address):
            return Entries(self._client, mailbox).create(draft)

    def update(self, mailbox: Mailbox, entry: Entry, draft: EntryDraft) -> Entry:
        """See `CalendarPort.update`."""
        with self._client.call(mailbox.address):
            return Entries(self._client, mailbox).update(entry, draft)

    def delete(self, mailbox: Mailbox, entry: Entry) -> None:
        """See `CalendarPort.delete`."""
        with self._client.call(mailbox.address):
            Entries(self._client, mailbox).delete(entry)

    def check(self, mailbox: Mailbox) -> CheckResult:
        """See `CalendarPort.check`."""
        tomorrow = Interval.at(self._clock.now() + timedelta(days=1), 24 * 60)
        try:
            with self._client.call(mailbox.address):
                return survey(self._client, mailbox, tomorrow)
        except CalendarError as error:
            return troubled(error)

    def heard(self, mailboxes: Collection[Mailbox]) -> frozenset[MailboxId]:
        """See `syncd.ports.Listening.heard`."""
        return self._listener.heard(mailboxes)

    def prepare(self, mailbox: Mailbox, categories: Collection[str]) -> tuple[str, ...]:
        """See `syncd.ports.Preparing.prepare`."""
        with self._client.call(mailbox.address):
            return prepare(self._client, mailbox.address, categories)

    def answers(self, room: Mailbox) -> bool:
        """See `syncd.ports.Inviting.answers`."""
        return room.kind is MailboxKind.ROOM and room.invited

    def silence(self, room: Mailbox) -> str:
        """See `syncd.ports.Inviting.silence`."""
        return silent_room(room.address)

    def expand_group(self, address: str) -> tuple[Member, ...]:
        """See `syncd.ports.GroupSource.expand_group`; asked for as the group's own address, without impersonation."""
        with self._client.call(address):
            return groups.expand(self._client, address)

    def listed_rooms(self) -> tuple[ListedRoom, ...]:
        """See `syncd.ports.RoomSource.listed_rooms`."""
        with self._client.call("the room lists"):
            return listed_rooms(self._client)

    def _still(self, mailbox: Mailbox, since: Since) -> tuple[MailboxId | None, int]:
        """The mailbox's id when it surely did not change, and what the look cost."""
        with self._client.calls.begin(self._client.account.timeout) as call:
            try:
                token = Token.decode(
                    since.token, mark_of(self._client.endpoints.of(mailbox.address).url, mailbox.address)
                )
                if token is None:
                    return None, call.requests
                with self._client.call(mailbox.address):
                    same = unchanged_since(self._client, mailbox.address, token.state)
            except CalendarError:
                return None, call.requests  # whoever reads it meets the trouble again, and says so
            return (mailbox.id if same else None), call.requests
