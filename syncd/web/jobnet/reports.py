"""E9: errors that Jobnet or DFDG report are the only news of times that could not be used; kept, and a person told."""

from __future__ import annotations

from datetime import datetime, timedelta

from syncd.model.jobnet import Report
from syncd.model.task import TaskKind
from syncd.observe.logs import CPR
from syncd.web.jobnet import matching
from syncd.web.jobnet.call import Call
from syncd.web.jobnet.facade import Facade
from syncd.web.jobnet.messages import ReportQuestion
from syncd.web.jobnet.refusals import Kind, Refused

ORIGINS = (30, 32)
"""DFDG and Jobnet: only these may report (reference 4.6, BB)."""
ABOUT = "jobnet"
REPEATED_FOR = timedelta(days=7)
"""So long ids of requests are kept, and calls repeated (reference section 3, IND2)."""


def keep(facade: Facade, call: Call, report: ReportQuestion) -> int | None:
    """Keep an error report and ask for a person; how many wait. None when the same was kept before: a repeated call.

    :raises Refused: unknown citizen, offer, booking or code, or an origin that may not report.
    """
    offer = None if report.offer is None else report.offer.lower()
    booking = None if report.indkaldelse is None else report.indkaldelse.lower()
    with facade.noted(call) as (tx, _):
        at = _sound(facade, report)
        if tx.jobnet.standing(call.citizen) is None:
            raise Refused(Kind.UNKNOWN_CITIZEN, "This planner never heard of the citizen.", 404)
        book, installation = facade.publisher.rules.within(tx), tx.settings.installation()
        if offer is not None and offer not in {matching.offer_id(installation, name) for name in book.offers}:
            raise Refused(Kind.NO_OPTIONS, "There is no such offer.", 404, field="offer")
        link = tx.jobnet.linked(booking) if booking is not None else None
        if booking is not None and (link is None or link.citizen != call.citizen):
            raise Refused(Kind.NOT_THIS_CITIZEN, "There is no such booking.", 404, field="indkaldelse")
        said = CPR.sub("[cpr]", report.text or "")
        made = Report(report.code, said, report.origin, at, call.now, call.citizen, offer, booking)
        if tx.jobnet.reported(made, call.now - REPEATED_FOR):
            return None
        tx.jobnet.report(made)
        waiting = tx.jobnet.waiting_reports()
        facts = {"code": report.code, "origin": "DFDG" if report.origin == ORIGINS[0] else "Jobnet", "number": waiting}
        tx.tasks.raise_(TaskKind.JOBNET_ERRORS, ABOUT, facts, call.now)
    return waiting


def _sound(facade: Facade, report: ReportQuestion) -> datetime:
    """When it happened, of a report that may be made.

    :raises Refused: unknown code, or an origin that may not report.
    """
    if report.origin not in ORIGINS:
        raise Refused(Kind.NOT_VALIDATED, "Only DFDG (30) and Jobnet (32) may report errors.", field="origin")
    known = facade.mapping.codes.errors
    if known and report.code not in known:
        raise Refused(Kind.NOT_VALIDATED, "This error code is not known.", field="code")
    return facade.moment(report.at, "at")
