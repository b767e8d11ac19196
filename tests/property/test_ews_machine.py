"""Whatever people do in Outlook, and whatever Exchange does to us: a completed pass ends with mirror = calendar."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from syncd.adapters.ews.account import EwsAccount
from syncd.adapters.ews.calendar import EwsCalendar
from syncd.errors import CalendarError, TokenExpired
from syncd.model.directory import Mailbox, MailboxKind
from syncd.model.interval import Interval
from tests.contract.calendar_contract import MONDAY
from tests.contract.hands import ZONE
from tests.contract.mirror import Mirror
from tests.servers.exchange import ExchangeServer
from tests.servers.exchange.recurrence import DAYS, Recurrence
from tests.servers.exchange.wire import EwsError

ANNA = "anna@syncd.test"
BOX = Mailbox("anna", MailboxKind.PERSON, "main", ANNA, ZONE)
ZONES = ("Romance Standard Time", "Tokyo Standard Time", "Pacific Standard Time", "Customized Time Zone")
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("busy", {"back_off_ms": 1}),
    ("drop", {}),
    ("half", {}),
    ("garbled", {}),
    ("fault", {"code": "ErrorInternalServerTransientError"}),
    ("error", {"code": "ErrorMailboxStoreUnavailable"}),
    ("not_last", {}),
    ("sync_expired", {"value": "on"}),
    ("sync_expired", {"value": "omit"}),
    ("page", {"value": 1}),
    ("page", {"value": 3}),
    ("find_limit", {"value": 3}),
    ("cut_silently", {}),
)

hours = st.integers(-48, 24 * 40)
lengths = st.sampled_from([0, 15, 60, 26 * 60])
picks = st.integers(0, 1000)


def moment(hour: int) -> datetime:
    return MONDAY + timedelta(hours=hour)


class OutlookMachine(RuleBasedStateMachine):
    """One mailbox, its owner, and one who mirrors it."""

    def __init__(self) -> None:
        super().__init__()
        self.server = ExchangeServer(seed=1).start()
        self.server.account("svc", "geheim", impersonates=True)
        self.server.mailbox(ANNA)
        self.port = self.open(1000)
        self.mirror = Mirror()
        self.window = Interval(moment(0), moment(24 * 14))
        self.read = False
        self.trouble = ""

    def open(self, page: int) -> EwsCalendar:
        account = EwsAccount("main", self.server.url, "basic", "svc", "geheim", page=page, streaming=False)
        return EwsCalendar(account)

    def teardown(self) -> None:
        self.port.close()
        self.server.stop()

    # Outlook

    @rule(hour=hours, minutes=lengths, status=st.sampled_from(["Busy", "Free", "OOF"]))
    def book(self, hour: int, minutes: int, status: str) -> None:
        end = moment(hour) + timedelta(minutes=minutes)
        self.changed(lambda: self.server.outlook.book(ANNA, moment(hour), end, LegacyFreeBusyStatus=status))

    @rule(day=st.integers(-2, 30), length=st.integers(1, 3))
    def take_days_off(self, day: int, length: int) -> None:
        start = MONDAY - timedelta(hours=1) + timedelta(days=day)
        self.changed(lambda: self.server.outlook.book(ANNA, start, start + timedelta(days=length), IsAllDayEvent=True))

    @rule(hour=hours, times=st.sampled_from([2, 5, None]), weekly=st.booleans(), zone=st.sampled_from(ZONES[:3]))
    def book_series(self, hour: int, times: int | None, weekly: bool, zone: str) -> None:
        start = moment(hour)
        days = (DAYS[start.weekday()],) if weekly else ()
        series = Recurrence("Weekly" if weekly else "Daily", start.date(), days=days, times=times)
        end = start + timedelta(minutes=30)
        self.changed(
            lambda: self.server.outlook.book(ANNA, start, end, recurrence=series, StartTimeZone=zone, EndTimeZone=zone)
        )

    @precondition(lambda self: self.entries())
    @rule(which=picks, hour=hours)
    def move(self, which: int, hour: int) -> None:
        uid, original = self.pick(which)
        self.changed(lambda: self.server.outlook.move(ANNA, uid, moment(hour), original=original))

    @precondition(lambda self: self.entries())
    @rule(which=picks, minutes=st.integers(-120, 120))
    def nudge(self, which: int, minutes: int) -> None:
        uid, original = self.pick(which)
        seen = next(one for one in self.seen() if (one.entry.uid, self.date_of(one)) == (uid, original))
        self.changed(
            lambda: self.server.outlook.move(ANNA, uid, seen.start + timedelta(minutes=minutes), original=original)
        )

    @precondition(lambda self: self.entries())
    @rule(which=picks)
    def delete(self, which: int) -> None:
        uid, original = self.pick(which)
        self.changed(lambda: self.server.outlook.delete(ANNA, uid, original))

    @precondition(lambda self: self.seen())
    @rule(which=picks)
    def delete_whole(self, which: int) -> None:
        uid = self.seen()[which % len(self.seen())].entry.uid
        self.changed(lambda: self.server.outlook.delete(ANNA, uid))

    @precondition(lambda self: self.entries())
    @rule(which=picks, times=st.integers(1, 9))
    def change_series(self, which: int, times: int) -> None:
        uid, original = self.pick(which)
        if original is not None:
            self.changed(lambda: self.server.outlook.change_series(ANNA, uid, times=times, end=None))

    @precondition(lambda self: self.entries())
    @rule(which=picks, zone=st.sampled_from(ZONES[:3]), keep=st.booleans())
    def change_zone(self, which: int, zone: str, keep: bool) -> None:
        self.changed(lambda: self.server.outlook.change_zone(ANNA, self.pick(which)[0], zone, keep))

    # The mirror

    @rule(days=st.integers(0, 9))
    def the_window_moves_on(self, days: int) -> None:
        start = self.window.start + timedelta(days=days)
        self.window = Interval(start, start + timedelta(days=14))
        self.read = False

    @rule(page=st.sampled_from([3, 6, 12, 1000]))
    def another_page_size(self, page: int) -> None:
        self.port.close()
        self.port = self.open(page)

    @rule(fault=st.sampled_from(FAULTS), skip=st.integers(0, 2), times=st.integers(1, 2))
    def something_will_fail(self, fault, skip: int, times: int) -> None:
        kind, options = fault
        self.server.faults.add(kind, times=times, skip=skip, **options)

    @rule(full=st.booleans())
    def poll(self, full: bool) -> None:
        try:
            self.mirror.follow(self.port, BOX, self.window, full=full)
            self.read = True
        except TokenExpired:
            self.mirror.since = None
        except CalendarError as error:
            self.trouble = str(error)

    @rule()
    def poll_in_peace(self) -> None:
        self.server.faults.clear()
        self.another_page_size(1000)
        for _ in range(3):
            self.poll(full=False)
        assert self.read, self.trouble

    @invariant()
    def a_completed_pass_shows_what_outlook_shows(self) -> None:
        if self.read:
            shown = sorted({Interval(one.start, one.end) for one in self.seen() if one.start < one.end})
            assert sorted(set(self.mirror.times(self.window))) == [one for one in shown if one.overlaps(self.window)]

    # What is there

    def seen(self):
        return self.server.outlook.calendar(ANNA, self.window.start, self.window.end)

    @staticmethod
    def date_of(seen) -> datetime | None:
        return seen.original if seen.entry.recurrence else None

    def entries(self) -> list[tuple[str, datetime | None]]:
        """What can be moved; whole days are only made and deleted, for their instants are not what counts."""
        return [(one.entry.uid, self.date_of(one)) for one in self.seen() if not one.values.get("IsAllDayEvent")]

    def pick(self, which: int) -> tuple[str, datetime | None]:
        return self.entries()[which % len(self.entries())]

    def changed(self, act) -> None:
        """Do something in Outlook; it may say no (an occurrence cannot pass its neighbour)."""
        self.read = False
        with contextlib.suppress(EwsError):
            act()


QUICK = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
OutlookMachine.TestCase.settings = QUICK
TestOutlook = OutlookMachine.TestCase


@pytest.mark.long
def test_outlook_for_long():
    run_state_machine_as_test(
        OutlookMachine, settings=settings(QUICK, max_examples=200, stateful_step_count=40, derandomize=False)
    )
