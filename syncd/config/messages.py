"""The table of `syncd.toml` about receipts and reminders to citizens, for organisations without Jobnet."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from pydantic import Field, field_validator

from syncd.config.sections import SecretRef, web_address
from syncd.section import Section


class SmsSection(Section):
    """The gateway that takes text messages, in the one shape of docs/howto/messages.md."""

    url: Annotated[
        str, Field(description="Where messages are posted (https).", examples=["https://sms.example.dk/v1/messages"])
    ]
    token: Annotated[SecretRef, Field(description="Where the bearer token is kept.", examples=[{"credential": "sms"}])]
    sender: Annotated[
        str,
        Field(
            pattern=r"^([A-Za-z0-9 ]{1,11}|\+?[0-9]{3,15})$",
            description="From whom they come: up to 11 letters and digits, or a number.",
            examples=["Jobcentret"],
        ),
    ]

    @field_validator("url")
    @classmethod
    def _safe(cls, value: str) -> str:
        return web_address(value) or ""


class MessagesSection(Section):
    """Receipts and reminders to citizens; needs contacts.key, pages.public_url, and [mail] or [messages.sms]."""

    enabled: Annotated[
        bool, Field(description="Whether citizens are written to; not for use beside Jobnet, which does it itself.")
    ] = False
    reminder_hours: Annotated[
        int, Field(ge=0, le=168, description="How long before the meeting citizens are reminded; 0: not at all.")
    ] = 24
    quiet_from: Annotated[
        time, Field(description="From then on no text message and no reminder, on the clocks of the meeting's site.")
    ] = time(21)
    quiet_to: Annotated[time, Field(description="Until then; the same as quiet_from: never quiet.")] = time(8)
    sms: Annotated[SmsSection | None, Field(description="The gateway for text messages; without it mail alone.")] = None

    @field_validator("quiet_from", "quiet_to")
    @classmethod
    def _wall(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("should be a wall-clock time without a zone; the site's zone holds")
        return value
