"""A payer whose line breaks, who changes their mind, goes back, or waits for what is gone."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.emulator_calls import credentials
from tests.emulator.in_browser.conftest import Look, Opener
from tests.emulator.in_browser.test_payment_pages import (
    PIN_CARD,
    SUBMIT,
    enter_card,
    enter_phone,
    path_of,
    push,
    see,
)

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


def test_a_card_is_charged_once_though_the_answer_was_lost(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    """The page finds out by itself, also when it is loaded anew: nothing is entered again."""
    page = opened(path_of(link(max_uses=None, collect_name=False, collect_phone=False)))
    lost = lose_answers(page, "**/order/card")
    enter_card(page, APPROVED)
    see(page, "Payment complete")
    assert '"paid"' in lost[0]
    page.reload()
    see(page, "Payment complete")
    assert len(emulator.transactions) == 1


def test_a_page_that_is_loaded_anew_after_a_lost_answer_shows_the_receipt(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    page = opened(path_of(link(max_uses=None, collect_name=False, collect_phone=False)))
    lost = lose_answers(page, "**/order/card")
    page.route("**/order", lambda route: route.abort())
    enter_card(page, APPROVED)
    page.get_by_text("it may have arrived").wait_for()
    assert '"paid"' in lost[0]
    page.unroute("**/order")
    page.reload()
    see(page, "Payment complete")
    assert len(emulator.transactions) == 1


def test_a_lost_answer_leads_to_the_payment_that_was_started(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    page = opened(path_of(link(max_uses=None, collect_name=False)))
    lose_answers(page, "**/order/mobile-money")
    push(page)
    page.get_by_text("number ending in 321").wait_for()
    assert len(emulator.transactions) == 1


def test_a_request_that_never_arrived_is_explained_and_can_be_sent_again(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    """In a sentence for payers, and not the browser's `Failed to fetch`."""
    page = opened(path_of(link(collect_name=False)))
    page.route("**/order/mobile-money", lambda route: route.abort())
    enter_phone(page)
    page.get_by_text("It seems that your request did not arrive").wait_for()
    page.unroute("**/order/mobile-money")
    push(page)
    assert len(emulator.transactions) == 1


