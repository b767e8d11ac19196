"""Where the database and our other files are when the configuration does not say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

STATE = "/var/lib/syncd"
"""Where the database is kept when neither the file nor systemd ($STATE_DIRECTORY) says otherwise."""


def database_place(url: str, base: Path, env: Mapping[str, str]) -> str:
    """The database's URL with an absolute path; the one in the state directory when it is empty."""
    if not url:
        return f"sqlite:///{state_folder(env)}/syncd.sqlite3"
    scheme, separator, file = url.partition(":///")
    if separator and scheme.startswith("sqlite") and file and file != ":memory:":
        return f"{scheme}:///{base / file}"
    return url


def state_folder(env: Mapping[str, str]) -> str:
    """Where our files are kept; systemd may list several directories, parted by colons, and the first is ours."""
    return env.get("STATE_DIRECTORY", STATE).partition(":")[0]


def usable_url(value: str) -> str:
    """*value*, when it is the URL of a database that can be used, without a password; empty for the usual one.

    :raises ValueError: it is not.
    """
    parts = urlsplit(value or "sqlite:///x")
    if parts.scheme.partition("+")[0] not in ("sqlite", "postgresql"):
        raise ValueError("should begin with sqlite:/// or postgresql://")
    if parts.password is not None:
        raise ValueError("must not contain a password; use database_password = {credential=…}")
    return value
