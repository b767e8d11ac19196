"""Start the simulated DFDG as a process: ``python -m tests.servers.dfdg [--port N] [--seed N]``."""

from __future__ import annotations

import argparse
import json
import signal
import sys

from tests.servers.dfdg.server import DfdgServer


def main() -> None:
    """Serve until told to end; prints one line of JSON when it answers."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.dfdg", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="any free one if 0")
    parser.add_argument("--seed", type=int, default=0, help="of chances and made-up ids")
    options = parser.parse_args()
    server = DfdgServer(options.seed, port=options.port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(json.dumps({"url": server.base, "control": f"{server.base}/control/"}), flush=True)
    server.serve()


if __name__ == "__main__":
    main()
