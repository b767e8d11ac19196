"""Start the simulated Exchange server as a process: ``python -m tests.servers.exchange [--town FILE] [--port N]``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from tests.servers.exchange.server import ExchangeServer
from tests.servers.exchange.town import fill


def main() -> None:
    """Serve until told to end; prints one line of JSON when it answers."""
    options = _options()
    server = ExchangeServer(options.schemas, seed=options.seed, port=options.port, affinity=options.affinity)
    if options.town:
        fill(server, json.loads(options.town.read_text(encoding="utf-8")))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(json.dumps({"url": server.url, "token": server.token_url, "control": f"{server.base}/control/"}), flush=True)
    try:
        server.serve()
    finally:
        server.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.servers.exchange", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="any free one if 0")
    parser.add_argument("--town", type=Path, help="JSON file of accounts, mailboxes, rooms and entries (README.md)")
    parser.add_argument("--schemas", type=Path, help="folder of Microsoft's schemas; judges every message")
    parser.add_argument("--seed", type=int, default=0, help="of chances and made-up ids")
    parser.add_argument("--affinity", action="store_true", help="several servers behind one address")
    return parser.parse_args()


if __name__ == "__main__":
    main()
