"""What a script may do to the simulated world over HTTP, and how messages look."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from tests.servers.dfdg import names
from tests.servers.dfdg.http import Answer, Request
from tests.servers.dfdg.jobnet import Choice, Jobnet, PlannerRefused, PlannerSilent, Shown
from tests.servers.dfdg.planner_rest import RestPlanner
from tests.servers.dfdg.world import Message, Record, Refused

if TYPE_CHECKING:
    from tests.servers.dfdg.server import DfdgServer


def told(message: Message) -> dict[str, Any]:
    """A WSB message as JSON (A WSBI, WSBF for the parts; C for their names)."""
    return {
        "beskedIdentifier": message.id,
        "entitetIdentifier": message.entity,
        "aendringType": message.change,
        "identifier": message.about,
        "identifikationType": names.BY_CPR,
        "identifikation": message.cpr,
        "tidspunkt": message.at.isoformat(),
    }


def summoned(server: DfdgServer, cpr: str, kind: int, start: datetime, end: datetime, **more: Any) -> Record:
    """The case system summons a citizen.

    :raises Refused: a rule forbids it.
    """
    facts = {"form": names.IN_PERSON, "caseworker": "", "id": server.world.guid(), **more}
    return server.world.save(Record(cpr=cpr, type=kind, start=start, end=end, **facts), names.CREATED, "kss")


def changed(server: DfdgServer, record: str, **facts: Any) -> Record:
    """The case system moves a talk, or gives it to somebody else.

    :raises Refused: a rule forbids it.
    """
    known = server.world.records[record]
    return server.world.save(replace(known, **facts, system=names.CASE_SYSTEM), names.UPDATED, "kss")


def done(server: DfdgServer, request: Request) -> Answer:
    """One action: ``POST /control/ACTION`` with a JSON object of what it needs."""
    asked = request.json() or {}
    try:
        return Answer(200, _ACTIONS[request.path.removeprefix("/control/")](server, asked))
    except (KeyError, ValueError, TypeError, Refused, PlannerRefused, PlannerSilent) as error:
        return Answer(400, {"error": str(error)})


def _citizen(server: DfdgServer, asked: dict[str, Any]) -> None:
    server.world.citizen(str(asked.pop("cpr")), **asked)


def _summons(server: DfdgServer, asked: dict[str, Any]) -> str:
    times = {key: datetime.fromisoformat(asked.pop(key)) for key in ("start", "end")}
    return summoned(server, asked.pop("cpr"), asked.pop("type"), **times, **asked).id


def _change(server: DfdgServer, asked: dict[str, Any]) -> None:
    times = {key: datetime.fromisoformat(asked.pop(key)) for key in ("start", "end") if key in asked}
    changed(server, asked.pop("record"), **times, **asked)


def _deadline(server: DfdgServer, asked: dict[str, Any]) -> str:
    until, latest = (date.fromisoformat(asked[key]) for key in ("until", "latest"))
    immediate = bool(asked.get("immediate"))
    return server.world.deadline(asked["cpr"], asked["type"], until, latest, immediate=immediate).id


def _fault(server: DfdgServer, asked: dict[str, Any]) -> None:
    server.faults.add(asked.pop("kind"), **asked)


def _planner(server: DfdgServer, asked: dict[str, Any]) -> None:
    """Which planner serves the citizens (the switch of PLN), and what the proxy in front of it adds."""
    server.pages = Jobnet(server.world, RestPlanner(asked["url"], asked.get("headers")))


def _page(server: DfdgServer, cpr: str) -> tuple[Jobnet, Shown]:
    """Jobnet's pages, with the citizen's first offer."""
    if server.pages is None:
        raise ValueError("no planner was named")
    planner = server.pages.planner
    open_ = server.world.open_deadlines(cpr)
    if isinstance(planner, RestPlanner) and open_:
        planner.deadlines[cpr] = open_[0]
    known = planner.offers(server.world.citizens[cpr], []) if cpr not in server.offered else [server.offered[cpr]]
    server.offered[cpr] = known[0]
    return server.pages, known[0]


def _choice(offer: Shown, asked: dict[str, Any]) -> Choice:
    return Choice(offer, datetime.fromisoformat(asked["start"]), asked["form"], asked.get("caseworker"))


def _offers(server: DfdgServer, asked: dict[str, Any]) -> list[Any]:
    _page(server, asked["cpr"])
    return [asdict(one) for one in [server.offered[asked["cpr"]]]]


def _times(server: DfdgServer, asked: dict[str, Any]) -> list[Any]:
    pages, offer = _page(server, asked["cpr"])
    return [asdict(one) | {"start": one.start.isoformat()} for one in pages.times(asked["cpr"], offer)]


def _book(server: DfdgServer, asked: dict[str, Any]) -> dict[str, Any]:
    pages, offer = _page(server, asked["cpr"])
    return _written(pages.book(asked["cpr"], _choice(offer, asked)))


def _move(server: DfdgServer, asked: dict[str, Any]) -> dict[str, Any]:
    pages, offer = _page(server, asked["cpr"])
    return _written(pages.move(asked["cpr"], asked["record"], _choice(offer, asked)))


def _cancel(server: DfdgServer, asked: dict[str, Any]) -> dict[str, Any]:
    pages, _ = _page(server, asked["cpr"])
    return _written(pages.cancel(asked["cpr"], asked["record"]))


def _written(record: Record) -> dict[str, Any]:
    return asdict(record) | {"start": record.start.isoformat(), "end": record.end.isoformat()}


_ACTIONS: dict[str, Any] = {
    "citizen": _citizen,
    "summon": _summons,
    "change": _change,
    "annul": lambda server, asked: server.world.annul(asked["record"], "kss", names.CASE_SYSTEM).id,
    "deadline": _deadline,
    "fault": _fault,
    "calm": lambda server, _asked: server.faults.clear(),
    "books": lambda server, _asked: [_written(server.world.records[one["id"]]) for one in server.world.books()],
    "planner": _planner,
    "offers": _offers,
    "times": _times,
    "book": _book,
    "move": _move,
    "cancel": _cancel,
    "receipts": lambda server, _asked: server.world.receipts,
    "waiting": lambda server, _asked: len(server.world.queue),
}
