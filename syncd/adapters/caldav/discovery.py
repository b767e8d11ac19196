"""Which calendar on the server belongs to a mailbox: found once, always the same one, or a precise error."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import cast
from urllib.parse import quote, unquote, urljoin, urlsplit

from caldav.collection import Principal
from caldav.davclient import DAVClient
from caldav.lib.error import NotFoundError

from syncd.adapters.caldav.client import Client
from syncd.adapters.caldav.multistatus import CALDAV, DAV, Item, canonical, propfind
from syncd.errors import CalendarNotFound, NotACalendar
from syncd.model.delta import GroupKey
from syncd.model.directory import Mailbox

WELL_KNOWN = "/.well-known/caldav"
"""RFC 6764 5."""

PROBE = propfind("D:current-user-principal", "D:resourcetype", "C:calendar-home-set")
HOME = propfind("D:resourcetype", "D:displayname", "C:supported-calendar-component-set")


@dataclass(frozen=True, slots=True)
class Place:
    """One calendar collection.

    :param url: absolute, ends with a slash.
    :param path: canonical path, ends with a slash.
    :param hours: its owner's opening hours are read with it.
    """

    url: str
    path: str
    hours: bool = False

    @classmethod
    def at(cls, url: str, *, hours: bool = False) -> Place:
        """The calendar at *url*."""
        slashed = url if url.endswith("/") else f"{url}/"
        return cls(slashed, canonical(urlsplit(slashed).path), hours)

    @property
    def mark(self) -> str:
        """A short digest; a token of another calendar, or of one read without its hours, must not be used here."""
        return sha256(f"{self.url}{' hours' if self.hours else ''}".encode()).hexdigest()[:8]

    def is_self(self, href: str) -> bool:
        """Whether *href* names the collection itself."""
        return canonical(href).rstrip("/") == self.path.rstrip("/")

    def key(self, href: str) -> GroupKey:
        """Our key of an object: its name in the collection, or its whole path when it lies elsewhere."""
        path = canonical(href)
        name = path.removeprefix(self.path)
        return path if name == path or "/" in name else name

    def href(self, key: GroupKey) -> str:
        """The canonical path of an object."""
        return key if key.startswith("/") else self.path + key

    def object_url(self, key: GroupKey) -> str:
        """The absolute URL of an object."""
        return urljoin(self.url, self.href(key))


@dataclass(frozen=True, slots=True)
class Home:
    """What one account can see.

    :param names: words that name the account's owner: addresses, user name, without domain as well.
    :param calendars: path to display name of every calendar that may hold events.
    """

    names: frozenset[str]
    calendars: dict[str, str]


class Discovery:
    """Finds and remembers the calendars of one account."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._places: dict[tuple[str, str | None], Place] = {}
        self._home: Home | None = None
        self._lock = Lock()

    def place(self, mailbox: Mailbox) -> Place:
        """The calendar of *mailbox*.

        :raises CalendarNotFound: none, or none that is surely theirs; the text lists what was found.
        """
        with self._lock:
            known = (mailbox.id, mailbox.url)
            if known not in self._places:
                self._places[known] = self._find(mailbox)
            return self._places[known]

    def known(self, mailbox: Mailbox) -> Place | None:
        """The calendar of *mailbox* if it can be told without asking the server."""
        if mailbox.url:
            return self._named(mailbox.url)
        with self._lock:
            return self._places.get((mailbox.id, mailbox.url))

    def forget(self, mailbox: Mailbox) -> None:
        """Look again next time: the calendar was not where it used to be."""
        with self._lock:
            self._places.pop((mailbox.id, mailbox.url), None)
            self._home = None

    def _named(self, url: str) -> Place:
        """The calendar at a configured URL: absolute, or below the account's."""
        base = self._client.account.url.partition("{")[0]
        return self._at(urljoin(base if base.endswith("/") else f"{base}/", url))

    def _at(self, url: str) -> Place:
        return Place.at(url, hours=self._client.account.opening_hours)

    def _find(self, mailbox: Mailbox) -> Place:
        account = self._client.account
        if mailbox.url:
            return self._named(mailbox.url)
        if "{" in account.url:
            words = {"address": mailbox.address, "user": mailbox.address.partition("@")[0], "id": mailbox.id}
            return self._at(account.url.format_map({name: quote(word, safe="@") for name, word in words.items()}))
        home = self._home = self._home or self._explore()
        place = self._at(urljoin(account.url, choose(home, mailbox, self._client.host)))
        taken = next(
            (i for (i, url), p in self._places.items() if url is None and p == place and i != mailbox.id), None
        )
        if taken is not None:
            raise CalendarNotFound(
                f"The calendar found for {mailbox.id!r} ({place.path}) is already that of {taken!r}; "
                "give both a url in the configuration."
            )
        return place

    def _explore(self) -> Home:
        """Ask the server for the account's principal, calendar home and calendars."""
        base = self._entrance()
        if base.has(f"{DAV}resourcetype", f"{CALDAV}calendar"):
            return Home(self._names([]), {canonical(base.href): ""})
        principal = base.hrefs(f"{DAV}current-user-principal")
        addresses: list[str] = []
        homes = base.hrefs(f"{CALDAV}calendar-home-set")
        if principal:
            home, addresses = self._client.library(lambda dav: _principal(dav, principal[0]))
            homes = [home] if home else homes
        if not homes:
            raise NotACalendar(
                f"{self._client.host} names no calendar home for user {self._client.account.username!r}; "
                "give each mailbox a url in the configuration."
            )
        return Home(self._names(addresses), self._calendars(homes[0]))

    def _entrance(self) -> Item:
        """The base URL, or what the well-known address leads to, whichever knows who we are."""
        client = self._client
        tried = list(dict.fromkeys([client.account.url, client.url(WELL_KNOWN)]))
        for url in tried:
            try:
                answer, _ = client.multistatus("PROPFIND", url, PROBE)
            except (CalendarNotFound, NotACalendar):
                if url == tried[-1]:
                    raise
                continue
            for item in answer.items:
                if item.hrefs(f"{DAV}current-user-principal") or item.has(f"{DAV}resourcetype", f"{CALDAV}calendar"):
                    return item
                if item.hrefs(f"{CALDAV}calendar-home-set"):
                    return item
        paths = " nor ".join(urlsplit(url).path or "/" for url in tried)
        raise NotACalendar(
            f"Neither {paths} on {client.host} names a principal for "
            f"user {client.account.username!r}; put the CalDAV URL of the server into the configuration "
            "(docs/howto has it for each server)."
        )

    def _calendars(self, home: str) -> dict[str, str]:
        answer, _ = self._client.multistatus("PROPFIND", self._client.url(home), HOME, depth="1")
        return {
            canonical(item.href): item.text(f"{DAV}displayname") or "" for item in answer.items if _holds_events(item)
        }

    def _names(self, addresses: list[str]) -> frozenset[str]:
        words = [a.lower().removeprefix("mailto:") for a in addresses if a.lower().startswith("mailto:")]
        words.append((self._client.account.username or "").lower())
        return frozenset(words) | {word.partition("@")[0] for word in words if word}


