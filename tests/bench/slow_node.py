"""syncd with calendars in its memory that answer like a server far away; ``python -m tests.bench.slow_node run …``.

`SYNCD_BENCH_LATENCY` is how many seconds each look takes; there is no look at many at once.
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

    def slow(*given: Any, **more: Any) -> Any:
        time.sleep(seconds)
        return quick(*given, **more)

    MemoryCalendar.changes = slow  # type: ignore[method-assign]
    del MemoryCalendar.glance
    run()


if __name__ == "__main__":
    main()
