"""Operations that look: GetFolder, FindItem, GetItem, SyncFolderItems."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tests.servers.exchange import restriction
from tests.servers.exchange.ids import ItemKey, folder_id, seal, unseal
from tests.servers.exchange.model import Entry, Sight
from tests.servers.exchange.render import item, refuse_unknown
from tests.servers.exchange.request import Request
from tests.servers.exchange.shape import Shape
from tests.servers.exchange.wire import (
    Element,
    EwsError,
    child,
    children,
    failure,
    m,
    reply,
    success,
    t,
    text_of,
    value,
)
from tests.servers.exchange.world import Mailbox, World
from tests.servers.exchange.zones import instant

FIND_LIMIT = 1000
RESTRICTED_LIMIT = 250
"""EWSFindCountLimit, and what a restriction leaves of it."""
_VIEW_DAYS = 2 * 366
_TITLES = {"calendar": "Kalender", "inbox": "Indbakke", "sentitems": "Sendt post", "deleteditems": "Slettet post"}


def get_folder(request: Request) -> Element:
    """GetFolder."""
    holder = child(request.element, "m:FolderIds")
    assert holder is not None
    messages = []
    for one in children(holder):
        try:
            box, name = request.folder(one)
            messages.append(success(request.operation, m("Folders", folder(box, name))))
        except EwsError as error:
            messages.append(failure(request.operation, error, m("Folders")))
    return reply(request.operation, messages)


def folder(box: Mailbox, name: str) -> Element:
    """A folder with its counts."""
    calendar = name == "calendar"
    parts = [
        t("FolderId", Id=folder_id(box.mark, name), ChangeKey="AQAAAA=="),
        t("ParentFolderId", Id=folder_id(box.mark, "msgfolderroot"), ChangeKey="AQAAAA=="),
        t("FolderClass", "IPF.Appointment" if calendar else "IPF.Note"),
        t("DisplayName", _TITLES.get(name, name)),
        t("TotalCount", sum(1 for _ in box.folder(name))),
        t("ChildFolderCount", 0),
        t("DistinguishedFolderId", name),
    ]
    if not calendar:
        unread = sum(not one.values.get("IsRead") for one in box.folder(name))
        parts.append(t("UnreadCount", unread))
    return t("CalendarFolder" if calendar else "Folder", parts)


def find_item(request: Request) -> Element:
    """FindItem: a CalendarView expands series, everything else lists masters."""
    shape = _shape(request, "m:ItemShape", summary=True)
    refuse_unknown(shape)
    parents = child(request.element, "m:ParentFolderIds")
    assert parents is not None
    messages = []
    for one in children(parents):
        try:
            box, name = request.folder(one)
            view = child(request.element, "m:CalendarView")
            make = _listed if view is None else _viewed
            messages.append(success(request.operation, make(request, box, name, shape)))
        except EwsError as error:
            messages.append(failure(request.operation, error))
    return reply(request.operation, messages)


def _shape(request: Request, path: str, summary: bool) -> Shape:
    shape = Shape.of(child(request.element, path), summary)
    shape.strange_zones = request.twists.get("zones", "")
    return shape


def _viewed(request: Request, box: Mailbox, name: str, shape: Shape) -> Element:
    view = child(request.element, "m:CalendarView")
    assert view is not None
    if name != "calendar":
        raise EwsError("ErrorCalendarFolderIsInvalidForCalendarView", "The folder is not a calendar.")
    for tag in ("m:Restriction", "m:SortOrder"):
        if child(request.element, tag) is not None:
            raise EwsError("ErrorInvalidRequest", "A calendar view takes neither restriction nor sort order.")
    start, end = (instant(view.get(key) or "", request.zone) for key in ("StartDate", "EndDate"))
    if end < start:
        raise EwsError("ErrorCalendarEndDateIsEarlierThanStartDate", "EndDate is earlier than StartDate.")
    if end - start > timedelta(days=_VIEW_DAYS):
        raise EwsError("ErrorCalendarViewRangeTooBig", "The range of the calendar view is more than two years.")
    found = [seen for entry in box.folder(name) if entry.kind == "CalendarItem" for seen in entry.between(start, end)]
    found.sort(key=lambda seen: (seen.start, seen.entry.number))
    wanted = int(view.get("MaxEntriesReturned") or 0)
    limit = int(request.twists.get("find_limit", FIND_LIMIT))
    if not wanted and len(found) > limit and request.twists.get("find_limit_error"):
        raise EwsError("ErrorExceededFindCountLimit", "You have exceeded the find count limit.")
    shown = found[: min(wanted or limit, limit)]
    if request.twists.get("cut_view"):
        shown = shown[:-1]
    whole = (len(shown) == len(found) or "cut_silently" in request.twists) and not request.twists.get("not_last")
    return _root(request.world, box, shown, shape, len(found), whole)


def _root(
    world: World, box: Mailbox, shown: Sequence[Sight], shape: Shape, total: int, whole: bool, **more: str
) -> Element:
    rows = [item(world, box, seen, shape) for seen in shown]
    attributes = {"TotalItemsInView": text_of(total), "IncludesLastItemInRange": text_of(whole), **more}
    return m("RootFolder", t("Items", rows), **attributes)


def _listed(request: Request, box: Mailbox, name: str, shape: Shape) -> Element:
    entries = [entry.whole() for entry in box.folder(name)]
    usual = FIND_LIMIT
    if (wanted := child(request.element, "m:Restriction")) is not None:
        usual = RESTRICTED_LIMIT
        entries = [seen for seen in entries if restriction.holds(next(children(wanted)), seen, request.zone)]
    entries = restriction.ordered(entries, child(request.element, "m:SortOrder"))
    page = child(request.element, "m:IndexedPageItemView")
    limit = int(request.twists.get("find_limit", usual))
    offset, size = 0, limit
    if page is not None:
        offset, size = int(page.get("Offset") or 0), min(int(page.get("MaxEntriesReturned") or limit), limit)
        if page.get("BasePoint") == "End":
            offset = max(0, len(entries) - offset - size)
    shown = entries[offset : offset + size]
    next_offset = offset + len(shown)
    more = {} if page is None else {"IndexedPagingOffset": str(next_offset)}
    return _root(request.world, box, shown, shape, len(entries), next_offset >= len(entries), **more)


def get_item(request: Request) -> Element:
    """GetItem."""
    shape = _shape(request, "m:ItemShape", summary=False)
    refuse_unknown(shape)
    ids = child(request.element, "m:ItemIds")
    assert ids is not None
    messages = []
    for one in children(ids):
        try:
            box, seen = request.item(one)
            if seen.values.get("Corrupt"):
                raise EwsError("ErrorItemCorrupt", "The item is corrupt.")
            messages.append(success(request.operation, m("Items", item(request.world, box, seen, shape))))
        except EwsError as error:
            messages.append(failure(request.operation, error, m("Items")))
    return reply(request.operation, messages)


def sync_folder_items(request: Request) -> Element:
    """SyncFolderItems: masters only; nothing of it knows what a calendar is."""
    operation = request.operation
    try:
        box, name = request.target("m:SyncFolderId")
        since = _since(box, name, value(request.element, "m:SyncState"), request)
    except EwsError as error:
        ends = [m("SyncState", ""), m("IncludesLastItemInRange", True), m("Changes")]
        parts = [] if request.twists.get("sync_expired") == "omit" else ends
        return reply(operation, [failure(operation, error, *parts)])
    shape = _shape(request, "m:ItemShape", summary=True)
    refuse_unknown(shape)
    limit = min(int(value(request.element, "m:MaxChangesReturned", "512")), int(request.twists.get("page", "512")))
    ignored = {one.get("Id") for one in request.element.iterfind("{*}Ignore/{*}ItemId")}
    changes = _changes(box, name, since, int(request.twists.get("echo", "0")))
    if request.twists.get("empty_page"):
        limit = 0
    shown, rest = changes[:limit], changes[limit:]
    at = shown[-1][0] if shown and rest else since if rest else max(box.last_change.get(name, 0), since)
    rows = [_change(request.world, box, one, since, shape) for _, one in shown]
    rows = [row for row in rows if not _ids(row) & ignored]
    state = seal({"box": box.mark.hex(), "folder": name, "at": at, "epoch": box.sync_epoch})
    last = not rest and not request.twists.get("not_last")
    return reply(
        operation,
        [success(operation, m("SyncState", state), m("IncludesLastItemInRange", last), m("Changes", rows))],
    )


def _ids(row: Element) -> set[str | None]:
    return {one.get("Id") for one in row.iter("{*}ItemId")}


def _since(box: Mailbox, name: str, text: str, request: Request) -> int:
    """The change up to which a sync state knows everything."""
    if request.twists.get("sync_expired"):
        raise EwsError("ErrorInvalidSyncStateData", "The sync state data is corrupt or otherwise invalid.")
    if not text:
        return 0
    state = unseal(text)
    if state is None or state.get("box") != box.mark.hex() or state.get("folder") != name:
        raise EwsError("ErrorInvalidSyncStateData", "The sync state data is corrupt or otherwise invalid.")
    if state.get("epoch") != box.sync_epoch or int(state["at"]) < box.oldest_sync:
        raise EwsError("ErrorInvalidSyncStateData", "The sync state data is corrupt or otherwise invalid.")
    return int(state["at"])


Changed = tuple[int, "Entry | int"]


def _changes(box: Mailbox, name: str, since: int, echoes: int = 0) -> list[Changed]:
    """Items and the numbers of vanished ones that changed later, in order of their latest change.

    :param echoes: so many items that did not change are told of again, as real servers do now and then.
    """
    known = [one for one in box.folder(name) if one.changed <= since]
    again: list[Changed] = [(since, one) for one in known[:echoes]]
    if box.last_change.get(name, 0) <= since:
        return again
    found: list[Changed] = [(one.changed, one) for one in box.folder(name) if one.changed > since]
    for number, (folder_name, created, removed) in box.tombstones.items():
        if folder_name == name and created <= since < removed:
            found.append((removed, number))
    return again + sorted(found, key=lambda change: change[0])


def _change(world: World, box: Mailbox, one: Entry | int, since: int, shape: Shape) -> Element:
    if isinstance(one, int):
        return t("Delete", t("ItemId", Id=ItemKey(box.mark, one).text(), ChangeKey="DwAAAA=="))
    return t("Create" if one.created > since else "Update", item(world, box, one.whole(), shape))
