"""The checkout in a real Chromium: every state of an order, as a payer meets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import profile

pytest.importorskip("uvicorn")
pytest.importorskip("starlette")

from dgspay.checkout import Limits, Timing
from dgspay.emulator import Emulator
from tests.browser.checkout_shop import CheckoutShop, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

Start = Callable[..., CheckoutShop]

PIN_CARD = "4000000000003055"
PIN_AND_OTP_CARD = "5531886652142950"
ADDRESS_CARD = "4556052704172643"
POOR_CARD = "4000000000009995"

HEADING = ".dgspay-panel .dgspay-heading:visible"
SUBMIT = ".dgspay-submit:visible"


@pytest.fixture(scope="module")
def bank() -> Iterator[tuple[Emulator, str]]:
    """An emulator on a real socket in which nothing is settled by itself."""
    with Emulator(settle_after=None, balances={"RWF": 0}) as emulator, emulator.serve() as served:
        yield emulator, served.url


@pytest.fixture(scope="module")
def shop(
    bank: tuple[Emulator, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CheckoutShop]:
    path = tmp_path_factory.mktemp("shop") / "orders.sqlite3"
    with running(*bank, path) as shop:
        yield shop


@pytest.fixture
def payer(chromium: Browser) -> Iterator[BrowserContext]:
    with profile(chromium, width=1000, height=900) as payer:
        payer.add_init_script(
            "window.events = []; window.violations = [];"
            "for (const name of ['paid', 'failed', 'closed'])"
            "  addEventListener(`dgspay-${name}`, (e) => events.push([name, e.detail.order.id]));"
            "addEventListener('securitypolicyviolation', (e) => violations.push(e.blockedURI));"
        )
        yield payer


@pytest.fixture
def page(payer: BrowserContext) -> Iterator[Page]:
    """A page of a payer, on which no script fails and no policy is broken."""
    page = payer.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    if page.url != "about:blank":
        errors += page.evaluate("window.violations")
    # Firefox looks for an icon by itself, which the page's policy has no place for.
    assert [error for error in errors if "favicon.ico" not in error] == []


def open_order(page: Page, shop: CheckoutShop, lang: str = "en", **terms: Any) -> str:
    """Open the page of a new order, and return the order's id."""
    order_id = shop.next_id()
    page.goto(shop.page(order_id, lang, **terms))
    page.locator(HEADING).first.wait_for()
    return order_id


def see(page: Page, words: str) -> None:
    """Wait for a heading."""
    page.locator(HEADING, has_text=words).wait_for()


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def pay_by_phone(page: Page, phone: str = "0788 123 456") -> None:
    page.get_by_label("Mobile money number").fill(phone)
    page.locator(SUBMIT).click()
    see(page, "Approve it on your phone")


def pay_by_card(page: Page, number: str) -> None:
    page.locator("input[value=card]").check()
    for field, text in (("number", number), ("expiry", "12/2049"), ("cvv", "987")):
        page.locator(f".dgspay-field-{field} input").fill(text)
    page.locator(SUBMIT).click()


def events(page: Page) -> list[list[str]]:
    found: list[list[str]] = page.evaluate("window.events")
    return found


def approve(shop: CheckoutShop) -> None:
    shop.emulator.approve(shop.emulator.transactions[-1].dgs_reference)


# --- paid ---------------------------------------------------------------------------------


def test_mobile_money_from_the_number_to_the_receipt(page: Page, shop: CheckoutShop) -> None:
    order_id = open_order(page, shop)
    summary = page.locator(".dgspay-title")
    assert (summary.text_content() or "").replace("\xa0", " ") == "Pay 15,000 RWF to Umwari Shop"
    pay_by_phone(page)
    assert "MTN number ending in 456" in (page.locator(".dgspay-view").last.text_content() or "")
    assert summary.is_visible()
    approve(shop)
    see(page, "Payment complete")
    receipt = (page.locator("dl").text_content() or "").replace("\xa0", " ")
    for words in ("15,000 RWF", "Umwari Shop", "MTN MoMo", order_id, "Jane Uwase", "(Kigali)"):
        assert words in receipt
    assert shop.emulator.transactions[-1].dgs_reference in receipt
    assert events(page) == [["paid", order_id]]
    assert page.title() == "Payment complete · Umwari Shop"
    assert shop.paid.count(order_id) == 1


