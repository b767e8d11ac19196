"""The pure parts of the Graph adapter: what a refusal means, and how many requests are under way at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from syncd.adapters.graph.faults import STALE, Absent, Refusal, Repeated, error_of
from syncd.adapters.graph.meter import REST, SPELL, Meter
from syncd.errors import (
    AccessDenied,
    CalendarNotFound,
    HostedElsewhere,
    OutcomeUnknown,
    Rejected,
    Throttled,
    TokenExpired,
    Transient,
    VersionConflict,
)

ANNA = "anna@byhavn.example"


@pytest.mark.parametrize(
    ("said", "wrote", "expected"),
    [
        (Refusal(404, "ErrorItemNotFound"), False, Absent),
        (Refusal(404, "ErrorItemNotFound"), True, Absent),
        (Refusal(404, "MailboxNotEnabledForRESTAPI"), False, HostedElsewhere),
        (Refusal(404, "ErrorInvalidUser"), False, CalendarNotFound),
        (Refusal(404), False, Rejected),
        (Refusal(404, "SyncStateNotFound"), False, TokenExpired),
        (Refusal(400, "SyncStateInvalid"), False, TokenExpired),
        (Refusal(410), False, TokenExpired),
        (Refusal(400, "ErrorInvalidRequest"), True, Rejected),
        (Refusal(403, "ErrorAccessDenied"), False, AccessDenied),
        (Refusal(409, "ErrorDuplicateTransactionId"), True, Repeated),
        (Refusal(400, "ErrorDuplicateTransactionId"), True, Repeated),
        (Refusal(409, "ConcurrentItemSave"), True, VersionConflict),
        (Refusal(412, "ErrorIrresolvableConflict"), False, Transient),
        (Refusal(412, "ErrorIrresolvableConflict"), True, VersionConflict),
        (Refusal(429, "ApplicationThrottled"), True, Throttled),
        (Refusal(503), False, Throttled),
        (Refusal(503), True, OutcomeUnknown),
        (Refusal(500, "ErrorInternalServerError"), False, Transient),
        (Refusal(504), True, OutcomeUnknown),
    ],
)
def test_every_refusal_says_what_to_do_next(said: Refusal, wrote: bool, expected: type):
    assert type(error_of(said, ANNA, "graph", "app-1", wrote=wrote)) is expected


def test_only_one_answer_means_that_an_event_is_gone():
    kinds = [401, 403, 404, 408, 409, 410, 412, 423, 429, 500, 502, 503, 504]
    errors = [error_of(Refusal(status), ANNA, "graph", "app-1") for status in kinds]
    errors += [error_of(Refusal(404, code), ANNA, "graph", "app-1") for code in STALE]

    assert not any(isinstance(error, Absent) for error in errors)


def test_a_pause_is_as_long_as_the_server_said_and_ten_seconds_when_it_did_not():
    errors = [error_of(Refusal(429, pause=pause), ANNA, "graph", "app-1") for pause in (2.5, None, 0.0)]

    assert [one.retry_after for one in errors if isinstance(one, Throttled)] == [2.5, 10.0, 0.0]


def test_what_to_do_names_the_mailbox_and_the_application():
    told = str(error_of(Refusal(403, "ErrorAccessDenied"), ANNA, "graph", "app-1"))

    assert f"Test-ServicePrincipalAuthorization -Identity app-1 -Resource {ANNA}" in told


class Hand:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_round_of_good_answers_adds_a_place_up_to_the_most():
    meter = Meter(4, 6)
    for _ in range(5):
        meter.went_well()
    assert meter.limit == 5

    for _ in range(50):
        meter.went_well()
    assert meter.limit == 6


def test_one_throttled_mailbox_slows_nobody_else_and_two_slow_everybody_once():
    clock = Hand()
    meter = Meter(8, 16, clock)
    for _ in range(9):
        meter.throttled("anna")
    assert meter.limit == 8

    for _ in range(9):
        meter.throttled("bo")
    assert meter.limit == 4

    clock.now += REST
    meter.throttled("cille")
    assert meter.limit == 2


def test_what_was_throttled_long_ago_is_forgotten():
    clock = Hand()
    meter = Meter(8, 16, clock)
    meter.throttled("anna")
    clock.now += SPELL
    meter.throttled("bo")

    assert meter.limit == 8


def test_there_is_always_a_place_left():
    clock = Hand()
    meter = Meter(2, 16, clock)
    for number in range(9):
        meter.throttled(str(number))
        clock.now += REST

    assert meter.limit == 1
    with meter.place(0.1), pytest.raises(Transient, match="All places"), meter.place(0.01):
        pass
    with meter.place(0.1):
        pass


def test_never_more_are_out_than_there_are_places():
    meter, out, seen = Meter(3, 3), [], []

    def one(_: int) -> None:
        with meter.place(5):
            out.append(1)
            seen.append(len(out))
            out.pop()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(one, range(300)))

    assert max(seen) <= 3
    assert len(seen) == 300
