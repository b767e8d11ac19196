"""The simulated Graph as a process: full calendars, and a latency; ``python -m tests.bench.graph_cloud``."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from tests.servers.graph import GraphServer

BODY = "<html><body>" + "<p>Referat fra mødet i går, som alle skal læse inden fredag.</p>" * 25 + "</body></html>"


def main(mailboxes: int, entries: int, seconds: float, first: datetime) -> None:
    """Serve until interrupted."""
    graph = GraphServer(concurrency=8)
    graph.door.application("app-1", secret="s")
    for number in range(mailboxes):
        address = f"p{number}@syncd.test"
        graph.mailbox(address)
        for entry in range(entries):
            start = first + timedelta(days=entry // 6 + 1, hours=entry % 6)
            body = {"contentType": "html", "content": BODY}
            graph.outlook.book(address, start, start + timedelta(minutes=45), subject="Møde", body=body)
    if seconds:
        graph.faults.add("hang", "delta", seconds=seconds)
    print(graph.base, flush=True)
    graph.serve()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), datetime.fromisoformat(sys.argv[4]))
