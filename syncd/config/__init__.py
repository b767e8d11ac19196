"""Infrastructure from one file, `syncd.toml`: read, checked completely, never changed afterwards."""

from syncd.config.credentials import client_of, new_client, secret, token_digest
from syncd.config.load import Config, load, read_toml
from syncd.config.sections import (
    CalendarAccount,
    CaseworkerSection,
    ClientSection,
    HttpSection,
    LogSection,
    RoomSection,
    SecretRef,
    SiteSection,
    SyncSection,
)

__all__ = [
    "CalendarAccount",
    "CaseworkerSection",
    "ClientSection",
    "Config",
    "HttpSection",
    "LogSection",
    "RoomSection",
    "SecretRef",
    "SiteSection",
    "SyncSection",
    "client_of",
    "load",
    "new_client",
    "read_toml",
    "secret",
    "token_digest",
]
