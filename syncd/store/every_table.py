"""Imports every module with tables, so that each is known before the schema is compared or copied."""

from syncd.store import (
    audit_tables,
    citizen_tables,
    dfdg_tables,
    jobnet_tables,
    message_tables,
    node_tables,
    notices,
    outward_tables,
    page_tables,
    report_tables,
    tables,
)

__all__ = [
    "audit_tables",
    "citizen_tables",
    "dfdg_tables",
    "jobnet_tables",
    "message_tables",
    "node_tables",
    "notices",
    "outward_tables",
    "page_tables",
    "report_tables",
    "tables",
]
