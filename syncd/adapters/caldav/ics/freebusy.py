"""VFREEBUSY: busy time that somebody has already worked out (RFC 5545 3.6.4, 3.8.2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from syncd.adapters.caldav.ics.event import Event, Reader, read_periods, read_uid
from syncd.adapters.caldav.ics.kind import FBTYPES
from syncd.adapters.caldav.ics.lines import Component
from syncd.model.busy import BusyType

_FBTYPE: Final = re.compile(r';FBTYPE="?([A-Z0-9-]+)', re.IGNORECASE)


def read_freebusy(component: Component, reader: Reader) -> Iterator[Event]:
    """Each period as an event of its own; an unknown FBTYPE is BUSY (3.2.9).

    :raises Unparsable: a period that cannot be read, or a UID that is too long.
    """
    uid = read_uid(component)
    for params, extra in read_periods(component, "FREEBUSY", reader):
        match = _FBTYPE.search(params)
        kind = FBTYPES.get(match[1].upper(), BusyType.BUSY) if match else BusyType.BUSY
        yield Event(uid=uid, start=extra.start, end=extra.end, length=extra.length, kind=kind)
