"""How a visitor plays Outlook on a simulated server, from a shell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import httpx2

from syncd.model.interval import Interval

GAP = "\n" + 23 * " "
"""Between two lines of an invitation, so that they stand below each other."""


@dataclass
class Plug:
    """Lets a simulated server drop every connection; it keeps its entries in memory, so it cannot be killed.

    :param url: of the simulator, with its slash.
    """

    url: str
    off: bool = False

    def turn(self, *, on: bool) -> None:
        """Switch it on or off."""
        action, asked = ("clear", {}) if on else ("fault", {"kind": "drop"})
        httpx2.post(f"{self.url}control/{action}", json=asked, timeout=5).raise_for_status()
        self.off = not on


def commands(url: str, email: str, span: Interval, named: Mapping[str, str]) -> str:
    """Three commands: look at *email*'s calendar in *span*, book there, and move what was booked.

    :param url: of the simulator, with its slash.
    :param named: the new entry's subject, as the server calls it.
    """
    whose = {"email": email}
    look = whose | {"start": f"{span.start:%FT%TZ}", "end": f"{span.end:%FT%TZ}"}
    tomorrow = span.start.replace(hour=9, minute=0, second=0) + timedelta(days=1)
    book = whose | {"start": f"{tomorrow:%FT%TZ}", "end": f"{tomorrow + timedelta(hours=2):%FT%TZ}", **named}
    move = whose | {"uid": "…", "start": book["end"]}
    said = [("calendar", look), ("outlook/book", book), ("outlook/move", move)]
    return GAP.join(f"curl {url}control/{path} -d '{json.dumps(body, ensure_ascii=False)}'" for path, body in said)
