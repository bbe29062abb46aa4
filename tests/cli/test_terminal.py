"""Text and figures for a terminal."""

from __future__ import annotations

from decimal import Decimal

from dgspay.cli.terminal import figure, visible


def test_text_is_made_visible_and_nothing_else() -> None:
    assert visible("Uwimana é 世界 ✓") == "Uwimana é 世界 ✓"
    assert visible("a\u202fb") == "a b"
    assert visible("\ud800") == r"\ud800"


def test_figures_lose_no_digit() -> None:
    assert figure(Decimal(1_000_000)) == "1,000,000"
    assert figure(Decimal("500.00")) == "500"
    assert figure(Decimal("500.5")) == "500.50"
    assert figure(Decimal("0.945001"), "EUR") == "0.945001"
    assert figure(Decimal("1E+3"), "USD") == "1,000.00"
