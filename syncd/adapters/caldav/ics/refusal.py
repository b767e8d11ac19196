"""The one error of reading: an object that cannot be understood, or would cost too much to understand."""

from __future__ import annotations

from syncd.errors import Rejected


class Unparsable(Rejected):
    """The object cannot be turned into busy times.

    :param reason: one sentence for the operator; names properties and limits, never the object's content.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
