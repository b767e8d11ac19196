"""Which calendar is whose, and which redirects are followed."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from typing import Any

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError, ProtocolError

from syncd.adapters.caldav.changes import Token, complete_version
from syncd.adapters.caldav.client import CaldavAccount, Client
from syncd.adapters.caldav.discovery import Discovery, Home, Place, choose
from syncd.adapters.caldav.session import Elsewhere, followed
from syncd.adapters.guarded import never_sent
from syncd.errors import CalendarNotFound
from syncd.model.directory import Mailbox, MailboxKind

ANNA = Mailbox("anna-j", MailboxKind.PERSON, "main", "anna@syncd.test", "Europe/Copenhagen")
OWN = frozenset({"anna@syncd.test", "anna"})
SHARED = frozenset({"syncd"})


@pytest.mark.parametrize(
    ("names", "calendars", "path"),
    [
        (SHARED, {"/s/anna/": "", "/s/bo/": ""}, "/s/anna/"),
        (SHARED, {"/s/1/": "Anna@syncd.test", "/s/2/": "bo@syncd.test"}, "/s/1/"),
        (SHARED, {"/s/anna-j/": "", "/s/bo/": ""}, "/s/anna-j/"),
        (SHARED, {"/s/anna%40syncd.test/": "", "/s/bo/": ""}, "/s/anna%40syncd.test/"),
        (OWN, {"/u/anything/": "Kalender"}, "/u/anything/"),
        (OWN, {"/u/Default/": "", "/u/Sommerhus/": ""}, "/u/Default/"),
        (OWN, {"/u/personal/": "Anna", "/u/anna/": "x"}, None),
    ],
    ids=["path", "display-name", "id", "address", "only-one", "default", "two-named"],
)
def test_a_calendar_that_is_surely_the_mailboxs_is_taken(names, calendars, path):
    if path is None:
        with pytest.raises(CalendarNotFound):
            choose(Home(names, calendars), ANNA, "host")
    else:
        assert choose(Home(names, calendars), ANNA, "host") == path


@pytest.mark.parametrize(
    ("names", "calendars"),
    [
        (SHARED, {"/s/personal/": "Personal"}),
        (SHARED, {"/s/bo/": "", "/s/carl/": ""}),
        (OWN, {"/u/a/": "", "/u/b/": ""}),
        (OWN, {}),
    ],
    ids=["somebody-elses-only-one", "others", "own-but-several", "none"],
)
def test_a_guess_is_refused_and_the_text_says_what_is_there(names, calendars):
    with pytest.raises(CalendarNotFound) as caught:
        choose(Home(names, calendars), ANNA, "host")
    assert all(path in str(caught.value) for path in calendars)
    assert "url" in str(caught.value)


def test_objects_are_named_within_their_calendar():
    place = Place.at("https://host/dav/anna")

    assert place.path == "/dav/anna/"
    assert place.key("https://host/dav/anna/to%20ord.ics") == "to%20ord.ics"
    assert place.key("/elsewhere/x.ics") == "/elsewhere/x.ics"
    assert place.key("/dav/anna/sub/x.ics") == "/dav/anna/sub/x.ics"
    assert place.href("to%20ord.ics") == "/dav/anna/to%20ord.ics"
    assert place.href("/elsewhere/x.ics") == "/elsewhere/x.ics"
    assert place.is_self("/dav/anna")


@pytest.mark.parametrize(
    ("base", "url", "found"),
    [
        ("https://host/dav", "anna/kalender", "https://host/dav/anna/kalender/"),
        ("https://host/dav/", "anna/kalender/", "https://host/dav/anna/kalender/"),
        ("https://host/dav/", "/else/anna/", "https://host/else/anna/"),
        ("https://host/dav/{user}/Default/", "x/", "https://host/dav/x/"),
        ("https://host/dav/", "https://other/anna/", "https://other/anna/"),
    ],
)
def test_a_configured_url_is_absolute_or_below_the_accounts(base, url, found):
    discovery = Discovery(Client(CaldavAccount("main", base)))

    assert discovery.place(replace(ANNA, url=url)).url == found
    assert discovery.known(replace(ANNA, url=url)) == discovery.place(replace(ANNA, url=url))


def test_an_account_url_may_be_a_pattern_of_calendar_urls():
    discovery = Discovery(Client(CaldavAccount("main", "https://host/SOGo/dav/{user}/Calendar/{id}/{address}")))

    assert discovery.place(ANNA).url == "https://host/SOGo/dav/anna/Calendar/anna-j/anna@syncd.test/"


def test_a_token_belongs_to_one_calendar():
    anna, bo = Place.at("https://host/anna/"), Place.at("https://host/bo/")
    text = Token(anna.mark, "c", "s").encode()

    assert Token.decode(text, anna) == Token(anna.mark, "c", "s")
    assert Token.decode(text, bo) is None
    assert Token.decode("nonsense", anna) is None
    assert Token.decode(json.dumps("a string"), anna) is None
    assert Token.decode(json.dumps([1]), anna) is None
    assert Token.decode(json.dumps([anna.mark, "c", "s"]), anna) is None  # of a version that read less
    assert Token(anna.mark, None, None).encode() is None


def test_etags_that_a_server_uses_again_are_told_apart_by_time():
    assert complete_version('"gcs00000000"', "Mon") != complete_version('"gcs00000000"', "Tue")
    assert complete_version('"abc"', "Mon") == complete_version('"abc"', "Tue")


@pytest.mark.parametrize(
    ("target", "led_to"),
    [
        ("/b/", "https://host/b/"),
        ("https://host/b/", "https://host/b/"),
        ("b/", "https://host/a/b/"),
    ],
)
def test_a_redirect_within_the_host_is_followed(target, led_to):
    assert followed("https://host/a/", 301, {"Location": target}) == led_to


@pytest.mark.parametrize(
    ("status", "target"),
    [
        (301, "https://other/b/"),
        (301, "http://host/b/"),
        (301, "https://host:444/b/"),
        (303, "/login"),
        (302, "https://host/a/"),
        (302, "//evil.test/a/"),
    ],
    ids=["host", "downgrade", "port", "see-other", "itself", "scheme-less"],
)
def test_a_redirect_that_could_carry_the_password_away_is_not(status, target):
    with pytest.raises(Elsewhere):
        followed("https://host/a/", status, {"Location": target})


def test_a_redirect_from_http_to_https_is_followed():
    assert followed("http://host/a/", 301, {"Location": "https://host/a/"}) == "https://host/a/"


def test_the_target_of_a_redirect_is_told_without_secrets():
    with pytest.raises(Elsewhere) as caught:
        followed("https://host/a/", 302, {"Location": "https://me:pass@other/login?ticket=4711"})
    assert caught.value.target == "https://other/login"


def test_a_failure_before_anything_was_sent_is_told_from_one_after():
    pool: Any = None
    refused = requests.ConnectionError(MaxRetryError(pool, "/", NewConnectionError(pool, "refused")))
    unknown = requests.ConnectionError(MaxRetryError(pool, "/", NameResolutionError("host", pool, socket.gaierror())))
    broken = requests.ConnectionError(ProtocolError("aborted", ConnectionResetError()))

    assert never_sent(refused)
    assert never_sent(unknown)
    assert never_sent(requests.exceptions.SSLError("certificate"))
    assert not never_sent(broken)
    assert not never_sent(requests.ReadTimeout("slow"))
