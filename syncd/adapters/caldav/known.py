"""What is known of one account's server beyond a single calendar; found out by surveys, and in passing."""

from __future__ import annotations

from collections.abc import Mapping

OF_SERVER = ("server", "changes", "ctag", "scheduling", "expand", "hrefs", "etag_on_put")
"""Facts of a survey that hold for all calendars of a server."""


class Known:
    """Facts about the server; threads may write them at once, for they all write the same."""

    def __init__(self) -> None:
        self._facts: dict[str, str] = {}

    def remember(self, facts: Mapping[str, str]) -> None:
        """Take over what a survey found."""
        self._facts |= facts

    def saw_write(self, *, etag: bool) -> None:
        """A PUT was answered, with or without the new object's ETag (RFC 4791 5.3.4)."""
        self._facts["etag_on_put"] = "yes" if etag else "no"

    @property
    def etag_on_put(self) -> str:
        """Whether PUT is answered by an ETag; "unknown" until something was written."""
        return self._facts.get("etag_on_put", "unknown")

    @property
    def syncs(self) -> bool:
        """Whether sync-collection is worth asking for; so it is of a server that nobody has looked at yet."""
        return self._facts.get("changes", "sync-collection") == "sync-collection"
