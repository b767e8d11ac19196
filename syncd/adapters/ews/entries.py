"""Our own entries on the server: found by our own property, written once, looked up when an answer is lost."""

from __future__ import annotations

from dataclasses import replace

from syncd.adapters.ews import soap
from syncd.adapters.ews.answer import Message
from syncd.adapters.ews.client import Client
from syncd.adapters.ews.faults import ABSENT
from syncd.adapters.ews.soap import Body, ItemRef
from syncd.adapters.ews.wire import Item, entry, items_of
from syncd.adapters.page import renewed_page
from syncd.errors import CalendarError, EntryRemoved, OutcomeUnknown, Rejected, VersionConflict
from syncd.model.block import renewed
from syncd.model.busy import Stamp
from syncd.model.directory import Mailbox
from syncd.model.entry import Entry, EntryDraft


class Entries:
    """The entries of ours in one calendar."""

    def __init__(self, client: Client, mailbox: Mailbox) -> None:
        self._client = client
        self._mailbox = mailbox
        self._address = mailbox.address

    def find(self, uid: str) -> tuple[Entry, ...]:
        """See `syncd.ports.CalendarPort.find`."""
        return tuple(self._entry(item) for item in self._search(uid))

    def create(self, draft: EntryDraft) -> Entry:
        """See `syncd.ports.CalendarPort.create`."""
        from syncd.adapters.ews.drafting import create_request

        standing, removed = self._search_with_removed(draft.uid)
        if standing:
            return self._entry(standing[0])
        if any(_same_wish(item.stamp, draft.stamp) for item in removed):
            host = self._client.host(self._address)
            raise EntryRemoved(f"The entry {draft.uid} was written to {host} before, and somebody has removed it.")
        message = self._client.message(create_request(self._address, draft), self._address, wrote=True)
        made = next(items_of(message), None)
        return self._read_back(made.id if made else "", draft.uid)

    def update(self, wanted: Entry, draft: EntryDraft) -> Entry:
        """See `syncd.ports.CalendarPort.update`."""
        from syncd.adapters.ews.drafting import update_request

        current = self._get(wanted.key, body=True)
        if current is None or current.change_key != wanted.version:
            raise VersionConflict(f"The entry {wanted.uid} was changed or removed in the calendar since it was read.")
        request = update_request(
            ItemRef(current.id, current.change_key),
            draft,
            self._body(current, draft),
            self._told(current, draft),
            kept=self._right(current, draft),
            categories=tuple(dict.fromkeys((*current.categories, *draft.categories))),
        )
        self._client.message(request, self._address, wrote=True)
        return self._read_back(wanted.key, draft.uid)

    def delete(self, wanted: Entry) -> None:
        """See `syncd.ports.CalendarPort.delete`; an invited room is told, unless the same entry stands twice."""
        from syncd.adapters.ews.drafting import TO_ALL, TO_NONE

        current = self._get(wanted.key)
        if current is None:
            return
        if current.change_key != wanted.version:
            raise VersionConflict(f"The entry {wanted.uid} was changed in the calendar since it was read.")
        surplus = bool(current.rooms) and any(_twin(one, current) for one in self._search(wanted.uid))
        tell = TO_ALL if current.rooms and not surplus else TO_NONE
        request = soap.delete_item(ItemRef(current.id, current.change_key), tell)
        answer = self._client.ask(request, self._address, wrote=True)
        for message in answer.messages:
            if message.problem is not None and message.problem.code not in ABSENT:
                self._client.fail(message.problem, self._address, wrote=True)

    def _body(self, current: Item, draft: EntryDraft) -> Body:
        """Our block renewed in what stands there, which may be a person's own words too."""
        if not current.html:
            return Body(renewed(current.body, draft.description))
        return Body(renewed_page(current.body, draft.description), html=True)

    def _told(self, current: Item, draft: EntryDraft) -> str:
        """Who hears of an update: a stamp or another wording is nobody's business, a new time is the room's."""
        from syncd.adapters.ews.drafting import TO_ALL, TO_CHANGED, TO_NONE

        right = self._right(current, draft)
        if draft.room is not None and not draft.room.invited:
            return TO_NONE
        if "start" not in right and (current.rooms or draft.room):
            return TO_ALL
        return TO_NONE if "resources" in right else TO_CHANGED

    def _right(self, current: Item, draft: EntryDraft) -> frozenset[str]:
        """Names of properties that are as the draft wants them."""
        right = set()
        if not current.all_day and (current.start, current.end) == (draft.interval.start, draft.interval.end):
            right |= {"start", "end", "is_all_day"}
        if {address for address, _ in current.rooms} == ({draft.room.address.lower()} if draft.room else set()):
            right.add("resources")
        if set(draft.categories) <= set(current.categories):
            right.add("categories")
        if self._body(current, draft).text == current.body:
            right.add("body")
        return frozenset(right)

    def _search(self, uid: str) -> list[Item]:
        """All copies with our own property *uid*, in an order that does not change."""
        return self._copies(self._client.message(soap.find_by_uid(self._address, uid), self._address), uid)

    def _search_with_removed(self, uid: str) -> tuple[list[Item], list[Item]]:
        """The copies in the calendar, and those among the deleted items, where we may look there; in one request."""
        answer = self._client.ask(soap.find_by_uid(self._address, uid, soap.DELETED), self._address)
        found = [[] if message.problem else self._copies(message, uid) for message in answer.messages[1:]]
        return self._copies(self._client.first(answer, self._address), uid), [item for some in found for item in some]

    def _copies(self, message: Message, uid: str) -> list[Item]:
        ids = sorted(item.id for item in items_of(message))
        found = [self._get(one) for one in ids]
        return [item for item in found if item is not None and item.own_uid == uid]

    def _get(self, key: str, *, body: bool = False) -> Item | None:
        """The item now; None when it is gone."""
        request = soap.get_body(key) if body else soap.get_items([key], soap.OURS)
        [message] = self._client.ask(request, self._address).messages
        if message.problem is None:
            return next(items_of(message), None)
        if message.problem.code in ABSENT or message.problem.code == "ErrorInvalidIdMalformed":
            return None
        self._client.fail(message.problem, self._address)
        raise AssertionError

    def _read_back(self, key: str, uid: str) -> Entry:
        """What the server made of our write.

        :raises OutcomeUnknown: it cannot be read, or is not there.
        """
        try:
            item = self._get(key) if key else None
            found = item or next(iter(self._search(uid)), None)
        except Rejected:
            raise
        except CalendarError as error:
            raise OutcomeUnknown(f"The entry {uid} was written, but could not be read back: {error}") from error
        if found is None:
            raise OutcomeUnknown(
                f"The entry {uid} was accepted by {self._client.host(self._address)}, but is not there."
            )
        return self._entry(found)

    def _entry(self, item: Item) -> Entry:
        return entry(item, self._mailbox.zone)


def _twin(one: Item, other: Item) -> bool:
    """Whether they are the same meeting written twice; a copy that somebody made has another UID."""
    return one.id != other.id and one.uid == other.uid


def _same_wish(stamp: Stamp | None, wanted: Stamp) -> bool:
    """Whether an entry was written for the same generation of the same meeting; its words may have been others."""
    return stamp is not None and replace(stamp, digest="") == replace(wanted, digest="")
