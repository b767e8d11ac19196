"""DAV XML as servers write it, and as attackers do."""

from __future__ import annotations

import pytest

from syncd.adapters.caldav.multistatus import (
    DAV,
    Broken,
    Garbled,
    by_uid,
    canonical,
    conditions,
    parse,
    status_code,
    tree,
)

HEAD = '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">'


def one(inner: str):
    [item] = parse(f"{HEAD}<D:response><D:href>/c/a.ics</D:href>{inner}</D:response></D:multistatus>".encode()).items
    return item


def test_properties_a_server_lacks_are_left_out():
    item = one(
        "<D:propstat><D:prop><D:getetag>x</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
        "<D:propstat><D:prop><D:owner/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"
        "<D:propstat><D:prop><D:acl/></D:prop><D:status>HTTP/1.1 403 Forbidden</D:status></D:propstat>"
    )

    assert set(item.props) == {f"{DAV}getetag"}
    assert (item.status, item.refused) == (200, 403)


def test_one_response_may_stand_for_several_removed_objects():
    text = (
        f"{HEAD}<D:response><D:href>/a</D:href><D:href>/b</D:href><D:status>HTTP/1.1 404 Gone</D:status></D:response>"
    )

    assert [(i.href, i.status) for i in parse(f"{text}</D:multistatus>".encode()).items] == [("/a", 404), ("/b", 404)]


def test_the_token_beside_the_items_is_read():
    assert parse(f"{HEAD}<D:sync-token> t1 </D:sync-token></D:multistatus>".encode()).token == "t1"
    assert parse(f"{HEAD}<D:sync-token/></D:multistatus>".encode()).token is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<!DOCTYPE html><html><body>Login</body></html>", "HTML"),
        (b"\n<html><br></html>", "HTML"),
        (b"plain words", "no XML"),
        (b"", "no XML"),
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "boom">]><x>&e;</x>', "document type"),
        (b"<feed/>", "no multistatus"),
    ],
)
def test_what_is_no_multistatus_is_named(body, says):
    with pytest.raises(Garbled, match=says):
        parse(body)


def test_xml_broken_inside_is_told_from_what_is_no_xml():
    with pytest.raises(Broken):
        parse(f"{HEAD}<D:response>\x01</D:response></D:multistatus>".encode())
    with pytest.raises(Broken):
        parse(HEAD.encode())


def test_no_file_and_no_network_is_read_by_xml():
    with pytest.raises(Garbled):
        tree(b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>')


@pytest.mark.parametrize(
    ("spelling", "path"),
    [
        ("/c/a%40b.ics", "/c/a@b.ics"),
        ("/c/a@b.ics", "/c/a@b.ics"),
        ("/c/bl%C3%A5b%C3%A6r.ics", "/c/bl%C3%A5b%C3%A6r.ics"),
        ("/c/blåbær.ics", "/c/bl%C3%A5b%C3%A6r.ics"),
        ("/c/to ord.ics", "/c/to%20ord.ics"),
        ("https://host:8443/c/a%7eb.ics", "/c/a~b.ics"),
        ("/c/a%2Fb.ics", "/c/a%2Fb.ics"),
        ("/c/100%25.ics", "/c/100%25.ics"),
    ],
)
def test_a_path_has_one_spelling(spelling, path):
    assert canonical(spelling) == path
    assert canonical(canonical(spelling)) == path


def test_a_status_line_that_cannot_be_read_is_an_error_and_none_is_success():
    assert [status_code(line) for line in (None, "", "HTTP/1.1 507 Full", "what?")] == [200, 200, 507, 500]


def test_preconditions_are_named_without_namespace():
    assert conditions(b'<e:error xmlns:e="DAV:"><e:valid-sync-token/></e:error>') == {"valid-sync-token"}
    assert conditions(b"<html>") == frozenset()


def test_what_we_ask_for_is_escaped():
    assert b"a&lt;b&amp;c" in by_uid("a<b&c")
