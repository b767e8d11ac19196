"""iCalendar objects become busy times: scanning, time zones, recurrence, busy types (RFC 5545, RFC 7953).

* `read_object` reads what a server sent, `recall_object` reads our privacy-reduced memory of it again for another
  window; both return a `ReadObject`, or raise `Unparsable` with a reason that never quotes the object.
* `read_outside` tells whether an unreadable object provably lies outside the window.
* `open_hours` reads VAVAILABILITY as opening hours.
* `busy` lists the busy spans of one .ics text inside a window, exactly as the engine sees them.
"""

from syncd.adapters.caldav.ics.outside import read_outside
from syncd.adapters.caldav.ics.reading import VERSION, ReadObject, busy, open_hours, read_object, recall_object
from syncd.adapters.caldav.ics.refusal import Unparsable

__all__ = [
    "VERSION",
    "ReadObject",
    "Unparsable",
    "busy",
    "open_hours",
    "read_object",
    "read_outside",
    "recall_object",
]
