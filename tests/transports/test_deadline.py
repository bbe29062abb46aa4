"""The deadline of a blocking exchange is the one of the call under way, and no other's."""

from __future__ import annotations

import threading

import pytest

from dgspay.transports.deadline import DeadlinePassedError, deadline


def test_a_call_made_within_a_call_leaves_the_outer_deadline() -> None:
    with deadline.until(1_000):
        with deadline.until(0), pytest.raises(DeadlinePassedError):
            deadline.check()
        assert 900 < deadline.left() <= 1_000
        with deadline.until(None):
            assert deadline.left() == float("inf")
        assert deadline.left() <= 1_000
    assert deadline.left() == float("inf")


def test_what_a_call_raises_ends_its_deadline() -> None:
    with pytest.raises(KeyError), deadline.until(5):
        raise KeyError
    assert deadline.clamp(40.0) == 40.0
    assert deadline.clamp(None) is None


def test_each_thread_has_its_own() -> None:
    seen: list[float] = []
    with deadline.until(5):
        thread = threading.Thread(target=lambda: seen.append(deadline.left()))
        thread.start()
        thread.join()
    assert seen == [float("inf")]