def test_a_card_with_pin_and_code_from_the_keyboard_alone(page: Page, shop: CheckoutShop) -> None:
    order_id = open_order(page, shop)
    page.locator("input[value=mobile_money]").focus()
    page.keyboard.press("ArrowRight")
    for text in (PIN_AND_OTP_CARD, "12/49", "987"):
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    see(page, "Enter your card's PIN")
    page.locator(".dgspay-field-pin input:focus").wait_for()
    page.keyboard.type("1234")
    page.keyboard.press("Enter")
    see(page, "Enter the code from your bank")
    page.keyboard.type("123456")
    page.keyboard.press("Enter")
    see(page, "Payment complete")
    assert events(page) == [["paid", order_id]]


def test_the_billing_address_has_a_list_of_countries(page: Page, shop: CheckoutShop) -> None:
    open_order(page, shop)
    pay_by_card(page, ADDRESS_CARD)
    see(page, "Billing address of the card")
    press(page, "Confirm")
    assert page.locator(".dgspay-error:visible").all_text_contents()[0] == "Enter the address."
    page.get_by_label("Address", exact=True).fill("KN 4 Ave 12")
    page.get_by_label("Country or region").select_option("RW")
    press(page, "Confirm")
    see(page, "Payment complete")


# --- the number and its network ------------------------------------------------------------


def test_the_network_follows_the_number_and_only_warns(page: Page, shop: CheckoutShop) -> None:
    open_order(page, shop)
    phone = page.get_by_label("Mobile money number")
    for text, network in (("0788123456", "MTN"), ("+250 73", "Airtel"), ("00250 79", "MTN")):
        phone.fill(text)
        assert page.locator(f"input[value={network}]").is_checked()
    phone.fill("0733123456")
    page.locator("input[value=MTN]").check()
    warning = page.get_by_text("Numbers that begin with 073 are usually Airtel.")
    warning.wait_for()
    page.locator(SUBMIT).click()
    see(page, "Approve it on your phone")
    payment = shop.emulator.transactions[-1]
    assert (payment.network, payment.phone) == ("MTN", "733123456")


def test_a_number_of_no_rwandan_wallet_is_not_sent(page: Page, shop: CheckoutShop) -> None:
    before = len(shop.emulator.transactions)
    open_order(page, shop)
    page.get_by_label("Mobile money number").fill("0712345678")
    page.locator(SUBMIT).click()
    page.get_by_text("Enter a Rwandan mobile number").wait_for()
    assert len(shop.emulator.transactions) == before


# --- declined, and again --------------------------------------------------------------------


def test_after_a_decline_the_card_is_as_it_was_entered(page: Page, shop: CheckoutShop) -> None:
    order_id = open_order(page, shop)
    pay_by_card(page, POOR_CARD)
    see(page, "The payment was not made")
    page.get_by_text("There is not enough money in the account").wait_for()
    assert events(page) == [["failed", order_id]]
    press(page, "Try again")
    number = page.locator(".dgspay-field-number input")
    assert number.input_value() == "4000 0000 0000 9995"
    number.fill(PIN_CARD)
    page.locator(SUBMIT).click()
    see(page, "Enter your card's PIN")


def test_after_a_decline_on_the_phone_the_number_is_still_there(
    page: Page, shop: CheckoutShop
) -> None:
    open_order(page, shop)
    pay_by_phone(page)
    reference = shop.emulator.transactions[-1].dgs_reference
    shop.emulator.decline(reference, "Customer rejected the request")
    see(page, "The payment was not made")
    press(page, "Try again")
    assert page.get_by_label("Mobile money number").input_value() == "0788 123 456"


def test_another_way_to_pay_takes_the_place_of_a_card_that_waits(
    page: Page, shop: CheckoutShop
) -> None:
    open_order(page, shop)
    pay_by_card(page, PIN_CARD)
    see(page, "Enter your card's PIN")
    press(page, "Pay another way")
    page.locator("input[value=mobile_money]").check()
    pay_by_phone(page)
    approve(shop)
    see(page, "Payment complete")


