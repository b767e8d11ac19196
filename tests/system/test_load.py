"""LOAD_RATE (50) requests a second with faults, for LOAD_SECONDS (3600): memory and file descriptors stay flat."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
import requests

from tests.servers.proxy import Proxy, say
from tests.system.service import TOKEN, Service, wait_for

SECONDS = float(os.environ.get("LOAD_SECONDS", "3600"))
RATE = float(os.environ.get("LOAD_RATE", "50"))
PAUSE = max(1.0, SECONDS / 240)
"""Seconds between two samples."""
GROWTH = 1.10 if SECONDS >= 1800 else 1.35
"""How much more memory the last third may take than the middle one; a short run still fills its caches."""
MORE_FILES = 25
WAITING = 200
"""So many requests may wait for one of the crowd; a machine too busy for the rate sends fewer, and says how many."""


class Crowd:
    """Portals that ask, hold and give back, at a steady rate, and count what they are told."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._local = threading.local()
        self._counting = threading.Lock()
        self.told: Counter[str] = Counter()

    def once(self, number: int) -> None:
        """One request; every tenth holds a time, and gives it back."""
        http = self._session()
        try:
            if number % 10:
                begin = datetime.now(UTC).replace(microsecond=0)
                window = {"from": begin.isoformat(), "to": (begin + timedelta(days=1 + number % 7)).isoformat()}
                answer = http.get(f"{self._service.url}/api/v1/offers/samtale/slots", params=window, timeout=30)
            else:
                start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=4 + number % 100)
                wish = {"offer": "samtale", "start": start.isoformat(), "form": "phone"}
                key = {"Idempotency-Key": f"load-{number}"}
                answer = http.post(f"{self._service.url}/api/v1/holds", json=wish, headers=key, timeout=30)
                if answer.status_code == 201:
                    http.delete(f"{self._service.url}/api/v1/holds/{answer.json()['id']}", timeout=30)
            self._count(str(answer.status_code))
        except requests.RequestException as error:
            self._count(type(error).__name__)

    def _count(self, what: str) -> None:
        with self._counting:
            self.told[what] += 1

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "http"):
            self._local.http = requests.Session()
            self._local.http.headers["Authorization"] = f"Bearer {TOKEN}"
        http: requests.Session = self._local.http
        return http


def sample(process: int) -> tuple[int, int]:
    """Resident memory in KB, and open files, of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    [resident] = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")]
    return resident, len([*Path(f"/proc/{process}/fd").iterdir()])


def spent(process: int) -> float:
    """Seconds of processor that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def trouble(between: Proxy, ended: threading.Event) -> None:
    """The calendar server answers badly now and then, and so it does while somebody waits."""
    while not ended.wait(3 * PAUSE):
        for method in ("REPORT", "PROPFIND", "PUT"):
            between.meet(method, say(503, "later"), times=2)
            between.meet(method, say(500, "broken"), times=2)


@pytest.mark.long
@pytest.mark.timeout(int(2 * SECONDS) + 300)
def test_memory_and_files_stay_flat_under_load_with_faults(service: Service, between: Proxy) -> None:
    service.start()
    wait_for(lambda: len(service.slots()) > 10, "slots")
    assert service.child is not None
    crowd, ended, samples = Crowd(service), threading.Event(), [sample(service.child.pid)]
    faults = threading.Thread(target=trouble, args=(between, ended), daemon=True)
    faults.start()
    began, number, left_out = time.monotonic(), 0, 0
    taken = {"service": -spent(service.child.pid), "crowd": -spent(os.getpid())}
    with ThreadPoolExecutor(24) as people:
        while (passed := time.monotonic() - began) < SECONDS:
            while number + left_out < passed * RATE:
                if number - crowd.told.total() > WAITING:
                    left_out += 1
                    continue
                people.submit(crowd.once, number)
                number += 1
            if passed > len(samples) * PAUSE:
                samples.append(sample(service.child.pid))
                print(f"{passed:.0f} s: {samples[-1][0]} KB, {samples[-1][1]} files, {number} requests", flush=True)
            time.sleep(0.01)
    ended.set()
    faults.join(10)
    taken = {"service": taken["service"] + spent(service.child.pid), "crowd": taken["crowd"] + spent(os.getpid())}

    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    figures = {"samples": samples[:: max(1, len(samples) // 12)], "told": dict(crowd.told), "sent": number}
    figures |= {"left out": left_out, "per second": round(number / SECONDS, 1)}
    figures |= {f"ms of processor per request, {who}": round(1000 * cpu / number, 1) for who, cpu in taken.items()}
    assert service.child.poll() is None, figures
    assert crowd.told["200"] > number / 2, figures
    assert 0 == crowd.told["500"], figures
    assert median(kb for kb, _ in last) <= GROWTH * median(kb for kb, _ in middle), figures
    assert max(files for _, files in last) <= max(files for _, files in middle) + MORE_FILES, figures
    print(figures)
