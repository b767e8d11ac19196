"""One run of a task after the other, on this node: never the same one twice at a time, and no error gets out."""

from __future__ import annotations

import threading
from time import monotonic

from syncd.dispatch.port import SLOWEST, Task
from syncd.errors import SyncdError
from syncd.observe.logs import frames, log
from syncd.observe.metrics import TASK_FAILURES


class Runs:
    """What runs here now, and when each task last showed that it goes on. Thread-safe."""

    def __init__(self) -> None:
        self._beats: dict[str, tuple[float, float]] = {}
        self._running: set[str] = set()
        self._lock = threading.Lock()

    @property
    def any(self) -> bool:
        """Whether something runs."""
        return bool(self._running)

    def expect(self, task: Task) -> None:
        """From now on *task* must be seen to go on."""
        self._beats[task.name] = (monotonic(), task.seconds)

    def excuse(self, name: str) -> None:
        """Nobody expects the task *name* here any more."""
        self._beats.pop(name, None)

    def late(self) -> list[str]:
        """Names of tasks that have shown no progress for five of their own pauses and `SLOWEST`."""
        now = monotonic()
        return [name for name, (beat, pause) in [*self._beats.items()] if now - beat > 5 * pause + SLOWEST]

    def run(self, task: Task) -> bool:
        """Run *task* once; False when it runs already, and nothing was done."""
        with self._lock:
            if task.name in self._running:
                return False
            self._running.add(task.name)
        try:
            task.run(lambda: self.expect(task))
        except SyncdError as error:
            TASK_FAILURES.labels(_kind(task)).inc()
            log.error("task.failed", task=task.name, error=type(error).__name__, says=str(error))
        except Exception as error:
            # The fence: a defect in one run must not end the task for good.
            TASK_FAILURES.labels(_kind(task)).inc()
            log.error("task.defect", task=task.name, error=type(error).__name__, where=frames(error))
        finally:
            with self._lock:
                self._running.discard(task.name)
            self.expect(task)
        return True


def _kind(task: Task) -> str:
    """Its name without the number of a share, of which there may be many."""
    return task.name.partition("/")[0]
