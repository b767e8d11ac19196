"""syncd with calendars in its memory that answer like a server far away; ``python -m tests.bench.slow_node run …``.

`SYNCD_BENCH_LATENCY` is how many seconds each look takes; there is no look at many at once. Each node has a memory of
its own, but they are one server's: a change token that one node was given is good on every other. Without that a
look at a calendar that another node read before would be two, for its token would be forgotten.
"""

from __future__ import annotations

import os
import time
from typing import Any

from syncd.adapters.memory import MemoryCalendar
from syncd.cli import run


def main() -> None:
    """Be syncd."""
    seconds, quick = float(os.environ["SYNCD_BENCH_LATENCY"]), MemoryCalendar.changes
    made = MemoryCalendar.__init__

    def of_one_server(self: MemoryCalendar, *given: Any, **more: Any) -> None:
        made(self, *given, **more)
        self._history = "one server"

    def slow(*given: Any, **more: Any) -> Any:
        time.sleep(seconds)
        return quick(*given, **more)

    MemoryCalendar.__init__ = of_one_server  # type: ignore[method-assign]  # as the module says
    MemoryCalendar.changes = slow  # type: ignore[method-assign]  # as the module says
    del MemoryCalendar.glance
    run()


if __name__ == "__main__":
    main()
