"""Options that many commands share, and opening what they name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.clock import SystemClock
from syncd.errors import SyncdError
from syncd.model.interval import Interval
from syncd.model.zones import instant, known, midnight

if TYPE_CHECKING:
    from syncd.config import Config
    from syncd.daemon.checking import Checked
    from syncd.daemon.parts import Parts

ConfigOption = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="SYNCD_CONFIG", help="The configuration file.", show_default=True),
]
YEARS = range(1970, 2201)
"""Years in which a time may lie; outside of them clocks and calendars know nothing that could be relied on."""
LONGEST = 20
"""Years that a window may span, if nothing else is said."""
DEFAULT_CONFIG = Path("/etc/syncd/syncd.toml")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a script instead of a table.")]


def config_option(path: Path) -> str:
    """What a command that an operator is told needs behind it to mean this configuration; begins with a blank."""
    return "" if path == DEFAULT_CONFIG else f" --config {shlex.quote(str(path))}"


@contextmanager
def parts_of(path: Path, *, quiet: bool = True, fresh: bool = True) -> Iterator[Parts]:
    """Everything the configuration at *path* names, closed again afterwards.

    :param fresh: whether a database that holds nothing yet is set up.
    :raises ConfigError: the configuration cannot be used.
    :raises StoreError: the database cannot.
    """
    # Here and not above, so that --help and --version answer at once.
    from syncd.config import load
    from syncd.daemon.parts import assemble, look_into_store
    from syncd.observe import logs

    config = load(path)
    logs.configure("error" if quiet else config.log.level, config.log.format)
    parts = assemble(config, look_into_store(config, fresh=fresh), SystemClock())
    try:
        yield parts
    finally:
        parts.close()


@contextmanager
def calendars_of(path: Path) -> Iterator[Checked]:
    """The configuration at *path* and the ways to its calendars; needs no database and makes none.

    :raises ConfigError: the configuration, or something it points to, cannot be used.
    """
    from syncd.config import load
    from syncd.daemon.checking import checked
    from syncd.observe import logs

    config = load(path)
    logs.configure("error", config.log.format)
    with checked(config, SystemClock()) as found:
        yield found


def zone_of(config: Config) -> str:
    """The zone in which the command line reads times without one: the first site's."""
    return next(iter(config.sites.values())).zone


def moment(text: str, zone: str) -> datetime:
    """An instant as people write it: ISO 8601; without an offset it is wall clock in *zone*.

    :raises SyncdError: it is neither a date nor a time, or lies outside of `YEARS`.
    """
    try:
        whole_day = re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None
        given = datetime.fromisoformat(text)
    except ValueError:
        raise SyncdError(f"'{text}' is not a time. Write 2026-11-23, 2026-11-23T09:15 or 2026-11-23T08:15Z.") from None
    if given.year not in YEARS:
        raise SyncdError(f"'{text}' is too far away; a time lies in the years {YEARS[0]} to {YEARS[-1]}.")
    if whole_day:
        return midnight(given.date(), zone)
    if given.tzinfo is None:
        return instant(given.date(), given.time(), zone)
    return given.astimezone(UTC)


def window_of(start: str | None, end: str | None, zone: str, now: datetime, days: int) -> Interval:
    """From *start* (now) to *end* (*days* later).

    :raises SyncdError: a time that is none, the wrong way round, or longer than `LONGEST`.
    """
    first = moment(start, zone) if start else now.replace(microsecond=0)
    last = moment(end, zone) if end else first + timedelta(days=days)
    return between(first, last)


def between(first: datetime, last: datetime, years: int = LONGEST) -> Interval:
    """The window of ``--from`` and ``--to``.

    :raises SyncdError: the wrong way round, or longer than *years*.
    """
    if last <= first:
        raise SyncdError(f"--to ({last.isoformat()}) must be later than --from ({first.isoformat()}).")
    if last - first > timedelta(days=366 * years):
        raise SyncdError(f"From {first.date()} to {last.date()} is too long; at most {years} years can be asked for.")
    return Interval(first, last)


def known_zone(zone: str) -> str:
    """*zone* itself.

    :raises SyncdError: it is not an IANA name.
    """
    if not known(zone):
        raise SyncdError(f"'{zone}' is not a time zone this machine knows; use an IANA name such as Europe/Copenhagen.")
    return zone
