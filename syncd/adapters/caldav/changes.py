"""What changed in one calendar: by sync-collection where the server has it, by CTag and ETags where it has not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from syncd.adapters.caldav.client import Client, TooMuch
from syncd.adapters.caldav.discovery import Place
from syncd.adapters.caldav.ics import VERSION
from syncd.adapters.caldav.multistatus import (
    CALDAV,
    CALENDARSERVER,
    DAV,
    Item,
    Multistatus,
    multiget,
    propfind,
    sync_collection,
)
from syncd.errors import CalendarNotFound, NotACalendar, Transient
from syncd.model.delta import ChangeToken, GroupKey, Version

CHUNK = 100
"""Objects asked for in one request; some servers fail, or stall, on thousands."""

MAX_PAGES = 1000
"""Pages of one truncated answer (RFC 6578 3.6) before we list everything instead."""

REFUSED = frozenset({400, 403, 405, 409, 410, 412, 415, 501, 507})
"""How servers say that they do not know our token, do not know the report, or that the answer is too long."""

SELF = propfind("D:resourcetype", "D:sync-token", "S:getctag", "D:supported-report-set")
NATURE = propfind("D:resourcetype", "D:supported-report-set")
LIST = propfind("D:getetag")


@dataclass(frozen=True, slots=True)
class Token:
    """Our change token: the server's own marks, and whose calendar they belong to.

    :param mark: digest of the calendar's URL; some servers accept any token, also that of another calendar.
    :param ctag: of the collection (calendarserver-ctag), read before the listing that it stands for.
    :param sync: the server's sync-token (RFC 6578).
    """

    mark: str
    ctag: str | None
    sync: str | None

    def encode(self) -> ChangeToken | None:
        """One string; None when the server has no marks at all."""
        return json.dumps([self.mark, self.ctag, self.sync, VERSION]) if self.ctag or self.sync else None

    @classmethod
    def decode(cls, text: ChangeToken | None, place: Place) -> Token | None:
        """The token in *text* if it is one of ours for this calendar, and what it covers was read as we read now."""
        try:
            mark, ctag, sync, version = json.loads(text or "")
        except (ValueError, TypeError):
            return None
        return cls(mark, ctag, sync) if (mark, version) == (place.mark, VERSION) else None


@dataclass(slots=True)
class Look:
    """What the server said exists or changed.

    :param versions: key to version ("" when it gave none) of everything (complete) or of what changed.
    :param gone: keys reported as deleted.
    :param complete: ``versions`` lists the whole calendar.
    """

    complete: bool
    token: Token
    versions: dict[GroupKey, Version] = field(default_factory=dict)
    gone: set[GroupKey] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Fetched:
    """One object as it came; ``data`` is None when it is gone (``refused`` 0) or the server would not give it."""

    key: GroupKey
    version: Version
    data: bytes | None
    refused: str = ""


def look(client: Client, place: Place, since: ChangeToken | None, *, fresh: bool = False) -> Look:
    """What changed after *since*, or the whole list when there is no usable token or the server refuses it.

    :param fresh: nothing is held of this calendar; one report may then tell both list and token.
    :raises Transient: the server has trouble; never answered by a full listing.
    """
    token = Token.decode(since, place)
    if token and token.sync and (found := _changed_since(client, place, token)):
        return found
    if fresh and (first := _first_report(client, place)):
        return first
    return _everything(client, place, token)


def _first_report(client: Client, place: Place) -> Look | None:
    """The whole calendar by a sync-collection without a token (RFC 6578 3.4).

    None where that cannot be relied on: some servers that answer in pages forget the rest.
    """
    own = itself(client, place, client.multistatus("PROPFIND", place.url, NATURE)[0])
    if not own.has(f"{DAV}supported-report-set", f"{DAV}sync-collection"):
        return None
    reply = client.read("REPORT", place.url, sync_collection(""), accept=REFUSED)
    if reply.status in REFUSED:
        return None
    page = client.understood("REPORT", reply)
    found = Look(complete=True, token=Token(place.mark, None, page.token))
    truncated = _absorb(found, place, page)
    found.gone.clear()
    return None if truncated or page.token is None else found


def _changed_since(client: Client, place: Place, token: Token) -> Look | None:
    """Follow sync-collection page by page; None when the server will not go on from this token."""
    found = Look(complete=False, token=token)
    current = token.sync or ""
    for _ in range(MAX_PAGES):
        reply = client.read("REPORT", place.url, sync_collection(current), accept=REFUSED)
        if reply.status in REFUSED:
            return None
        page = client.understood("REPORT", reply)
        truncated = _absorb(found, place, page)
        if page.token is None or (truncated and page.token == current):
            return None
        current = page.token
        found.token = Token(place.mark, None, current)
        if not truncated:
            return found
    return None


def _absorb(found: Look, place: Place, page: Multistatus) -> bool:
    """Add one page; whether the server says that more is to come (a 507 for the collection)."""
    changed: dict[GroupKey, Version] = {}
    removed: set[GroupKey] = set()
    truncated = False
    for item in page.items:
        if place.is_self(item.href) or item.status == 507:
            truncated = truncated or item.status == 507
        elif item.status in (404, 410) and not item.props:
            removed.add(place.key(item.href))
        elif not item.href.endswith("/"):
            changed[place.key(item.href)] = version_of(item)
    # Cyrus may name an object both as removed and as changed: then it is there.
    removed -= changed.keys()
    found.versions = {key: v for key, v in found.versions.items() if key not in removed} | changed
    found.gone = (found.gone - changed.keys()) | removed
    return truncated


def _everything(client: Client, place: Place, before: Token | None) -> Look:
    """List all hrefs and ETags; the marks are read first, so that a change meanwhile is reported again."""
    marks, _ = client.multistatus("PROPFIND", place.url, SELF)
    own = itself(client, place, marks)
    syncs = own.has(f"{DAV}supported-report-set", f"{DAV}sync-collection")
    token = Token(place.mark, own.text(f"{CALENDARSERVER}getctag"), own.text(f"{DAV}sync-token") if syncs else None)
    if before and before.sync is None and before.ctag and before.ctag == token.ctag:
        return Look(complete=False, token=token)
    answer, _ = client.multistatus("PROPFIND", place.url, LIST, depth="1")
    return _listed(client, place, answer, token)


def itself(client: Client, place: Place, answer: Multistatus) -> Item:
    """The calendar's own entry in *answer*.

    :raises CalendarNotFound: it does not exist. :raises NotACalendar: it is something else.
    """
    own = next((item for item in answer.items if place.is_self(item.href)), answer.items[0] if answer.items else None)
    if own is not None and own.status in (404, 410):
        raise CalendarNotFound(f"{client.host}{place.path} does not exist; check the url of this mailbox.")
    if own is None or not own.has(f"{DAV}resourcetype", f"{CALDAV}calendar"):
        raise NotACalendar(
            f"{client.host}{place.path} is a folder or a file, but no calendar; check the url of this mailbox."
        )
    return own


def _listed(client: Client, place: Place, answer: Multistatus, token: Token) -> Look:
    found = Look(complete=True, token=token)
    if not answer.items:
        # A server in trouble answers an empty list; a calendar at least lists itself.
        raise Transient(f"{client.host} answered with a list that lacks even the calendar itself; nothing was changed.")
    for item in answer.items:
        if item.status == 507 or (place.is_self(item.href) and item.status >= 400):
            raise Transient(f"{client.host} could not list the whole calendar ({item.status}); nothing was changed.")
        if not item.href.endswith("/") and not place.is_self(item.href) and item.status not in (404, 410):
            found.versions[place.key(item.href)] = version_of(item)
    return found


def version_of(item: Item) -> Version:
    """The ETag; with the time of change where the server reuses ETags (SOGo gives "gcs00000000" to each new object)."""
    etag = item.text(f"{DAV}getetag") or ""
    return complete_version(etag, item.text(f"{DAV}getlastmodified"))


def complete_version(etag: str, modified: str | None) -> Version:
    """`version_of` from the two values."""
    return f"{etag} {modified}" if etag.strip('"').startswith("gcs") and modified else etag


def content_version(data: bytes) -> Version:
    """A version for servers that give no ETag."""
    return f"sha256:{sha256(data).hexdigest()}"


def fetch(client: Client, place: Place, keys: Sequence[GroupKey]) -> Iterator[Fetched]:
    """The objects of *keys*, in requests of at most `CHUNK`; each key is answered once."""
    for start in range(0, len(keys), CHUNK):
        yield from _fetch_some(client, place, keys[start : start + CHUNK])


def _fetch_some(client: Client, place: Place, keys: Sequence[GroupKey]) -> Iterator[Fetched]:
    """One multiget; an answer that is too large, or broken by one bad object, is asked for in halves."""
    try:
        answer, _ = client.multistatus("REPORT", place.url, multiget(map(place.href, keys)), depth="1")
    except TooMuch:
        if len(keys) == 1:
            yield _fetch_alone(client, place, keys[0])
            return
        half = len(keys) // 2
        yield from _fetch_some(client, place, keys[:half])
        yield from _fetch_some(client, place, keys[half:])
        return
    found = {place.key(item.href): item for item in answer.items}
    for key in keys:
        item = found.get(key)
        data = item.text(f"{CALDAV}calendar-data") if item else None
        if item and data is not None:
            body = data.encode()
            yield Fetched(key, version_of(item) or content_version(body), body)
        elif item and item.status in (404, 410):
            yield Fetched(key, "", None)
        else:
            yield _fetch_alone(client, place, key)


def _fetch_alone(client: Client, place: Place, key: GroupKey) -> Fetched:
    """GET one object that a multiget did not bring: too large for XML, with control characters, or left out."""
    try:
        reply = client.read("GET", place.object_url(key), accept=frozenset({403, 404, 410}))
    except TooMuch as error:
        return Fetched(key, "", None, refused=f"the object is too large ({error})")
    if reply.status in (404, 410):
        return Fetched(key, "", None)
    if reply.status == 403:
        return Fetched(key, "", None, refused="the server does not let us read the object (403)")
    version = complete_version(reply.etag or "", reply.headers.get("Last-Modified"))
    return Fetched(key, version or content_version(reply.body), reply.body)
