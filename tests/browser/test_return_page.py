"""The page that a payer comes back to, in a real Chromium: it shows how the payment stands."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dgspay import AsyncDGSPay, Customer, DGSPay
from dgspay.checkout import AsyncCheckout, Checkout, SqliteOrders
from dgspay.emulator import Emulator
from tests.browser.conftest import profile, serving

pytest.importorskip("uvicorn")

if TYPE_CHECKING:
    from playwright.sync_api import Browser

JANE = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0788123456")


def test_a_payer_who_comes_back_sees_the_payment_complete(
    chromium: Browser, dgs: DGSPay, async_dgs: AsyncDGSPay, emulator: Emulator, tmp_path: Path
) -> None:
    from starlette.applications import Starlette

    from dgspay.checkout.frameworks.starlette import routes

    path = tmp_path / "orders.sqlite3"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/dgspay"
        shop = Checkout(dgs, SqliteOrders(path), secret=emulator.webhook_secret, url=url)
        shop.open("A-1", amount=2000, customer=JANE)
        order = shop.pay_by_mobile_money("A-1", phone="0788123456", network="MTN")
        pages = AsyncCheckout(
            async_dgs, SqliteOrders(path), secret=emulator.webhook_secret, url=url
        )
        app = Starlette(routes=[*routes(pages)])
        emulator.deliver_to(app)
        with serving(app, listener), profile(chromium, width=390, height=800) as payer:
            payer.add_init_script(
                "window.violations = [];"
                "addEventListener('securitypolicyviolation', (e) => violations.push(e.blockedURI));"
            )
            page = payer.new_page()
            page.goto(emulator.requests[0].body["redirect_url"])
            page.locator("dgspay-checkout").wait_for()
            assert page.locator("h3:visible", has_text="Payment complete").count() == 0
            emulator.approve(order.attempts[0].dgs_reference or "")
            page.locator("h3:visible", has_text="Payment complete").wait_for()
            assert page.evaluate("window.violations") == []
        shop.close()
        pages.close()
