"""Hands text messages to the organisation's gateway, in the one shape of docs/howto/messages.md."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import msgspec

from syncd.adapters import outbound
from syncd.adapters.handing import Away, MaybeSent, Refused, told
from syncd.config.messages import SmsSection

SECONDS = 15.0
LATER = frozenset({401, 403, 408, 425, 429, 503})
"""The gateway says that it did not take it, and that it may be sent again: later, or with a better token."""
ABSENT = frozenset({404, 405})
"""Answers to a question about the address itself that say no more than that it takes messages only."""


class Gateway:
    """Sends one message at a time. :param token: reads it anew each time."""

    def __init__(self, section: SmsSection, token: Callable[[], str], seconds: float = SECONDS) -> None:
        self._section, self._token, self._seconds = section, token, seconds

    def send(self, number: str, text: str, key: str) -> None:
        """Hand it over. :param number: as E.164 has it. :param key: the same at each try, as Idempotency-Key.

        :raises Away: it was certainly not taken. :raises Refused: and never will be.
        :raises MaybeSent: nobody knows: the answer was lost, or says that the gateway itself is in trouble.
        """
        body = msgspec.json.encode({"to": number, "from": self._section.sender, "text": text})
        status = self._asked("POST", body, {"Idempotency-Key": key, "Content-Type": "application/json"})
        if 200 <= status < 300:
            return
        kind = Away if status in LATER else Refused if 400 <= status < 500 else MaybeSent
        raise kind(f"the gateway answered {status}", str(status))

    def reach(self) -> None:
        """Ask whether it is there and knows the token, and send nothing. :raises Away: it is not, or does not."""
        try:
            status = self._asked("GET", b"", {})
        except MaybeSent as error:
            raise Away(str(error), error.reason) from error
        if status in (401, 403):
            raise Away(f"the gateway does not take the token ({status})", str(status))
        if not (200 <= status < 300 or status in ABSENT):
            raise Away(f"the gateway answered {status}", str(status))

    def _asked(self, method: str, body: bytes, headers: dict[str, str]) -> int:
        """The status of the answer."""
        allowed = {"Authorization": f"Bearer {self._token()}"}
        try:
            with outbound.client(self._seconds) as http:
                asked = http.build_request(method, self._section.url, content=body, headers=allowed | headers)
                with outbound.asking(http, asked, self._seconds) as answer:
                    return answer.status_code
        except (outbound.Insecure, httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise Away(*told(error)) from error
        except httpx2.HTTPError as error:
            raise MaybeSent(*told(error)) from error
