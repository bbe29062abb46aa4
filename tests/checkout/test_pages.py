"""What a payer's page may ask for, and what it is answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dgspay.checkout import Order, SqliteOrders
from dgspay.checkout.checkout import Checkout
from dgspay.checkout.pages import _ACTIONS, ORDER_HEADER, TOKEN_HEADER, PageRequest, PageResponse
from dgspay.checkout.store.scope import Limits
from tests.checkout.conftest import URL, Shop

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def ask(
    shop: Shop,
    order: Order,
    path: str,
    posted: object = None,
    *,
    token: str | None = None,
    address: str | None = "192.0.2.7",
    query: str = "",
    **headers: str,
) -> PageResponse:
    sent: Mapping[str, str] = {
        ORDER_HEADER: quote(order.id, safe=""),
        TOKEN_HEADER: order.page_token if token is None else token,
        "Host": "shop.example",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    return shop.checkout.respond(
        PageRequest(
            method="GET" if posted is None else "POST",
            path=path,
            query=query,
            headers=sent,
            body=b"" if posted is None else json.dumps(posted).encode(),
            client_address=address,
        )
    )


def content(answer: PageResponse) -> Any:
    return json.loads(answer.body)


WALLET = {"phone": "0788123456", "network": "MTN"}


def test_a_page_is_shown_the_order_and_pays_it(shop: Shop) -> None:
    order = shop.open("A/1 é")
    found = content(ask(shop, order, "order"))
    assert (found["order"]["amount"], found["order"]["state"]) == ("2000", "open")
    assert found["methods"] == ["mobile_money"]
    paying = content(ask(shop, order, "order/mobile-money", WALLET))
    assert paying["attempt"]["state"] == "waiting_for_the_payer"
    assert paying["version"] != found["version"]
    assert content(ask(shop, order, "order/changes", query=f"after={found['version']}"))


@pytest.mark.acceptance(89, "page-without-token")
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"token": ""}, 404),
        ({"token": "x" * 32}, 404),
        ({"token": "\udcff"}, 404),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_a_page_without_the_orders_token_or_of_another_site_is_refused(
    shop: Shop, changed: dict[str, str], status: int
) -> None:
    order = shop.open()
    for path, posted in (("order", None), ("order/mobile-money", WALLET), ("order/cancel", {})):
        assert ask(shop, order, path, posted, **changed).status == status
    assert not shop.emulator.transactions
    assert shop.checkout.order("A-1") == order


@pytest.mark.acceptance(89, "page-without-token")
def test_a_page_cannot_act_for_another_order(shop: Shop) -> None:
    mine, other = shop.open("A-1"), shop.open("A-2")
    assert ask(shop, other, "order", token=mine.page_token).status == 404


@pytest.mark.acceptance(88, "too-many-attempts")
def test_too_many_attempts_are_answered_429_with_the_wait(shop: Shop) -> None:
    shop.checkout.close()
    limits = Limits(attempts=3, address_attempts=2, address_seconds=60)
    shop.checkout = Checkout(
        shop.dgs,
        SqliteOrders(shop.path, clock=shop.clock),
        secret=shop.emulator.webhook_secret,
        url=URL,
        limits=limits,
    )
    for number in range(2):
        assert ask(shop, shop.open(f"A-{number}"), "order/mobile-money", WALLET).status == 200
    refused = ask(shop, shop.open("A-2"), "order/mobile-money", WALLET)
    assert (refused.status, content(refused)) == (429, {"error": "too_many_attempts"})
    assert refused.headers["Retry-After"] == "60"
    shop.clock.advance(61)
    order = shop.open("A-2")
    for _ in range(3):
        answer = ask(shop, order, "order/mobile-money", WALLET, address=None)
        assert answer.status == 200
        shop.emulator.decline(content(answer)["attempt"]["reference"])
        shop.deliver()
    assert ask(shop, order, "order/mobile-money", WALLET, address=None).status == 429
    assert len(shop.emulator.transactions) == 5


@pytest.mark.parametrize(
    ("posted", "field"),
    [
        ({"phone": "12", "network": "MTN"}, "phone"),
        ({"phone": 788123456, "network": "MTN"}, "phone"),
        ({"phone": "0788123456", "network": "Vodafone"}, "network"),
        ({"network": "MTN"}, "phone"),
    ],
)
def test_what_is_wrong_is_named_by_its_field_and_nothing_is_sent(
    shop: Shop, posted: dict[str, object], field: str
) -> None:
    order = shop.open()
    answer = ask(shop, order, "order/mobile-money", posted)
    assert (answer.status, content(answer)) == (422, {"error": "invalid", "field": field})
    assert not shop.checkout.order("A-1").attempts


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"[]", 400), (b"x" * 70_000, 413)])
def test_a_body_that_is_no_object_is_refused(shop: Shop, body: bytes, status: int) -> None:
    order = shop.open()
    headers = {ORDER_HEADER: order.id, TOKEN_HEADER: order.page_token}
    request = PageRequest("POST", "order/mobile-money", headers=headers, body=body)
    assert shop.checkout.respond(request).status == status


@pytest.mark.acceptance(89, "page-without-token")
def test_an_origin_that_is_no_address_is_another_site(shop: Shop) -> None:
    assert ask(shop, shop.open(), "order", Origin="http://[").status == 403


def test_a_page_is_told_why_a_payment_failed_by_a_code_and_never_by_a_sentence(shop: Shop) -> None:
    order = shop.open()
    failure = {
        "status": "failed",
        "dgs_reference": "DGS-1",
        "transaction_status": "failed",
        "processor_response": "Node core-7 says: ask Jane of risk, extension 12",
    }
    shop.emulator.faults.answer_next("POST /charges", body=json.dumps(failure).encode())
    found = content(ask(shop, order, "order/mobile-money", WALLET))
    assert found["attempt"]["state"] == "failed"
    assert found["attempt"]["reason"] == "declined"
    assert "core-7" in (shop.checkout.order("A-1").attempts[0].reason or "")


def names(value: Any) -> Any:
    """The names in a JSON object, and in those within it."""
    return {name: names(each) for name, each in value.items()} if isinstance(value, dict) else None


@pytest.mark.skipif(not HOW_TO.exists(), reason="docs/ is not part of this copy")
def test_the_answer_that_the_documentation_shows_is_that_of_a_page(shop: Shop) -> None:
    text = (HOW_TO / "own-page.md").read_text(encoding="utf-8")
    documented = json.loads(text.partition("```json\n")[2].partition("```")[0])
    shop.open(description="Two tickets", expires=900)
    found = content(ask(shop, shop.pay(), "order"))
    assert names(found) == names(documented)
    assert (found["attempt"]["state"], found["next_action"]["type"]) == (
        documented["attempt"]["state"],
        documented["next_action"]["type"],
    )
    for path in _ACTIONS:
        assert f"`POST {path}`" in text
