"""Alerts, boards and runbooks speak of figures that exist, and every alert fires on its fault and is quiet without."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from syncd.config import Config, JobnetSection, SecretRef
from syncd.config.accounts import CalendarAccount
from syncd.config.certificates import TlsSection
from syncd.config.dfdg import DfdgSection
from syncd.config.exchange import ExchangeSection
from syncd.config.graph import GraphSection
from syncd.daemon.expiring import certificates
from syncd.daemon.gauges import ranked
from syncd.observe import metrics
from syncd.observe.metrics import REGISTRY
from tests.environment import ROOT, program
from tests.servers.exchange.tls import certificates as issued

FOLDER = ROOT / "config" / "observability"
BOARDS = ("service", "mailboxes", "bookings")
ALERTS = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
NAMES = re.findall(r"- alert: (\w+)", ALERTS)
ELSEWHERE = ("syncd_jobnet_", "syncd_dfdg_")
"""Beginnings of figures that have boards or pages of their own."""
FAMILIES = {family.name: family for family in REGISTRY.collect()}


def _series() -> set[str]:
    """Every name that a scrape can show."""
    shown = set()
    for family in FAMILIES.values():
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
        shown |= {family.name + end for end in ends}
    return shown


def _expressions(board: str) -> list[str]:
    panels: list[dict[str, Any]] = json.loads((FOLDER / f"{board}.json").read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def _promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(program("promtool", "prometheus")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=FOLDER)


@pytest.mark.broad
def test_each_alert_fires_on_its_fault_and_is_quiet_without_it() -> None:
    told = _promtool("test", "rules", "alerts.test.yml")

    assert 0 == told.returncode, told.stdout + told.stderr
    tested = (FOLDER / "alerts.test.yml").read_text(encoding="utf-8")
    assert [] == [name for name in NAMES if f"{name} fires" not in tested or f"{name} is quiet" not in tested]


def test_prometheus_takes_the_configuration_and_a_planted_mistake_is_seen(tmp_path: Path) -> None:
    good = _promtool("check", "config", "prometheus.yml")
    (tmp_path / "bad.yml").write_text(ALERTS.replace("> 300", "> > 300"), encoding="utf-8")
    bad = _promtool("check", "rules", tmp_path / "bad.yml")

    assert 0 == good.returncode, good.stdout + good.stderr
    assert 0 != bad.returncode


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_asks_in_a_language_prometheus_knows_with_panels_that_do_not_lie_on_each_other(
    board: str, tmp_path: Path
) -> None:
    told = json.loads((FOLDER / f"{board}.json").read_text(encoding="utf-8"))
    rules = [f"      - record: a{n}\n        expr: {json.dumps(e)}" for n, e in enumerate(_expressions(board))]
    (tmp_path / "rules.yml").write_text("groups:\n  - name: x\n    rules:\n" + "\n".join(rules), encoding="utf-8")
    places = [panel["gridPos"] for panel in told["panels"]]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]

    assert 0 == _promtool("check", "rules", tmp_path / "rules.yml").returncode
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in told["panels"]}) == len(told["panels"])


def test_every_figure_that_is_asked_for_exists() -> None:
    asked = "\n".join([ALERTS, *(e for board in BOARDS for e in _expressions(board))])

    assert set() == set(re.findall(r"\bsyncd_\w+", asked)) - _series()


def test_every_figure_of_ours_is_on_a_board_or_in_an_alert() -> None:
    asked = "\n".join([ALERTS, *(e for board in BOARDS for e in _expressions(board))])

    assert [] == [name for name in FAMILIES if name not in asked and not name.startswith(ELSEWHERE)]


def test_labels_come_from_short_lists() -> None:
    bounded = {
        "account",
        "channel",
        "kind",
        "op",
        "operation",
        "outcome",
        "quantile",
        "queue",
        "result",
        "role",
        "route",
        "status",
        "task",
        "trust",
    }
    labels = {label for collector in vars(metrics).values() for label in getattr(collector, "_labelnames", ())}

    assert {"version"} == labels - bounded


def test_every_alert_has_a_runbook_page_that_is_found_from_the_index() -> None:
    index = (ROOT / "docs" / "operations" / "alerts.md").read_text(encoding="utf-8")
    pages = [url.rpartition("/")[2] for url in re.findall(r"runbook_url: (\S+)", ALERTS)]

    assert len(NAMES) == len(pages) == len(set(pages))
    for name, page in zip(NAMES, pages, strict=True):
        assert (ROOT / "docs" / "operations" / "alerts" / page).read_text(encoding="utf-8").startswith(f"# {name}\n")
        assert f"[{name}](alerts/{page})" in index


@pytest.mark.parametrize(("quantile", "expected"), [(0.5, 2.0), (0.99, 3.0), (1.0, 3.0)])
def test_a_quantile_is_an_age_that_was_seen(quantile: float, expected: float) -> None:
    assert expected == ranked([1.0, 2.0, 3.0], quantile)
    assert 0.0 == ranked([], quantile)


def test_every_certificate_that_is_configured_is_watched(tmp_path: Path) -> None:
    files = issued(tmp_path, "syncd")
    means: dict[str, Any] = {"listen": "127.0.0.1:8443", "server_certificate": files.server, "server_key": files.server}
    shown = SecretRef(file=str(files.client))
    graph = GraphSection(certificate=tmp_path / "gone.pem", next_certificate=files.client)
    accounts: dict[str, dict[str, Any]] = {
        "caldav": {"ca_file": files.authority},
        "exchange": {"ews": ExchangeSection(client_certificate=files.client)},
        "cloud": {"graph": graph},
        "none": {},
    }
    config = SimpleNamespace(
        calendars={name: CalendarAccount.model_construct(adapter="memory", **own) for name, own in accounts.items()},
        dfdg=DfdgSection.model_construct(certificate=shown),
        jobnet=JobnetSection.model_construct(**means),
        tls=TlsSection(**means, client_ca=files.authority),
    )
    found = dict(certificates(cast(Config, config)))

    assert ["[dfdg]", "[jobnet]", "[tls]", "caldav", "cloud", "exchange"] == sorted(found)
    assert all(timedelta(hours=23) < ends - datetime.now(UTC) < timedelta(days=1) for ends in found.values())
