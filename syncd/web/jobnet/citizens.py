"""The citizen of a call: her number, checked, before it becomes a reference."""

from __future__ import annotations

from syncd.cpr import Cpr, NotACpr
from syncd.web.jobnet.refusals import Kind, Refused


def citizen(digits: str, field: str) -> Cpr:
    """The citizen of a call.

    :param field: where the number stood.
    :raises Refused: it is no number, or nobody can have it.
    """
    try:
        cpr = Cpr(digits)
    except NotACpr as error:
        raise Refused(Kind.MALFORMED_CITIZEN, f"The citizen's number {error}.", field=field) from None
    if cpr.born is None:
        raise Refused(Kind.UNKNOWN_CITIZEN, "Nobody has this number.", 404, field=field)
    return cpr
