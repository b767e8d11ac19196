"""Our block in a body that is HTML, as Outlook makes it of every text somebody has written into; pure.

Only text and elements between the two lines of the block are replaced; what stands around them keeps its shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import lxml.html
from lxml import etree
from lxml.html import HtmlElement

from syncd.model.block import BEGIN, END, block, same


@dataclass(frozen=True, slots=True)
class _Place:
    """A text of the page: in front of an element's first child, or behind the element."""

    element: HtmlElement
    behind: bool

    @property
    def text(self) -> str:
        return (self.element.tail if self.behind else self.element.text) or ""

    def write(self, text: str) -> None:
        if self.behind:
            self.element.tail = text
        else:
            self.element.text = text

    def insert(self, elements: list[HtmlElement]) -> None:
        """Put *elements* right behind this text."""
        parent = self.element.getparent() if self.behind else self.element
        assert parent is not None, "no text of the page stands behind its root"
        first = parent.index(self.element) + 1 if self.behind else 0
        for number, element in enumerate(elements):
            parent.insert(first + number, element)


def renewed_page(page: str, text: str) -> str:
    """*page* with *text* in the place of our block, or above everything when it has none."""
    root = lxml.html.document_fromstring(page)
    body = root.find("body")
    if body is None:  # a frameset or the like: nobody's notes, and nowhere to put a text
        return page
    places = _places(body)
    begin = next((n for n, place in enumerate(places) if BEGIN in place.text), None)
    end = None if begin is None else _end(places, begin)
    if begin is None or end is None:
        _put_above(body, text)
    elif same(_between(places, begin, end), block(text)):
        return page
    else:
        _replace(places, begin, end, block(text))
    return lxml.html.tostring(root, encoding="unicode")


def _places(body: HtmlElement) -> list[_Place]:
    """All texts of the page in reading order."""
    places = []
    for event, element in etree.iterwalk(body, events=("start", "end", "comment", "pi")):
        if event == "start":
            places.append(_Place(element, behind=False))
        elif element is not body:
            places.append(_Place(element, behind=True))
    return places


def _end(places: list[_Place], begin: int) -> int | None:
    """The text in which the block ends."""
    if END in places[begin].text.partition(BEGIN)[2]:
        return begin
    return next((n for n in range(begin + 1, len(places)) if END in places[n].text), None)


def _between(places: list[_Place], begin: int, end: int) -> str:
    """The block as text."""
    whole = "\n".join(place.text for place in places[begin : end + 1])
    return BEGIN + whole.partition(BEGIN)[2].partition(END)[0] + END


def _replace(places: list[_Place], begin: int, end: int, ours: str) -> None:
    before, _, rest = places[begin].text.partition(BEGIN)
    after = (rest if begin == end else places[end].text).partition(END)[2]
    opened = {place.element for place in places[begin + 1 : end + 1] if not place.behind}
    gone = [place.element for place in places[begin + 1 : end + 1] if place.behind and _whole(place.element, opened)]
    for place in places[begin + 1 : end + 1]:
        place.write("")
    first, *lines = _lines(ours)
    places[begin].write(before + first)
    if begin != end:
        places[end].write(after)
    elif lines:
        lines[-1].tail = (lines[-1].tail or "") + after
    else:
        places[begin].write(before + after)
    places[begin].insert(lines)
    for element in gone:
        element.drop_tree()


def _whole(element: HtmlElement, opened: set[HtmlElement]) -> bool:
    """Whether all of *element* is in the block: it begins there too, or is a comment."""
    return element in opened or not isinstance(element.tag, str)


def _put_above(body: HtmlElement, text: str) -> None:
    if not text:
        return
    ours = lxml.html.Element("div")
    ours.text, *lines = _lines(block(text))
    ours.extend(lines)
    empty = lxml.html.Element("br")
    empty.tail, body.text = body.text, None
    body.insert(0, ours)
    body.insert(1, empty)


def _lines(text: str) -> tuple[str, *tuple[HtmlElement, ...]]:
    """The first line, and a break with its line behind it for each further one."""
    first, *rest = text.split("\n")
    breaks = []
    for line in rest:
        breaks.append(lxml.html.Element("br"))
        breaks[-1].tail = line
    return (first, *breaks)
