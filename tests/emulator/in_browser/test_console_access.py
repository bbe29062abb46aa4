"""The console for everyone: axe on every tab and dialog, names, focus rings, forced colours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from dgspay.emulator import Emulator, Served
from tests.browser.conftest import look_as, profile
from tests.browser.test_checkout_access import AXE, FADED, FINDINGS
from tests.emulator.emulator_calls import CONVERT, LINK, MOBILE_MONEY, TO_BANK, credentials
from tests.emulator.in_browser.conftest import SCREENS
from tests.emulator.in_browser.test_console_attacked import LISTS, TABS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Where a dialog opens, and what opens it.
DIALOGS = {
    "New charge": "Transactions",
    "New link": "Links",
    "Edit Invoice": "Links",
    "QR code": "Links",
    "Archive Invoice": "Links",
    "New payout": "Payouts",
    "Convert": "Conversions",
    "Show request": "Requests",
    "Show payment": "Webhooks",
    "Skip time": "Overview",
    "Settles by hand": "Overview",
    "ACC-": "Overview",
    "Reset": "Overview",
}
NAMES = """() => [...document.querySelectorAll("button, a[href]")]
  .filter((each) => each.checkVisibility())
  .map((each) => each.getAttribute("aria-label") ?? each.textContent.trim())"""
FOCUSED = """(element) => {
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
  return [outlineStyle, parseFloat(outlineWidth), outlineColor];
}"""
GROUNDS = """() => [getComputedStyle(document.body).backgroundColor,
  getComputedStyle(document.querySelector("header")).backgroundColor]"""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A shop that has two of everything, an hour ahead."""
    with Emulator(settle_after=None, merchants=["shop-2"]) as emulator, emulator.serve() as served:
        emulator.generate(20)
        with emulator.http_client() as client:
            client.headers.update(credentials(emulator))
            for _ in range(2):
                client.post("/payment-links", json={**LINK, "max_uses": None})
                client.post("/disburse", json=TO_BANK)
                client.post("/convert", json={**CONVERT, "from_amount": 10})
                client.post("/charges", json=MOBILE_MONEY)
                emulator.approve(emulator.transactions[-1].dgs_reference)
            client.post("/charges", json=MOBILE_MONEY)
        for name in ("one", "two"):
            emulator.snapshot(name)
            emulator.faults.lose_answer("POST /disburse", times=9)
            emulator.webhooks.duplicate(times=9)
        emulator.clock.advance(3600)
        yield served


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    with profile(chromium, width=1280, height=900) as desk, closing(desk.new_page()) as page:
        page.emulate_media(reduced_motion="reduce")
        yield page


def opened(page: Page, served: Served, tab: str) -> None:
    """Open the console anew, with what the tab lists."""
    page.goto("about:blank")
    page.goto(f"{served.origin}/#{tab.lower()}")
    page.get_by_text("Live", exact=True).wait_for()
    if tab in LISTS:
        page.locator(f"#{tab.lower()}-rows > *").first.wait_for()


def findings(page: Page) -> dict[str, Any]:
    """Have axe look at the page in each size and scheme, best practice included."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm install --prefix tests/browser)")
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = {}
    for width, scheme in SCREENS:
        look_as(page, width, scheme)
        page.evaluate(FADED)
        found[scheme] = page.evaluate(FINDINGS)
    look_as(page, 1280, "light")
    return found


@pytest.mark.parametrize("tab", TABS)
def test_axe_finds_nothing_in_any_tab(page: Page, served: Served, tab: str) -> None:
    opened(page, served, tab)
    assert findings(page) == {"light": [], "dark": []}


@pytest.mark.parametrize("opener", DIALOGS)
def test_axe_finds_nothing_in_any_dialog(page: Page, served: Served, opener: str) -> None:
    opened(page, served, DIALOGS[opener])
    page.get_by_role("button", name=opener).first.click()
    page.locator("dialog[open]").wait_for()
    assert findings(page) == {"light": [], "dark": []}


def test_axe_finds_nothing_in_the_drawer_of_a_payment(page: Page, served: Served) -> None:
    opened(page, served, "Transactions")
    page.get_by_role("link", name="Jane Doe").first.click()
    page.get_by_text("The payment was created").wait_for()
    assert findings(page) == {"light": [], "dark": []}


@pytest.mark.parametrize("tab", TABS)
def test_every_button_and_link_has_a_name_of_its_own(page: Page, served: Served, tab: str) -> None:
    opened(page, served, tab)
    names = Counter(page.evaluate(NAMES))
    assert [name for name, count in names.items() if count > 1 or not name] == []


@pytest.mark.parametrize("tab", TABS)
def test_the_title_names_the_tab_and_what_is_pending(page: Page, served: Served, tab: str) -> None:
    opened(page, served, tab)
    page.get_by_role("link", name=re.compile(r"Overview \d")).wait_for()
    assert re.fullmatch(rf"\(\d+\) {tab} · DGS-Pay emulator", page.title())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_has_the_focus_is_ringed_in_three_to_one(
    page: Page, served: Served, scheme: Any
) -> None:
    for forced in ("none", "active"):
        look_as(page, 1280, scheme)
        page.emulate_media(forced_colors=forced, color_scheme=scheme)
        opened(page, served, "Transactions")
        for control in ("#transactions-search", ".chip", "#tabs a", "#reset", ".about a"):
            page.locator(control).first.focus()
            # As by the keyboard, not by a click.
            page.keyboard.press("Shift")
            style, width, colour = page.locator(control).first.evaluate(FOCUSED)
            assert (style, width >= 2) == ("solid", True), (control, forced)
            if forced == "none":
                grounds = page.evaluate(GROUNDS)
                assert min(contrast(colour, ground) for ground in grounds) >= 3, control
    page.emulate_media(forced_colors="none", color_scheme="light")


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2, relative luminance)."""
    darker, lighter = sorted(luminance(colour) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_edges_and_placeholders_of_fields_can_be_seen(page: Page, served: Served) -> None:
    for _, scheme in SCREENS:
        look_as(page, 1280, scheme)
        opened(page, served, "Webhooks")
        edge, hint, paper = page.locator("#target").evaluate("""(field) => [
          getComputedStyle(field).borderTopColor, getComputedStyle(field, "::placeholder").color,
          getComputedStyle(field).backgroundColor]""")
        assert contrast(edge, paper) >= 3
        assert contrast(hint, paper) >= 4.5
        assert (
            page.locator("#target").evaluate(
                "(field) => getComputedStyle(field, '::placeholder').opacity"
            )
            == "1"
        )
    look_as(page, 1280, "light")
