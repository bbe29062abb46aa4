"""A payer whose line breaks, who changes their mind, goes back, or waits for what is gone."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.in_browser.conftest import Look, Opener
from tests.emulator.in_browser.test_payment_pages import PIN_CARD, enter_card, path_of

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from dgspay.emulator import Emulator, Served

MakeLink = Callable[..., dict[str, Any]]

APPROVED = "4242424242424242"


def lose_answers(page: Page, pattern: str) -> list[str]:
    """Have the next request done and its answer lost, as on a train that enters a tunnel."""
    lost: list[str] = []

    def once(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().text())
        route.abort("connectionreset")

    page.route(pattern, once)
    return lost


@pytest.mark.parametrize("is_reloaded", [False, True])
def test_a_card_is_charged_once_though_the_answer_was_lost(
    opened: Opener, link: MakeLink, emulator: Emulator, is_reloaded: bool
) -> None:
    """However often the payer tries again, with the page as it is or loaded anew."""
    page = opened(path_of(link(max_uses=None, collect_name=False, collect_phone=False)))
    lost = lose_answers(page, "**/payments")
    # The card form hands a fault it does not know on to the page's developer.
    page.evaluate("window.reportError = () => {}")
    enter_card(page, APPROVED)
    page.locator(".dgspay-alert").get_by_text("not known").wait_for()
    assert "successful" in lost[0]
    if is_reloaded:
        page.reload()
    enter_card(page, APPROVED)
    page.get_by_text("Payment complete").wait_for()
    assert len(emulator.transactions) == 1


def test_a_lost_answer_leads_to_the_payment_that_was_started(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    """Even where the payer has corrected the number meanwhile."""
    page = opened(path_of(link(max_uses=None, collect_name=False)))
    lose_answers(page, "**/payments")
    number = page.get_by_label("Mobile Money number")
    number.fill("0789654321")
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("you will not pay twice").wait_for()
    number.fill("0788123456")
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("0789654321").wait_for()
    assert len(emulator.transactions) == 1


def test_who_pays_a_second_time_on_purpose_can(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    path = path_of(link(max_uses=None, collect_name=False, collect_phone=False))
    page = opened(path)
    for count in (1, 2):
        enter_card(page, APPROVED)
        page.get_by_text("Payment complete").wait_for()
        assert len(emulator.transactions) == count
        page.goto(page.url.partition("?")[0])


def test_the_button_of_the_card_form_names_what_is_charged(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    made = link(amount=None, amount_type="flexible", collect_name=False, collect_phone=False)
    page = opened(path_of(made))
    page.get_by_label("Amount in RWF").fill("500")
    page.get_by_role("radio", name="Card").check()
    page.get_by_role("button", name="Pay 500 RWF").wait_for()
    page.get_by_label("Amount in RWF").fill("9000")
    enter_card(page, APPROVED)
    page.get_by_text("Payment complete").wait_for()
    assert emulator.transactions[0].amount == Decimal(9000)
    page = opened(path_of(link(**{**made, "title": "Another", "slug": None, "max_uses": None})))
    page.get_by_role("radio", name="Card").check()
    page.get_by_label("Amount in RWF").fill("9000")
    page.get_by_role("button", name="Pay 9,000 RWF").wait_for()


def test_a_payment_that_is_known_no_more_is_not_waited_for(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    page = opened(path_of(link(collect_name=False)))
    page.get_by_label("Mobile Money number").fill("0789654321")
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("Check your phone").wait_for()
    emulator.reset()
    page.get_by_text("There is no such payment link").wait_for()


def test_a_decision_that_does_not_get_through_is_said_in_words(
    opened: Opener, link: MakeLink, emulator: Emulator, look: Look
) -> None:
    made = link(collect_name=False)
    page = opened(path_of(made))
    page.get_by_label("Mobile Money number").fill("0789654321")
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("Check your phone").wait_for()
    reference = emulator.transactions[0].dgs_reference
    handset = opened(f"/generation/authorize/{reference}", width=360)
    handset.get_by_role("button", name="Approve").wait_for()
    handset.context.set_offline(True)
    handset.get_by_role("button", name="Approve").click()
    handset.get_by_text("The connection failed. Please try again.").wait_for()
    look(handset, "handset-360-offline")
    handset.context.set_offline(False)
    handset.get_by_role("button", name="Approve").click()
    page.get_by_text("Payment complete").wait_for()


def test_back_from_the_shop_is_not_sent_there_again(
    opened: Opener, link: MakeLink, served: Served
) -> None:
    shop = f"{served.origin}/_emulator/static/icon.svg"
    page = opened(path_of(link(redirect_url=shop, collect_name=False, collect_phone=False)))
    enter_card(page, APPROVED)
    page.wait_for_url(shop)
    page.go_back()
    page.get_by_text("Payment complete").wait_for()
    page.get_by_role("link", name="Continue to the shop").wait_for()
    assert page.get_by_text("Taking you back").count() == 0
    assert "payment=" in page.url


@pytest.mark.acceptance(49, "link-limits")
def test_a_link_that_expires_meanwhile_is_paid_by_who_has_begun(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    """The page shows how it goes, also when it is loaded anew; another payer comes too late."""
    made = link(collect_name=False, max_uses=None)
    page = opened(path_of(made))
    page.get_by_label("Mobile Money number").fill("0789654321")
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("Check your phone").wait_for()
    late = opened(path_of(made))
    late.get_by_label("Mobile Money number").fill("0788123456")
    emulator.clock.advance(86_400 * 365 * 100)
    late.get_by_role("button", name="Pay").click()
    late.get_by_text("This link has expired").wait_for()
    page.reload()
    page.get_by_text("Check your phone").wait_for()
    emulator.approve(emulator.transactions[0].dgs_reference)
    page.get_by_text("Payment complete").wait_for()
    page.reload()
    page.get_by_text("Payment complete").wait_for()
    assert len(emulator.transactions) == 1


def test_francs_are_whole(opened: Opener, link: MakeLink, emulator: Emulator) -> None:
    terms: dict[str, Any] = {"amount": None, "amount_type": "flexible", "collect_name": False}
    page = opened(path_of(link(**terms)))
    page.get_by_label("Mobile Money number").fill("0789654321")
    page.get_by_label("Amount in RWF").fill("100.50")
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("RWF has no smaller coin").wait_for()
    page.get_by_label("Amount in RWF").fill("100.00")
    page.get_by_role("button", name="Pay 100 RWF").click()
    page.get_by_text("Check your phone").wait_for()
    assert emulator.transactions[0].amount == Decimal(100)
    page = opened(path_of(link(**terms, currency="USD", collect_phone=False)))
    page.get_by_label("Amount in USD").fill("94.50")
    enter_card(page, APPROVED)
    page.get_by_text("Payment complete").wait_for()
    assert emulator.transactions[1].amount == Decimal("94.5")


def test_a_browser_that_keeps_nothing_can_pay(opened: Opener, link: MakeLink) -> None:
    page = opened("/_emulator/fidelity")
    page.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', {get() { throw new DOMException('no'); }})"
    )
    made = link(collect_name=False, collect_phone=False)
    page.goto(page.url.replace("/_emulator/fidelity", path_of(made)))
    enter_card(page, APPROVED)
    page.get_by_text("Payment complete").wait_for()


@pytest.mark.acceptance(49, "link-limits")
def test_the_use_of_a_payer_who_walked_away_is_given_back_in_the_console(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    made = link(collect_name=False, collect_phone=False, max_uses=1)
    gone = opened(path_of(made))
    enter_card(gone, PIN_CARD)
    gone.get_by_text("Enter your card PIN").wait_for()
    other = opened(path_of(made))
    enter_card(other, APPROVED)
    other.get_by_text("The link's last use is taken by a payment in progress.").wait_for()
    opened("/").get_by_role("button", name="Decline").click()
    gone.get_by_text("Payment not made").wait_for()
    enter_card(other, APPROVED)
    other.get_by_text("Payment complete").wait_for()
    assert [payment.status for payment in emulator.transactions] == ["failed", "successful"]
