"""End to end: a payer at a keyboard, a real Chromium, a FastAPI shop, the emulator, the webhook."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Scheme, profile

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from dgspay.emulator import Emulator

Serve = Callable[..., AbstractContextManager[int]]

NUMBER = "4000000000003055"  # the emulator's card that asks for a PIN
SCREENS: list[tuple[int, Scheme]] = [(1280, "light"), (360, "dark")]
OUTCOMES = {"1234": "Thank you: paid 5000 RWF", "4321": "Not paid."}


class Screens:
    """Keeps what the payer sees in the directory DGSPAY_SCREENSHOTS names, if it names one."""

    def __init__(self, page: Page, payment: str) -> None:
        self.page = page
        self.payment = payment
        self.directory = os.environ.get("DGSPAY_SCREENSHOTS")

    def __call__(self, moment: str) -> None:
        if self.directory:
            path = Path(self.directory, f"shop-{self.payment}-{moment}.png")
            self.page.screenshot(path=path, animations="disabled")


def pay_with_card(page: Page, look: Screens) -> None:
    """The form has the focus already: no mouse, no Tab before the first digit."""
    page.wait_for_selector(".dgspay-field-number input")
    look("1-empty")
    page.keyboard.type(NUMBER)
    page.keyboard.press("Tab")
    page.keyboard.type("12/49")
    page.keyboard.press("Tab")
    page.keyboard.type("987")
    look("2-filled")
    page.keyboard.press("Enter")


def enter_pin(page: Page, pin: str, look: Screens) -> None:
    page.wait_for_selector(".dgspay-field-pin input")
    page.keyboard.type(pin)
    look("3-pin")
    page.keyboard.press("Enter")


@pytest.fixture
def bank() -> Iterator[tuple[Emulator, str]]:
    """An emulator on a real socket, and the base URL of its API."""
    from dgspay.emulator import Emulator

    with Emulator(settle_after=0.0, balances={"RWF": 0}) as emulator, emulator.serve() as served:
        yield emulator, served.url


@pytest.fixture
def shop(bank: tuple[Emulator, str], serve: Serve) -> Iterator[str]:
    """The address of a shop that charges cards there."""
    pytest.importorskip("fastapi")
    from dgspay import AsyncDGSPay
    from tests.browser.card_shop import create_shop

    emulator, url = bank

    def client() -> AsyncDGSPay:
        return AsyncDGSPay(
            api_key=emulator.api_key,
            account_number=emulator.account_number,
            environment="emulator",
            base_url=url,
        )

    shop = create_shop(
        client,
        encryption_key=emulator.encryption_key,
        webhook_secret=emulator.webhook_secret,
    )
    with serve(shop) as port:
        yield f"http://127.0.0.1:{port}/"


def test_a_card_payment_from_the_keyboard_to_the_webhook(
    chromium: Browser, shop: str, bank: tuple[Emulator, str]
) -> None:
    emulator, _ = bank
    sent: list[str] = []
    for width, scheme in SCREENS:
        with profile(chromium, width=width, scheme=scheme) as payer:
            page = payer.new_page()
            page.on("request", lambda request: sent.append(request.post_data or ""))
            for pin, outcome in OUTCOMES.items():
                page.goto(shop)
                look = Screens(page, f"{width}-{scheme}-{pin}")
                pay_with_card(page, look)
                enter_pin(page, pin, look)
                page.get_by_text(outcome).wait_for()
                look("4-outcome")
    for secret in (NUMBER, "987", *OUTCOMES):
        assert not any(f'"{secret}"' in body for body in sent)
    assert len(emulator.transactions) == len(SCREENS) * len(OUTCOMES)
    for payment in emulator.transactions:
        assert payment.amount == Decimal(5000)
        assert payment.card_last4 == NUMBER[-4:]
