"""What a caseworker writes into the body of our entry in Outlook stays, whatever we have to change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncd.model.entry import Resource
from tests.contract.calendar_contract import at, draft
from tests.integration.test_ews_traps import ANNA, ROOM, box, port, ports, server
from tests.servers.exchange import ExchangeServer


def body(exchange: ExchangeServer) -> tuple[str, str]:
    [entry] = exchange.outlook.calendar(ANNA, at(0).start, at(23).end)
    kind, text = entry.values["Body"]
    return kind, text


def test_her_words_in_a_plain_text_stay_around_ours(server, port):
    entry = port.create(box(), draft(description="Jobsamtale"))
    kind, text = body(server)
    server.outlook.change(ANNA, entry.uid, Body=(kind, f"Husk nøgler\r\n{text}\r\nRing først"))

    [found] = port.find(box(), entry.uid)
    port.update(box(), found, draft(generation=2, description="Telefon\nRef 1"))

    kind, text = body(server)
    expected = ["Husk nøgler", "[syncd]", "Telefon", "Ref 1", "[/syncd]", "Ring først"]
    assert (kind, text.splitlines()) == ("Text", expected)
    assert found.digest == entry.digest
    assert "Husk" not in repr(found)


def test_her_words_stay_in_their_shape_when_outlook_made_html_of_it(server, port):
    entry = port.create(box(), draft(description="Jobsamtale", room=Resource(ROOM, "Lokale 2.04", invited=True)))
    lines = "".join(f"<p>{line}</p>\r\n" for line in body(server)[1].splitlines())
    page = f"<html><head></head><body><p><b>Husk</b> nøgler</p>{lines}<ul><li>pas</li></ul></body></html>"
    server.outlook.change(ANNA, entry.uid, Body=("HTML", page))

    [found] = port.find(box(), entry.uid)
    again = port.update(box(), found, draft(generation=2, description="Telefon\nRef <1>"))
    kind, text = body(server)
    port.update(box(), again, draft(generation=3, description="Telefon\nRef <1>"))

    assert kind == "HTML"
    assert "<b>Husk</b> nøgler" in text
    assert "[syncd]<br>Telefon<br>Ref &lt;1&gt;<br>[/syncd]" in text
    assert "<li>pas</li>" in text
    assert "Jobsamtale" not in text
    assert body(server) == (kind, text)


@pytest.mark.parametrize("text", ["Kun mine egne ord", ""])
def test_a_block_she_took_away_comes_back_above_what_is_hers(server, port, text):
    entry = port.create(box(), draft(description="Jobsamtale"))
    server.outlook.change(ANNA, entry.uid, Body=("Text", text))

    [found] = port.find(box(), entry.uid)
    port.update(box(), found, replace(draft(generation=2), description="Telefon"))

    assert [line for line in body(server)[1].splitlines() if line] == [
        "[syncd]",
        "Telefon",
        "[/syncd]",
        *([text] * bool(text)),
    ]
