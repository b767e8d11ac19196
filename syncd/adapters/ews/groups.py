"""Who is in a distribution group, groups inside it included."""

from __future__ import annotations

from syncd.adapters.ews import soap
from syncd.adapters.ews.answer import T, text
from syncd.adapters.ews.client import Client
from syncd.errors import Rejected
from syncd.ports import Member

GROUPS = frozenset({"PublicDL", "PrivateDL", "GroupMailbox"})
"""MailboxType of what has members itself."""
MOST_GROUPS = 200
"""Groups inside groups that are followed; more is a mistake, or somebody's joke."""


def expand(client: Client, address: str) -> tuple[Member, ...]:
    """See `syncd.ports.GroupSource.expand_group`; each group is asked for once, so circles end."""
    waiting, asked = [address.lower()], {address.lower()}
    found: dict[str, Member] = {}
    while waiting:
        message = client.message(soap.expand_group(waiting.pop()), address, itself=True)
        for mailbox in message.element.iter(f"{T}Mailbox"):
            inside = (text(mailbox, f"{T}EmailAddress") or "").lower()
            if text(mailbox, f"{T}MailboxType") not in GROUPS:
                if "@" in inside:
                    found[inside] = Member(inside, text(mailbox, f"{T}Name") or inside)
            elif inside not in asked:
                asked.add(inside)
                waiting.append(inside)
        if len(asked) > MOST_GROUPS:
            raise Rejected(f"The group {address} holds more than {MOST_GROUPS} groups; name a smaller one.")
    return tuple(found[one] for one in sorted(found))
