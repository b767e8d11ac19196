"""How handing a message to somebody else's server can end when it does not end well."""

from __future__ import annotations

from syncd.errors import SyncdError


class Undelivered(SyncdError):
    """It did not end well. Its text may quote the server, and so name the recipient; `reason` never does.

    :param reason: a code of the server, or the class of an error.
    """

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class NotSent(Undelivered):
    """The server did not take it: nobody gets it, and it may be sent again."""


class Away(NotSent):
    """The server takes nothing from anybody now: it cannot be reached, or does not let us in."""


class Refused(NotSent):
    """The server did not take it and never will: the recipient, or the message, is not one that it sends."""


class MaybeSent(Undelivered):
    """The answer was lost after the message was handed over: sending it again might deliver it twice."""


def told(error: Exception) -> tuple[str, str]:
    """Text and reason of what a library raised."""
    name = type(error).__name__
    return f"{name}: {error}", name
