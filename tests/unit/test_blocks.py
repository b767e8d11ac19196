"""Our block in an entry's body, and a person's words around it, in text and in Outlook's HTML."""

from __future__ import annotations

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.adapters.page import renewed_page
from syncd.model.block import BEGIN, END, block, renewed

WORDS = st.text(st.characters(exclude_characters="[]", exclude_categories=["C"]), max_size=40)


@given(WORDS, WORDS, WORDS.filter(str.strip), WORDS.filter(str.strip))
def test_only_the_block_changes(before, after, old, new):
    there = f"{before}\r\n{block(old)}\r\n{after}"

    now = renewed(there, new)

    assert now.startswith(f"{before}\r\n")
    assert now.endswith(f"\r\n{after}")
    assert renewed(now, new) == now


@pytest.mark.parametrize(
    "there", ["Husk nøgler", f"{BEGIN}\nHusk nøgler", f"Husk nøgler {END}", f"{END} Husk nøgler {BEGIN}"]
)
def test_a_broken_block_leaves_everything_below_the_new_one(there):
    now = renewed(there, "Jobsamtale")

    assert now == f"{block('Jobsamtale')}\n\n{there}"


def test_an_unchanged_block_is_left_as_the_server_wrote_it():
    there = block("Linje 1\nLinje 2").replace("\n", " \r\n") + "\r\nHusk nøgler"

    assert renewed(there, "Linje 1\nLinje 2") == there


def text_of(page: str) -> list[str]:
    body = lxml.html.document_fromstring(page).find("body")
    assert body is not None
    for one in body.iter("p", "div"):
        one.text = "\n" + (one.text or "")
    for one in body.iter("br", "p", "div"):
        one.tail = "\n" + (one.tail or "")
    return [line.strip() for line in body.text_content().splitlines() if line.strip()]


PAGES = {
    "breaks": f"<div>Øverst<br>{BEGIN}<br>Gammel &lt;tekst&gt;<br>{END}<br>Husk <b>nøgler</b></div>",
    "paragraphs": f"<p>Øverst</p><p class=x>{BEGIN}</p><p>Gammel</p><p><a href='x'>to</a></p><p>{END}</p>"
    "<p>Husk <b>nøgler</b></p>",
    "one paragraph each way": f"<p>Øverst</p><div><span>{BEGIN}</span></div><p>Gammel<br>{END}<br></p>"
    "<p>Husk <b>nøgler</b></p>",
    "one text": f"<p>Øverst</p>{BEGIN} Gammel {END}<p>Husk <b>nøgler</b></p>",
    "comments": f"<p>Øverst</p><!-- {BEGIN} --><p>{BEGIN}<!-- x -->Gammel</p><!-- y -->{END}<p>Husk <b>nøgler</b></p>",
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_in_html_only_the_block_changes(page):
    now = renewed_page(f"<html><head><style>p {{x: y}}</style></head><body>{page}</body></html>", "Ny <1>\nmere")

    assert text_of(now) == ["Øverst", BEGIN, "Ny <1>", "mere", END, "Husk nøgler"]
    assert "<b>nøgler</b>" in now
    assert "<style>" in now
    assert renewed_page(now, "Ny <1>\nmere") == now


def test_html_without_a_block_gets_it_above_everything():
    now = renewed_page("<html><body>Husk <b>nøgler</b></body></html>", "Ny\nmere")

    assert text_of(now) == [BEGIN, "Ny", "mere", END, "Husk nøgler"]
    assert renewed_page("<html><body><b>Hun</b></body></html>", "").count("Hun") == 1
