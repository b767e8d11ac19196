"""The queue of writers: first come, first served."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from syncd.errors import StoreError
from syncd.store.turns import Turns


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_turns_are_taken_in_the_order_of_asking() -> None:
    turns, order, threads = Turns(), [], []

    def queued(count: int) -> bool:
        return len(turns._queue) == count

    def take(number: int) -> None:
        with turns.turn(10):
            order.append(number)

    with turns.turn(10):
        for number in range(20):
            thread = threading.Thread(target=take, args=(number,))
            thread.start()
            threads.append(thread)
            wait_until(partial(queued, number + 1))
    for thread in threads:
        thread.join()

    assert list(range(20)) == order


def test_nobody_else_is_inside() -> None:
    turns, inside, most = Turns(), [0], [0]

    def work() -> None:
        for _ in range(200):
            with turns.turn(10):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [1] == most
    assert 0 == inside[0]


def test_who_waits_too_long_is_told_and_does_not_block_the_queue() -> None:
    turns, said = Turns(), []

    def impatient() -> None:
        try:
            with turns.turn(0.01):
                said.append("in")
        except StoreError as error:
            said.append(str(error))

    with turns.turn(10):
        thread = threading.Thread(target=impatient)
        thread.start()
        thread.join()
    with turns.turn(0):
        said.append("free")

    assert "busy" in said[0]
    assert "free" == said[1]


def test_an_error_passes_the_turn_on() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.turn(1):
        raise ZeroDivisionError
    with turns.turn(0):
        pass


def test_the_same_thread_cannot_take_two_turns() -> None:
    turns = Turns()
    with turns.turn(1), pytest.raises(RuntimeError), turns.turn(1):
        pass
    with turns.turn(0):
        pass
