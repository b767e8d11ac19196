"""`syncd reports`: what was sent to whom, and once more what nobody knows about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncd.cli.opening import parts_of
from syncd.store.reports import Reports, Standing
from tests.integration.cli_office import Office, beside_other_tests


@pytest.fixture(autouse=True)
def _quietly() -> Iterator[None]:
    with beside_other_tests():
        yield


def test_a_report_that_may_have_arrived_is_told_and_sent_again_once(tmp_path: Path) -> None:
    office, now = Office(tmp_path), datetime.now(UTC).replace(microsecond=0)
    assert 0 == office.syncd("offers", "apply", office.rules).code
    assert [] == office.syncd("reports", "list", "--json").json
    with parts_of(office.config) as parts, parts.store.begin() as tx:
        for recipient in ("leder@example.dk", "vice@example.dk"):
            assert Reports(tx.session).take("ledelse", "2026-W49", recipient, now)
        Reports(tx.session).stand("ledelse", "2026-W49", "leder@example.dk", Standing.UNKNOWN, now, "it hung up")
        Reports(tx.session).stand("ledelse", "2026-W49", "vice@example.dk", Standing.SENT, now)

    listed = {row["recipient"]: row["state"] for row in office.syncd("reports", "list", "--json").json}
    told = office.syncd("reports", "list")

    assert {"leder@example.dk": "unknown", "vice@example.dk": "sent"} == listed
    assert "syncd reports again NAME PERIOD" in told.out
    assert "1 recipient(s)" in office.syncd("reports", "again", "ledelse", "2026-W49").out
    refused = office.syncd("reports", "again", "ledelse", "2026-W48")
    assert 1 == refused.code
    assert "Nothing was changed" in refused.err
