"""`dgspay shop` in a real Chromium: a newcomer buys by mobile money and by card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import profile

pytest.importorskip("uvicorn")
pytest.importorskip("typer")

from tests.cli.test_shop import running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PIN_CARD = "4000000000003055"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running("--settle-after", "1") as (url, _, _):
        yield url


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page on which no script fails and the shop's own policy is not broken."""
    with profile(chromium, width=900, height=900) as payer:
        payer.add_init_script(
            "window.violations = [];"
            "addEventListener('securitypolicyviolation', (e) => violations.push(e.blockedURI));"
        )
        page = payer.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        assert errors == []
        assert page.evaluate("window.violations") == []


def buy(page: Page, url: str, price: str) -> None:
    page.goto(url)
    page.get_by_role("link", name=f"Buy for {price} RWF").click()
    page.get_by_label("Mobile money number").wait_for()


def test_a_newcomer_pays_by_mobile_money(page: Page, url: str) -> None:
    buy(page, url, "6,000")
    page.get_by_label("Mobile money number").fill("0788123456")
    page.locator(".dgspay-submit:visible").click()
    page.locator("h3:visible", has_text="Payment complete").wait_for()


def test_a_newcomer_pays_by_card_with_a_pin(page: Page, url: str) -> None:
    buy(page, url, "25,000")
    page.locator("input[value=card]").check()
    for field, text in (("number", PIN_CARD), ("expiry", "12/2049"), ("cvv", "987")):
        page.locator(f".dgspay-field-{field} input").fill(text)
    page.locator(".dgspay-submit:visible").click()
    page.locator(".dgspay-field-pin input").fill("1234")
    page.locator(".dgspay-submit:visible").click()
    page.locator("h3:visible", has_text="Payment complete").wait_for()
    page.get_by_role("link", name="Back to the shop").click()
    page.get_by_role("heading", name="What would you like?").wait_for()
