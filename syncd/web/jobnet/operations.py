"""The contract's operations, each from a message to the bytes of its answer, the same for both generations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import msgspec

from syncd.errors import BookingError
from syncd.model.task import TaskKind
from syncd.observe.logs import log
from syncd.observe.metrics import JOBNET_INVALID, JOBNET_REPORTS
from syncd.web.jobnet.call import Call, clean
from syncd.web.jobnet.facade import Facade, Wished, repeated
from syncd.web.jobnet.messages import (
    BookingAnswer,
    ChangeQuestion,
    CreateQuestion,
    DetailsQuestion,
    EmptyAnswer,
    FaultAnswer,
    Message,
    OffersAnswer,
    OffersQuestion,
    ReportQuestion,
    RescheduleQuestion,
    ReservedAnswer,
    ReserveQuestion,
    TimesAnswer,
    TimesQuestion,
)
from syncd.web.jobnet.refusals import Kind, Refused, refused
from syncd.web.jobnet.reports import keep
from syncd.web.jobnet.shapes import Makes
from syncd.web.jobnet.times import Asked, Remembered
from syncd.web.jobnet.views import Views


class Operation(NamedTuple):
    """What an operation takes and gives."""

    question: type[Message]
    answer: type[Message]


OPERATIONS: Mapping[str, Operation] = {
    "offers": Operation(OffersQuestion, OffersAnswer),
    "times": Operation(TimesQuestion, TimesAnswer),
    "details": Operation(DetailsQuestion, ReservedAnswer),
    "reserve": Operation(ReserveQuestion, ReservedAnswer),
    "create": Operation(CreateQuestion, BookingAnswer),
    "reschedule": Operation(RescheduleQuestion, BookingAnswer),
    "cancel": Operation(ChangeQuestion, BookingAnswer),
    "accept": Operation(ChangeQuestion, BookingAnswer),
    "report": Operation(ReportQuestion, EmptyAnswer),
}


@dataclass(frozen=True, slots=True)
class Asking:
    """One call with its message, and the ids that its generation carries elsewhere.

    :param offer: MoedetilbudId. :param booking: IndkaldelseId.
    """

    call: Call
    message: Message
    offer: str | None
    booking: str | None


class Operations:
    """Runs operations for one generation.

    :param written: makes bytes of an answer, and refuses what would violate the published schema
        (`msgspec.ValidationError`).
    """

    def __init__(self, facade: Facade, shapes: Makes, written: Callable[[Message], bytes]) -> None:
        self._facade = facade
        self._shapes = shapes
        self._written = written
        self._views = Views(facade, shapes)
        self._remembered = Remembered()
        self._run: Mapping[str, Callable[[Asking], bytes]] = {
            "offers": self._offers,
            "times": self._times,
            "details": self._reserve,
            "reserve": self._reserve,
            "create": self._create,
            "reschedule": self._reschedule,
            "cancel": self._cancel,
            "accept": self._accept,
            "report": self._report,
        }

    def run(self, asking: Asking) -> bytes:
        """The bytes of the answer.

        :raises Refused: nothing was done; also when our own answer would have violated the schema.
        """
        try:
            return self._run[asking.call.operation](asking)
        except BookingError as error:
            raise refused(error) from error
        except msgspec.ValidationError as error:
            # The other side would show 9303 + 9329 (reference 4.7): better a business answer than a broken one.
            operation = asking.call.operation
            JOBNET_INVALID.labels(operation).inc()
            log.error("jobnet.answer_invalid", operation=operation, reason=clean(str(error)))
            raise Refused(Kind.NO_OPTIONS, "The planner cannot answer this now; the fault is noted.", 409) from error

    def fault(self, refusal: Refused) -> FaultAnswer:
        """A refusal as a message."""
        kept = refusal.kept
        return self._shapes[FaultAnswer](
            code=getattr(self._facade.mapping.errors, refusal.kind.value),
            text=refusal.text,
            field=refusal.field,
            reservation=kept.reservation.id if kept else None,
            until=self._facade.told(kept.reservation.expires) if kept else None,
        )

    def _offers(self, asking: Asking) -> bytes:
        question = cast(OffersQuestion, asking.message)
        return self._written(self._views.offers(self._facade.offers(asking.call, question)))

    def _times(self, asking: Asking) -> bytes:
        question, call = cast(TimesQuestion, asking.message), asking.call
        offer, span, who, found = self._facade.times(call, asking.offer or "", question)
        key = Asked(
            offer.name,
            span.start,
            span.end,
            who,
            bool(question.immediate),
            str(question.latest or ""),
            int(call.now.timestamp()) // 60,
        )
        people = self._facade.directory().caseworkers
        return self._remembered.of(
            key, found, lambda: self._written(self._views.times.answer(offer, found, people, call.now))
        )

    def _reserve(self, asking: Asking) -> bytes:
        question: Any = asking.message
        wished = Wished(
            question.start, question.caseworker, question.form, question.latest, immediate=bool(question.immediate)
        )
        kept = self._facade.reserve(asking.call, asking.offer, asking.booking, wished)
        return self._written(self._views.reserved(kept, asking.call.now))

    def _create(self, asking: Asking) -> bytes:
        question, booking = cast(CreateQuestion, asking.message), _given(asking.booking)
        agreed = repeated(question.start, question.caseworker, question.form)
        made = self._facade.create(asking.call, booking, question.reservation, agreed, asking.offer)
        return self._written(self._views.booking(made, booking.lower(), asking.call.now))

    def _reschedule(self, asking: Asking) -> bytes:
        question, booking = cast(RescheduleQuestion, asking.message), _given(asking.booking)
        if question.reservation is not None:
            agreed = repeated(question.start, question.caseworker, None)
            made = self._facade.create(asking.call, booking, question.reservation, agreed, None)
        else:
            made = self._facade.move(asking.call, booking, question.start, question.caseworker)
        return self._written(self._views.booking(made, booking.lower(), asking.call.now))

    def _cancel(self, asking: Asking) -> bytes:
        booking = _given(asking.booking)
        ended = self._facade.cancel(asking.call, booking)
        return self._written(self._views.booking(ended, booking.lower(), asking.call.now))

    def _accept(self, asking: Asking) -> bytes:
        booking = _given(asking.booking)
        found = self._facade.accept(asking.call, booking)
        return self._written(self._views.booking(found, booking.lower(), asking.call.now))

    def _report(self, asking: Asking) -> bytes:
        waiting = keep(self._facade, asking.call, cast(ReportQuestion, asking.message))
        if waiting is not None:
            JOBNET_REPORTS.inc()
            log.warning("jobnet.error_reported", waiting=waiting, task=TaskKind.JOBNET_ERRORS.value)
        return self._written(self._shapes[EmptyAnswer]())


def _given(booking: str | None) -> str:
    """:raises Refused: the call names no booking."""
    if booking is None:
        raise Refused(Kind.NOT_VALIDATED, "The call names no booking.", field="indkaldelse")
    return booking
