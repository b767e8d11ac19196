"""Our own entries on the server: written with preconditions, and read back, because servers lie about both."""

from __future__ import annotations

from dataclasses import replace

from syncd.adapters.caldav.changes import complete_version, content_version, version_of
from syncd.adapters.caldav.client import Client, Reply
from syncd.adapters.caldav.discovery import Place
from syncd.adapters.caldav.known import Known
from syncd.adapters.caldav.multistatus import CALDAV, by_uid, canonical, looks_like_html
from syncd.adapters.caldav.wire import answer_of, body_of, read_entry, sequence_of, write_entry
from syncd.clock import Clock
from syncd.errors import CalendarError, CalendarNotFound, NotACalendar, OutcomeUnknown, Rejected, VersionConflict
from syncd.model.block import block, renewed
from syncd.model.delta import GroupKey, Version
from syncd.model.directory import Mailbox
from syncd.model.entry import Entry, EntryDraft

ABSENT = frozenset({404, 410})


class Entries:
    """The entries of ours in one calendar.

    Four writers racing each other were all told that they had won by SOGo, and two or three of them by DAViCal.
    So a precondition is sent, but never believed: what counts is what stands there afterwards.
    """

    def __init__(self, client: Client, place: Place, mailbox: Mailbox, clock: Clock, known: Known) -> None:
        self._client = client
        self._place = place
        self._mailbox = mailbox
        self._clock = clock
        self._known = known

    def find(self, uid: str) -> tuple[Entry, ...]:
        """See `syncd.ports.CalendarPort.find`; looks where we wrote it, then for the UID anywhere in the calendar."""
        own = self._get(_own_key(uid))
        entry = self._entry(own, _own_key(uid), uid) if own else None
        return (entry,) if entry else self._search(uid)

    def create(self, draft: EntryDraft) -> Entry:
        """See `syncd.ports.CalendarPort.create`."""
        # SOGo overwrites in spite of If-None-Match, and DAViCal stores one UID twice: look first.
        if there := self.find(draft.uid):
            return there[0]
        written = replace(draft, description=block(draft.description))
        reply = self._put(_own_key(draft.uid), written, draft.stamp.generation, {"If-None-Match": "*"})
        if reply.status < 300:
            return self._read_back(_own_key(draft.uid), draft.uid)
        if there := self.find(draft.uid):
            return there[0]
        raise self._refused("create", reply)

    def update(self, entry: Entry, draft: EntryDraft) -> Entry:
        """See `syncd.ports.CalendarPort.update`."""
        current = self._unchanged(entry)
        if current is None:
            raise VersionConflict(f"The entry {entry.uid} is gone from the calendar since it was read.")
        sequence = max(sequence_of(current.body) + 1, draft.stamp.generation)
        written = replace(draft, description=renewed(body_of(current.body, draft.uid), draft.description))
        reply = self._put(entry.key, written, sequence, _if_match(current), answer_of(current.body, draft))
        if reply.status < 300:
            return self._read_back(entry.key, draft.uid)
        if reply.status in (404, 410, 412):
            raise VersionConflict(f"The entry {entry.uid} was changed in the calendar since it was read.")
        raise self._refused("update", reply)

    def delete(self, entry: Entry) -> None:
        """See `syncd.ports.CalendarPort.delete`."""
        # SOGo deletes in spite of If-Match: compare first.
        current = self._unchanged(entry)
        if current is None:
            return
        reply = self._client.write("DELETE", self._place.object_url(entry.key), b"", _if_match(current))
        if reply.status == 412:
            raise VersionConflict(f"The entry {entry.uid} was changed in the calendar since it was read.")
        if reply.status >= 400 and reply.status not in ABSENT:
            raise self._refused("delete", reply)
        left = self._get(entry.key)
        if left is not None and self._entry(left, entry.key, entry.uid) is not None:
            raise OutcomeUnknown(f"{self._client.host} says that {entry.uid} was deleted, but it is still there.")

    def _get(self, key: GroupKey) -> Reply | None:
        """The object now; None when there is none."""
        reply = self._client.read("GET", self._place.object_url(key), accept=ABSENT)
        if reply.status in ABSENT:
            return None
        if looks_like_html(reply.body):
            raise NotACalendar(
                f"{self._client.host} answers with an HTML page where a calendar entry should be; "
                "check the URL in the configuration, and whether a login page is in the way."
            )
        return reply

    def _entry(self, reply: Reply, key: GroupKey, uid: str) -> Entry | None:
        return read_entry(reply.body, uid, key, _version(reply), self._mailbox.zone)

    def _search(self, uid: str) -> tuple[Entry, ...]:
        """All objects with *uid*, wherever a client has put them."""
        answer, _ = self._client.multistatus("REPORT", self._place.url, by_uid(uid), depth="1")
        found: list[Entry] = []
        for item in answer.items:
            data = (item.text(f"{CALDAV}calendar-data") or "").encode()
            key = self._place.key(item.href)
            # text-match finds substrings; read_entry compares the whole UID.
            entry = read_entry(data, uid, key, version_of(item) or content_version(data), self._mailbox.zone)
            found += [entry] if entry else []
        return tuple(sorted(found, key=lambda entry: entry.key))

    def _unchanged(self, entry: Entry) -> Reply | None:
        """What stands at *entry* now, if it still is what was read; None when it is gone.

        :raises VersionConflict: it changed.
        """
        current = self._get(entry.key)
        if current is not None and _version(current) != entry.version:
            raise VersionConflict(f"The entry {entry.uid} was changed in the calendar since it was read.")
        return current

    def _put(
        self, key: GroupKey, draft: EntryDraft, sequence: int, condition: dict[str, str], answer: str | None = None
    ) -> Reply:
        body = write_entry(draft, self._mailbox.address, self._clock.now(), sequence=sequence, answer=answer)
        reply = self._client.write("PUT", self._place.object_url(key), body, condition)
        if reply.status < 300:
            self._known.saw_write(etag=reply.etag is not None)
        return reply

    def _read_back(self, key: GroupKey, uid: str) -> Entry:
        """What the server made of our write.

        :raises OutcomeUnknown: it cannot be read, or is not there.
        """
        try:
            reply = self._get(key)
            entry = self._entry(reply, key, uid) if reply else next(iter(self._search(uid)), None)
        except CalendarError as error:
            raise OutcomeUnknown(f"The entry {uid} was written, but could not be read back: {error}") from error
        if entry is None:
            raise OutcomeUnknown(f"The entry {uid} was accepted by {self._client.host}, but is not there.")
        return entry

    def _refused(self, verb: str, reply: Reply) -> Rejected:
        if reply.status in (404, 409, 410) and not reply.conditions():
            return CalendarNotFound(
                f"{self._client.host}{self._place.path} took no entry (status {reply.status}); the calendar does not "
                "exist any more or is read-only. Check the url of this mailbox."
            )
        if reply.conditions() & {"no-uid-conflict", "unique-scheduling-object-resource"}:
            return Rejected(
                f"{self._client.host} has this entry in another calendar of the same user already, and keeps it only "
                "once (RFC 4791 5.3.2.1). Remove it there, and give persons and rooms accounts of their own."
            )
        reasons = ", ".join(sorted(reply.conditions())) or "no reason given"
        return Rejected(f"{self._client.host} refused to {verb} an entry ({reply.status}: {reasons}).")


def _own_key(uid: str) -> GroupKey:
    """The name we give the object of *uid*; a slash in the UID must not become a folder."""
    return canonical(uid.replace("/", "%2F")) + ".ics"


def _version(reply: Reply) -> Version:
    version = complete_version(reply.etag or "", reply.headers.get("Last-Modified"))
    return version or content_version(reply.body)


def _if_match(current: Reply) -> dict[str, str]:
    """If-Match for a strong ETag; a weak one never matches (RFC 9110 13.1.1)."""
    etag = current.etag
    return {"If-Match": etag} if etag and not etag.startswith("W/") else {}
