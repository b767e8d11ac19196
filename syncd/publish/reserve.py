"""Whether an offer's reserve is open to everybody, because the supply guard found too few times."""

from __future__ import annotations

from syncd.store import Tx


def _setting(offer: str) -> str:
    return f"reserve-open:{offer}"


def reserve_is_open(tx: Tx, offer: str) -> bool:
    """Whether everybody may book the reserve now."""
    return tx.settings.value(_setting(offer)) == "yes"


def open_reserve(tx: Tx, offer: str, *, wanted: bool) -> bool:
    """Open or close it; whether that changed anything. Answers change with it."""
    if reserve_is_open(tx, offer) is wanted:
        return False
    tx.settings.put(_setting(offer), "yes" if wanted else "no")
    tx.settings.bump()
    return True
