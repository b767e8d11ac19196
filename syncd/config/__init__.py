"""Infrastructure from one file, `syncd.toml`: read, checked completely, never changed afterwards."""

from syncd.config.accounts import CalendarAccount
from syncd.config.clients import ClientSection, WebhookSection
from syncd.config.credentials import client_of, new_client, sealing_key, secret, token_digest
from syncd.config.groups import GroupSection
from syncd.config.jobnet import JobnetSection
from syncd.config.load import Config, load, read_toml
from syncd.config.mail import MailSection
from syncd.config.pages import LocalAccountSection, OidcSection, PagesSection
from syncd.config.people import read_rows as table_rows
from syncd.config.privacy import ContactsSection, RetentionSection
from syncd.config.reach import demand, reachable_problems
from syncd.config.sections import (
    CaseworkerSection,
    HttpSection,
    LogSection,
    RoomSection,
    SecretRef,
    SiteSection,
    SyncSection,
    short_name,
)
from syncd.config.supply import ReportSection, SupplySection, TargetSection

__all__ = [
    "CalendarAccount",
    "CaseworkerSection",
    "ClientSection",
    "Config",
    "ContactsSection",
    "GroupSection",
    "HttpSection",
    "JobnetSection",
    "LocalAccountSection",
    "LogSection",
    "MailSection",
    "OidcSection",
    "PagesSection",
    "ReportSection",
    "RetentionSection",
    "RoomSection",
    "SecretRef",
    "SiteSection",
    "SupplySection",
    "SyncSection",
    "TargetSection",
    "WebhookSection",
    "client_of",
    "demand",
    "load",
    "new_client",
    "reachable_problems",
    "read_toml",
    "sealing_key",
    "secret",
    "short_name",
    "table_rows",
    "token_digest",
]
