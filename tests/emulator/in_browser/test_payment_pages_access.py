"""The hosted payment page and the handset for everyone: axe, contrasts, names, titles."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import look_as
from tests.browser.test_checkout_access import AXE, FADED, FINDINGS
from tests.emulator.in_browser.conftest import SCREENS, Look, Opener
from tests.emulator.in_browser.test_payment_pages import (
    PIN_CARD,
    SUBMIT,
    enter_card,
    path_of,
    push,
    see,
)
from tests.support.contrast import CONTRAST

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from dgspay.emulator import Emulator, Served

MakeLink = Callable[..., dict[str, Any]]

# What a link is made with for a state, where that is not one to be paid by a number alone.
TERMS: dict[str, dict[str, Any]] = {
    "form": {
        "amount": None,
        "amount_type": "flexible",
        "min_amount": 500,
        "collect_name": True,
        "collect_address": True,
        "payment_types": None,
    },
    "faults": {"collect_name": True},
    "dial": {"payment_types": None, "collect_phone": False},
    "transfer": {"payment_types": None, "collect_phone": False},
    "ended": {"expires_at": "2020-01-01 00:00:00"},
    "pin": {"collect_phone": False},
    "paid": {"collect_phone": False, "redirect_url": "http://127.0.0.1:9/thanks"},
}
# What stands in the title of the browser's window.
TITLES = {
    "form": "Invoice #123",
    "faults": "Invoice #123",
    "approval": "Approve it on your phone · Invoice #123",
    "help": "Approve it on your phone · Invoice #123",
    "over": "The request has run out · Invoice #123",
    "declined": "The payment was not made · Invoice #123",
    "dial": "Dial this code · Invoice #123",
    "transfer": "Send the money · Invoice #123",
    "pin": "Enter your card's PIN · Invoice #123",
    "paid": "Payment complete · Invoice #123",
    "ended": "This link has expired · Invoice #123",
    "handset": "Payment request",
    "approved": "Approved",
}

# WCAG 2.2: 4.5 for text, 3 for the edges of what is not text (scaled to 4.5 here).
CONTRASTS = (
    "() => {"
    + CONTRAST
    + """
  const style = (selector, part) => getComputedStyle(document.querySelector(selector), part);
  const paper = style(".dgspay input").backgroundColor;
  const tint = style(".dgspay-summary").backgroundColor;
  document.querySelector(".dgspay-pane input").focus();
  const found = {
    placeholder: contrast(style("input[type=tel]", "::placeholder").color, paper),
    field: contrast(style("input[type=tel]").borderTopColor, paper) * 1.5,
    choice: contrast(style(".dgspay-choice").borderTopColor, paper) * 1.5,
    dot: contrast(style(".dgspay-dot").borderTopColor, paper) * 1.5,
    language: contrast(style(".dgspay-languages select").borderTopColor, tint) * 1.5,
  };
  for (const selector of ["input[type=tel]", ".dgspay-submit", ".dgspay-languages select"]) {
    document.querySelector(selector).focus({ focusVisible: true });
    const under = selector.includes("select") ? tint : paper;
    found[`ring of ${selector}`] = contrast(style(selector).outlineColor, under) * 1.5;
  }
  return found;
}"""
)


def reach(page: Page, link: MakeLink, emulator: Emulator, served: Served, state: str) -> None:
    """Bring the page of a new link into a state."""
    made = link(**{"collect_name": False, "max_uses": None, **TERMS.get(state, {})})
    page.goto(f"{served.origin}{path_of(made)}")
    page.locator(".dgspay-panel .dgspay-heading:visible").first.wait_for()
    match state:
        case "faults":
            page.get_by_role("radio", name="Card").check()
            page.locator(SUBMIT).click()
            page.get_by_text("Enter your card number.").wait_for()
        case "approval" | "help" | "over" | "declined" | "handset" | "approved":
            push(page)
            reach_by_phone(page, emulator, served, state)
        case "dial" | "transfer":
            page.get_by_role("radio", name="USSD" if state == "dial" else "Bank").check()
            page.locator(SUBMIT).click()
            page.locator("dl").wait_for()
        case "pin" | "paid":
            enter_card(page, PIN_CARD)
            page.locator(".dgspay-field-pin input").fill("1234")
            if state == "paid":
                page.locator(SUBMIT).click()
                page.get_by_role("button", name="Stay on this page").click()


def reach_by_phone(page: Page, emulator: Emulator, served: Served, state: str) -> None:
    reference = emulator.transactions[-1].dgs_reference
    match state:
        case "help":
            page.get_by_role("button", name="I got no request").click()
        case "over":
            emulator.clock.advance(301)
            see(page, "The request has run out")
        case "declined":
            emulator.decline(reference, "Insufficient funds")
            see(page, "The payment was not made")
        case "handset" | "approved":
            page.goto(f"{served.origin}/generation/authorize/{reference}")
            page.get_by_role("button", name="Approve").wait_for()
            if state == "approved":
                page.get_by_role("button", name="Approve").click()
                page.get_by_role("heading", name="Approved").wait_for()


@pytest.mark.parametrize("state", TITLES)
def test_axe_finds_nothing_in_any_state_and_the_title_says_which(
    opened: Opener, link: MakeLink, emulator: Emulator, served: Served, *, look: Look, state: str
) -> None:
    page = opened("/_emulator/static/icon.svg")
    reach(page, link, emulator, served, state)
    assert page.title() == TITLES[state]
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm install --prefix tests/browser)")
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = {}
    for width, scheme in SCREENS:
        look_as(page, width, scheme)
        page.evaluate(FADED)
        found[scheme] = page.evaluate(FINDINGS)
        look(page, f"access-{width}-{state}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert found == {"light": [], "dark": []}


def test_edges_placeholders_and_focus_rings_can_be_seen(
    opened: Opener, link: MakeLink, emulator: Emulator, served: Served
) -> None:
    page = opened("/_emulator/static/icon.svg")
    reach(page, link, emulator, served, "form")
    for width, scheme in SCREENS:
        look_as(page, width, scheme)
        page.evaluate(FADED)
        contrasts = page.evaluate(CONTRASTS)
        assert {name: ratio for name, ratio in contrasts.items() if ratio < 4.5} == {}, scheme


def test_names_of_buttons_are_unique(
    opened: Opener, link: MakeLink, emulator: Emulator, served: Served
) -> None:
    page = opened("/_emulator/static/icon.svg")
    for state in ("transfer", "help"):
        reach(page, link, emulator, served, state)
        names = [
            button.get_attribute("aria-label") or button.inner_text()
            for button in page.get_by_role("button").all()
        ]
        assert len(set(names)) == len(names) > 1
