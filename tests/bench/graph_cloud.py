"""The simulated Graph as a process: full calendars, and a latency; ``python -m tests.bench.graph_cloud``."""

from __future__ import annotations

import random
import sys
from datetime import datetime, timedelta

from tests.servers.graph import GraphServer

BODY = "<html><body>" + "<p>Referat fra mødet i går, som alle skal læse inden fredag.</p>" * 25 + "</body></html>"
LETTERS = "eeeeeerrrnnnttttaaadddiiigglllsssookkmmfvvubhpjyæøå"
WORDS = ["".join(random.Random(number).choices(LETTERS, k=3 + number % 9)) for number in range(2000)]


def body(number: int) -> str:
    """A body of the same length that is like no other: packing the same words again and again would cost nothing."""
    text = " ".join(random.Random(number).choices(WORDS, k=len(BODY) // 8 + 40))
    return f"<html><body><p>{text}"[: len(BODY) - 18] + "</p></body></html>"


def main(mailboxes: int, entries: int, seconds: float, first: datetime, packs: bool) -> None:
    """Serve until interrupted.

    :param seconds: of latency. :param packs: answers are packed, as Microsoft does.
    """
    graph = GraphServer(concurrency=8, packs=packs)
    graph.door.application("app-1", secret="s")
    for number in range(mailboxes):
        address = f"p{number}@syncd.test"
        graph.mailbox(address)
        for entry in range(entries):
            start = first + timedelta(days=entry // 6 + 1, hours=entry % 6)
            content = {"contentType": "html", "content": body(number * entries + entry)}
            graph.outlook.book(address, start, start + timedelta(minutes=45), subject="Møde", body=content)
    if seconds:
        graph.faults.add("hang", "delta", seconds=seconds)
    print(graph.base, flush=True)
    graph.serve()


if __name__ == "__main__":
    main(
        int(sys.argv[1]),
        int(sys.argv[2]),
        float(sys.argv[3]),
        datetime.fromisoformat(sys.argv[4]),
        sys.argv[5] == "packed",
    )
