"""What a script may do to the simulated world over HTTP, and how messages look."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from tests.servers.dfdg import names
from tests.servers.dfdg.http import Answer, Request
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
    except (KeyError, ValueError, TypeError, Refused) as error:
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


_ACTIONS: dict[str, Any] = {
    "citizen": _citizen,
    "summon": _summons,
    "change": _change,
    "annul": lambda server, asked: server.world.annul(asked["record"], "kss", names.CASE_SYSTEM).id,
    "deadline": _deadline,
    "fault": _fault,
    "calm": lambda server, _asked: server.faults.clear(),
    "books": lambda server, _asked: list(server.world.books()),
    "receipts": lambda server, _asked: server.world.receipts,
    "waiting": lambda server, _asked: len(server.world.queue),
}
