"""Paths in the configuration are relative to its own folder; this makes them absolute."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from syncd.config.accounts import CalendarAccount
from syncd.config.sections import SecretRef
from syncd.section import Section

SectionT = TypeVar("SectionT", bound=Section)


def anchored_account(account: CalendarAccount, base: Path) -> CalendarAccount:
    """The account with its files relative to *base*."""
    ca_file = base / account.ca_file if account.ca_file else None
    own = {name: anchored_section(getattr(account, name), base) for name in ("ews", "graph")}
    return account.model_copy(update={"ca_file": ca_file, "password": anchored_ref(account.password, base), **own})


def anchored_section(section: SectionT, base: Path) -> SectionT:
    """The same section with its files and references relative to *base*."""
    found: dict[str, object] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Path):
            found[name] = base / value
        elif isinstance(value, Section):
            found[name] = anchored_section(value, base)
    return section.model_copy(update=found)


def anchored_ref(ref: SecretRef | None, base: Path) -> SecretRef | None:
    """The reference with its file relative to *base*."""
    return ref.model_copy(update={"file": base / ref.file}) if ref is not None and ref.file is not None else ref
