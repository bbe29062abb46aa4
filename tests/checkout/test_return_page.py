"""The page that a payer comes back to, where the shop has named none of its own."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from dgspay.checkout import OrdersError
from dgspay.checkout.pages import PageRequest, PageResponse
from tests.checkout.conftest import URL, Shop
from tests.support.mounted_checkouts import FRAMEWORKS, Asked


def returned_to(shop: Shop) -> str:
    """Where DGS-Pay was asked to send the payer back to, relative to the checkout."""
    (charge,) = (each for each in shop.emulator.requests if each.operation == "POST /charges")
    url: str = charge.body["redirect_url"]
    assert url.startswith(f"{URL}/")
    return url.removeprefix(f"{URL}/")


def come_back(shop: Shop, path: str, method: str = "GET") -> PageResponse:
    # From the site of a bank.
    headers = {"Host": "shop.example", "Sec-Fetch-Site": "cross-site"}
    return shop.checkout.respond(PageRequest(method=method, path=path, headers=headers))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_payer_who_comes_back_is_shown_the_order(shop: Shop, framework: Any) -> None:
    order = shop.open('A"1 <é>')
    shop.pay(order.id)
    asked = Asked(
        f"{returned_to(shop)}?status=successful", headers={"Sec-Fetch-Site": "cross-site"}
    )
    (answer,) = framework(shop, [asked], None)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert 'order="A&quot;1 &lt;é&gt;"' in answer.text
    assert f'token="{order.page_token}"' in answer.text


@pytest.mark.parametrize("spoiled", ["return", "return/", "return/1", "return/1/x", "return/²/x"])
def test_an_address_that_was_made_up_is_no_order_s(shop: Shop, spoiled: str) -> None:
    shop.open()
    shop.open("A-2")
    shop.pay()
    _, key, token = returned_to(shop).split("/")
    for path in (spoiled, f"return/{int(key) + 1}/{token}", f"return/{key}/{token}x"):
        answer = come_back(shop, path)
        assert answer.status == 404
        assert b"There is no such payment here" in answer.body
    assert come_back(shop, f"return/{key}/{token}", "POST").headers["Allow"] == "GET"


def test_a_page_of_the_shops_own_goes_first(shop: Shop) -> None:
    shop.open(redirect_url="https://shop.example/thanks")
    shop.pay()
    (charge,) = (each for each in shop.emulator.requests if each.operation == "POST /charges")
    assert urlsplit(charge.body["redirect_url"]).path == "/thanks"


def test_a_store_that_fails_is_a_page_that_says_not_to_pay_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.open()
    shop.pay()
    path = returned_to(shop)

    def fail(make: object, **connection: object) -> None:
        raise OrdersError("the disk is full")

    store: Any = shop.checkout._store
    monkeypatch.setattr(store, "run", fail)
    answer = come_back(shop, path)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert b"do not pay again" in answer.body
