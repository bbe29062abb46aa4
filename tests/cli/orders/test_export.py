"""`dgspay orders export`: all orders, however many pages they are."""

from __future__ import annotations

import csv
import io
import json

import pytest

from dgspay.cli.orders import rows
from tests.cli.orders.conftest import JANE, Shop
from tests.cli.terminal import CommandLine


def test_every_order_is_exported_once_though_they_are_several_pages(
    dgspay: CommandLine, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_AT_ONCE", 3)
    for number in range(7):
        shop.checkout.open(f"A-{number}", amount=500 + number, customer=JANE)
    lines = [*csv.DictReader(io.StringIO(dgspay("orders", "export").out))]
    assert [line["order"] for line in lines] == [f"A-{number}" for number in reversed(range(7))]
    assert [line["amount"] for line in lines][:2] == ["506", "505"]
    found = json.loads(dgspay("orders", "export", "--json").out)
    assert [row["order"] for row in found] == [line["order"] for line in lines]


def test_what_was_refunded_is_in_it(dgspay: CommandLine, shop: Shop) -> None:
    shop.sell_and_be_paid()
    shop.checkout.refund("A-1", amount=500)
    (line,) = csv.DictReader(io.StringIO(dgspay("orders", "export").out))
    assert (line["collected"], line["refunded"]) == ("2000", "500")