# --- reloads, tabs, and a connection that is lost ---------------------------------------------


def test_a_reload_and_a_second_tab_show_the_prompt_that_is_out(
    page: Page, payer: BrowserContext, shop: CheckoutShop
) -> None:
    order_id = open_order(page, shop)
    other = payer.new_page()
    other.goto(shop.page(order_id))
    see(other, "How would you like to pay?")
    pay_by_phone(page)
    count = len(shop.emulator.transactions)
    see(other, "Approve it on your phone")
    page.reload()
    see(page, "Approve it on your phone")
    page.goto("about:blank")
    page.go_back()
    see(page, "Approve it on your phone")
    assert len(shop.emulator.transactions) == count
    approve(shop)
    see(page, "Payment complete")
    see(other, "Payment complete")
    assert shop.paid.count(order_id) == 1


def test_a_double_click_sends_one_prompt(page: Page, shop: CheckoutShop) -> None:
    open_order(page, shop)
    before = len(shop.emulator.transactions)
    page.get_by_label("Mobile money number").fill("0788123456")
    page.locator(SUBMIT).dblclick()
    see(page, "Approve it on your phone")
    assert len(shop.emulator.transactions) == before + 1


def test_a_server_that_restarts_is_found_again(
    page: Page, bank: tuple[Emulator, str], tmp_path: Path
) -> None:
    path = tmp_path / "orders.sqlite3"
    with running(*bank, path) as shop:
        open_order(page, shop)
        pay_by_phone(page)
        port = int(shop.url.rpartition(":")[2])
    page.get_by_text("The connection is lost. Your order is safe").wait_for()
    approve(shop)
    with running(*bank, path, port=port):
        see(page, "Payment complete")
        assert page.locator(".dgspay-connection").text_content() == ""
        page.goto("about:blank")


