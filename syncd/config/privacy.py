"""How long personal data are kept, and the key that seals contact data; keys and periods, never a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from syncd.config.sections import SecretRef
from syncd.section import Section


class RetentionSection(Section):
    """How long things are kept; a job forgets what is older every hour, and the log says how much."""

    bookings_days: Annotated[
        int, Field(ge=1, le=3650, description="After a meeting, until nothing tells whose it was.")
    ] = 90
    contact_days: Annotated[
        int, Field(ge=0, le=365, description="After a meeting, until the citizen's contact data are erased.")
    ] = 7
    answers_days: Annotated[
        int, Field(ge=14, le=90, description="Stored answers to POSTs; the API promises 14 days.")
    ] = 14
    mirror_days: Annotated[
        int,
        Field(
            ge=4,
            le=90,
            description="What calendars held, after it ended; also of calendars no longer read. Four days are read "
            "back, because on Monday caseworkers note who did not come on Friday.",
        ),
    ] = 4
    supply_days: Annotated[
        int, Field(ge=30, le=3650, description="The proof of what was on offer, and the times that lacked a room.")
    ] = 1095
    audit_days: Annotated[
        int, Field(ge=30, le=3650, description="The log of who looked at or changed what; it names nobody.")
    ] = 730
    ledger: Annotated[
        Path | None,
        Field(
            description="Keyed digests of those erased, outside the database and its backups; "
            "erased.ledger beside the database if unset.",
            examples=["/var/lib/syncd/erased.ledger"],
        ),
    ] = None


class ContactsSection(Section):
    """Contact data of citizens (name, birth date, phone, mail): taken only when a key to seal them is given."""

    key: Annotated[
        SecretRef | None,
        Field(
            description="The key that seals contact data, kept outside the database and its backups. Make one with "
            "`openssl rand -hex 32`. Without it contact data are refused.",
            examples=[{"credential": "contacts"}],
        ),
    ] = None
    in_calendar: Annotated[
        bool,
        Field(
            description="Write the number to call into the caseworker's private entry of a talk by telephone. "
            "It stays there when it is erased here."
        ),
    ] = False
    old_key: Annotated[
        SecretRef | None,
        Field(
            description="The key before, while what it sealed is still needed.",
            examples=[{"credential": "contacts-old"}],
        ),
    ] = None
