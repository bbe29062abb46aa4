"""What a hostile payer, a long day and an old address do to the console and the pages: nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.emulator.emulator_calls import CONVERT, MOBILE_MONEY, TO_BANK, credentials
from tests.emulator.in_browser.conftest import Opener
from tests.emulator.in_browser.test_console import go
from tests.emulator.in_browser.test_payment_pages import path_of
from tests.emulator.receivers import Behaviour, Handler, receiving

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

    from dgspay.emulator import Emulator, Served

MakeLink = Callable[..., dict[str, Any]]

HOSTILE = "\"'`><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}" + "w" * 70
LISTS = ("Requests", "Transactions", "Links", "Payouts", "Conversions", "Webhooks")
TABS = ("Overview", *LISTS, "Faults", "State")
EVENTS = 5000 if os.environ.get("DGSPAY_TEST_FULL") else 150


@pytest.fixture
def client(emulator: Emulator, served: Served) -> Iterator[httpx.Client]:
    with emulator.http_client() as client:
        client.headers.update(credentials(emulator))
        yield client


def prints(words: str) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(words.encode())
        handler.close_connection = True

    return behave


def assert_only_words(page: Page) -> None:
    """Nothing that was said has become an element, an attribute or a program."""
    foreign = "img[src='x'], [onerror], script:not([src^='/_emulator/static/'])"
    assert page.locator(foreign).count() == 0
    width = page.evaluate("document.documentElement.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.acceptance(50, "hostile-page-text")
def test_what_others_write_is_never_markup_anywhere(
    opened: Opener, client: httpx.Client, emulator: Emulator, link: MakeLink
) -> None:
    headers = {"Idempotency-Key": HOSTILE, "User-Agent": HOSTILE}
    with receiving(prints(f"Fatal error: {HOSTILE}")) as receiver:
        charge = {
            **MOBILE_MONEY,
            "customer_first_name": HOSTILE,
            "narration": HOSTILE,
            "callback_url": f"{receiver.url}?{HOSTILE.replace(' ', '+')}",
        }
        emulator.decline(client.post("/charges", json=charge).json()["dgs_reference"], HOSTILE)
        emulator.wait_for_deliveries()
    made = client.post("/charges", json=charge, headers=headers)
    reference = made.json()["dgs_reference"]
    recipient = {**TO_BANK["recipient"], "name": HOSTILE}
    transfer = client.post("/disburse", json={**TO_BANK, "recipient": recipient}).json()
    emulator.decline(transfer["dgs_reference"], HOSTILE)
    client.post("/convert", json={**CONVERT, "to_currency": HOSTILE})
    client.post("/charges", json={**charge, "mobile_money_phone": HOSTILE})
    client.get("/<script>alert(3)</script>", params={"status": HOSTILE})
    emulator.faults.redirect("POST /convert", "https://elsewhere.example/" + "x" * 300)
    emulator.snapshot(HOSTILE[:80])
    shown = link(title=HOSTILE, description=HOSTILE, metadata={HOSTILE: HOSTILE})
    page = opened("/#requests", width=360, height=760)
    alerts: list[str] = []

    def heard(dialog: Dialog) -> None:
        alerts.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", heard)
    page.locator("#requests-rows").get_by_text("alert(3)").first.wait_for()
    for tab in TABS:
        go(page, tab)
        page.locator(f"#{tab.lower()}").wait_for()
        if tab in LISTS:
            page.locator(f"#{tab.lower()}-chips button").first.wait_for()
        assert_only_words(page)
    for tab in ("Requests", "Webhooks"):
        go(page, tab)
        shows = page.locator(f"#{tab.lower()}").get_by_role("button", name="Show")
        shows.first.wait_for()
        for button in shows.all()[:4]:
            button.click()
            page.locator("#details pre").first.wait_for()
            assert_only_words(page)
            page.get_by_role("button", name="Close").click()
    for path in (path_of(shown), f"/generation/authorize/{reference}"):
        page = opened(path, width=360, height=760)
        page.get_by_text("onerror=alert(1)").first.wait_for()
        assert_only_words(page)
    assert alerts == []


def test_a_console_that_stays_open_all_day_does_not_grow(
    opened: Opener, client: httpx.Client, emulator: Emulator
) -> None:
    page = opened("/#requests")

    def elements() -> int:
        count: int = page.evaluate("document.querySelectorAll('*').length")
        return count

    def charged(number: int, total: int) -> None:
        for place in range(number):
            headers = {"Idempotency-Key": f"order-{number}-{place}"}
            reference = client.post("/charges", json=MOBILE_MONEY, headers=headers)
            emulator.approve(reference.json()["dgs_reference"])
        page.locator("#requests-count").get_by_text(f"50 shown, {total:,} in all").wait_for()
        # The last one was shown while it waited to be approved, or was not.
        page.locator("#handsets article").wait_for(state="detached")
        page.locator("#tabs .badge").wait_for(state="detached")

    charged(100, 100)
    before = elements()
    charged(EVENTS, min(EVENTS + 100, 1000))
    assert elements() == before


def test_a_request_that_is_kept_no_more_is_said(
    opened: Opener, client: httpx.Client, emulator: Emulator
) -> None:
    client.get("/balance")
    page = opened("/#requests")
    page.get_by_role("button", name="Show").wait_for()
    # Forgotten without an event for the console: it learns when it asks.
    emulator._engine.request_log._entries.clear()
    page.get_by_role("button", name="Show").click()
    page.get_by_text("only the latest are kept").wait_for()


def test_an_answer_of_any_bytes_can_be_searched(
    opened: Opener, client: httpx.Client, emulator: Emulator
) -> None:
    emulator.faults.answer_next("GET /balance", body=b"\xff\xfe half a letter")
    client.get("/balance")
    page = opened("/#requests")
    page.get_by_label("Search requests").fill("half a LETTER")
    page.locator("#requests-rows").get_by_text("/balance").wait_for()
    page.get_by_label("Search requests").fill("nobody said this")
    page.get_by_text("No request is like that.").wait_for()


def test_an_address_of_yesterday_shows_what_there_is(opened: Opener, client: httpx.Client) -> None:
    """A section that was never there, and a merchant of an earlier run."""
    client.post("/charges", json=MOBILE_MONEY)
    page = opened("/?account=ACC-GONE#nowhere")
    page.get_by_role("button", name="Approve").wait_for()
    page.get_by_text("Live", exact=True).wait_for()


def test_the_keyboard_goes_on_where_it_was(
    opened: Opener, client: httpx.Client, emulator: Emulator
) -> None:
    """What was pressed is gone: another press approves nothing else."""
    for _ in range(3):
        client.post("/charges", json=MOBILE_MONEY)
    page = opened("/")
    approve = page.get_by_role("button", name="Approve 2,000 RWF")
    approve.nth(2).wait_for()
    approve.nth(1).focus()
    page.keyboard.press("Enter")
    approve.nth(2).wait_for(state="detached")
    assert page.evaluate("document.activeElement.id") == "handsets"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Approve"
    assert sum(payment.status == "successful" for payment in emulator.transactions) == 1


def test_webhooks_can_be_let_arrive_again(opened: Opener, emulator: Emulator) -> None:
    emulator.webhooks.drop(times=3)
    page = opened("/#webhooks")
    page.get_by_role("button", name="Deliver normally").click()
    page.get_by_role("button", name="Deliver normally").wait_for(state="hidden")
    assert list(emulator.webhooks.modes) == []
