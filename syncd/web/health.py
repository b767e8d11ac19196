"""How the service stands, in words and for machines: /livez, /readyz, /startupz and /metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from fastapi import APIRouter, Response


class Standing(StrEnum):
    """How something stands; a calendar server that is down makes the service degraded, not dead."""

    GOOD = "good"
    DEGRADED = "degraded"
    DOWN = "down"


SUMMARY = {
    Standing.GOOD: {"da": "Alt virker.", "en": "Everything works."},
    Standing.DEGRADED: {
        "da": "Tjenesten virker, men noget kræver opmærksomhed.",
        "en": "The service works, but something needs attention.",
    },
    Standing.DOWN: {"da": "Tjenesten kan ikke bruges lige nu.", "en": "The service cannot be used right now."},
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    :param name: a short fixed word: ``database``, ``calendars``, ``scheduler`` …
    :param da, en: one plain sentence each; no person's or mailbox's name.
    """

    name: str
    standing: Standing
    da: str
    en: str


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that was looked at; the whole is as good as its worst part."""

    checks: tuple[Check, ...]

    @property
    def standing(self) -> Standing:
        """The worst standing among the checks."""
        order = list(Standing)
        return max((check.standing for check in self.checks), key=order.index, default=Standing.GOOD)

    def report(self) -> dict[str, Any]:
        """The form /readyz answers with."""
        checks = [{"name": c.name, "status": c.standing, "says": {"da": c.da, "en": c.en}} for c in self.checks]
        return {"status": self.standing, "says": SUMMARY[self.standing], "checks": checks}


STARTING = Health(
    (Check("startup", Standing.DOWN, "Tjenesten er ved at starte.", "The service is starting."),),
)
"""How it stands before there is anything to look at."""


def router(health: Callable[[], Health], metrics: Callable[[], bytes] | None, started: Callable[[], bool]) -> APIRouter:
    """The paths a supervisor asks; none needs a token, none tells anything about a person.

    :param metrics: None where figures are not for everybody who reaches this listener.
    """
    routes = APIRouter(include_in_schema=False)

    def livez() -> Response:
        """The process answers; nothing else is looked at, so that a restart is only asked for when it helps."""
        return _json({"status": "alive", "says": {"da": "Processen svarer.", "en": "The process answers."}})

    def readyz() -> Response:
        """503 only when requests cannot be served; degraded is still ready."""
        found = health()
        return _json(found.report(), 503 if found.standing is Standing.DOWN else 200)

    def startupz() -> Response:
        """503 until the database is upgraded and written to and the work has begun; then 200 for good."""
        if started():
            return _json(
                {"status": "started", "says": {"da": "Tjenesten er startet.", "en": "The service has started."}}
            )
        return _json(STARTING.report(), 503)

    paths: dict[str, Callable[[], Response]] = {"/livez": livez, "/readyz": readyz, "/startupz": startupz}
    if metrics is not None:
        paths["/metrics"] = lambda: Response(metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
    for path, endpoint in paths.items():
        routes.add_api_route(path, endpoint, methods=["GET", "HEAD"])
    return routes


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
