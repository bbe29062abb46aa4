"""The hosted payment page, from the payer's first look to the end, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import look_as
from tests.emulator.in_browser.conftest import SCREENS, Look, Opener

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from dgspay.emulator import Emulator, Served

MakeLink = Callable[..., dict[str, Any]]

PIN_CARD = "4000000000003055"

SUBMIT = ".dgspay-submit:visible"


def path_of(link: dict[str, Any]) -> str:
    return f"/generation/pay/{link['slug']}"


def see(page: Page, words: str) -> None:
    """Wait for a heading of the checkout."""
    page.locator(".dgspay-panel .dgspay-heading:visible", has_text=words).wait_for()


def enter_phone(page: Page, number: str = "0789654321") -> None:
    page.get_by_label("Mobile money number").fill(number)
    page.locator(SUBMIT).click()


def push(page: Page, number: str = "0789654321") -> None:
    enter_phone(page, number)
    see(page, "Approve it on your phone")


def enter_card(page: Page, number: str) -> None:
    page.locator(SUBMIT).wait_for()
    ways = page.get_by_role("radio", name="Card")
    if ways.count() > 0:
        ways.check()
    page.locator(".dgspay-field-number input").fill(number)
    page.locator(".dgspay-field-expiry input").fill("12/49")
    page.locator(".dgspay-field-cvv input").fill("987")
    page.locator(SUBMIT).click()


def test_a_link_is_paid_by_phone(
    opened: Opener, link: MakeLink, emulator: Emulator, served: Served, look: Look
) -> None:
    made = link(description="Two bags of coffee, delivered to Kimironko.", max_uses=None)
    page = opened("/_emulator/static/icon.svg", height=760)
    for width, scheme in SCREENS:
        look_as(page, width, scheme)
        page.goto(f"{served.origin}{path_of(made)}")
        see(page, "Your details")
        look(page, f"pay-{width}-1-open")
        page.get_by_label("Your name").fill("Jane Doe")
        page.get_by_label("Mobile money number").fill("0729 654 321")
        assert page.get_by_label("Airtel").is_checked()
        page.get_by_role("button", name="Pay 50,000 RWF").click()
        see(page, "Approve it on your phone")
        look(page, f"pay-{width}-2-pending")
        payment = emulator.transactions[-1]
        assert (payment.phone, payment.network, payment.payer.first_name) == (
            "729654321",
            "Airtel",
            "Jane",
        )
        page.reload()
        see(page, "Approve it on your phone")
        with page.context.expect_page() as handset:
            page.get_by_role("link", name="Open the simulated handset").click()
        handset.value.get_by_role("button", name="Approve").wait_for()
        look(handset.value, f"pay-{width}-3-handset")
        handset.value.get_by_role("button", name="Approve").click()
        handset.value.get_by_role("heading", name="Approved").wait_for()
        page.bring_to_front()
        see(page, "Payment complete")
        look(page, f"pay-{width}-4-paid")
        assert payment.status == "successful"
        receipt = page.locator("dl").inner_text()
        assert payment.dgs_reference in receipt
        assert "Jane Doe" in receipt
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        handset.value.close()
    assert [delivery.event for delivery in emulator.webhooks.deliveries] == ["payment.success"] * 2


def test_a_link_is_paid_by_card_and_leads_back_to_the_shop(
    opened: Opener, link: MakeLink, emulator: Emulator, served: Served, look: Look
) -> None:
    shop = f"{served.origin}/_emulator/static/icon.svg"
    made = link(redirect_url=shop, max_uses=None, collect_phone=False, collect_address=True)
    page = opened("/_emulator/static/icon.svg", height=760)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    # The payer may read for five seconds; the test does not wait for them.
    page.clock.install()
    for width, scheme in SCREENS:
        look_as(page, width, scheme)
        page.goto(f"{served.origin}{path_of(made)}")
        page.get_by_label("Your name").fill("Jane Doe")
        page.get_by_label("Address").fill("KN 4 Ave 12, Kigali")
        enter_card(page, PIN_CARD)
        see(page, "Enter your card's PIN")
        look(page, f"card-{width}-1-pin")
        page.locator(".dgspay-field-pin input").fill("1234")
        page.locator(SUBMIT).click()
        see(page, "Payment complete")
        look(page, f"card-{width}-2-paid")
        page.clock.run_for(6000)
        page.wait_for_url(shop)
        payment = emulator.transactions[-1]
        assert (payment.status, payment.card_last4) == ("successful", PIN_CARD[-4:])
        assert payment.payer.address == "KN 4 Ave 12, Kigali"
    assert len(emulator.transactions) == len(SCREENS)
    assert not any(secret in body for body in sent for secret in (PIN_CARD, '"987"', '"1234"'))


@pytest.mark.parametrize(
    ("number", "heading", "label", "answer"),
    [
        ("4187427415564246", "Enter the code from your bank", "One-time code", "123456"),
        ("4556052704172643", "Billing address of the card", "Address", "KN 4 Ave 12"),
    ],
)
def test_other_cards_ask_for_a_code_or_an_address(
    opened: Opener, link: MakeLink, *, number: str, heading: str, label: str, answer: str
) -> None:
    page = opened(path_of(link(collect_phone=False, collect_name=False)))
    enter_card(page, number)
    see(page, heading)
    page.get_by_label(label, exact=True).fill(answer)
    if label == "Address":
        page.get_by_label("Country or region").select_option("KE")
    page.get_by_role("button", name="Confirm").click()
    see(page, "Payment complete")


def test_a_payer_who_declines_may_try_again(
    opened: Opener, link: MakeLink, emulator: Emulator, look: Look
) -> None:
    page = opened(path_of(link(collect_name=False)), width=360, height=760)
    push(page)
    emulator.decline(emulator.transactions[0].dgs_reference, "Customer rejected the request")
    see(page, "The payment was not made")
    page.get_by_text("The request was declined on the phone.").wait_for()
    assert page.title() == "The payment was not made · Invoice #123"
    look(page, "pay-360-5-declined")
    page.get_by_role("button", name="Try again").click()
    assert page.get_by_label("Mobile money number").input_value() == "0789654321"


def test_a_payer_who_cancels_may_try_again(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    page = opened(path_of(link(collect_name=False)))
    push(page)
    page.get_by_role("button", name="Cancel the payment").click()
    page.get_by_role("button", name="Yes, cancel it").click()
    page.get_by_text("You cancelled it.").wait_for()
    page.get_by_role("button", name="Try again").click()
    push(page)
    assert [payment.status for payment in emulator.transactions] == ["failed", "pending"]


def test_a_flexible_amount_stays_within_its_limits(
    opened: Opener, link: MakeLink, emulator: Emulator, look: Look
) -> None:
    made = link(
        title="Donate to the school",
        amount_type="flexible",
        amount=None,
        min_amount=500,
        max_amount=20_000,
        collect_name=False,
        payment_types=None,
    )
    page = opened(path_of(made), width=360, height=760)
    page.get_by_role("button", name="Pay", exact=True).click()
    page.get_by_text("Enter the amount.").wait_for()
    page.get_by_text("Enter a Rwandan mobile number").wait_for()
    amount = page.get_by_label("Amount in RWF")
    amount.fill("25,000")
    page.locator(".dgspay-error", has_text="At most 20,000 RWF.").wait_for()
    look(page, "flexible-360-wrong")
    amount.fill("2500")
    page.locator(".dgspay-title", has_text="Pay 2,500 RWF").wait_for()
    page.get_by_label("Mobile money number").fill("+250 789 654 321")
    page.get_by_role("button", name="Pay 2,500 RWF").click()
    see(page, "Approve it on your phone")
    assert emulator.transactions[0].amount == Decimal(2500)


@pytest.mark.parametrize(
    ("way", "show", "row"),
    [
        ("USSD", "Show the code", "Code"),
        ("Bank transfer", "Show the account", "Reference"),
    ],
)
def test_what_is_paid_elsewhere_says_what_to_enter_there(
    opened: Opener, link: MakeLink, emulator: Emulator, *, way: str, show: str, row: str
) -> None:
    """And that it is simulated."""
    page = opened(path_of(link(payment_types=None, collect_name=False, collect_phone=False)))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("radio", name=way).check()
    page.get_by_role("button", name=show).click()
    page.get_by_text("This is simulated").wait_for()
    page.get_by_role("button", name=f"Copy: {row}").click()
    page.get_by_text(f"{row}: Copied").wait_for()
    payment = emulator.transactions[0]
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied in (f"*000*{payment.transaction_id}#", payment.dgs_reference)
    emulator.approve(payment.dgs_reference)
    see(page, "Payment complete")
    assert way in page.locator("dl").inner_text()


@pytest.mark.acceptance(49, "link-limits")
def test_a_link_that_cannot_be_paid_says_why(
    opened: Opener, link: MakeLink, emulator: Emulator, served: Served, look: Look
) -> None:
    closed, expired, used_up = link(), link(expires_at="2020-01-01 00:00:00"), link()
    emulator._engine.account.links[closed["id"]].archived = True
    emulator.pay_link(used_up["id"])
    words = {
        path_of(closed): "This link is closed",
        path_of(expired): "This link has expired",
        path_of(used_up): "This link is paid",
        "/generation/pay/nowhere": "There is no such payment link",
    }
    page = opened("/_emulator/static/icon.svg", width=360, height=640)
    for path, said in words.items():
        page.goto(f"{served.origin}{path}")
        page.get_by_role("heading", name=said).wait_for()
        assert said in page.title()
        assert page.get_by_role("button").count() == 0
        look(page, f"ended-360-{said.split()[-1].lower()}")


@pytest.mark.acceptance(49, "link-limits")
def test_the_last_use_lost_to_someone_else_is_said_and_not_paid(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    made = link(collect_name=False, max_uses=1)
    page = opened(path_of(made))
    page.get_by_label("Mobile money number").fill("0789654321")
    emulator.pay_link(made["id"])
    page.locator(SUBMIT).click()
    see(page, "This link is paid")
    assert len(emulator.transactions) == 1


def test_a_link_no_one_can_pay_says_so(opened: Opener, link: MakeLink) -> None:
    made = link(currency="USD", payment_types=["mobile_money"])
    page = opened(path_of(made), width=360, height=640)
    see(page, "This link cannot be paid online")
    assert page.get_by_role("button").count() == 0


@pytest.mark.acceptance(50, "hostile-page-text")
def test_titles_are_words_and_never_markup(opened: Opener, link: MakeLink) -> None:
    title = "<script>document.title='owned'</script>"
    page = opened(path_of(link(title=title, description='<img src=x onerror="alert(1)">')))
    see(page, "Your details")
    assert page.locator("h1").inner_text() == title
    assert page.title() == title
    assert page.locator("img").count() == 0


def test_a_logo_that_fails_gives_way_to_the_initial(
    opened: Opener, link: MakeLink, served: Served
) -> None:
    page = opened(path_of(link(logo_url=f"{served.origin}/_emulator/static/gone.svg")))
    page.locator("span.logo", has_text="I").wait_for()
    assert page.locator("img").count() == 0


def test_a_comma_never_multiplies_what_is_paid(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    made = link(
        amount_type="flexible", amount=None, currency="USD", min_amount=None, max_amount=None
    )
    page = opened(path_of(made))
    page.get_by_label("Your name").fill("Jane Doe")
    amount = page.get_by_label("Amount")
    amount.fill("1,050")
    enter_card(page, PIN_CARD)
    error = page.locator(".dgspay-error", has_text="Do you mean").inner_text()
    assert "1,050.00 USD or 1.05 USD?" in error.replace("\xa0", " ")
    assert not emulator.transactions
    amount.fill("10,50")
    assert page.locator(SUBMIT).inner_text().replace("\xa0", " ") == "Pay 10.50 USD"


def test_the_page_speaks_the_payers_language(
    opened: Opener, link: MakeLink, served: Served
) -> None:
    page = opened("/_emulator/static/icon.svg", width=360)
    page.set_extra_http_headers({"Accept-Language": "de, fr-RW;q=0.8, en;q=0.5"})
    page.goto(f"{served.origin}{path_of(link())}")
    see(page, "Vos coordonnées")
    page.locator(SUBMIT).click()
    page.get_by_text("Saisissez votre nom.").wait_for()
    assert page.evaluate("document.documentElement.lang") == "fr"


def test_a_payer_learns_which_cards_work(opened: Opener, link: MakeLink, look: Look) -> None:
    page = opened(path_of(link(collect_phone=False, collect_name=False)), width=360, height=760)
    enter_card(page, "4539578763621486")
    page.get_by_text("Only test cards work here, such as 4242 4242 4242 4242.").wait_for()
    page.get_by_text("Which cards work here?").click()
    page.get_by_text("declined: Insufficient funds").wait_for()
    look(page, "card-360-3-test-cards")
    assert page.locator(".helpers li").count() == 10
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    enter_card(page, page.locator(".helpers code").first.inner_text())
    see(page, "Payment complete")


def test_an_error_is_read_aloud_with_its_field(opened: Opener, link: MakeLink) -> None:
    from playwright.sync_api import expect

    made = link(amount=None, amount_type="flexible", min_amount=500, collect_address=True)
    page = opened(path_of(made))
    page.get_by_role("button", name="Pay", exact=True).click()
    for label, described in {
        "Amount in RWF": "Enter the amount. At least 500 RWF.",
        "Your name": "Enter your name.",
        "Address": "Enter the address.",
        "Mobile money number": "Enter a Rwandan mobile number, such as 0788 123 456. "
        "We send a request to this phone, and you approve it there.",
    }.items():
        expect(page.get_by_label(label)).to_have_accessible_description(described)
    expect(page.get_by_label("Amount in RWF")).to_be_focused()
