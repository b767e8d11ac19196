"""What comes in over HTTP, what goes out, and what is known of it meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Protocol

from starlette.datastructures import Headers

from syncd.web.jobnet.facade import Facade
from syncd.web.jobnet.refusals import Refused


@dataclass(frozen=True, slots=True)
class Received:
    """What came in. :param url: where it was sent, without query."""

    method: str
    path: str
    query: str
    url: str
    headers: Headers
    body: bytes
    now: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """What goes out."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Visit:
    """One call while it is served, as the log will tell it."""

    began: float = field(default_factory=perf_counter)
    operation: str = "-"
    status: int = 0
    outcome: str = "answered"
    facts: dict[str, str] = field(default_factory=dict)


class Generation(Protocol):
    """One generation of the contract over HTTP."""

    @property
    def facade(self) -> Facade:
        """What stands behind it."""
        ...

    @property
    def media_type(self) -> str:
        """Of its answers."""
        ...

    def ours(self, path: str) -> bool:
        """Whether a path belongs to this generation."""
        ...

    def answer(self, received: Received, visit: Visit) -> Answered:
        """The answer to a call whose caller was admitted.

        :raises Refused: nothing was done.
        """
        ...

    def refusal(self, refusal: Refused) -> Answered:
        """A refusal as an answer."""
        ...
