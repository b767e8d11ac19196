"""A token that is fetched once, shared by everybody, and thrown away only when its server refuses it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from threading import Lock


class KeptToken(ABC):
    """Tokens of one application, one at a time; thread-safe.

    :param early: seconds before its end at which a token is replaced; one that lasts less, after half its time.
    :param elapsed: a clock that only runs forward, in seconds.
    """

    def __init__(self, early: float, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._early = early
        self._elapsed = elapsed
        self._lock = Lock()
        self._token = ""
        self._until = 0.0

    @abstractmethod
    def _fetch(self) -> tuple[str, float]:
        """A new token, and the seconds it lasts.

        :raises AccessDenied: the application, or what it proves itself by, is not taken.
        :raises Transient: the token endpoint cannot be reached.
        """

    def get(self) -> str:
        """A token that holds for some minutes more.

        :raises AccessDenied: there is none to be had. :raises Transient: not now.
        """
        with self._lock:
            if self._elapsed() >= self._until:
                self._token, lasts = self._fetch()
                self._until = self._elapsed() + max(lasts - self._early, lasts / 2)
            return self._token

    def drop(self, token: str) -> None:
        """The server refused *token*; the next `get` fetches another, unless somebody did already."""
        with self._lock:
            if token == self._token:
                self._until = 0.0