def test_a_second_tab_and_the_same_number_elsewhere_show_the_request_that_is_out(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    made = link(max_uses=None, collect_name=False)
    page = opened(path_of(made))
    push(page)
    second = page.context.new_page()
    second.goto(page.url)
    see(second, "Approve it on your phone")
    elsewhere = opened(path_of(made))
    push(elsewhere)
    assert len(emulator.transactions) == 1
    emulator.approve(emulator.transactions[0].dgs_reference)
    for each in (page, second, elsewhere):
        see(each, "Payment complete")


def test_a_link_that_is_paid_once_shows_its_request_on_any_device(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    made = link(max_uses=1)
    page = opened(path_of(made))
    page.get_by_label("Your name").fill("Jane Doe")
    push(page)
    elsewhere = opened(path_of(made))
    see(elsewhere, "Approve it on your phone")
    assert elsewhere.get_by_text("Jane Doe").count() == 0
    assert len(emulator.transactions) == 1


def test_a_link_whose_address_is_changed_meanwhile_shows_how_the_payment_goes_on(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    made = link(collect_name=False)
    page = opened(path_of(made))
    push(page)
    with emulator.http_client() as client:
        client.headers.update(credentials(emulator))
        renamed = client.patch(f"/payment-links/{made['id']}", json={"slug": "elsewhere"})
        assert renamed.status_code == 200
    page.goto(page.url.replace(made["slug"], "elsewhere"))
    see(page, "Approve it on your phone")
    emulator.approve(emulator.transactions[0].dgs_reference)
    see(page, "Payment complete")
    assert len(emulator.transactions) == 1


def test_who_pays_a_second_time_on_purpose_can(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    path = path_of(link(max_uses=None, collect_name=False, collect_phone=False))
    page = opened(path)
    for count in (1, 2):
        enter_card(page, APPROVED)
        see(page, "Payment complete")
        assert len(emulator.transactions) == count
        address = page.url.partition("#")[0]
        page.goto("about:blank")
        page.goto(address)


def test_a_silence_says_what_is_going_on(opened: Opener, link: MakeLink, served: Served) -> None:
    page = opened("/_emulator/static/icon.svg")
    page.clock.install()
    page.goto(f"{served.origin}{path_of(link(collect_name=False))}")
    push(page)
    page.clock.run_for(22_000)
    page.get_by_text("Still waiting for your approval.").wait_for()
    page.clock.run_for(43_000)
    page.get_by_text("Is the phone on, and does it have a signal?").wait_for()


def test_an_answer_that_is_long_in_coming_is_explained(
    opened: Opener, link: MakeLink, served: Served
) -> None:
    page = opened("/_emulator/static/icon.svg")
    page.clock.install()
    page.goto(f"{served.origin}{path_of(link(collect_name=False))}")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/order/mobile-money", hold)
    enter_phone(page)
    page.get_by_text("Sending your request").wait_for()
    page.clock.run_for(43_000)
    words = page.locator(".dgspay-connection", has_text="This takes longer than usual.")
    words.wait_for()
    held[0].continue_()
    see(page, "Approve it on your phone")
    assert words.count() == 0


def test_a_request_that_ran_out_is_followed_by_a_new_one(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    page = opened(path_of(link(collect_name=False)))
    push(page)
    emulator.clock.advance(301)
    see(page, "The request has run out")
    page.get_by_role("button", name="Send a new request").click()
    see(page, "Approve it on your phone")
    assert [payment.status for payment in emulator.transactions] == ["failed", "pending"]


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
    see(page, "Payment complete")
    assert emulator.transactions[0].amount == Decimal(9000)
    page = opened(path_of(link(**{**made, "title": "Another", "slug": None, "max_uses": None})))
    page.get_by_role("radio", name="Card").check()
    page.get_by_label("Amount in RWF").fill("9000")
    page.get_by_role("button", name="Pay 9,000 RWF").wait_for()


def test_a_payment_that_is_known_no_more_is_not_waited_for(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    page = opened(path_of(link(collect_name=False)))
    push(page)
    emulator.reset()
    see(page, "There is no such payment link")


def test_a_decision_that_does_not_get_through_is_said_in_words(
    opened: Opener, link: MakeLink, emulator: Emulator, look: Look
) -> None:
    page = opened(path_of(link(collect_name=False)))
    push(page)
    reference = emulator.transactions[0].dgs_reference
    handset = opened(f"/generation/authorize/{reference}", width=360)
    handset.get_by_role("button", name="Approve").wait_for()
    handset.context.set_offline(True)
    handset.get_by_role("button", name="Approve").click()
    handset.get_by_text("The connection failed. Please try again.").wait_for()
    look(handset, "handset-360-offline")
    handset.context.set_offline(False)
    handset.get_by_role("button", name="Approve").click()
    see(page, "Payment complete")


def test_back_from_the_shop_is_not_sent_there_again(
    opened: Opener, link: MakeLink, served: Served
) -> None:
    shop = f"{served.origin}/_emulator/static/icon.svg"
    page = opened(path_of(link(redirect_url=shop, collect_name=False, collect_phone=False)))
    enter_card(page, APPROVED)
    page.get_by_text("We take you back to the shop").wait_for()
    page.wait_for_url(shop)
    page.go_back()
    see(page, "Payment complete")
    page.get_by_role("link", name="Back to the shop").wait_for()
    assert page.get_by_text("We take you back").count() == 0
    assert "payer=" in page.url


def test_a_payer_may_stay_with_the_receipt(opened: Opener, link: MakeLink, served: Served) -> None:
    shop = f"{served.origin}/_emulator/static/icon.svg"
    page = opened("/_emulator/static/icon.svg")
    page.clock.install()
    made = link(redirect_url=shop, collect_name=False, collect_phone=False)
    page.goto(f"{served.origin}{path_of(made)}")
    enter_card(page, APPROVED)
    page.get_by_role("button", name="Stay on this page").click()
    page.clock.run_for(10_000)
    see(page, "Payment complete")


@pytest.mark.acceptance(49, "link-limits")
def test_a_link_that_expires_meanwhile_is_paid_by_who_has_begun(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    """The page shows how it goes, also when it is loaded anew; another payer comes too late."""
    made = link(collect_name=False, max_uses=None, expires_at="2099-12-31 23:59:59")
    page = opened(path_of(made))
    page.get_by_role("radio", name="Card").check()
    page.get_by_label("Phone number").fill("+254 712 345 678")
    enter_card(page, PIN_CARD)
    see(page, "Enter your card's PIN")
    late = opened(path_of(made))
    late.get_by_label("Mobile money number").fill("0788123456")
    emulator.clock.advance(86_400 * 365 * 100)
    late.locator(SUBMIT).click()
    see(late, "This link has expired")
    page.reload()
    see(page, "Enter your card's PIN")
    page.locator(".dgspay-field-pin input").fill("1234")
    page.locator(SUBMIT).click()
    see(page, "Payment complete")
    page.reload()
    see(page, "Payment complete")
    (payment,) = emulator.transactions
    assert (payment.payer.phone_country_code, payment.payer.phone) == ("254", "712345678")


def test_francs_are_whole(opened: Opener, link: MakeLink, emulator: Emulator) -> None:
    terms: dict[str, Any] = {"amount": None, "amount_type": "flexible", "collect_name": False}
    page = opened(path_of(link(**terms)))
    page.get_by_label("Mobile money number").fill("0789654321")
    page.get_by_label("Amount in RWF").fill("100.50")
    page.locator(SUBMIT).click()
    page.get_by_text("RWF has no smaller coin").wait_for()
    page.get_by_label("Amount in RWF").fill("100.00")
    page.get_by_role("button", name="Pay 100 RWF").click()
    see(page, "Approve it on your phone")
    assert emulator.transactions[0].amount == Decimal(100)
    page = opened(path_of(link(**terms, currency="USD", collect_phone=False)))
    page.get_by_label("Amount in USD").fill("94.50")
    enter_card(page, APPROVED)
    see(page, "Payment complete")
    assert emulator.transactions[1].amount == Decimal("94.5")


def test_a_browser_that_keeps_nothing_can_pay(opened: Opener, link: MakeLink) -> None:
    page = opened("/_emulator/fidelity")
    page.add_init_script(
        "for (const name of ['sessionStorage', 'localStorage'])"
        "  Object.defineProperty(window, name, {get() { throw new DOMException('no'); }})"
    )
    made = link(collect_name=False, collect_phone=False)
    page.goto(page.url.replace("/_emulator/fidelity", path_of(made)))
    enter_card(page, APPROVED)
    see(page, "Payment complete")
    page.reload()
    see(page, "Payment complete")


@pytest.mark.acceptance(49, "link-limits")
def test_the_last_use_is_given_back_by_who_gives_up(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    """Of a link for two payments, another payer is told; the use is free once one gives up."""
    made = link(collect_name=False, collect_phone=False, max_uses=2)
    emulator.pay_link(made["id"])
    gone = opened(path_of(made))
    enter_card(gone, PIN_CARD)
    see(gone, "Enter your card's PIN")
    other = opened(path_of(made))
    enter_card(other, APPROVED)
    other.get_by_text("Somebody else is paying with this link right now").wait_for()
    opened("/").get_by_role("button", name="Decline").click()
    see(gone, "The payment was not made")
    other.locator(SUBMIT).click()
    see(other, "Payment complete")
    assert [each.status for each in emulator.transactions] == ["successful", "failed", "successful"]
