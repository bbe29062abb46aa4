"""Slots for threads: in the order in which they were asked for, and none is ever lost."""

from __future__ import annotations

import threading
import time

import pytest

from dgspay.transports.httpx.slots import Slots, Turn
from tests.support.interrupter import Interrupted, Interrupter


def until_waiting(slots: Slots, count: int) -> None:
    while len(slots._waiting) < count:
        time.sleep(0.001)


@pytest.mark.acceptance(73, "fair-slots")
def test_sixty_threads_are_served_in_the_order_in_which_they_came() -> None:
    slots = Slots(10)
    holders = [Turn() for _ in range(10)]
    assert all(slots.acquire(turn, 0) for turn in holders)
    served: list[int] = []
    go_on = [threading.Event() for _ in range(50)]

    def wait(number: int) -> None:
        turn = Turn()
        assert slots.acquire(turn, 60)
        served.append(number)
        go_on[number].set()
        slots.release(turn)

    threads = []
    for number in range(50):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        until_waiting(slots, number + 1)
    # One slot is handed on from thread to thread: no other thread may come between.
    slots.release(holders[0])
    for thread in threads:
        thread.join(60)
    assert served == list(range(50))
    assert slots.taken == 9


@pytest.mark.acceptance(73, "fair-slots")
def test_who_gives_a_slot_back_does_not_take_it_again_before_those_who_wait() -> None:
    slots = Slots(1)
    first, other = Turn(), Turn()
    assert slots.acquire(first, 0)
    had: list[bool] = []
    waiting = threading.Thread(target=lambda: had.append(slots.acquire(other, 60)))
    waiting.start()
    until_waiting(slots, 1)
    slots.release(first)
    again = Turn()
    assert not slots.acquire(again, 0)
    slots.release(again)
    waiting.join(60)
    assert had == [True]


def test_wait_that_is_too_long_leaves_the_queue() -> None:
    slots = Slots(1)
    first, late = Turn(), Turn()
    assert slots.acquire(first, 0)
    assert not slots.acquire(late, 0.01)
    slots.release(late)
    slots.release(first)
    assert slots.taken == 0
    assert slots.acquire(Turn(), float("inf"))


@pytest.mark.acceptance(71, "raising-signal-handler")
def test_no_step_of_waiting_loses_a_slot_when_it_is_interrupted() -> None:
    step = 1
    while True:
        slots, holder, turn = Slots(1), Turn(), Turn()
        assert slots.acquire(holder, 0)
        interrupter = Interrupter(step, "slots.py")
        try:
            with interrupter:
                try:
                    slots.acquire(turn, 0.001)
                finally:
                    try:
                        slots.release(turn)
                    except BaseException:
                        slots.release(turn)
                        raise
        except Interrupted:
            pass
        slots.release(holder)
        assert slots.acquire(Turn(), 0)
        if interrupter.left > 0:
            break
        step += 1
    assert step > 5


@pytest.mark.acceptance(71, "raising-signal-handler")
def test_no_step_of_handing_a_slot_on_leaves_who_waits_uncalled() -> None:
    step = 1
    while True:
        slots, holder, waiting = Slots(1), Turn(), Turn()
        assert slots.acquire(holder, 0)
        had: list[bool] = []
        thread = threading.Thread(
            target=lambda turn, had, slots: had.append(slots.acquire(turn, 60)),
            args=(waiting, had, slots),
        )
        thread.start()
        until_waiting(slots, 1)
        interrupter = Interrupter(step, "slots.py")
        try:
            with interrupter:
                try:
                    slots.release(holder)
                except BaseException:
                    slots.release(holder)
                    raise
        except Interrupted:
            pass
        thread.join(60)
        assert had == [True]
        slots.release(waiting)
        assert slots.taken == 0
        if interrupter.left > 0:
            break
        step += 1
    assert step > 5
