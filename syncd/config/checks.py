"""What only shows when tables are seen together: references that lead nowhere, ids and mailboxes used twice.

Works on the raw tables, so that these problems are told together with the wrong values, not after them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from syncd.config.hybrid import hybrid_problems, other_sides
from syncd.config.jobnet import CLIENT
from syncd.model.marks import Marks, folded
from syncd.section import Location, one_of

Place = Callable[[Location], str]
Entry = tuple[Location, Mapping[str, object]]


def cross_problems(raw: Mapping[str, object], place: Place) -> list[str]:
    """One sentence per contradiction between tables."""
    people, rooms = list(_entries(raw, "caseworkers")), list(_entries(raw, "rooms"))
    return [
        *_unknown_references(raw, [*people, *rooms, *_entries(raw, "groups")], place),
        *_used_twice([*people, *rooms], place),
        *_same_digest(raw, place),
        *_reserved(raw, place),
        *_obeyed(raw, place),
        *hybrid_problems(raw, place),
    ]


def _entries(raw: Mapping[str, object], name: str) -> Iterator[Entry]:
    listed = raw.get(name)
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, Mapping):
            yield (name, index), entry


def _unknown_references(raw: Mapping[str, object], entries: list[Entry], place: Place) -> Iterator[str]:
    sites, accounts, table = _names(raw, "sites"), _names(raw, "calendars"), raw.get("calendars")
    main = accounts - other_sides(table if isinstance(table, Mapping) else {})
    for where, entry in entries:
        site, account = entry.get("site"), entry.get("account")
        if isinstance(site, str) and site not in sites:
            yield f"{place((*where, 'site'))}: {one_of('site', site, sites)}"
        if isinstance(account, str) and account not in accounts:
            yield f"{place((*where, 'account'))}: {one_of('calendar', account, accounts)}"
        if account is None and len(main) != 1:
            hint = f"one of: {', '.join(sorted(main))}" if main else "there is no [calendars.NAME] table yet"
            yield f"{place((*where, 'account'))}: has no calendar; name its account ({hint})"


def _names(raw: Mapping[str, object], table: str) -> set[str]:
    named = raw.get(table)
    return {str(name) for name in named} if isinstance(named, Mapping) else set()


def _used_twice(entries: list[Entry], place: Place) -> Iterator[str]:
    """Ids and mailboxes are the names of locks and rows: two owners would book one calendar twice."""
    for key in ("id", "address", "url"):
        first: dict[object, Location] = {}
        for where, entry in entries:
            value = entry.get(key)
            if not isinstance(value, str) or not value.strip():
                continue
            folded = value.strip() if key == "id" else value.strip().rstrip("/").casefold()
            mark = (entry.get("account"), folded) if key == "url" else folded
            if mark in first:
                yield f"{place((*where, key))}: '{value}' is used already by {place(first[mark])}"
            else:
                first[mark] = where


def _same_digest(raw: Mapping[str, object], place: Place) -> Iterator[str]:
    clients = raw.get("clients")
    first: dict[str, str] = {}
    for name, client in clients.items() if isinstance(clients, Mapping) else ():
        given = client.get("token_sha256") if isinstance(client, Mapping) else None
        for digest in given if isinstance(given, list) else [given]:
            if isinstance(digest, str) and first.setdefault(digest, name) != name:
                yield f"{place(('clients', name, 'token_sha256'))}: is also the token of '{first[digest]}'"


def _reserved(raw: Mapping[str, object], place: Place) -> Iterator[str]:
    if CLIENT in _names(raw, "clients"):
        yield f"{place(('clients', CLIENT))}: this name is kept for bookings made through Jobnet; choose another"


def _obeyed(raw: Mapping[str, object], place: Place) -> Iterator[str]:
    """A category of our own entries that syncd would obey like a caseworker's."""
    entries, marks = raw.get("entries"), raw.get("marks")
    own = entries.get("category") if isinstance(entries, Mapping) else None
    given = marks if isinstance(marks, Mapping) else {}
    defaults = Marks()
    names = {str(given.get(one, getattr(defaults, one))) for one in ("open", "room", "missed")}
    if isinstance(own, str) and folded(own) in {folded(one) for one in names}:
        yield f"{place(('entries', 'category'))}: '{own}' is what caseworkers use to tell syncd something; take another"
