"""Two `[calendars.NAME]` tables that are one: mailboxes on the premises and in Microsoft 365, some on their way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from syncd.section import Location, one_of

KINDS = {"ews", "graph"}


def other_sides(calendars: Mapping[str, object]) -> set[str]:
    """Accounts that another one names as its other side; nobody's mailbox needs to name them."""
    return {other for account in calendars.values() if (other := _hybrid(account)) is not None}


def hybrid_problems(raw: Mapping[str, object], place: Callable[[Location], str]) -> Iterator[str]:
    """One sentence per account whose other side cannot be one."""
    calendars = raw.get("calendars")
    if not isinstance(calendars, Mapping):
        return
    for name, account in calendars.items():
        other = _hybrid(account)
        if other is None:
            continue
        where = place(("calendars", name, "hybrid"))
        if other not in calendars:
            yield f"{where}: {one_of('calendar', other, set(map(str, calendars)))}"
        elif {_adapter(account), _adapter(calendars[other])} != KINDS:
            yield f"{where}: the two sides are one account with adapter 'ews' and one with 'graph'"
        elif _hybrid(calendars[other]) is not None:
            yield f"{where}: '{other}' names another side, too; only one of the two does"


def _hybrid(account: object) -> str | None:
    """What an account names, whether it is still a table or read already."""
    named = account.get("hybrid") if isinstance(account, Mapping) else getattr(account, "hybrid", None)
    return named if isinstance(named, str) else None


def _adapter(account: object) -> object:
    return account.get("adapter") if isinstance(account, Mapping) else None
