"""How the service stands, told in words; a calendar server that is down makes it degraded, not dead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from syncd.daemon.parts import Parts
from syncd.errors import StoreError
from syncd.model.interval import Interval
from syncd.model.mirror import trust
from syncd.store.nodes import Nodes
from syncd.store.overview import owed
from syncd.web.health import Check, Health, Standing

OWED_TOO_LONG = 300.0
"""Seconds after which an unwritten meeting is worth a look."""


def look(parts: Parts, now: datetime, late: Sequence[str]) -> Health:
    """Look at everything that can go wrong.

    :param late: names of tasks that have not ended a run for long.
    """
    try:
        checks = [_database(parts), _calendars(parts, now), _writes(parts, now), _tasks(parts), _scheduler(late)]
        return Health((*checks, *_nodes(parts)))
    except StoreError:
        return Health(
            (
                Check("database", Standing.DOWN, "Databasen kan ikke bruges.", "The database cannot be used."),
                _scheduler(late),
            )
        )


def _database(parts: Parts) -> Check:
    parts.store.ping()
    return Check("database", Standing.GOOD, "Databasen kan læses og skrives.", "The database can be read and written.")


def _calendars(parts: Parts, now: datetime) -> Check:
    with parts.store.read() as tx:
        statuses = tx.mailboxes.statuses()
    max_age = timedelta(seconds=parts.config.sync.max_age_seconds)
    watched = [statuses.get(box) for box in parts.directory.mailboxes]
    closed = sum(not trust(status, now, max_age, Interval.at(now, 1)).open for status in watched)
    if not closed:
        return Check(
            "calendars",
            Standing.GOOD,
            f"Alle {len(watched)} kalendere er læst for nylig.",
            f"All {len(watched)} calendars were read recently.",
        )
    return Check(
        "calendars",
        Standing.DEGRADED,
        f"{closed} af {len(watched)} kalendere kan ikke bruges lige nu; deres tider er lukket.",
        f"{closed} of {len(watched)} calendars cannot be trusted just now; their times are closed.",
    )


def _writes(parts: Parts, now: datetime) -> Check:
    stopped = parts.reconciler.brake()
    if stopped is not None:
        return Check(
            "writes",
            Standing.DEGRADED,
            "Al skrivning til kalendere er stoppet og venter på et menneske: syncd writes resume",
            "All writing to calendars has stopped and waits for a person: syncd writes resume",
        )
    with parts.store.read() as tx:
        debt = owed(tx.session, now)
    if debt.oldest_seconds <= OWED_TOO_LONG:
        return Check(
            "writes",
            Standing.GOOD,
            f"{debt.pending} møder venter på at blive skrevet i kalenderne.",
            f"{debt.pending} meetings wait to be written into calendars.",
        )
    minutes = round(debt.oldest_seconds / 60)
    return Check(
        "writes",
        Standing.DEGRADED,
        f"{debt.pending} møder er ikke skrevet i kalenderne endnu; det ældste har ventet {minutes} minutter.",
        f"{debt.pending} meetings are not in the calendars yet; the oldest has waited {minutes} minutes.",
    )


def _tasks(parts: Parts) -> Check:
    with parts.store.read() as tx:
        waiting = sum(tx.tasks.counts().values())
    if not waiting:
        return Check("tasks", Standing.GOOD, "Intet venter på et menneske.", "Nothing waits for a person.")
    return Check(
        "tasks",
        Standing.DEGRADED,
        f"{waiting} opgaver venter på et menneske: syncd tasks",
        f"{waiting} tasks wait for a person: syncd tasks",
    )


def _nodes(parts: Parts) -> list[Check]:
    """How many serve together; nothing where one does."""
    if parts.node.name is None:
        return []
    with parts.store.read() as tx:
        found = Nodes(tx.session).all()
    silent = sum(node.dead for node in found)
    if not silent and parts.node.alive():
        said = f"{len(found)} maskiner arbejder sammen.", f"{len(found)} nodes serve together."
        return [Check("nodes", Standing.GOOD, *said)]
    if not parts.node.alive():
        said = "Denne maskine var væk, og de andre har taget over.", "This node was away, and the others took over."
        return [Check("nodes", Standing.DEGRADED, *said)]
    said = f"{silent} maskiner er tavse; de andre tager over.", f"{silent} nodes are silent; the others take over."
    return [Check("nodes", Standing.DEGRADED, *said)]


def _scheduler(late: Sequence[str]) -> Check:
    if not late:
        return Check("scheduler", Standing.GOOD, "Arbejdet går sin gang.", "Work goes on.")
    return Check(
        "scheduler",
        Standing.DEGRADED,
        f"{len(late)} opgaver er gået i stå.",
        f"{len(late)} tasks have come to a standstill.",
    )
