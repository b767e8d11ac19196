"""How fast Jobnet's planner contract is answered over HTTP on loopback: 200 caseworkers, 20 offers."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx2

from syncd.clock import SystemClock
from tests.bench import jobnet_town
from tests.bench.figure import Figure
from tests.environment import ROOT
from tests.servers.processes import free_port

NAME = "jobnet"
ROUNDS = 200
TARGET = 50.0
"""Milliseconds, p99."""


def run() -> list[Figure]:
    """Offers of ever new citizens, and times of 14 days of ever other offers, in both generations."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        offers = jobnet_town.fill(url)
        with _serving(url) as base, httpx2.Client(base_url=base, timeout=30, trust_env=False) as http:
            first = _offers(http, 0)
            known = [one["MoedetilbudId"] for one in json.loads(first)["MoedetilbudSamling"]]
            assert len(known) == offers, "every offer is shown"
            times = json.loads(_times(http, known[0], 0))["BookingTimeslotCollection"]
            return [
                *_figures(f"E1, {offers} offers", lambda number: _offers(http, number)),
                *_figures(
                    f"E2, 14 days, {len(times)} times", lambda number: _times(http, known[number % offers], number)
                ),
                *_figures("E2, the same over SOAP", lambda number: _soap(http, known[number % offers], number)),
            ]


def _figures(called: str, ask: Callable[[int], bytes]) -> list[Figure]:
    for number in range(20):
        ask(number)
    spent = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        ask(number)
        spent.append(1000 * (time.perf_counter() - began))
    cuts = statistics.quantiles(spent, n=100)
    return [
        Figure(f"{called}, p50", round(cuts[49], 1), "ms"),
        Figure(f"{called}, p99", round(cuts[98], 1), "ms", TARGET),
    ]


def _offers(http: httpx2.Client, number: int) -> bytes:
    body: dict[str, object] = {"JobcenterKode": "12345", "KontaktgruppeType": 1}
    return _sent(http, "/v1/BorgerBooking/Moedetilbud", body, number)


def _times(http: httpx2.Client, offer: str, number: int) -> bytes:
    start, end = _fortnight()
    body: dict[str, object] = {"BookingOptionIntervalStartTime": start, "BookingOptionIntervalEndTime": end}
    return _sent(http, f"/v1/BorgerBooking/Moedetilbud/{offer}/Moedetider", body, number)


def _fortnight() -> tuple[str, str]:
    start = (SystemClock().now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return start.isoformat(), (start + timedelta(days=14)).isoformat()


def _sent(http: httpx2.Client, path: str, body: dict[str, object], number: int) -> bytes:
    answer = http.post(path, json=body, headers=jobnet_town.headers(number))
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.status_code}: {answer.text}")
    return answer.content


def _soap(http: httpx2.Client, offer: str, number: int) -> bytes:
    text = jobnet_town.envelope(offer, *_fortnight(), number)
    headers = jobnet_town.headers(number) | {"content-type": "text/xml"}
    answer = http.post("/ExternalBookingService/v3", content=text.encode(), headers=headers)
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.status_code}: {answer.text}")
    return answer.content


@contextmanager
def _serving(url: str) -> Iterator[str]:
    port = free_port()
    line = [sys.executable, "-m", "tests.bench.jobnet_town", url, str(port)]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            httpx2.get(f"http://127.0.0.1:{port}/livez", trust_env=False, timeout=2)
        except httpx2.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")
