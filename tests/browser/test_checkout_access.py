"""The checkout for everyone: axe on every state, narrow screens, zoom, forced colours, keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import look_as, profile

pytest.importorskip("uvicorn")
pytest.importorskip("starlette")

from dgspay.checkout import Timing
from dgspay.emulator import Emulator
from tests.browser.checkout_shop import CheckoutShop, running
from tests.browser.test_checkout import (
    ADDRESS_CARD,
    HEADING,
    PIN_AND_OTP_CARD,
    POOR_CARD,
    SUBMIT,
    open_order,
    pay_by_card,
    press,
    see,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
STATES = (
    "form",
    "form with faults",
    "card",
    "card with faults",
    "approval",
    "help",
    "question",
    "prompt over",
    "declined",
    "pin",
    "otp",
    "address",
    "receipt",
    "cancelled",
    "expired",
    "lost",
    "unknown",
)
FADED = """() => document.getAnimations()
  .filter((each) => each instanceof CSSTransition).forEach((each) => each.finish())"""
OTHER_TOKEN = """() => {
  const checkout = document.querySelector("dgspay-checkout");
  const place = checkout.parentElement;
  checkout.setAttribute("token", "x");
  checkout.remove();
  place.append(checkout);
}"""
FINDINGS = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 160)}`);
}"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckoutShop]:
    """A shop whose prompts are over after some seconds."""
    with Emulator(settle_after=None, balances={"RWF": 0}) as emulator, emulator.serve() as served:
        path = tmp_path_factory.mktemp("shop") / "orders.sqlite3"
        with running(emulator, served.url, path, timing=Timing(mobile_money_lifetime=20)) as shop:
            yield shop


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with profile(chromium, width=1280, height=900) as payer:
        yield payer.new_page()


def pay_by_phone(page: Page) -> None:
    page.locator("input[type=tel]").fill("0788123456")
    page.locator(SUBMIT).click()
    page.locator("[role=timer]").wait_for()


def reach(page: Page, shop: CheckoutShop, state: str, lang: str = "en") -> None:
    """Bring the page of a new order into a state."""
    terms = {"expires": 2} if state == "expired" else {}
    open_order(page, shop, lang, **terms)
    match state:
        case "form with faults":
            page.locator("input[type=tel]").fill("12")
            page.locator(SUBMIT).click()
        case "card":
            page.locator("input[value=card]").check()
        case "card with faults":
            page.locator("input[value=card]").check()
            page.locator(SUBMIT).click()
        case "approval":
            pay_by_phone(page)
        case "help":
            pay_by_phone(page)
            page.locator(".dgspay-quiet").first.click()
        case "question":
            page.locator(".dgspay-link").last.click()
            page.locator("dialog").wait_for()
        case "prompt over":
            pay_by_phone(page)
            page.locator("[role=timer]").wait_for(state="detached")
        case "declined" | "pin" | "otp" | "receipt" | "address":
            reach_by_card(page, state)
        case "cancelled":
            page.locator(".dgspay-link").last.click()
            page.locator("dialog .dgspay-submit").click()
            page.locator(".dgspay-mark-bad").wait_for()
        case "expired":
            page.locator(".dgspay-mark").wait_for()
        case "lost":
            page.route("**/dgspay/order**", lambda route: route.abort())
            page.evaluate("window.dispatchEvent(new Event('online'))")
            page.locator(".dgspay-connection:not(:empty)").wait_for()
        case "unknown":
            page.evaluate(OTHER_TOKEN)
            page.locator(".dgspay-mark").wait_for()


def reach_by_card(page: Page, state: str) -> None:
    match state:
        case "declined":
            pay_by_card(page, POOR_CARD)
            page.locator(".dgspay-mark-bad").wait_for()
        case "pin" | "otp" | "receipt":
            pay_by_card(page, PIN_AND_OTP_CARD)
            pin = page.locator(".dgspay-field-pin input")
            pin.wait_for()
            if state != "pin":
                pin.fill("1234")
                page.keyboard.press("Enter")
                page.locator("[autocomplete=one-time-code]").fill("123456")
            if state == "receipt":
                page.keyboard.press("Enter")
                page.locator("dl").wait_for()
        case "address":
            pay_by_card(page, ADDRESS_CARD)
            page.locator("[autocomplete='billing country']").wait_for()


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_in_any_state(page: Page, shop: CheckoutShop, state: str) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm install --prefix tests/browser)")
    reach(page, shop, state)
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = {}
    for width, scheme in ((1280, "light"), (360, "dark")):
        look_as(page, width, scheme)  # type: ignore[arg-type]
        # Colours fade into each other, which axe would take for what they are.
        page.evaluate(FADED)
        found[scheme] = page.evaluate(FINDINGS)
    assert found == {"light": [], "dark": []}


@pytest.mark.parametrize("lang", ["en", "fr", "rw", "sw"])
def test_nothing_is_cut_off_at_320_pixels(page: Page, shop: CheckoutShop, lang: str) -> None:
    """That is 1280 pixels at 400 % of zoom, too (WCAG 1.4.10)."""
    look_as(page, 320, "light")
    for state in ("form", "card", "help", "address", "receipt"):
        reach(page, shop, state, lang)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, state


def test_forced_colours_and_reduced_motion_keep_what_is_chosen_in_sight(
    page: Page, shop: CheckoutShop
) -> None:
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    reach(page, shop, "form")
    chosen = page.locator(".dgspay-choice", has=page.locator("input:checked")).first
    assert chosen.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    reach(page, shop, "approval")
    ring = "getComputedStyle(document.querySelector('.dgspay-mark'), '::after').animationName"
    assert page.evaluate(ring) == "none"


def test_a_new_state_is_read_aloud_by_the_focus_on_its_heading(
    page: Page, shop: CheckoutShop
) -> None:
    open_order(page, shop)
    pay_by_phone(page)
    assert page.evaluate("document.activeElement.textContent") == "Approve it on your phone"
    shop.emulator.approve(shop.emulator.transactions[-1].dgs_reference)
    see(page, "Payment complete")
    assert page.evaluate("document.activeElement.textContent") == "Payment complete"


def test_a_page_that_is_opened_keeps_its_focus(page: Page, shop: CheckoutShop) -> None:
    open_order(page, shop)
    page.locator(HEADING).first.wait_for()
    assert page.evaluate("document.activeElement === document.body")


def test_the_question_before_a_cancellation_closes_by_escape(
    page: Page, shop: CheckoutShop
) -> None:
    open_order(page, shop)
    press(page, "Cancel the order")
    page.locator("dialog").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent") == "Cancel the order"
