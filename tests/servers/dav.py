"""A plain WebDAV client for tests: the independent hand that looks into calendars and changes them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urljoin

import requests
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth


@dataclass(frozen=True)
class DavServer:
    """A running CalDAV server as tests see it.

    :param url: where a client's configuration would point to.
    :param home: path of the calendar home, ends with a slash.
    :param digest: wants Digest instead of Basic authentication.
    """

    url: str
    home: str
    username: str
    password: str
    digest: bool = False

    @property
    def auth(self) -> AuthBase | None:
        if not self.username:
            return None
        kind = HTTPDigestAuth if self.digest else HTTPBasicAuth
        return kind(self.username, self.password)

    def request(self, method: str, path: str, body: str | bytes = b"", **headers: str) -> requests.Response:
        """Send one request; header names are given with underscores."""
        data = body.encode() if isinstance(body, str) else body
        kind = {"Content-Type": "application/xml; charset=utf-8"} if data else {}
        names = kind | {name.replace("_", "-"): value for name, value in headers.items()}
        url = urljoin(self.url, path)
        return requests.request(method, url, data=data or None, headers=names, auth=self.auth, timeout=30)

    def make_calendar(self, name: str) -> str:
        """Create a calendar and return its path."""
        path = f"{self.home}{quote(name)}/"
        answer = self.request("MKCALENDAR", path)
        assert answer.status_code == 201, (answer.status_code, answer.text)
        return path

    def put(self, path: str, text: str | bytes) -> requests.Response:
        """Store an object, whatever is there."""
        answer = self.request("PUT", path, text, Content_Type="text/calendar; charset=utf-8")
        assert answer.status_code in (200, 201, 204), (answer.status_code, answer.text)
        return answer

    def get(self, path: str) -> str | None:
        """The object's text; None when there is none."""
        answer = self.request("GET", path)
        if answer.status_code in (404, 410):
            return None
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.content.decode()

    def delete(self, path: str) -> None:
        """Remove an object or a whole calendar."""
        answer = self.request("DELETE", path)
        assert answer.status_code in (200, 204), (answer.status_code, answer.text)