def test_a_lost_answer_is_cleared_up_without_a_second_prompt(
    page: Page, shop: CheckoutShop
) -> None:
    open_order(page, shop)
    before = len(shop.emulator.transactions)

    def lose_the_answer(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/order/mobile-money", lose_the_answer)
    pay_by_phone(page)
    assert len(shop.emulator.transactions) == before + 1


def test_a_request_that_never_arrived_can_be_sent_again(page: Page, shop: CheckoutShop) -> None:
    open_order(page, shop)
    page.route("**/order/mobile-money", lambda route: route.abort())
    page.get_by_label("Mobile money number").fill("0788123456")
    page.locator(SUBMIT).click()
    page.get_by_text("It seems that your request did not arrive").wait_for()
    page.unroute("**/order/mobile-money")
    pay_by_phone(page)


def test_a_hidden_page_has_no_connection(page: Page, shop: CheckoutShop) -> None:
    open_order(page, shop)
    pay_by_phone(page)
    hide = (
        "value => Object.defineProperty(document, 'visibilityState', { value, configurable: true })"
    )
    asked: list[str] = []
    with page.expect_event("requestfailed"):
        page.evaluate(hide, "hidden")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.on("request", lambda request: asked.append(request.url))
    approve(shop)
    page.evaluate("new Promise((done) => setTimeout(done, 1500))")
    assert asked == []
    page.evaluate(hide, "visible")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    see(page, "Payment complete")


# --- the ends that are no payment -------------------------------------------------------------


def test_an_order_is_cancelled_after_a_question(page: Page, shop: CheckoutShop) -> None:
    order_id = open_order(page, shop)
    pay_by_phone(page)
    press(page, "Cancel the order")
    press(page, "No, keep it")
    press(page, "Cancel the order")
    press(page, "Yes, cancel it")
    see(page, "This order was cancelled")
    page.get_by_text("A request may still be on your phone").wait_for()
    assert events(page) == [["closed", order_id]]


def test_an_order_expires_on_the_screen(page: Page, shop: CheckoutShop) -> None:
    open_order(page, shop, expires=2)
    see(page, "The time to pay is over")


def test_a_page_of_no_order_says_so(page: Page, shop: CheckoutShop) -> None:
    open_order(page, shop)
    page.evaluate("document.querySelector('dgspay-checkout').setAttribute('token', 'x')")
    page.evaluate(
        "const e = document.querySelector('dgspay-checkout'); e.remove();"
        "document.querySelector('main').append(e)"
    )
    see(page, "This order was not found")


def test_a_prompt_that_ran_out_can_be_sent_again(
    page: Page, bank: tuple[Emulator, str], tmp_path: Path
) -> None:
    timing = Timing(mobile_money_lifetime=2)
    with running(*bank, tmp_path / "orders.sqlite3", timing=timing) as shop:
        open_order(page, shop)
        pay_by_phone(page)
        see(page, "The request has run out")
        before = len(shop.emulator.transactions)
        press(page, "Send a new request")
        see(page, "Approve it on your phone")
        assert len(shop.emulator.transactions) == before + 1
        approve(shop)
        see(page, "Payment complete")
        page.goto("about:blank")


def test_too_many_attempts_are_refused_in_words(
    page: Page, bank: tuple[Emulator, str], tmp_path: Path
) -> None:
    limits = Limits(address_attempts=1, address_seconds=600)
    with running(*bank, tmp_path / "orders.sqlite3", limits=limits) as shop:
        open_order(page, shop)
        pay_by_phone(page)
        open_order(page, shop)
        page.get_by_label("Mobile money number").fill("0788123456")
        page.locator(SUBMIT).click()
        page.get_by_text(
            "Too many tries. Nothing was charged. Please try again in 10 min."
        ).wait_for()
        page.goto("about:blank")


def test_a_fault_of_the_shop_is_no_riddle_for_the_payer(
    page: Page, bank: tuple[Emulator, str], tmp_path: Path
) -> None:
    emulator, api = bank
    with running(emulator, api, tmp_path / "orders.sqlite3") as shop:
        open_order(page, shop)
        emulator.faults.fail_next("POST /charges", error_code="91")
        page.get_by_label("Mobile money number").fill("0788123456")
        page.locator(SUBMIT).click()
        page.get_by_text("The shop's set-up does not allow this payment").wait_for()
        page.goto("about:blank")


# --- languages and looks ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "title", "pay"),
    [
        ("fr", "Payer 15 000 RWF à Umwari Shop", "Payer 15 000 RWF"),
        ("rw", "Ishyura 15,000 RWF kuri Umwari Shop", "Ishyura 15,000 RWF"),
        ("sw", "Lipa 15,000 RWF kwa Umwari Shop", "Lipa 15,000 RWF"),
    ],
)
def test_the_checkout_is_in_the_payers_language(
    page: Page, shop: CheckoutShop, lang: str, title: str, pay: str
) -> None:
    open_order(page, shop, lang)
    shown = page.locator(".dgspay-title").text_content() or ""
    assert shown.replace("\xa0", " ").replace("\u202f", " ") == title
    button = page.locator(SUBMIT).text_content() or ""
    assert button.replace("\xa0", " ").replace("\u202f", " ") == pay
    assert page.locator("section.dgspay").get_attribute("lang") == lang
    assert page.locator("section.dgspay").get_attribute("dir") == "ltr"


def test_the_payer_chooses_another_language_and_keeps_it(page: Page, shop: CheckoutShop) -> None:
    order_id = open_order(page, shop, "any")
    page.get_by_label("Language").select_option("rw")
    see(page, "Urashaka kwishyura ute?")
    page.goto(shop.page(order_id, "any"))
    see(page, "Urashaka kwishyura ute?")


def test_cents_are_shown_where_the_currency_has_them(page: Page, shop: CheckoutShop) -> None:
    open_order(page, shop, amount="10.50", currency="USD")
    assert page.locator(".dgspay-title b").text_content() == "10.50\xa0USD"
    # Mobile money is in RWF only: there is nothing to choose.
    assert (
        page.locator("input[value=mobile_money]").count() == 0
        or not page.locator("input[value=mobile_money]").is_visible()
    )
