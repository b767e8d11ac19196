"""A browser without a screen: signs in to the town's pages, reads them, and sends their forms."""

from __future__ import annotations

import re
from typing import Any

import httpx2
from lxml import html

ACCOUNT = "demo"
"""The account with every role; its password is the town's secret of that name."""
_SECONDS = 20
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class NotShown(Exception):
    """A page did not come, or had not what was looked for; the text says which."""


class Window:
    """One visit to the pages at *base*."""

    def __init__(self, base: str, password: str, account: str = ACCOUNT) -> None:
        self._base, self._password, self._account = base, password, account
        self._http = httpx2.Client(
            base_url=base,
            timeout=_SECONDS,
            headers={"Accept": "text/html", "Origin": base, "Sec-Fetch-Site": "same-origin"},
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def cookies(self) -> dict[str, str]:
        """Sign in, and what a browser then knows the visit by.

        :raises NotShown: the account was not let in.
        """
        self._sign_in()
        return dict(self._http.cookies)

    def page(self, path: str) -> str:
        """The page, signed in.

        :raises NotShown: it did not come.
        """
        answer = self._asked("GET", path)
        if answer.is_redirect and "/sign-in" in answer.headers["Location"]:
            self._sign_in()
            answer = self._asked("GET", path)
        if answer.is_error or answer.is_redirect:
            raise NotShown(f"{path} answered {answer.status_code}")
        return answer.text

    def send(self, path: str, page: str, form: dict[str, str]) -> str:
        """Send a form that stands on *page*; where the answer leads.

        :raises NotShown: it was not taken.
        """
        answer = self._asked("POST", path, data={"csrf": _csrf(self.page(page)), **form})
        if not answer.is_redirect:
            raise NotShown(f"{path} answered {answer.status_code}")
        return str(answer.headers["Location"])

    def part(self, path: str, found_by: str, lang: str = "da") -> str:
        """The first element of a page by an XPath, as markup whose links lead to the real pages; empty without one."""
        tree = html.document_fromstring(self.page(f"{path}{'&' if '?' in path else '?'}lang={lang}"))
        elements: Any = tree.xpath(found_by)
        if not elements:
            return ""
        elements[0].make_links_absolute(f"{self._base}/")
        return html.tostring(elements[0], encoding="unicode", with_tail=False)

    def _sign_in(self) -> None:
        form = {"name": self._account, "password": self._password, "csrf": _csrf(self._asked("GET", "/sign-in").text)}
        if not self._asked("POST", "/sign-in", data=form).is_redirect:
            raise NotShown("the demonstration's own account was not let in")

    def _asked(self, method: str, path: str, **more: Any) -> httpx2.Response:
        try:
            return self._http.request(method, path, **more)
        except httpx2.TransportError as error:
            raise NotShown(f"syncd does not answer: {type(error).__name__}") from error


def _csrf(page: str) -> str:
    found = _CSRF.search(page)
    return found[1] if found else ""
