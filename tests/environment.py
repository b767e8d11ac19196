"""What this machine lacks for a full test run, said once at the end and fatal under REQUIRE_ALL=1.

A test that needs something from outside the environment of `make env` asks here for it:
`program` for a Debian program, `shared` for data that lies beside the checkout, `not_covered` for anything else.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""

_MARK = "not covered: "
_CURE = " | cure: "


def require_all() -> bool:
    """Whether everything must be covered (`REQUIRE_ALL=1`, as `.ci/run` sets it)."""
    return os.environ.get("REQUIRE_ALL", "") not in ("", "0")


def not_covered(reason: str, cure: str) -> NoReturn:
    """Skip the running test, fixture or module because the machine lacks something.

    The reason and the cure appear at the end of the run; under REQUIRE_ALL=1 the test fails instead.

    :param reason: what is missing, such as ``PostgreSQL's initdb is missing``.
    :param cure: the one command, or the one thing to do, that brings it.
    """
    text = f"{_MARK}{reason}{_CURE}{cure}"
    if require_all():
        pytest.fail(text, pytrace=False)
    pytest.skip(text, allow_module_level=True)


def program(name: str, package: str, places: Iterable[Path] = ()) -> Path:
    """The path of a program that Debian's *package* brings, or `not_covered`.

    :param places: folders to look in beside PATH; later ones win over earlier ones.
    """
    for place in reversed([*places]):
        if os.access(place / name, os.X_OK):
            return place / name
    if found := shutil.which(name):
        return Path(found)
    return not_covered(f"{name} is missing", f"apt-get install {package}")


def shared(relative: str) -> Path:
    """A file or folder of the data beside the checkout (`$SYNCD_SHARED` or `../shared`), or `not_covered`."""
    base = Path(os.environ.get("SYNCD_SHARED") or ROOT.parent / "shared")
    if (path := base / relative).exists():
        return path
    return not_covered(f"{relative} is missing in the shared data", "lay it beside the checkout or set SYNCD_SHARED")


def gaps(skip_texts: Iterable[str]) -> list[str]:
    """Sentences for the end of a run, one for each different thing that was missing, with its number of tests."""
    counts: dict[str, int] = {}
    for text in skip_texts:
        what = text.removeprefix("Skipped: ").removeprefix(_MARK)
        counts[what] = counts.get(what, 0) + 1
    return [f"{what.replace(_CURE, ' - cure: ')} ({number} skipped)" for what, number in sorted(counts.items())]
