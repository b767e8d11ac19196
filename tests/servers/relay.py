"""Answers here what another machine answers on the same port: ``python -m tests.servers.relay HOST PORT``.

Without TLS a node asks nobody but its own machine, and the simulated servers run on ours.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import StreamReader, StreamWriter


async def pump(come: StreamReader, go: StreamWriter) -> None:
    """Pass on what comes until it ends."""
    while data := await come.read(65536):
        go.write(data)
        await go.drain()
    go.close()


async def serve(host: str, port: int) -> None:
    """Until somebody ends us."""

    async def relay(come: StreamReader, back: StreamWriter) -> None:
        try:
            there, go = await asyncio.open_connection(host, port)
            await asyncio.gather(pump(come, go), pump(there, back))
        except OSError:
            back.close()

    async with await asyncio.start_server(relay, "127.0.0.1", port) as door:
        await door.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
