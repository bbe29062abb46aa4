"""Payment links: the guide's answers, paying them, and when they cannot be paid."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from dgspay.emulator import Emulator, LinkNotPayableError, VirtualClock
from tests.emulator.emulator_calls import LINK


def made(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = client.post("/payment-links", json={**LINK, **changes})
    assert answer.status_code == 200, answer.text
    link: dict[str, Any] = answer.json()["link"]
    return link


def test_the_guides_example_is_answered_with_exactly_its_fields(client: httpx.Client) -> None:
    body = client.post("/payment-links", json=LINK).json()
    assert body == {
        "status": "success",
        "message": "Payment link created",
        "link": {
            "id": body["link"]["id"],
            "slug": "invoice-123",
            "url": "http://127.0.0.1/generation/pay/invoice-123",
            "title": "Invoice #123",
            "amount_type": "fixed",
            "amount": 50000,
            "currency": "RWF",
            "payment_types": ["card", "mobile_money"],
            "use_count": 0,
            "max_uses": 1,
            "status": "active",
            "expires_at": "2099-12-31 23:59:59",
            "created_at": "2026-04-03 10:00:00",
        },
    }


def test_details_have_the_guides_stats_and_recent_charges(
    client: httpx.Client, emulator: Emulator
) -> None:
    link = made(client, amount_type="flexible", amount=None, min_amount=100, max_uses=None)
    payment = emulator.pay_link(link["slug"], "500")
    body = client.get(f"/payment-links/{link['id']}").json()
    assert body == {
        "status": "success",
        "link": {**link, "use_count": 1},
        "stats": {
            "total_charges": 1,
            "successful_charges": 1,
            "pending_charges": 0,
            "failed_charges": 0,
            "total_collected": 500,
            "currency": "RWF",
        },
        "recent_charges": [
            {
                "id": payment.id,
                "amount": "500.00",
                "currency": "RWF",
                "status": "success",
                "created_at": "2026-04-03 10:00:00",
            }
        ],
    }
    listed = client.get("/transactions", params={"payment_link_id": link["id"]}).json()
    assert [row["id"] for row in listed["data"]] == [payment.id]
    assert client.get("/transactions", params={"payment_link_id": "x"}).json()["data"] == []


def test_links_are_listed_newest_first(client: httpx.Client) -> None:
    ids = [made(client)["id"] for _ in range(3)]
    page = client.get("/payment-links", params={"limit": 2, "page": 1}).json()
    assert [link["id"] for link in page["data"]] == [ids[2], ids[1]]
    assert page["pagination"] == {"page": 1, "limit": 2, "total": 3, "pages": 2}


def test_slugs_are_made_from_titles_and_never_twice(client: httpx.Client) -> None:
    first, second = made(client), made(client)
    assert first["slug"] == "invoice-123"
    assert second["slug"].startswith("invoice-123-")
    assert made(client, title="???")["slug"] == "link"
    assert made(client, slug="my-shop")["slug"] == "my-shop"
    taken = client.post("/payment-links", json={**LINK, "slug": "my-shop"})
    assert taken.json()["message"] == "slug is taken"


def test_a_link_is_changed_and_archived_for_good(client: httpx.Client) -> None:
    link = made(client)
    path = f"/payment-links/{link['id']}"
    changed = client.patch(path, json={"title": "Invoice #124", "max_uses": None}).json()
    assert changed["message"] == "Payment link updated"
    assert changed["link"] == {**link, "title": "Invoice #124", "max_uses": None}
    assert client.patch(path, json={"slug": "other"}).json()["link"]["slug"] == "other"
    assert client.patch(path, json={"amount": 0}).json()["error_code"] == "90"
    assert client.delete(path).json() == {
        "status": "success",
        "message": "Payment link archived",
    }
    assert client.get(path).json()["link"]["status"] == "archived"
    assert client.patch(path, json={"title": "x"}).json()["error_code"] == "90"
    assert client.delete(path).json()["error_code"] == "90"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_link_is_not_found(client: httpx.Client, method: str) -> None:
    body = {"title": "x"} if method == "PATCH" else None
    answer = client.request(method, "/payment-links/nowhere", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "92")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"title": " "}, "title"),
        ({"amount_type": "free"}, "amount_type"),
        ({"amount": None}, "amount"),
        ({"amount_type": "flexible"}, "amount"),
        ({"min_amount": 5}, "min_amount"),
        ({"payment_types": []}, "payment_types"),
        ({"payment_types": ["cash"]}, "payment_types"),
        ({"max_uses": 0}, "max_uses"),
        ({"max_uses": True}, "max_uses"),
        ({"expires_at": "2026-12-31T23:59:59Z"}, "expires_at"),
        ({"slug": "Über uns"}, "slug"),
        ({"collect_phone": 1}, "collect_phone"),
        ({"metadata": [1]}, "metadata"),
        ({"logo_url": "data:image/png,x"}, "logo_url"),
        (
            {"amount_type": "flexible", "amount": None, "min_amount": 9, "max_amount": 8},
            "min_amount",
        ),
    ],
)
def test_a_wrong_field_is_refused_by_name(
    client: httpx.Client, changes: dict[str, Any], named: str
) -> None:
    answer = client.post("/payment-links", json={**LINK, **changes})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")
    assert named in answer.json()["message"]


@pytest.mark.acceptance(49, "link-limits")
def test_an_expired_link_cannot_be_paid(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    link = made(client, expires_at="2026-04-03 10:00:05")
    clock.advance(5)
    with pytest.raises(LinkNotPayableError, match="expired"):
        emulator.pay_link(link["id"])
    assert client.get(f"/payment-links/{link['id']}").json()["link"]["status"] == "expired"


@pytest.mark.acceptance(49, "link-limits")
def test_an_archived_or_used_up_link_cannot_be_paid(
    client: httpx.Client, emulator: Emulator
) -> None:
    archived, used = made(client), made(client)
    client.delete(f"/payment-links/{archived['id']}")
    with pytest.raises(LinkNotPayableError, match="archived"):
        emulator.pay_link(archived["id"])
    emulator.pay_link(used["id"])
    with pytest.raises(LinkNotPayableError, match="completed"):
        emulator.pay_link(used["id"])
    assert len(emulator.transactions) == 1


@pytest.mark.acceptance(49, "link-limits")
def test_of_many_payers_racing_for_the_last_use_exactly_one_wins(
    client: httpx.Client, emulator: Emulator
) -> None:
    link = made(client)
    start = threading.Barrier(8)
    outcomes: list[str] = []

    def pay() -> None:
        start.wait()
        try:
            emulator.pay_link(link["id"])
        except LinkNotPayableError:
            outcomes.append("refused")
        else:
            outcomes.append("paid")

    payers = [threading.Thread(target=pay) for _ in range(8)]
    for payer in payers:
        payer.start()
    for payer in payers:
        payer.join()
    assert sorted(outcomes) == ["paid"] + ["refused"] * 7
    assert len(emulator.transactions) == 1


def test_amounts_outside_a_links_terms_are_refused(
    client: httpx.Client, emulator: Emulator
) -> None:
    fixed = made(client)
    flexible = made(client, amount_type="flexible", amount=None, min_amount=10, max_amount=20)
    for link, amount in ((fixed, 49999), (flexible, None), (flexible, 9), (flexible, 21)):
        with pytest.raises(LinkNotPayableError):
            emulator.pay_link(link["id"], amount)
    with pytest.raises(LookupError):
        emulator.pay_link("nowhere")
    assert emulator.transactions == ()


@pytest.mark.acceptance(50, "hostile-page-text")
def test_a_title_is_words_and_never_markup(client: httpx.Client, emulator: Emulator) -> None:
    link = made(client, title="<script>alert(1)</script>", description="<img src=x>")
    with emulator.http_client() as browser:
        page = browser.get(link["url"])
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "<img" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.acceptance(50, "hostile-page-text")
@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "//evil", "x y"]
)
def test_a_redirect_that_is_no_web_address_is_refused(client: httpx.Client, url: str) -> None:
    answer = client.post("/payment-links", json={**LINK, "redirect_url": url})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")
    assert "redirect_url" in answer.json()["message"]
