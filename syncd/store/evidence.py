"""The record of what was on offer: append-only, a few dozen bytes for each change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import Session

from syncd.model.evidence import DAY, Evidence, Page, Since, Standing, unpacked
from syncd.model.interval import Interval
from syncd.model.offer import Form
from syncd.store.instants import epoch, moment, span
from syncd.store.outward_tables import StandingRow, SupplyRow, WatchRow

PATIENCE = timedelta(minutes=2)
"""The record is confirmed every minute; when it was not for so long, it was not kept."""


class EvidenceLog:
    """The tables ``supply``, ``supply_standing`` and ``supply_watches``, seen from inside one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def pages(self, since_day: int) -> dict[Page, bytes]:
        """The newest starts of every offer, form and day from *since_day* on; empty pages are left out."""
        return {page: starts for page, starts in self._newest(SupplyRow.day >= since_day) if starts}

    def add(self, pages: Mapping[Page, bytes], now: datetime) -> None:
        """From now on these pages hold these starts (`packed`)."""
        rows = [
            {"offer": page.offer, "form": page.form.value, "day": page.day, "at": epoch(now), "starts": starts}
            for page, starts in sorted(pages.items())
        ]
        if rows:
            self._session.execute(insert(SupplyRow), rows)

    def stand(self, offer: str, since: Since) -> None:
        """From now on the offer stands so."""
        self._session.add(
            StandingRow(
                offer=offer,
                at=epoch(since.at),
                standing=since.standing.value,
                notice=since.notice,
                rules=since.rules,
                closed=json.dumps(since.closed, ensure_ascii=False),
            )
        )

    def standings(self, at: datetime) -> dict[str, Since]:
        """How every offer on record stood at that instant."""
        newest = select(func.max(StandingRow.number)).where(StandingRow.at <= epoch(at)).group_by(StandingRow.offer)
        found = self._session.scalars(select(StandingRow).where(StandingRow.number.in_(newest)))
        return {row.offer: _since(row) for row in found}

    def course(self, offer: str, window: Interval) -> list[Since]:
        """How one offer stood through *window*, in order; the first one may be older."""
        before = self.standings(window.start).get(offer)
        question = select(StandingRow).where(
            StandingRow.offer == offer, StandingRow.at > epoch(window.start), StandingRow.at < epoch(window.end)
        )
        later = [_since(row) for row in self._session.scalars(question.order_by(StandingRow.number))]
        return [*([before] if before else []), *later]

    def watch(self, now: datetime) -> None:
        """The record is as things are now."""
        last = self._session.scalar(select(WatchRow).order_by(WatchRow.number.desc()).limit(1))
        if last is None or now - moment(last.seen) > PATIENCE:
            self._session.add(WatchRow(began=epoch(now), seen=epoch(now)))
        else:
            change = update(WatchRow).where(WatchRow.number == last.number)
            self._session.execute(change.values(seen=max(last.seen, epoch(now))))

    def watches(self, window: Interval) -> list[Interval]:
        """The spans inside *window* in which the record was kept, in order."""
        late = epoch(window.start - PATIENCE)
        question = select(WatchRow.began, WatchRow.seen).where(
            WatchRow.seen >= late, WatchRow.began < epoch(window.end)
        )
        spans = [
            (max(began, epoch(window.start)), min(seen + int(PATIENCE.total_seconds()), epoch(window.end)))
            for began, seen in self._session.execute(question.order_by(WatchRow.number))
        ]
        return [span(start, end) for start, end in spans if start < end]

    def seen(self, offer: str, at: datetime, window: Interval) -> Evidence:
        """Which times of *offer* in *window* could have been booked, as seen at *at*."""
        since = self.standings(at).get(offer)
        watched = bool(self.watches(Interval(at, at + timedelta(seconds=1))))
        times = self._times(offer, at, window, since) if watched and since is not None else {}
        return Evidence(offer, at, window, watched, since, times)

    def _times(self, offer: str, at: datetime, window: Interval, since: Since) -> dict[Form, tuple[datetime, ...]]:
        first = max(epoch(window.start), epoch(at) + since.notice * 60)
        days = (SupplyRow.day >= first // DAY, SupplyRow.day <= epoch(window.end) // DAY)
        found: dict[Form, list[int]] = {}
        for page, starts in self._newest(SupplyRow.offer == offer, SupplyRow.at <= epoch(at), *days):
            bookable = [one for one in unpacked(page.day, starts) if first <= one < epoch(window.end)]
            found.setdefault(page.form, []).extend(bookable)
        return {form: tuple(moment(one) for one in sorted(starts)) for form, starts in sorted(found.items()) if starts}

    def _newest(self, *where: ColumnElement[bool]) -> Iterable[tuple[Page, bytes]]:
        newest = select(func.max(SupplyRow.number)).where(*where)
        newest = newest.group_by(SupplyRow.offer, SupplyRow.form, SupplyRow.day)
        columns = (SupplyRow.offer, SupplyRow.form, SupplyRow.day, SupplyRow.starts)
        for offer, form, day, starts in self._session.execute(select(*columns).where(SupplyRow.number.in_(newest))):
            yield Page(offer, Form(form), day), starts


def _since(row: StandingRow) -> Since:
    closed = tuple((str(reason), int(count)) for reason, count in json.loads(row.closed))
    return Since(moment(row.at), Standing(row.standing), row.notice, row.rules, closed)