def choose(home: Home, mailbox: Mailbox, host: str) -> str:
    """The path of the calendar that is surely *mailbox*'s.

    First a calendar whose own name (last part of its path, or display name) is the mailbox's address, the part
    before its @, or its id. Else, when the account itself is this mailbox's owner: its only calendar, or the one
    that servers make by default. Anything else would be a guess that books the wrong person.

    :raises CalendarNotFound: with what was found.
    """
    mine = {mailbox.address.lower(), mailbox.address.partition("@")[0].lower(), mailbox.id.lower()}
    named = [path for path in sorted(home.calendars) if mine & _labels(path, home.calendars[path])]
    if len(named) == 1:
        return named[0]
    if not named and {mailbox.address.lower(), mailbox.address.partition("@")[0].lower()} & home.names:
        if len(home.calendars) == 1:
            return next(iter(home.calendars))
        usual = [path for path in sorted(home.calendars) if _last(path) in ("default", "personal", "calendar", "home")]
        if len(usual) == 1:
            return usual[0]
    found = ", ".join(f"{path}" for path in sorted(home.calendars)[:12]) or "none"
    raise CalendarNotFound(
        f"No calendar on {host} is surely that of mailbox {mailbox.id!r}. Calendars found: {found}. "
        "Give the mailbox a url in the configuration, or name its calendar after its address."
    )


def _labels(path: str, name: str) -> set[str]:
    return {_last(path), name.strip().lower()}


def _last(path: str) -> str:
    return unquote(path.rstrip("/").rpartition("/")[2]).lower()


def _holds_events(item: Item) -> bool:
    """A calendar, not an inbox or a task list."""
    if not item.has(f"{DAV}resourcetype", f"{CALDAV}calendar"):
        return False
    kinds = item.props.get(f"{CALDAV}supported-calendar-component-set")
    names = {(child.get("name") or "").upper() for child in kinds} if kinds is not None else set()
    return not names or "VEVENT" in names


def _principal(dav: DAVClient, href: str) -> tuple[str, list[str]]:
    """Calendar home and addresses of the principal at *href*."""
    principal = Principal(client=dav, url=dav.url.join(href))
    home = str(principal.calendar_home_set.url)
    try:
        addresses = principal.calendar_user_address_set()
    except NotFoundError:
        # Only servers that schedule must have it (RFC 6638 2.4.1).
        return home, []
    return home, [str(address) for address in cast("list[str]", addresses)]
