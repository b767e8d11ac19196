"""GetUserAvailability: free/busy of up to a hundred people, in the wall clock of the request's zone."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.servers.exchange.model import Sight
from tests.servers.exchange.request import Request
from tests.servers.exchange.wire import Element, EwsError, Fault, child, children, error_parts, m, t, value
from tests.servers.exchange.world import CALENDAR, Mailbox
from tests.servers.exchange.zones import Clock, ContextZone, RequestZone

MAX_MAILBOXES = 100
MAX_DAYS = 42
_DIGITS = {"Free": "0", "Tentative": "1", "Busy": "2", "OOF": "3", "NoData": "4", "WorkingElsewhere": "0"}


def get_user_availability(request: Request) -> Element:
    """The answer holds one response for each mailbox, in the order of the request.

    :raises Fault: no zone, too many mailboxes, too long a window.
    """
    element = request.element
    clock, window = child(element, "t:TimeZone"), child(element, "t:FreeBusyViewOptions/t:TimeWindow")
    people, options = child(element, "m:MailboxDataArray"), child(element, "t:FreeBusyViewOptions")
    if window is None or people is None or options is None:
        raise Fault("ErrorMissingArgument", "The mailboxes and the window are needed.")
    # Clients of 2010 and later may name their zone in the header alone.
    zone = ContextZone(request.zone) if clock is None else RequestZone(clock)
    start, end = (zone.instant(value(window, f"t:{tag}")) for tag in ("StartTime", "EndTime"))
    if end - start > timedelta(days=int(request.twists.get("freebusy_days", MAX_DAYS))):
        raise Fault("ErrorTimeIntervalTooBig", f"The window is more than {MAX_DAYS} days.")
    if end <= start:
        raise Fault("ErrorInvalidTimeInterval", "The window ends before it begins.")
    asked = list(children(people))
    if len(asked) > MAX_MAILBOXES:
        raise Fault("ErrorInvalidOperation", f"More than {MAX_MAILBOXES} mailboxes were asked for.")
    broken = dict(one.split("=", 1) for one in request.twists.get("freebusy", "").split(",") if "=" in one)
    rows = [_one(request, one, options, zone, (start, end), broken) for one in asked]
    return m("GetUserAvailabilityResponse", m("FreeBusyResponseArray", rows))


Window = tuple[datetime, datetime]


def _one(
    request: Request, asked: Element, options: Element, zone: Clock, window: Window, broken: dict[str, str]
) -> Element:
    email = value(asked, "t:Email/t:Address").lower()
    try:
        if code := broken.get(email) or broken.get("*"):
            raise EwsError(code, f"The availability of {email} cannot be read.")
        box = request.world.find(email)
        if box is None:
            raise EwsError("ErrorMailRecipientNotFound", f"Unable to resolve e-mail address {email}.")
        merged = int(value(options, "t:MergedFreeBusyIntervalInMinutes", "30"))
        wanted = value(options, "t:RequestedView", "FreeBusy")
        view = _view(box, zone, window, wanted, merged, request.account.full_access or request.impersonated)
    except EwsError as error:
        none = m("FreeBusyView", t("FreeBusyViewType", "None"))
        return m("FreeBusyResponse", m("ResponseMessage", error_parts(error), ResponseClass="Error"), none)
    good = m("ResponseMessage", m("ResponseCode", "NoError"), ResponseClass="Success")
    return m("FreeBusyResponse", good, view)


def _view(box: Mailbox, zone: Clock, window: Window, wanted: str, step: int, may: object) -> Element:
    seen = [
        one for entry in box.folder(CALENDAR) for one in entry.between(*window) if not one.values.get("IsCancelled")
    ]
    seen.sort(key=lambda one: (one.start, one.end))
    kind = wanted if may or "Detailed" not in wanted else wanted.replace("Detailed", "FreeBusy")
    parts = [t("FreeBusyViewType", kind)]
    if "Merged" in wanted:
        parts.append(t("MergedFreeBusy", _merged(seen, window, step)))
    if wanted != "MergedOnly":
        rows = [_event(one, zone, "Detailed" in kind) for one in seen]
        parts += [t("CalendarEventArray", rows)] if rows else []
    return m("FreeBusyView", parts, _hours())


def _event(seen: Sight, zone: Clock, detailed: bool) -> Element:
    times = [t(tag, zone.wall(at).isoformat()) for tag, at in (("StartTime", seen.start), ("EndTime", seen.end))]
    status = seen.values.get("LegacyFreeBusyStatus", "Busy")
    return t("CalendarEvent", times, t("BusyType", status), _details(seen) if detailed else None)


def _details(seen: Sight) -> Element:
    private = seen.values.get("Sensitivity") == "Private"
    return t(
        "CalendarEventDetails",
        None if private else t("Subject", seen.values.get("Subject", "")),
        None if private else t("Location", seen.values.get("Location", "")),
        t("IsMeeting", bool(seen.attendees)),
        t("IsRecurring", seen.kind in ("Occurrence", "Exception")),
        t("IsException", seen.kind == "Exception"),
        t("IsReminderSet", bool(seen.values.get("ReminderIsSet"))),
        t("IsPrivate", private),
    )


def _merged(seen: list[Sight], window: Window, step: int) -> str:
    digits, at = [], window[0]
    while at < window[1]:
        until = at + timedelta(minutes=step)
        touching = [_DIGITS[one.values.get("LegacyFreeBusyStatus", "Busy")] for one in seen if one.touches(at, until)]
        digits.append(max(touching, default="0"))
        at = until
    return "".join(digits)


def _hours() -> Element:
    """Monday to Friday, eight to five, Danish time."""
    standard = [t("Bias", 0), t("Time", "03:00:00"), t("DayOrder", 5), t("Month", 10), t("DayOfWeek", "Sunday")]
    daylight = [t("Bias", -60), t("Time", "02:00:00"), t("DayOrder", 5), t("Month", 3), t("DayOfWeek", "Sunday")]
    zone = t("TimeZone", t("Bias", -60), t("StandardTime", standard), t("DaylightTime", daylight))
    days = "Monday Tuesday Wednesday Thursday Friday"
    times = [t("DayOfWeek", days), t("StartTimeInMinutes", 480), t("EndTimeInMinutes", 1020)]
    return t("WorkingHours", zone, t("WorkingPeriodArray", t("WorkingPeriod", times)))
