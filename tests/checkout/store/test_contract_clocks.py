"""The wrong clock of one machine: a store has the server's time, or that of the machine's start."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from dgspay.checkout import Checkout, OrderState
from dgspay.emulator import Emulator
from tests.support import orders_worker


@pytest.mark.parametrize("off", [3600.0, -3600.0])
@pytest.mark.acceptance(94, "wrong-clock")
def test_a_clock_that_is_an_hour_off_sends_no_second_prompt_and_expires_nothing(
    here: Callable[..., Checkout], emulator: Emulator, off: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = here()
    right.open("A-2", amount=2000, customer=orders_worker.JANE, expires=600)
    first = orders_worker.pay(right, "A-1")
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + off)
    wrong = here()
    again = orders_worker.pay(wrong, "A-1")
    assert again.attempts == first.attempts
    assert len(emulator.transactions) == 1
    assert wrong.sweep(per_second=orders_worker.FAST).expired == 0
    assert wrong.order("A-2").state is OrderState.OPEN
    opened = wrong.open("A-3", amount=2000, customer=orders_worker.JANE, expires=600)
    assert opened.created_at == pytest.approx(first.created_at, abs=60)
    monkeypatch.undo()
    emulator.approve(first.attempts[0].dgs_reference or "")
    assert right.sweep(per_second=orders_worker.FAST, everything=True).settled == 1
    assert wrong.order("A-1").is_paid
