"""The statement of an outage (driftsforstyrrelse), a page to be printed; in Danish, for it goes into a Danish case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

from syncd.model.directory import Directory
from syncd.model.interval import Interval
from syncd.model.offer import Rulebook
from syncd.model.zones import wall_clock
from syncd.publish.statement import Disturbance, Kind
from syncd.web.markup import tag

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;"
    "border-bottom:1px solid #bbb}td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "footer{margin-top:2rem;color:#444}@media print{body{margin:0;font-size:11pt}}"
)
WHY = {
    Kind.CLOSED: "Kalenderne kunne ikke læses sikkert",
    Kind.DOWN: "Selvbookingen var ikke i drift",
}
LEAD = (
    "Oversigten viser, hvornår borgere ikke selv kunne booke de nævnte samtaler. Den bygger på en løbende "
    "registrering af de udbudte tider. Afbrydelser under to minutter er ikke medtaget."
)


def statement_page(
    found: Sequence[Disturbance], directory: Directory, book: Rulebook, window: Interval, zone: str, now: datetime
) -> str:
    """The whole document, complete in itself."""
    period = f"{_local(window.start, zone)} – {_local(window.end, zone)}"
    body = (
        tag("p", "Der er ikke registreret driftsforstyrrelser i perioden.") if not found else _table(found, book, zone)
    )
    support = f" · {escape(directory.support)}" if directory.support else ""
    return (
        '<!doctype html><html lang="da"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Driftsforstyrrelser {escape(period)}</title><style>{STYLE}</style></head><body>"
        + tag(
            "main",
            tag("h1", "Driftsforstyrrelser i selvbookingen"),
            tag("p", tag("strong", escape(directory.organisation)), f" · {escape(period)} · tider i {escape(zone)}"),
            tag("p", LEAD),
            body,
        )
        + tag("footer", f"Udskrevet {_local(now, zone)}{support}")
        + "</body></html>\n"
    )


def _table(found: Sequence[Disturbance], book: Rulebook, zone: str) -> str:
    heads = ("Samtale", "Fra", "Til", "Varighed", "Årsag", "Tider før", "Tider efter")
    rows = [tag("tr", *_cells(one, book, zone)) for one in found]
    return tag(
        "table",
        tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads))),
        tag("tbody", *rows),
    )


def _cells(one: Disturbance, book: Rulebook, zone: str) -> list[str]:
    offer = book.offers.get(one.offer)
    title = offer.title.get("da", one.offer) if offer else one.offer
    reasons = "; ".join(f"{reason} ({count})" for reason, count in one.reasons)
    why = WHY[one.kind] + (f": {reasons}" if reasons else "")
    after = "varer ved" if one.after is None else str(one.after)
    return [
        tag("td", escape(title)),
        tag("td", _local(one.span.start, zone)),
        tag("td", _local(one.span.end, zone)),
        tag("td", _length(one.span.duration)),
        tag("td", escape(why)),
        tag("td", str(one.before), class_="n"),
        tag("td", after, class_="n"),
    ]


def _local(at: datetime, zone: str) -> str:
    return wall_clock(at, zone).strftime("%d.%m.%Y kl. %H.%M")


def _length(duration: timedelta) -> str:
    minutes = int(duration.total_seconds()) // 60
    hours, rest = divmod(minutes, 60)
    return f"{hours} t {rest} min" if hours else f"{rest} min"
