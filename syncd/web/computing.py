"""Figures that take a while: worked out beside the answers, once for everybody who asks, and remembered a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Unfinished
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Generic, TypeVar

T = TypeVar("T")

REMEMBERED, SECONDS = 64, 600.0
"""How many results are kept, and how long each one counts as fresh."""

Tell = Callable[[float], None]
"""Takes the share that is done, 0 to 1."""


@dataclass
class Work(Generic[T]):
    """Something being worked out. :param share: how much of it is done."""

    future: Future[T]
    begun: float = field(default_factory=monotonic)
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """What came of it; *value* is None while it is not finished."""

    value: T | None
    share: float


class Computing:
    """Works one thing out at a time, so that pages and bookings stay quick. Thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Work[Any]] = OrderedDict()
        self._lock = threading.Lock()
        self._hands = ThreadPoolExecutor(1, thread_name_prefix="figures")

    def ask(self, key: Hashable, work: Callable[[Tell], T], patience: float = 0.08) -> Result[T]:
        """The result of *work*, if it is known or comes within *patience* seconds; else how far it is.

        :param key: everything the result depends on. An error of *work* is raised here, and not remembered.
        """
        known = self._of(key, work)
        try:
            return Result(known.future.result(patience), 1.0)
        except Unfinished:
            return Result(None, known.share)
        except Exception:
            with self._lock:
                self._known.pop(key, None)
            raise

    def _of(self, key: Hashable, work: Callable[[Tell], T]) -> Work[T]:
        with self._lock:
            known = self._known.get(key)
            stale = known is not None and known.future.done() and monotonic() - known.begun > SECONDS
            if known is None or stale:
                known = self._known[key] = Work(Future())
                self._hands.submit(_carry_out, known, work)
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            return known


def _carry_out(known: Work[T], work: Callable[[Tell], T]) -> None:
    def tell(share: float) -> None:
        known.share = share

    try:
        known.future.set_result(work(tell))
    except Exception as error:  # noqa: BLE001 - handed to whoever asked
        known.future.set_exception(error)
