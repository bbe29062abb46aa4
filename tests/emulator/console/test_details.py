"""Everything about one payment in one place."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from dgspay.emulator import Emulator
from tests.emulator.emulator_calls import LINK, MOBILE_MONEY, PATIENCE
from tests.emulator.receivers import answers, receiving


@pytest.fixture
def console(emulator: Emulator) -> Iterator[httpx.Client]:
    with (
        emulator.serve() as served,
        httpx.Client(
            base_url=f"{served.origin}/_emulator", trust_env=False, timeout=PATIENCE
        ) as client,
    ):
        yield client


def test_a_payment_is_shown_with_its_fee_requests_and_webhooks(
    console: httpx.Client, client: httpx.Client, emulator: Emulator
) -> None:
    with receiving(answers(204)) as receiver:
        charge = {**MOBILE_MONEY, "amount": 5000, "callback_url": receiver.url}
        reference = client.post("/charges", json=charge).json()["dgs_reference"]
        pending = console.get(f"/payments/{reference}").json()
        assert (pending["fee"], pending["net"], pending["deliveries"]) == (None, None, [])
        emulator.approve(reference)
        emulator.wait_for_deliveries()
    client.get(f"/transactions/{reference}")
    shown = console.get(f"/payments/{reference}").json()
    assert (shown["fee"], shown["net"], shown["link"]) == (150, 4850, None)
    assert [each["what"] for each in shown["timeline"]] == [
        "The payment was created",
        "The payer paid",
        "payment.success was sent: 204",
    ]
    assert [each["path"] for each in shown["requests"]] == [
        f"/transactions/{reference}",
        "/charges",
    ]
    assert [each["state"] for each in shown["deliveries"]] == ["delivered"]
    assert console.get("/payments/dgs_0").status_code == 404


def test_a_payment_names_the_link_it_came_by(
    console: httpx.Client, client: httpx.Client, emulator: Emulator
) -> None:
    link = client.post("/payment-links", json=LINK).json()["link"]
    payment = emulator.pay_link(link["id"])
    shown = console.get(f"/payments/{payment.dgs_reference}").json()
    assert shown["link"]["title"] == "Invoice #123"
    emulator.decline(
        client.post("/charges", json=MOBILE_MONEY).json()["dgs_reference"], "Not today"
    )
    declined = emulator.transactions[-1].dgs_reference
    timeline = console.get(f"/payments/{declined}").json()["timeline"]
    assert timeline[1] == {**timeline[1], "what": "The payment failed: Not today", "kind": "bad"}
