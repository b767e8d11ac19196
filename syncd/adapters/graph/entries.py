"""Our own entries on the server: found by our own property, written once, looked up when an answer is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncd.adapters.graph.client import ITEM, Client
from syncd.adapters.graph.drafting import changes, new_event
from syncd.adapters.graph.entry import WHOLE, WHOLE_DECODER, WHOLES_DECODER, Item, Whole, entry_of, item_of
from syncd.adapters.graph.faults import Absent, Repeated, unknown_outcome
from syncd.adapters.graph.ours import UID_PROPERTY, Copies, event_path, ours_of
from syncd.adapters.graph.rounds import user
from syncd.adapters.graph.schedule import taken
from syncd.errors import CalendarError, EntryRemoved, OutcomeUnknown, Rejected, Transient, VersionConflict
from syncd.model.directory import Mailbox
from syncd.model.entry import Entry, EntryDraft
from syncd.observe.logs import log
from syncd.observe.metrics import GRAPH_TEAMS_MISSING

PAGES = 200
"""Pages of a search; there are more than one only where Graph gives up early."""


class Entries:
    """The entries of ours in one calendar."""

    def __init__(self, client: Client, mailbox: Mailbox, copies: Copies) -> None:
        self._client = client
        self._mailbox = mailbox
        self._address = mailbox.address
        self._copies = copies

    def find(self, uid: str) -> tuple[Entry, ...]:
        """See `syncd.ports.CalendarPort.find`."""
        return tuple(self._entry(item) for item in self._search(uid))

    def create(self, draft: EntryDraft) -> Entry:
        """See `syncd.ports.CalendarPort.create`."""
        if there := self.find(draft.uid):
            return there[0]
        passed = self._passed(draft, None)
        made = self._post(new_event(draft, teams=self._teams(draft), passed=passed))
        found = self._read_back(made.id if made else "", draft.uid)
        if found is None:
            # Graph answers with what it made under this transactionId before, or refuses, though it was deleted since.
            raise EntryRemoved(f"The entry {draft.uid} was written to {self._client.host}, but is not there any more.")
        return self._told(found, draft)

    def update(self, wanted: Entry, draft: EntryDraft) -> Entry:
        """See `syncd.ports.CalendarPort.update`."""
        current = self._unchanged(wanted)
        if current is None:
            raise VersionConflict(f"The entry {wanted.uid} was removed from the calendar since it was read.")
        passed = self._passed(draft, current)
        patch = changes(current, draft, teams=self._teams(draft), passed=passed)
        if not patch:
            return self._entry(current)
        self._write("PATCH", wanted, patch)
        found = self._read_back(wanted.key, draft.uid)
        if found is None:
            raise OutcomeUnknown(f"The entry {draft.uid} was changed in {self._client.host}, but is not there.")
        return self._told(found, draft)

    def delete(self, wanted: Entry) -> None:
        """See `syncd.ports.CalendarPort.delete`; Graph takes a room that was invited back by itself."""
        if self._unchanged(wanted) is None:
            return
        try:
            self._write("DELETE", wanted, None)
        except Absent:
            return

    def _teams(self, draft: EntryDraft) -> bool:
        return draft.online and self._client.account.teams

    def _passed(self, draft: EntryDraft, current: Item | None) -> bool:
        """Whether the draft's room is taken by now: then it is named as the place, but not invited."""
        room = draft.room
        if room is None or not room.invited or (current and room.address.lower() in dict(current.rooms)):
            return False
        return taken(self._client, self._address, room.address, draft.interval)

    def _entry(self, item: Item) -> Entry:
        return entry_of(item, teams=self._client.account.teams)

    def _told(self, item: Item, draft: EntryDraft) -> Entry:
        """The entry just written; says so when a link to meet by was wanted and Graph made none without a word."""
        if self._teams(draft) and not item.link:
            GRAPH_TEAMS_MISSING.inc()
            log.warning("graph.no_teams_link", mailbox=self._mailbox.id, meeting=draft.stamp.meeting)
        return self._entry(item)

    def _post(self, body: Mapping[str, Any]) -> Whole | None:
        """Create; None when Graph says that it has this transactionId already.

        :raises VersionConflict: another save got in the way (ConcurrentItemSave); what came of it is to be looked up.
        """
        path = f"{user(self._address)}/events"
        try:
            answer = self._client.ask("POST", path, self._address, body=body, wrote=True, prefer=ITEM)
        except Repeated:
            return None
        try:
            return self._client.decoded(WHOLE_DECODER, answer, self._address)
        except CalendarError as error:
            raise unknown_outcome(self._client.host, self._address) from error

    def _write(self, method: str, wanted: Entry, body: Mapping[str, Any] | None) -> None:
        """Change or remove the entry if it still is what *wanted* says.

        Graph says 412 now and then although the version is right; then it is read again, and tried once more.
        """
        try:
            self._send(method, wanted, body)
        except Absent:
            raise
        except VersionConflict:
            if self._unchanged(wanted) is None:
                raise
            self._send(method, wanted, body)

    def _send(self, method: str, wanted: Entry, body: Mapping[str, Any] | None) -> None:
        path = event_path(self._address, wanted.key)
        self._client.ask(method, path, self._address, body=body, if_match=wanted.version, wrote=True, prefer=ITEM)

    def _unchanged(self, wanted: Entry) -> Item | None:
        """The entry, as *wanted* knows it; None when it is gone.

        :raises VersionConflict: somebody changed it since.
        """
        current = self._get(wanted.key)
        if current is not None and current.etag != wanted.version:
            raise VersionConflict(f"The entry {wanted.uid} was changed in the calendar since it was read.")
        return current

    def _search(self, uid: str) -> list[Item]:
        """All copies with our own property *uid*, in an order that does not change."""
        quoted = uid.replace("'", "''")
        wanted = f"singleValueExtendedProperties/Any(ep: ep/id eq '{UID_PROPERTY}' and ep/value eq '{quoted}')"
        items = [self._item(row) for row in self._pages({"$filter": wanted, "$top": "50", **WHOLE})]
        return sorted((item for item in items if item.uid == uid), key=lambda item: item.id)

    def _pages(self, params: Mapping[str, str]) -> list[Whole]:
        """A search to its end: what is found may stand behind a page that is empty.

        :raises Transient: it does not come to an end.
        """
        path, asked = f"{user(self._address)}/events", params
        rows: list[Whole] = []
        for _ in range(PAGES):
            page = self._client.read(path, self._address, WHOLES_DECODER, params=asked, prefer=ITEM)
            rows += page.value
            if page.next is None:
                return rows
            path, asked = page.next, {}
        raise Transient(f"{self._client.host} does not come to the end of a search in {self._address}.")

    def _get(self, key: str) -> Item | None:
        """The entry now; None when it is gone."""
        path = event_path(self._address, key)
        try:
            row = self._client.read(path, self._address, WHOLE_DECODER, params=WHOLE, prefer=ITEM)
        except Absent:
            return None
        return self._item(row)

    def _item(self, row: Whole) -> Item:
        self._copies.learn(row, ours_of(row))
        return item_of(row, self._mailbox.zone)

    def _read_back(self, key: str, uid: str) -> Item | None:
        """What the server made of our write; None when it is not there.

        :raises OutcomeUnknown: it cannot be read.
        """
        try:
            item = self._get(key) if key else None
            return item or next(iter(self._search(uid)), None)
        except Rejected:
            raise
        except CalendarError as error:
            raise OutcomeUnknown(f"The entry {uid} was written, but could not be read back: {error}") from error
