"""Days of Kigali, where it is two hours later than in Greenwich."""

from __future__ import annotations

from dgspay.payouts.model.days import day_began, day_in_kigali, minute_in_kigali


def test_a_day_is_that_of_kigali() -> None:
    assert day_in_kigali(1_796_075_999) == "2026-11-30"
    assert day_in_kigali(1_796_076_000) == "2026-12-01"
    assert day_began(1_796_076_000 + 86_399) == 1_796_076_000
    assert minute_in_kigali(1_796_075_999) == "2026-11-30 23:59 in Kigali"
