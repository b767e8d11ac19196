"""A CalDAV server that stores nothing: what it answers follows from the names asked for.

So a million events can be read from it, and its own work stays out of what is measured. It knows just what the reader
asks: a listing of a home, sync-collection and multiget.

`python -m tests.bench.paper_server CALENDARS EVENTS` prints its URL.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

from tests.bench.caldav_load import text
from tests.servers.processes import DIE_WITH_PARENT, stop

HEAD = '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" '
HEAD += 'xmlns:S="http://calendarserver.org/ns/">'
RESPONSE = (
    "<D:response><D:href>{}</D:href><D:propstat><D:prop>{}</D:prop>"
    "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
)
OWN = (
    "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype><S:getctag>c0</S:getctag><D:sync-token>t0"
    "</D:sync-token><D:supported-report-set><D:supported-report><D:report><D:sync-collection/></D:report>"
    "</D:supported-report></D:supported-report-set>"
)
TOKEN = "<D:sync-token>t0</D:sync-token>"
ASKED = re.compile(r"<D:href>([^<]*)/e(\d+)\.ics</D:href>")


class Handler(BaseHTTPRequestHandler):
    """Answers from the path and the body alone."""

    protocol_version = "HTTP/1.1"
    events = 0
    calendars = 0

    def do_PROPFIND(self) -> None:
        body = self._body()
        if self.headers.get("Depth") == "1" and "getetag" not in body:
            names = [f"{self.path}box{n:04}/" for n in range(self.calendars)]
            self._say("".join(RESPONSE.format(name, "<S:getctag>c0</S:getctag>") for name in names))
        elif "getetag" in body:
            self._say(RESPONSE.format(self.path, OWN) + self._all())
        else:
            self._say(RESPONSE.format(self.path, OWN))

    def do_REPORT(self) -> None:
        body = self._body()
        if "sync-collection" in body:
            self._say((self._all() if "<D:sync-token></D:sync-token>" in body else "") + TOKEN)
            return
        found = (_object(place, int(number)) for place, number in ASKED.findall(body))
        self._say("".join(found))

    def _all(self) -> str:
        return "".join(RESPONSE.format(f"{self.path}e{n}.ics", _etag(n)) for n in range(self.events))

    def _body(self) -> str:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    wbufsize = -1  # one packet for head and body

    def _say(self, inner: str) -> None:
        data = f"{HEAD}{inner}</D:multistatus>".encode()
        self.send_response(207)
        self.send_header("Content-Type", "application/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _etag(number: int) -> str:
    return f'<D:getetag>"{number}"</D:getetag>'


def _object(place: str, number: int) -> str:
    data = _pattern(number).replace("CALENDAR-NAME", place.strip("/").replace("/", "-"))
    return RESPONSE.format(f"{place}/e{number}.ics", f"{_etag(number)}<C:calendar-data>{data}</C:calendar-data>")


@lru_cache(maxsize=2000)
def _pattern(number: int) -> str:
    return escape(text("CALENDAR-NAME", number))


@contextmanager
def paper_server(calendars: int, events: int) -> Iterator[str]:
    """Its URL; every path below it that ends in /boxNNNN/ is a calendar of *events* objects."""
    command = [*DIE_WITH_PARENT, sys.executable, "-m", __name__, str(calendars), str(events)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            yield child.stdout.readline().decode().strip()
        finally:
            stop(child)


def main() -> None:
    """Serve until killed."""
    Handler.calendars, Handler.events = int(sys.argv[1]), int(sys.argv[2])
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
