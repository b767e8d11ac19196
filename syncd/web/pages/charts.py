"""Charts, drawn by pygal and freed of the style and script it brings: our stylesheet colours them in both themes.

Every chart stands beside the table of what it shows; a chart is a picture to whoever cannot see it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lxml import etree
from markupsafe import Markup
from pygal.graph.bar import Bar
from pygal.graph.line import Line
from pygal.graph.stackedbar import StackedBar

SVG = "{http://www.w3.org/2000/svg}"
Values = Sequence[float | None]


def bars(
    words: str,
    labels: Sequence[str],
    series: Mapping[str, Values],
    *,
    stacked: bool = False,
    said: Callable[[float], str] = str,
) -> Markup:
    """A bar chart. :param words: what it shows, in a sentence. :param said: how values are written."""
    kind = StackedBar if stacked else Bar
    return _drawn(kind, words, labels, series, said)


def lines(
    words: str, labels: Sequence[str], series: Mapping[str, Values], *, said: Callable[[float], str] = str
) -> Markup:
    """A line chart, as `bars`."""
    return _drawn(Line, words, labels, series, said)


def _drawn(
    kind: type, words: str, labels: Sequence[str], series: Mapping[str, Values], said: Callable[[float], str]
) -> Markup:
    chart = kind(
        width=520,
        height=300,
        css=[],
        js=[],
        no_prefix=True,
        disable_xml_declaration=True,
        show_legend=len(series) > 1,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(series),
        margin=12,
        margin_right=44,
        truncate_label=-1,
        truncate_legend=-1,
        spacing=12,
        max_scale=6,
        dots_size=4,
        value_formatter=said,
        no_data_text="",
    )
    chart.x_labels = list(labels)
    for name, values in series.items():
        chart.add(name, list(values))
    return _harmless(chart.render(), words)


def _harmless(drawn: bytes, words: str) -> Markup:
    """Only shapes and text: no style, script, link, comment or tooltip."""
    root = etree.fromstring(drawn, etree.XMLParser(remove_comments=True, resolve_entities=False, no_network=True))
    for element in list(root.iter()):
        name = str(element.tag).removeprefix(SVG)
        parent = element.getparent()
        # What shows a tooltip is "tooltip-trigger", and the very bars and dots.
        hidden = {"tooltip", "tooltip-overlay"} & set(element.get("class", "").split())
        if parent is not None and (hidden or name in ("defs", "style", "script", "title", "desc")):
            parent.remove(element)
        for attribute in ("style", "id", "onclick"):
            element.attrib.pop(attribute, None)
    root.attrib["role"], root.attrib["aria-label"] = "img", words
    root.attrib["class"] = "chart"
    etree.cleanup_namespaces(root)
    return Markup(etree.tostring(root, encoding="unicode"))  # noqa: S704 - made above of shapes and escaped text
