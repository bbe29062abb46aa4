"""What the console makes: charges, payouts, conversions, codes of links, events for a receiver."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.emulator.emulator_calls import LINK, MOBILE_MONEY, credentials
from tests.emulator.in_browser.conftest import Look, Opener
from tests.emulator.receivers import answers, receiving

if TYPE_CHECKING:
    from dgspay.emulator import Emulator, Served


@pytest.fixture
def client(emulator: Emulator, served: Served) -> Iterator[httpx.Client]:
    with emulator.http_client() as client:
        client.headers.update(credentials(emulator))
        yield client


def test_a_charge_is_made_and_what_is_wrong_with_it_is_said_in_the_dialog(
    opened: Opener, emulator: Emulator
) -> None:
    page = opened("/#transactions")
    page.get_by_role("button", name="New charge").click()
    dialog = page.get_by_role("dialog", name="New charge")
    dialog.get_by_role("button", name="Create charge").click()
    dialog.get_by_role("alert").get_by_text("amount is required").wait_for()
    dialog.get_by_label("Amount in RWF").fill("15,000")
    dialog.get_by_label("Payer's phone").fill("+250 788 123 456")
    dialog.get_by_role("button", name="Create charge").click()
    page.get_by_role("link", name="Jane Doe").wait_for()
    (payment,) = emulator.transactions
    assert payment.amount == 15_000
    assert (payment.phone, payment.network) == ("788123456", "MTN")


def test_payouts_go_to_wallets_and_banks(opened: Opener, emulator: Emulator) -> None:
    page = opened("/#payouts")
    for kind in ("mobile_money", "bank"):
        page.get_by_role("button", name="New payout").click()
        page.locator("#payout").get_by_label("Amount in RWF").fill("10,000")
        page.locator("#payout-type").select_option(kind)
        page.get_by_role("button", name="Pay out").click()
        page.locator("#payout").wait_for(state="hidden")
    page.get_by_role("button", name="Settle DGS").nth(1).wait_for()
    assert [t.destination_type for t in emulator.disbursements] == ["mobile_money", "bank"]


def test_a_conversion_is_previewed_before_it_is_made(opened: Opener, emulator: Emulator) -> None:
    page = opened("/#conversions")
    page.get_by_role("button", name="Convert", exact=True).click()
    dialog = page.get_by_role("dialog", name="Convert")
    dialog.get_by_label("Amount").fill("100")
    dialog.get_by_label("From").select_option("USD")
    dialog.get_by_label("To").select_option("EUR")
    dialog.get_by_role("button", name="Preview").click()
    dialog.get_by_text("100.00 USD would become 94.50 EUR").wait_for()
    assert len(emulator.conversions) == 0
    dialog.get_by_role("button", name="Convert now").click()
    page.get_by_role("button", name="Settle DGS").wait_for()
    assert emulator.conversions[0].to_amount == Decimal("94.5")


def test_the_code_of_a_link_is_an_image_the_page_may_show(
    opened: Opener, client: httpx.Client, look: Look
) -> None:
    link = client.post("/payment-links", json=LINK).json()["link"]
    page = opened("/#links")
    page.get_by_role("button", name="QR code").click()
    image = page.get_by_role("img", name=f"QR code of {link['url']}")
    image.wait_for()
    size = image.evaluate("(image) => image.decode().then(() => image.naturalWidth)")
    look(page, "console-1280-12-qr")
    assert size > 100


def test_events_without_a_receiver_are_in_the_inbox(
    opened: Opener, client: httpx.Client, emulator: Emulator
) -> None:
    emulator.approve(client.post("/charges", json=MOBILE_MONEY).json()["dgs_reference"])
    page = opened("/#webhooks")
    page.get_by_role("heading", name="Inbox").wait_for()
    page.get_by_role("button", name="Show payment.success").click()
    page.locator("#details").get_by_text("X-DGS-Signature").wait_for()


def test_a_receiver_is_tried_and_what_it_missed_is_sent_again(
    opened: Opener, client: httpx.Client, emulator: Emulator, served: Served
) -> None:
    with receiving(answers(500), answers(500), answers(500)) as receiver:
        options = {"webhook_url": receiver.url}
        httpx.post(f"{served.origin}/_emulator/options", json=options, trust_env=False, timeout=60)
        for _ in range(2):
            emulator.approve(client.post("/charges", json=MOBILE_MONEY).json()["dgs_reference"])
        page = opened("/#webhooks")
        page.get_by_role("heading", name="Events").wait_for()
        page.get_by_role("button", name="Send a test event").click()
        page.get_by_text("dgs_000000000", exact=False).first.wait_for()
        page.get_by_role("button", name="waiting 3").click()
        page.get_by_role("button", name="Resend all found").click()
        page.get_by_role("button", name="delivered 3").wait_for()
    assert len(receiver.received) == 6


def test_the_clock_ticks_and_the_settings_to_copy_are_whole(
    opened: Opener, emulator: Emulator
) -> None:
    page = opened("/")
    now = page.locator("#now")
    before = now.inner_text()
    page.wait_for_function(
        "(before) => document.querySelector('#now').textContent > before", arg=before
    )
    assert (
        f"export DGSPAY_ENCRYPTION_KEY={emulator.encryption_key}"
        in page.locator("#env").inner_text()
    )
