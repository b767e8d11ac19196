"""The web application over stand-ins, for what needs no database: the edge, the refusals, the pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

from starlette.testclient import TestClient

from syncd.clock import FixedClock
from syncd.config import ClientSection, token_digest
from syncd.errors import BookingError
from syncd.model.directory import Directory
from syncd.model.eligibility import STAFF, Whom
from syncd.model.interval import Interval
from syncd.model.offer import Answer, Form, Offer, Rulebook, Slot
from syncd.slots.grid import Grid
from syncd.slots.table import Row, SlotTable
from syncd.web.app import build_app
from syncd.web.deps import Deps
from syncd.web.health import Check, Health, Standing

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TOKEN, WEAK_TOKEN = "portal-token", "weak-token"
OFFER = Offer("jobsamtale", {"da": "Jobsamtale"}, {Form.PHONE: 30}, 15, 0, 0, 60, 28, ("anna", "bo"))
DAY = datetime(2026, 12, 1, tzinfo=UTC)
GRID = Grid.over(int(DAY.timestamp()), int(DAY.timestamp()) + 86_400, 15)
RANGE = {"from": "2026-12-01T09:00:00Z", "to": "2026-12-02T09:00:00Z"}
SLOTS = "/api/v1/offers/jobsamtale/slots"


@dataclass
class StandInPublisher:
    """Answers what it was told to, or raises it."""

    answers: Answer = field(default_factory=lambda: answer_of(slot(9, "anna"), slot(9, "bo"), slot(10, "bo")))
    error: Exception | None = None
    asked: list[tuple[object, ...]] = field(default_factory=list)
    whom: Whom = STAFF

    def answer(
        self,
        offer: str,
        window: Interval,
        now: datetime,
        caseworker: str | None = None,
        form: Form | None = None,
        whom: Whom = STAFF,
    ) -> Answer:
        """Remember the question."""
        self.whom = whom
        self.asked.append((offer, window, now, caseworker, form))
        if self.error is not None:
            raise self.error
        return self.answers


def answer_of(*slots: Slot, closed: dict[str, str] | None = None, generation: int = 7) -> Answer:
    """An answer resting on calendars read a minute ago; all slots have one form and length."""
    starts: dict[str, int] = {}
    for one in slots:
        starts[one.caseworker] = starts.get(one.caseworker, 0) | GRID.bit(int(one.interval.start.timestamp()))
    table = SlotTable(GRID, [Row(Form.PHONE, 30, who, cells) for who, cells in starts.items()])
    return Answer(table, generation, NOW - timedelta(minutes=1), NOW + timedelta(hours=1), closed or {}, {})


def slot(hour: int, caseworker: str, minute: int = 0) -> Slot:
    """Half an hour by phone on 1 December 2026."""
    return Slot(Interval.at(datetime(2026, 12, 1, hour, minute, tzinfo=UTC), 30), caseworker, Form.PHONE)


def healthy() -> Health:
    """All is well."""
    return Health((Check("database", Standing.GOOD, "Databasen svarer.", "The database answers."),))


class House:
    """The application with everything behind it replaced."""

    def __init__(self, health: Callable[[], Health] = healthy, **changes: Any) -> None:
        self.publisher = StandInPublisher()
        clients = {
            "portal": ClientSection(token_sha256=(token_digest(TOKEN),), rights=frozenset({"book", "why", "servers"})),
            "weak": ClientSection(token_sha256=(token_digest(WEAK_TOKEN),), rights=frozenset()),
        }
        directory = Directory.of("Eksempel Kommune", {}, {}, {}, "Borgerservice, tlf. 12 34 56 78")
        deps = Deps(
            store=cast(Any, None),
            publisher=cast(Any, self.publisher),
            desk=cast(Any, None),
            clock=FixedClock(NOW),
            clients=lambda: clients,
            directory=lambda: directory,
            rulebook=lambda: Rulebook(3, {"jobsamtale": OFFER}, {}),
            health=health,
            freshen=lambda offer, start, caseworker, now: None,
            metrics=lambda: b"syncd_up 1\n",
        )
        self.deps = replace(deps, **changes)
        self.app = build_app(self.deps)
        self.stranger = TestClient(self.app)
        self.portal = TestClient(self.app, headers={"Authorization": f"Bearer {TOKEN}"})
        self.weak = TestClient(self.app, headers={"Authorization": f"Bearer {WEAK_TOKEN}"})

    def refuse(self, error: Exception | type[BookingError]) -> None:
        """Let the next questions about slots fail."""
        self.publisher.error = error if isinstance(error, Exception) else error("No.")

    def afresh(self) -> House:
        """The same house, with a publisher that was never asked."""
        fresh = StandInPublisher()
        self.publisher.answers, self.publisher.error, self.publisher.asked = fresh.answers, None, fresh.asked
        return self


@cache
def _built() -> House:
    return House()


def house() -> House:
    """A house as new; the application, which takes a while to put together, is built once."""
    return _built().afresh()
