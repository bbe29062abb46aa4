"""The console in a real Chromium: what it shows as it happens, and what it can decide."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import httpx
import pytest

from dgspay.emulator.clock import api_text
from tests.browser.conftest import look_as
from tests.emulator.emulator_calls import (
    CONVERT,
    LINK,
    MOBILE_MONEY,
    TO_BANK,
    TO_HANDSET,
    credentials,
)
from tests.emulator.in_browser.conftest import SCREENS, Look, Opener
from tests.emulator.receivers import answers, receiving

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from dgspay.emulator import Emulator, Served

MANY = 20_000 if os.environ.get("DGSPAY_TEST_FULL") else 5_000


@pytest.fixture
def client(emulator: Emulator, served: Served) -> httpx.Client:
    client = emulator.http_client()
    client.headers.update(credentials(emulator))
    return client


def go(page: Page, section: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=section).click()


def test_a_charge_is_approved_on_the_simulated_handset(
    opened: Opener, client: httpx.Client, emulator: Emulator, look: Look
) -> None:
    page = opened("/")
    for count, (width, scheme) in enumerate(SCREENS, start=1):
        look_as(page, width, scheme)
        page.get_by_text("No payment is pending").wait_for()
        # Without a reload: the change is streamed to the console.
        client.post("/charges", json=MOBILE_MONEY)
        client.post("/charges", json={**MOBILE_MONEY, "amount": 15_500, "narration": None})
        page.get_by_role("button", name="Approve").nth(1).wait_for()
        client.post("/disburse", json=TO_BANK)
        look(page, f"console-{width}-1-overview")
        approved, declined = emulator.transactions[-2:]
        page.get_by_label(f"Handset for {approved.dgs_reference}").get_by_role(
            "button", name="Approve"
        ).click()
        page.mouse.move(0, 0)
        page.get_by_label("Handset for").nth(1).wait_for(state="detached")
        page.get_by_role("button", name="Decline").click()
        page.mouse.move(0, 0)
        page.get_by_text("No payment is pending").wait_for()
        assert (approved.status, declined.status) == ("successful", "failed")
        go(page, "Transactions")
        page.get_by_text("Customer rejected the request").nth(count - 1).wait_for()
        look(page, f"console-{width}-2-transactions")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        go(page, "Overview")


def test_payouts_and_conversions_are_settled_and_failed(
    opened: Opener, client: httpx.Client, emulator: Emulator, look: Look
) -> None:
    page = opened("/#payouts")
    client.post("/disburse", json=TO_BANK)
    client.post("/disburse", json=TO_HANDSET)
    client.post("/convert", json=CONVERT)
    page.get_by_role("button", name="Settle DGS").nth(1).wait_for()
    look(page, "console-1280-3-payouts")
    page.get_by_role("button", name="Settle DGS").first.click()
    page.get_by_role("button", name="Settle DGS").nth(1).wait_for(state="detached")
    page.get_by_role("button", name="Fail").click()
    page.get_by_text("Failed by hand").wait_for()
    assert [transfer.status for transfer in emulator.disbursements] == ["failed", "successful"]
    go(page, "Conversions")
    settle = page.locator("#conversions").get_by_role("button", name="Settle")
    settle.click()
    settle.wait_for(state="detached")
    assert emulator.conversions[0].status == "successful"


def test_requests_are_found_shown_masked_and_copied(
    opened: Opener, client: httpx.Client, emulator: Emulator, look: Look
) -> None:
    client.post("/charges", json=MOBILE_MONEY, headers={"Idempotency-Key": "order-5678"})
    client.get("/balance")
    page = opened("/#requests")
    page.get_by_text("2 in all").wait_for()
    page.get_by_text("order-5678").wait_for()
    page.get_by_label("Search requests").fill("invoice #5678")
    page.locator("#requests-rows").get_by_text("/balance").wait_for(state="detached")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("dgs.charges.mobile_money(").wait_for()
    look(page, "console-1280-4-request")
    text = page.locator("#details").inner_text()
    assert "curl -X POST" in text
    assert '"amount": 2000' in text
    assert emulator.api_key not in text


def test_faults_are_set_and_taken_back(
    opened: Opener, client: httpx.Client, emulator: Emulator, look: Look
) -> None:
    page = opened("/#faults")
    page.get_by_label("Route").select_option("POST /disburse")
    page.get_by_label("What happens").select_option("too_many")
    page.get_by_role("textbox", name="Retry-After").fill("7")
    page.get_by_role("button", name="Add fault").click()
    page.get_by_text("429, Retry-After 7").wait_for()
    page.get_by_label("What happens").select_option("redirect")
    page.get_by_label("Location").fill("nowhere")
    page.get_by_role("button", name="Add fault").click()
    page.get_by_text("a redirect needs an absolute location").wait_for()
    look(page, "console-1280-5-faults")
    answer = client.post("/disburse", json=TO_BANK)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    page.get_by_text("No faults are planned.").wait_for()
    emulator.faults.lose_answer("*", probability=0.5)
    emulator.feed.changed()
    page.get_by_text("for 50 % of requests").wait_for()
    page.get_by_role("button", name="Remove fault").click()
    page.get_by_text("No faults are planned.").wait_for()
    assert emulator.faults.standing == ()


def test_webhooks_are_followed_spoiled_and_sent_again(
    opened: Opener, client: httpx.Client, emulator: Emulator, look: Look
) -> None:
    with receiving(answers(500)) as receiver:
        page = opened("/#webhooks")
        page.get_by_label("URL for events").fill(receiver.url)
        with page.expect_response("**/_emulator/options"):
            page.get_by_role("button", name="Save").click()
        page.locator("#mode").select_option("wrong_signature")
        page.get_by_role("button", name="Plan it").click()
        page.get_by_text("for the next webhook").wait_for()
        client.post("/charges", json=MOBILE_MONEY)
        emulator.settle()
        page.get_by_text("last 500").wait_for()
        look(page, "console-1280-6-webhooks")
        page.get_by_role("button", name="Resend payment.success").click()
        page.get_by_text("delivered", exact=True).wait_for()
        page.get_by_role("button", name="Show").click()
        page.locator("#details").get_by_text("payment.success").first.wait_for()
    assert len(receiver.received) == 2


def test_what_is_being_entered_is_not_overwritten(
    opened: Opener, client: httpx.Client, served: Served
) -> None:
    page = opened("/#webhooks")
    page.get_by_text("Live", exact=True).wait_for()
    target = page.get_by_label("URL for events")
    target.fill("http://127.0.0.1:8251/half")
    page.get_by_label("Number of webhooks").focus()
    client.post("/charges", json=MOBILE_MONEY)
    page.get_by_role("link", name="Overview 1", exact=True).wait_for()
    assert target.input_value() == "http://127.0.0.1:8251/half"
    # What another window has set is shown.
    options = {"webhook_url": "http://127.0.0.1:8251/other"}
    httpx.post(f"{served.origin}/_emulator/options", json=options, trust_env=False, timeout=60)
    field = target.element_handle()
    page.wait_for_function("field => field.value.endsWith('/other')", arg=field)


def test_a_link_has_all_that_the_api_has(opened: Opener, emulator: Emulator, look: Look) -> None:
    page = opened("/#links")
    for count, (width, scheme) in enumerate(SCREENS, start=1):
        look_as(page, width, scheme)
        page.get_by_role("button", name="New link").click()
        page.get_by_text("Limits, expiry, ways to pay").click()
        page.get_by_label("Title").fill("Donate to the school")
        page.get_by_label("At least").fill("20,000")
        page.get_by_label("At most").fill("500")
        page.get_by_role("button", name="Create link").click()
        page.get_by_text("min_amount must not be over max_amount").wait_for()
        page.get_by_label("At least").fill("500")
        page.get_by_label("At most").fill("20,000")
        page.get_by_label("Uses").fill("30")
        page.get_by_label("Expires").fill("2030-12-31T23:59")
        page.get_by_label("Address of the page").fill(f"school-{width}")
        page.get_by_label("USSD").uncheck()
        page.get_by_label("Bank transfer").uncheck()
        page.get_by_label("A phone number").uncheck()
        page.get_by_label("An address").check()
        look(page, f"console-{width}-9-link")
        page.get_by_role("button", name="Create link").click()
        page.get_by_text("500 to 20,000 RWF").nth(count - 1).wait_for()
        look(page, f"console-{width}-9-links")
        link = list(emulator._engine.account.links.values())[-1]
        assert (link.slug, link.terms["max_uses"]) == (f"school-{width}", 30)
        assert link.terms["payment_types"] == ("mobile_money", "card")
        assert (link.terms["min_amount"], link.terms["max_amount"]) == (500, 20_000)
        assert (link.terms["collect_phone"], link.terms["collect_address"]) == (False, True)
        assert "collect_name" not in link.terms
        assert api_text(link.terms["expires_at"]) == "2030-12-31 23:59:00"
        page.locator("#link").wait_for(state="hidden")
        page.get_by_role("button", name=f"Edit Donate to the school, /school-{width}").click()
        assert page.get_by_label("At least").input_value() == "500"
        page.get_by_label("Title").fill("Donate to the library")
        page.get_by_label("Expires").fill("")
        page.get_by_role("button", name="Save changes").click()
        page.get_by_text("Donate to the library").nth(count - 1).wait_for()
        assert (link.terms["title"], link.terms["expires_at"]) == ("Donate to the library", None)
        assert link.terms["payment_types"] == ("mobile_money", "card")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_payment_is_found_among_many(opened: Opener, emulator: Emulator, look: Look) -> None:
    emulator.generate(MANY)
    wanted = emulator.transactions[3]
    page = opened("/#transactions")
    pending = sum(payment.status == "pending" for payment in emulator.transactions)
    assert pending > 50
    page.get_by_role("link", name=f"Overview {pending}", exact=True).wait_for()
    page.get_by_text(f"50 shown, {MANY:,} in all").wait_for()
    page.get_by_label("Search transactions").fill(wanted.dgs_reference.upper())
    page.get_by_text(f"1 found of {MANY:,}", exact=True).wait_for()
    page.locator("#transactions-rows").get_by_text(wanted.dgs_reference, exact=True).wait_for()
    look(page, "console-1280-10-found")
    page.get_by_label("Search transactions").fill("nobody like this")
    page.get_by_text("No payment is like that.").wait_for()


def test_time_is_skipped_and_everything_reset(
    opened: Opener, client: httpx.Client, emulator: Emulator
) -> None:
    page = opened("/")
    page.get_by_role("button", name="Settles by hand").click()
    page.locator("#settle").select_option("2")
    page.locator("#settling").get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Settles after 2 s").wait_for()
    client.post("/charges", json={**MOBILE_MONEY, "mobile_money_phone": "789654321"})
    page.get_by_role("button", name="Skip time").click()
    page.get_by_label("Move the clock on by").select_option("3600")
    page.get_by_role("button", name="Move on").click()
    page.get_by_text("+1 hour ahead").wait_for()
    page.locator("#latest").get_by_text("successful").wait_for()
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("button", name="Forget everything").click()
    page.get_by_text("Nothing has happened yet.").wait_for()
    assert emulator.transactions == ()
    page.get_by_role("button", name="Return to now").click()
    page.get_by_text("+1 hour ahead").wait_for(state="hidden")


def test_a_state_is_kept_and_returned_to(
    opened: Opener, client: httpx.Client, emulator: Emulator, look: Look
) -> None:
    client.post("/charges", json=MOBILE_MONEY)
    page = opened("/#state")
    page.get_by_text("No snapshot was taken.").wait_for()
    page.get_by_role("button", name="Keep a snapshot").click()
    page.get_by_text("name is required").wait_for()
    page.get_by_label("Name", exact=True).fill("one charge")
    page.get_by_role("button", name="Keep a snapshot").click()
    page.get_by_role("button", name="Restore").wait_for()
    page.get_by_label("Payments", exact=True).fill("250")
    page.get_by_role("button", name="Add payments").click()
    page.get_by_text("250 payments were added").wait_for()
    look(page, "console-1280-8-state")
    assert len(emulator.transactions) == 251
    page.get_by_role("button", name="Restore").click()
    page.get_by_text("Everything is as it was").wait_for()
    assert len(emulator.transactions) == 1
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("No snapshot was taken.").wait_for()
    assert list(emulator.snapshots) == []


def test_a_merchant_is_chosen(chromium: object, look: Look) -> None:
    from dgspay.emulator import Emulator

    with (
        Emulator(merchants=["shop-2"], settle_after=None) as emulator,
        emulator.serve() as served,
        httpx.Client(base_url=served.origin, trust_env=False, timeout=60) as browser,
    ):
        second = emulator.merchant("shop-2")
        headers = {
            "X-DGS-API-Key": second.api_key,
            "X-DGS-ACCOUNT-NUMBER": second.account_number,
        }
        made = browser.post("/generation/v2/payment-links", json=LINK, headers=headers).json()
        assert made["status"] == "success"
        query = {"list": "links", "account": second.account_number}
        other = browser.get("/_emulator/state", params=query).json()["list"]
        assert [link["id"] for link in other["rows"]] == [made["link"]["id"]]
        assert browser.get("/_emulator/state?list=links").json()["list"]["rows"] == []
        assert browser.get("/_emulator/state?account=nobody").status_code == 404


def test_the_fidelity_table_is_a_page_and_json(opened: Opener, served: Served, look: Look) -> None:
    page = opened("/_emulator/fidelity", width=360)
    page.get_by_role("heading", name="Fidelity").wait_for()
    look(page, "console-360-7-fidelity")
    address = f"{served.origin}/_emulator/fidelity.json"
    answer = httpx.get(address, trust_env=False, timeout=60)
    behaviours = json.loads(answer.content)["behaviours"]
    assert page.get_by_role("listitem").count() == len(behaviours) > 40
    assert {row["basis"] for row in behaviours} == {"documented", "upstream", "assumed"}
