"""One log line per unit of work: JSON for machines, colours for people, never a citizen's data."""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Literal

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

CPR = re.compile(r"(?<!\d)(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{2}[- ]?\d{4}(?!\d)")
"""Danish civil registration numbers: ddmmyy-xxxx, with or without the dash."""

LogFormat = Literal["auto", "json", "pretty"]

log = structlog.get_logger()


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank anything that looks like a CPR number: the last net under the rule not to log one."""
    for key, value in event.items():
        if isinstance(value, str) and CPR.search(value):
            event[key] = CPR.sub("[cpr]", value)
    return event


def _in_order(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put what the eye looks for first in front."""
    first = {key: event.pop(key) for key in ("at", "level", "event", "outcome") if key in event}
    return {**first, **event}


_IN_FORCE = {"level": "info"}


def level() -> str:
    """The least level that is logged now."""
    return _IN_FORCE["level"]


def configure(level: str = "info", form: LogFormat = "auto") -> None:
    """Send every line to stderr; ``auto`` is JSON unless stderr is a terminal."""
    pretty = form == "pretty" or (form == "auto" and sys.stderr.isatty() and "JOURNAL_STREAM" not in os.environ)
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if pretty
        else structlog.processors.JSONRenderer()
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    _IN_FORCE["level"] = level
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            redact,
            _in_order,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _quieten_libraries(number)


class _ToStructlog(logging.Handler):
    """Carries the libraries' own records into our one stream, so that every line looks alike."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record's text under the event ``library``."""
        number = min(record.levelno, logging.ERROR)
        log.log(number, "library", source=record.name, text=record.getMessage().splitlines()[0][:300])


def _quieten_libraries(level: int) -> None:
    root = logging.getLogger()
    root.handlers = [_ToStructlog()]
    root.setLevel(max(level, logging.WARNING))
    for chatty, floor in (("apscheduler", logging.ERROR), ("psycopg", logging.ERROR), ("caldav", logging.ERROR)):
        logging.getLogger(chatty).setLevel(floor)


def frames(error: BaseException, most: int = 8) -> list[str]:
    """Where *error* came from: file, line and function, the innermost last.

    Texts and local variables of an unforeseen exception may quote a citizen's data; places in our code cannot.
    """
    places = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in places][-most:]


@contextmanager
def canonical_line(event: str, **keys: Any) -> Iterator[dict[str, Any]]:
    """Emit exactly one line for the block, with its outcome and duration.

    :param event: a constant, ``noun.verb``; everything variable is a key.
    :yields: a dict of further facts to put on the line.
    """
    facts: dict[str, Any] = {"outcome": "ok"}
    started = monotonic()
    with structlog.contextvars.bound_contextvars(**keys):
        try:
            yield facts
        except Exception as error:
            facts.update(outcome="failed", error=type(error).__name__)
            raise
        finally:
            say = log.info if facts["outcome"] in ("ok", "unchanged") else log.warning
            say(event, **facts, duration_ms=round(1000 * (monotonic() - started)))
