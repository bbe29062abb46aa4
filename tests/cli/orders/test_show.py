"""`dgspay orders show`: one order, and never what would let others act for it."""

from __future__ import annotations

import json

from tests.cli.orders.conftest import Shop
from tests.cli.terminal import CommandLine


def test_an_order_is_shown_with_its_attempts(dgspay: CommandLine, shop: Shop) -> None:
    reference = shop.sell_and_be_paid()
    said = dgspay("orders", "show", "A-1")
    assert (said.code, said.err) == (0, "")
    for part in ("A-1", "paid", "2,000 RWF", "Jane Uwase", reference, "mobile_money"):
        assert part in said.out
    told = json.loads(dgspay("orders", "show", "A-1", "--json").out)
    (attempt,) = told["attempts"]
    assert (attempt["state"], attempt["dgs_reference"]) == ("paid", reference)
    assert attempt["asked_at"].endswith("+00:00")


def test_the_token_of_its_page_is_shown_nowhere(dgspay: CommandLine, shop: Shop) -> None:
    shop.sell()
    token = shop.checkout.order("A-1").page_token
    assert token
    for arguments in (("show", "A-1"), ("show", "A-1", "--json"), ("export", "--json"), ("list",)):
        said = dgspay("orders", *arguments)
        assert said.code == 0
        assert token not in said.out + said.err


def test_an_order_that_is_not_there_is_a_usage_error(dgspay: CommandLine, shop: Shop) -> None:
    shop.sell()
    said = dgspay("orders", "show", "A-2")
    assert (said.code, said.out) == (2, "")
    assert "there is no order 'A-2'" in said.err
