"""Puts rules in force: a text becomes the next numbered revision, after it was found free of problems."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from syncd.errors import ChangedMeanwhile, ConfigError
from syncd.model.directory import Directory
from syncd.rulebook.parse import parse


class Revisions(Protocol):
    """Where revisions are kept (`syncd.store.rules.Rules`)."""

    def number(self) -> int:
        """Number of the revision in force; 0 before the first."""
        ...

    def newest(self) -> tuple[int, str] | None:
        """Number and text of the revision in force."""
        ...

    def add(self, text: str, actor: str, now: datetime) -> int:
        """Put *text* in force; returns its number."""
        ...

    def applied_digest(self) -> str | None:
        """Digest of the rules file that was applied last."""
        ...

    def remember_digest(self, digest: str) -> None:
        """Keep the digest of the rules file just applied."""
        ...


class Transaction(Protocol):
    """A transaction with revisions."""

    @property
    def rules(self) -> Revisions:
        """The revisions."""
        ...


class Keeper(Protocol):
    """What opens transactions (`syncd.store.Store`)."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """A write transaction."""
        ...


def apply_text(
    store: Keeper,
    text: str,
    directory: Directory,
    actor: str,
    now: datetime,
    *,
    source: str = "rules",
    seen: int | None = None,
) -> int:
    """Put *text* in force as the next revision; the same text as before stays the same revision.

    :param actor: who does it: ``cli:USER``, ``file:NAME``.
    :param source: what to call the text in messages.
    :param seen: the revision that whoever decided looked at; None when that does not matter.
    :returns: the number of the revision in force afterwards.
    :raises ConfigError: with all problems at once; nothing was changed.
    :raises ChangedMeanwhile: another revision is in force than *seen*.
    """
    parse(text, directory, 0, source)
    with store.begin() as tx:
        if seen not in (None, tx.rules.number()):
            raise ChangedMeanwhile("Somebody else has changed the rules meanwhile. Nothing was changed; look again.")
        return _add(tx.rules, text, actor, now)


def apply_file_if_changed(store: Keeper, path: Path, directory: Directory, now: datetime) -> int | None:
    """Apply the rules file that the configuration names, if it is not the one applied last.

    What was applied by hand since then stays in force until the file itself changes.

    :returns: the number of the new revision; None when the file had not changed.
    :raises ConfigError: the file cannot be read, or has problems; nothing was changed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ConfigError(str(path), [f"cannot be read: {reason}"]) from None
    digest = hashlib.sha256(text.encode()).hexdigest()
    with store.begin() as tx:
        if tx.rules.applied_digest() == digest:
            return None
    parse(text, directory, 0, str(path))
    with store.begin() as tx:
        tx.rules.remember_digest(digest)  # first: nodes that start together go on from here one by one
        return _add(tx.rules, text, f"file:{path.name}", now)


def _add(rules: Revisions, text: str, actor: str, now: datetime) -> int:
    newest = rules.newest()
    return newest[0] if newest and newest[1] == text else rules.add(text, actor, now)
