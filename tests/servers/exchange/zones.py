"""Windows time zones: their names, wall clocks and definitions as EWS writes them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Protocol
from zoneinfo import ZoneInfo

from tests.servers.exchange.wire import Element, EwsError, child, t, value

ZONES = {
    "UTC": "UTC",
    "tzone://Microsoft/Utc": "UTC",
    "Romance Standard Time": "Europe/Paris",
    "W. Europe Standard Time": "Europe/Berlin",
    "Central Europe Standard Time": "Europe/Budapest",
    "Central European Standard Time": "Europe/Warsaw",
    "GMT Standard Time": "Europe/London",
    "Greenwich Standard Time": "Atlantic/Reykjavik",
    "Greenland Standard Time": "America/Nuuk",
    "FLE Standard Time": "Europe/Kyiv",
    "GTB Standard Time": "Europe/Bucharest",
    "Turkey Standard Time": "Europe/Istanbul",
    "Russian Standard Time": "Europe/Moscow",
    "Azores Standard Time": "Atlantic/Azores",
    "Eastern Standard Time": "America/New_York",
    "Central Standard Time": "America/Chicago",
    "Mountain Standard Time": "America/Denver",
    "Pacific Standard Time": "America/Los_Angeles",
    "India Standard Time": "Asia/Kolkata",
    "China Standard Time": "Asia/Shanghai",
    "Tokyo Standard Time": "Asia/Tokyo",
    "AUS Eastern Standard Time": "Australia/Sydney",
    "New Zealand Standard Time": "Pacific/Auckland",
}
"""Windows id → IANA id, from CLDR's windowsZones.xml."""
DEFAULT = "Romance Standard Time"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$")


@cache
def iana(zone: str) -> ZoneInfo:
    """The zone of a Windows id; Exchange knows no other names.

    :raises EwsError: ErrorTimeZone, nobody knows it.
    """
    if zone not in ZONES:
        raise EwsError("ErrorTimeZone", f"The time zone {zone} is unknown.")
    return ZoneInfo(ZONES[zone])


def instant(text: str, zone: str) -> datetime:
    """A dateTime of a request in UTC; without an offset it is read in *zone*.

    :raises EwsError: ErrorInvalidRequest, it is no date.
    """
    found = _DATE.match(text.strip())
    if not found:
        raise EwsError("ErrorInvalidRequest", f"{text} is not a valid dateTime.")
    numbers = [int(part or 0) for part in found.groups()[:6]]
    naive = datetime(*numbers)  # type: ignore[arg-type]  # six numbers
    offset = found.group(7)
    if offset is None:
        return from_wall(naive, zone)
    if offset != "Z":
        sign = -1 if offset[0] == "-" else 1
        naive -= sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
    return naive.replace(tzinfo=UTC)


def wall(moment: datetime, zone: str) -> datetime:
    """What clocks in *zone* show, naive."""
    return moment.astimezone(iana(zone)).replace(tzinfo=None)


def from_wall(shown: datetime, zone: str) -> datetime:
    """The instant at which clocks in *zone* show this; Windows reads a time in the gap an hour later."""
    return shown.replace(tzinfo=iana(zone)).astimezone(UTC)


def midnight(day: date, zone: str) -> datetime:
    """The instant at which *day* begins."""
    return from_wall(datetime.combine(day, time()), zone)


@cache
def _shape(zone: str, year: int) -> tuple[int, list[tuple[datetime, int]]]:
    """Standard offset in minutes, and the year's two transitions as (wall clock before it, offset after it)."""
    place = iana(zone)
    moment, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    offset, changes, offsets = _offset(moment, place), [], {_offset(moment, place)}
    while moment < end:
        moment += timedelta(hours=1)
        if (now := _offset(moment, place)) != offset:
            changes.append((moment.replace(tzinfo=None) + timedelta(minutes=offset), now))
            offset = now
            offsets.add(now)
    return min(offsets), changes


