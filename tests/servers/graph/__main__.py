"""Start the simulated Graph as a process: ``python -m tests.servers.graph [--town FILE] [--port N]``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from tests.servers.graph.server import GraphServer
from tests.servers.graph.town import fill


def main() -> None:
    """Serve until told to end; prints one line of JSON when it answers."""
    options = _options()
    server = GraphServer(options.metadata, seed=options.seed, port=options.port)
    if options.town:
        fill(server, json.loads(options.town.read_text(encoding="utf-8")))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(json.dumps({"url": server.url, "login": server.base, "control": f"{server.base}/control/"}), flush=True)
    server.serve()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.servers.graph", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="any free one if 0")
    parser.add_argument("--town", type=Path, help="JSON file of applications, mailboxes, rooms and entries (README.md)")
    parser.add_argument("--metadata", type=Path, help="Microsoft's CSDL; judges every event")
    parser.add_argument("--seed", type=int, default=0, help="of chances and made-up ids")
    return parser.parse_args()


if __name__ == "__main__":
    main()
