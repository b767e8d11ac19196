"""Who calls, on whose behalf, for whom and what for; no log, audit row or metric has a civil registration number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from syncd.cpr import Cpr, CprKey
from syncd.observe.logs import CPR

LONGEST = 100
CITIZEN = "1"
"""RequestUserTypeIdentifier of a citizen (reference 6.2, META); the user's id is then her number."""


def clean(text: str) -> str:
    """*text* on one line, without anything like a civil registration number, and not too long."""
    return CPR.sub("[cpr]", "".join(letter if letter.isprintable() else " " for letter in text))[:LONGEST]


@dataclass(frozen=True, slots=True)
class Origin:
    """What every call says of itself (reference section 3, SEC).

    :param authority: type and code of the organisation on whose behalf it is made.
    :param user_type, user: who acts. :param purpose: what for.
    """

    authority_type: str
    authority: str
    user_type: str
    user: str
    purpose: str
    request: str = ""

    def facts(self) -> dict[str, str]:
        """What may be logged of it; a citizen is not named."""
        return {
            "authority": clean(f"{self.authority_type}/{self.authority}"),
            "user": "citizen" if self.user_type == CITIZEN else clean(f"{self.user_type}/{self.user}"),
            "purpose": clean(self.purpose),
        }


@dataclass(frozen=True, slots=True)
class Call:
    """One call about one citizen.

    :param operation: which of the contract's. :param citizen: her reference.
    :param sealed: name of the key, and her number under seal.
    """

    operation: str
    origin: Origin
    citizen: str
    sealed: tuple[str, bytes]
    now: datetime

    @classmethod
    def of(cls, operation: str, origin: Origin, cpr: Cpr, key: CprKey, now: datetime) -> Call:
        """The call, from here on without the number."""
        return cls(operation, origin, key.reference(cpr), (key.name, key.seal(cpr)), now)
