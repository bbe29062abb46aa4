"""The console's lists in a real Chromium: nothing slides away, and the address has it all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from tests.emulator.emulator_calls import MOBILE_MONEY, TO_BANK, credentials
from tests.emulator.in_browser.conftest import Look, Opener

if TYPE_CHECKING:
    from dgspay.emulator import Emulator, Served


@pytest.fixture
def client(emulator: Emulator, served: Served) -> Iterator[httpx.Client]:
    with emulator.http_client() as client:
        client.headers.update(credentials(emulator))
        yield client


def test_a_new_payout_never_slides_under_the_pointer(opened: Opener, client: httpx.Client) -> None:
    client.post("/disburse", json=TO_BANK)
    page = opened("/#payouts")
    settle = page.get_by_role("button", name="Settle DGS")
    settle.hover()
    place = settle.bounding_box()
    client.post("/disburse", json=TO_BANK)
    page.get_by_text("2 in all · 1 new").wait_for()
    assert settle.count() == 1
    assert settle.bounding_box() == place
    page.mouse.move(0, 0)
    settle.nth(1).wait_for()
    page.get_by_text("2 in all", exact=True).wait_for()


def test_a_payment_that_was_decided_leaves_no_other_under_the_pointer(
    opened: Opener, client: httpx.Client, emulator: Emulator
) -> None:
    """A double click approves one payment."""
    for _ in range(2):
        client.post("/charges", json=MOBILE_MONEY)
    page = opened("/")
    approve = page.get_by_role("button", name="Approve 2,000 RWF")
    approve.nth(1).wait_for()
    with page.expect_response("**/_emulator/settle"):
        approve.first.dblclick()
    # A third one comes last, beside the others: it need not wait.
    client.post("/charges", json=MOBILE_MONEY)
    page.locator("#handsets article").nth(2).wait_for()
    assert page.locator("#handsets article[inert]").count() == 1
    page.mouse.move(0, 0)
    page.locator("#handsets article").nth(2).wait_for(state="detached")
    assert sum(payment.status == "successful" for payment in emulator.transactions) == 1


def test_what_is_looked_at_stands_in_the_address(
    opened: Opener, emulator: Emulator, look: Look
) -> None:
    emulator.generate(400)
    page = opened("/#transactions")
    page.get_by_text("50 shown, 400 in all").wait_for()
    page.get_by_role("button", name="Show more").click()
    page.get_by_text("150 shown, 400 in all").wait_for()
    page.get_by_label("Search transactions").fill("jean")
    page.get_by_text("found of 400").wait_for()
    page.get_by_role("button", name="failed").click()
    failed = [p for p in emulator.transactions if p.payer.first_name == "Jean"]
    count = sum(payment.status == "failed" for payment in failed)
    page.get_by_text(f"{count} found of 400", exact=True).wait_for()
    address = urlsplit(page.url)
    assert address.fragment == "transactions?search=jean&status=failed"
    again = opened(f"/#{address.fragment}")
    again.get_by_text(f"{count} found of 400", exact=True).wait_for()
    assert again.get_by_label("Search transactions").input_value() == "jean"
    again.get_by_role("button", name="all").click()
    again.get_by_text(f"{len(failed)} found of 400").wait_for()


def test_the_drawer_of_a_payment_decides_it(
    opened: Opener, client: httpx.Client, emulator: Emulator, look: Look
) -> None:
    reference = client.post("/charges", json=MOBILE_MONEY).json()["dgs_reference"]
    page = opened("/#transactions")
    page.get_by_role("link", name="Jane Doe").click()
    drawer = page.get_by_role("dialog", name="Payment")
    drawer.get_by_text("The payment was created").wait_for()
    assert page.title() == f"(1) Payment {reference} · DGS-Pay emulator"
    drawer.get_by_role("button", name="Approve").click()
    drawer.get_by_text("The payer paid").wait_for()
    drawer.get_by_text("1,940 RWF").wait_for()
    look(page, "console-1280-11-drawer")
    drawer.get_by_role("button", name="Close").click()
    drawer.wait_for(state="hidden")
    page.wait_for_function("() => document.title === 'Transactions · DGS-Pay emulator'")
    assert urlsplit(page.url).fragment == "transactions"
    assert emulator.transactions[0].status == "successful"


def test_all_pending_payments_are_approved_at_once(
    opened: Opener, client: httpx.Client, emulator: Emulator
) -> None:
    for _ in range(8):
        client.post("/charges", json=MOBILE_MONEY)
    page = opened("/")
    page.get_by_text("the newest 6 of 8").wait_for()
    assert page.locator("#handsets article").count() == 6
    page.get_by_role("button", name="Approve all").click()
    page.get_by_text("8 payments were approved").wait_for()
    page.get_by_text("No payment is pending").wait_for()
    assert {payment.status for payment in emulator.transactions} == {"successful"}


def test_arrow_keys_move_neither_the_clock_nor_a_setting(
    opened: Opener, emulator: Emulator, served: Served
) -> None:
    page = opened("/")
    for opener, field, button in (
        ("Skip time", "#skip", "Move on"),
        ("Settles by hand", "#settle", "Save"),
    ):
        page.get_by_role("button", name=opener).click()
        page.locator(field).focus()
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        page.get_by_role("button", name=button, exact=True).wait_for()
        page.keyboard.press("Escape")
    state = httpx.get(f"{served.origin}/_emulator/state", trust_env=False, timeout=60).json()
    assert (state["clock"]["ahead"], state["settle_after"]) == (0, None)


def test_a_toast_is_said_within_the_dialog_that_is_open(
    opened: Opener, client: httpx.Client
) -> None:
    client.get("/balance")
    page = opened("/#requests")
    page.get_by_role("button", name="Show request 1").click()
    page.get_by_role("button", name="Copy curl").click()
    page.locator("#details [role=status]").get_by_text("opi").wait_for()


def test_a_snapshot_is_replaced_only_by_somebody_who_says_so(
    opened: Opener, client: httpx.Client, emulator: Emulator
) -> None:
    emulator.snapshot("before")
    client.post("/charges", json=MOBILE_MONEY)
    page = opened("/#state")
    name = page.get_by_label("Name", exact=True)
    name.fill("before")
    page.get_by_role("button", name="Keep a snapshot").click()
    page.get_by_role("dialog", name="Replace “before”?").get_by_role("button", name="Close").click()
    emulator.restore("before")
    assert emulator.transactions == ()
    client.post("/charges", json=MOBILE_MONEY)
    page.get_by_role("button", name="Keep a snapshot").click()
    with page.expect_response("**/_emulator/snapshots"):
        page.get_by_role("button", name="Replace it").click()
    emulator.reset()
    emulator.restore("before")
    assert len(emulator.transactions) == 1