def _offset(moment: datetime, place: ZoneInfo) -> int:
    shift = moment.astimezone(place).utcoffset()
    assert shift is not None
    return int(shift.total_seconds() // 60)


def _bias(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes > 0 else ''}PT{hours}H{f'{rest}M' if rest else ''}"


def definition(zone: str, year: int, full: bool = True) -> Element:
    """TimeZoneDefinition with the rules of *year*.

    :param full: False leaves out all but id and name, as ReturnFullTimeZoneData="false" asks.
    """
    names = {"Id": zone, "Name": f"(UTC) {zone.removesuffix(' Standard Time')}"}
    if not full:
        return t("TimeZoneDefinition", **names)
    standard, changes = _shape(zone, year)
    ids = {standard: f"trule:Microsoft/Registry/{zone}/1-Standard"}
    periods = [t("Period", Bias=_bias(standard), Name="Standard", Id=ids[standard])]
    for _, offset in changes:
        if offset not in ids:
            ids[offset] = f"trule:Microsoft/Registry/{zone}/1-Daylight"
            periods.append(t("Period", Bias=_bias(offset), Name="Daylight", Id=ids[offset]))
    rules = [_rule(shown, ids[offset]) for shown, offset in changes]
    rules = rules or [t("Transition", t("To", ids[standard], Kind="Period"))]
    return t(
        "TimeZoneDefinition",
        t("Periods", periods),
        t("TransitionsGroups", t("TransitionsGroup", rules, Id="0")),
        t("Transitions", t("Transition", t("To", "0", Kind="Group"))),
        **names,
    )


def _rule(shown: datetime, target: str) -> Element:
    last = (shown + timedelta(days=7)).month != shown.month
    return t(
        "RecurringDayTransition",
        t("To", target, Kind="Period"),
        t("TimeOffset", f"PT{shown.hour}H{f'{shown.minute}M' if shown.minute else ''}"),
        t("Month", shown.month),
        t("DayOfWeek", _DAYS[shown.weekday()]),
        t("Occurrence", -1 if last else (shown.day - 1) // 7 + 1),
    )


class Clock(Protocol):
    """The wall clock in which free/busy is asked for and told."""

    def wall(self, moment: datetime) -> datetime: ...

    def instant(self, text: str) -> datetime: ...


class ContextZone:
    """The zone of a request's TimeZoneContext."""

    def __init__(self, zone: str) -> None:
        self.zone = zone

    def wall(self, moment: datetime) -> datetime:
        return wall(moment, self.zone)

    def instant(self, text: str) -> datetime:
        return instant(text, self.zone)


class RequestZone:
    """The SerializableTimeZone of a GetUserAvailability request: a bias and two yearly rules."""

    def __init__(self, element: Element) -> None:
        self.bias = int(value(element, "t:Bias", "0"))
        self.standard = child(element, "t:StandardTime")
        self.daylight = child(element, "t:DaylightTime")

    def wall(self, moment: datetime) -> datetime:
        """What clocks show there, naive; free/busy is said in these."""
        standard, daylight = self._extra(self.standard), self._extra(self.daylight)
        shown = moment.astimezone(UTC).replace(tzinfo=None) - timedelta(minutes=self.bias)
        usual = shown - timedelta(minutes=standard)
        begins, ends = self._change(self.daylight, shown.year), self._change(self.standard, shown.year)
        if begins is None or ends is None:
            return usual
        # The rule for the end is told by the summer's clock.
        ends += timedelta(minutes=daylight - standard)
        inside = begins <= usual < ends if begins < ends else not ends <= usual < begins
        return shown - timedelta(minutes=daylight) if inside else usual

    def instant(self, text: str) -> datetime:
        """A naive time of the request in UTC."""
        if text.endswith("Z") or re.search(r"[+-]\d\d:\d\d$", text):
            return instant(text, "UTC")
        shown = datetime.fromisoformat(text)
        guess = shown.replace(tzinfo=UTC) + timedelta(minutes=self.bias)
        return guess - (self.wall(guess) - shown)

    def _extra(self, rule: Element | None) -> int:
        return int(value(rule, "t:Bias", "0"))

    def _change(self, rule: Element | None, year: int) -> datetime | None:
        month, order = int(value(rule, "t:Month", "0")), int(value(rule, "t:DayOrder", "0"))
        if rule is None or not month or self._extra(self.standard) == self._extra(self.daylight):
            return None
        at = time.fromisoformat(value(rule, "t:Time", "00:00:00"))
        weekday = _DAYS.index(value(rule, "t:DayOfWeek", "Sunday"))
        first = date(year, month, 1)
        day = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (order - 1))
        while day.month != month:
            day -= timedelta(days=7)
        return datetime.combine(day, at)
