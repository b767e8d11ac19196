"""What goes out of the process as a line of the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from syncd.observe import logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    kept, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers, (root.level, logs.level())
    yield
    structlog.configure(**kept)
    root.handlers = handlers
    root.setLevel(level[0])
    logs._IN_FORCE["level"] = level[1]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("010190-1234 ringer", "[cpr] ringer"),
        ("nr. 0101901234.", "nr. [cpr]."),
        ("311299 1234", "[cpr]"),
        ("010190-1234, 020290-1234", "[cpr], [cpr]"),
        ("320190-1234", "320190-1234"),
        ("011390-1234", "011390-1234"),
        ("00101901234", "00101901234"),
        ("01019012345", "01019012345"),
    ],
)
def test_no_line_holds_a_number_of_the_civil_register(said: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    with logs.canonical_line("thing.done", where=said) as facts:
        facts["what"] = said
    logging.getLogger("some.library").warning("It said %s", said)

    done, library = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (told, told) == (done["where"], done["what"])
    assert f"It said {told}" == library["text"]
