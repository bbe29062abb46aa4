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


def path_of(link: dict[str, Any]) -> str:
    return f"/generation/pay/{link['slug']}"


def enter_card(page: Page, number: str) -> None:
    page.get_by_role("radio", name="Card").check()
    page.locator(".dgspay-field-number input").fill(number)
    page.locator(".dgspay-field-expiry input").fill("12/49")
    page.locator(".dgspay-field-cvv input").fill("987")
    page.locator(".dgspay-submit").click()


def test_a_link_is_paid_by_phone(
    opened: Opener, link: MakeLink, emulator: Emulator, served: Served, look: Look
) -> None:
    made = link(description="Two bags of coffee, delivered to Kimironko.", max_uses=None)
    page = opened("/_emulator/static/icon.svg", height=760)
    for width, scheme in SCREENS:
        look_as(page, width, scheme)
        page.goto(f"{served.origin}{path_of(made)}")
        look(page, f"pay-{width}-1-open")
        page.get_by_label("Your name").fill("Jane Doe")
        page.get_by_label("Mobile Money number").fill("0729 654 321")
        assert page.get_by_label("Airtel").is_checked()
        page.get_by_role("button", name="Pay 50,000 RWF").click()
        page.get_by_text("Check your phone").wait_for()
        look(page, f"pay-{width}-2-pending")
        payment = emulator.transactions[-1]
        assert (payment.phone, payment.network, payment.payer.first_name) == (
            "729654321",
            "Airtel",
            "Jane",
        )
        page.reload()
        page.get_by_text("Check your phone").wait_for()
        with page.context.expect_page() as handset:
            page.get_by_role("link", name="Open the simulated handset").click()
        handset.value.get_by_role("button", name="Approve").wait_for()
        look(handset.value, f"pay-{width}-3-handset")
        handset.value.get_by_role("button", name="Approve").click()
        page.get_by_text("Payment complete").wait_for()
        look(page, f"pay-{width}-4-paid")
        assert payment.status == "successful"
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
    # The payer may read for three seconds; the test does not wait for them.
    page.clock.install()
    for width, scheme in SCREENS:
        look_as(page, width, scheme)
        page.goto(f"{served.origin}{path_of(made)}")
        page.get_by_label("Your name").fill("Jane Doe")
        page.get_by_label("Address").fill("KN 4 Ave 12, Kigali")
        enter_card(page, PIN_CARD)
        page.get_by_text("Enter your card PIN").wait_for()
        look(page, f"card-{width}-1-pin")
        page.locator(".dgspay-field-pin input").fill("1234")
        page.locator(".dgspay-submit").click()
        page.get_by_text("Payment complete").wait_for()
        look(page, f"card-{width}-2-paid")
        page.clock.fast_forward(3000)
        page.wait_for_url(shop)
        payment = emulator.transactions[-1]
        assert (payment.status, payment.card_last4) == ("successful", PIN_CARD[-4:])
        assert payment.payer.address == "KN 4 Ave 12, Kigali"
    assert len(emulator.transactions) == len(SCREENS)
    assert not any(secret in body for body in sent for secret in (PIN_CARD, '"987"', '"1234"'))


@pytest.mark.parametrize(
    ("number", "heading", "label", "answer"),
    [
        ("4187427415564246", "Confirm it is you", "One-time code", "123456"),
        ("4556052704172643", "Billing address", "Street and number", "KN 4 Ave 12"),
    ],
)
def test_other_cards_ask_for_a_code_or_an_address(
    opened: Opener, link: MakeLink, *, number: str, heading: str, label: str, answer: str
) -> None:
    page = opened(path_of(link(collect_phone=False, collect_name=False)))
    enter_card(page, number)
    page.get_by_text(heading).wait_for()
    page.get_by_label(label).fill(answer)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Payment complete").wait_for()


def test_a_payer_who_declines_may_try_again(
    opened: Opener, link: MakeLink, emulator: Emulator, look: Look
) -> None:
    page = opened(path_of(link(collect_name=False)), width=360, height=760)
    page.get_by_label("Mobile Money number").fill("0789654321")
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("Check your phone").wait_for()
    emulator.decline(emulator.transactions[0].dgs_reference, "Customer rejected the request")
    page.get_by_text("Payment not made").wait_for()
    page.get_by_text("Customer rejected the request").wait_for()
    look(page, "pay-360-5-declined")
    page.get_by_role("button", name="Try again").click()
    page.get_by_label("Mobile Money number").wait_for()


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
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("Enter an amount.").wait_for()
    page.get_by_text("Enter a Rwandan mobile number").wait_for()
    page.get_by_label("Amount in RWF").fill("25,000")
    page.get_by_text("The most is 20,000 RWF.").wait_for()
    look(page, "flexible-360-wrong")
    page.get_by_label("Amount in RWF").fill("2500")
    page.get_by_label("Mobile Money number").fill("+250 789 654 321")
    page.get_by_role("button", name="Pay 2,500 RWF").click()
    page.get_by_text("Check your phone").wait_for()
    assert emulator.transactions[0].amount == Decimal(2500)


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
        path_of(used_up): "Already paid",
        "/generation/pay/nowhere": "There is no such payment link",
    }
    page = opened("/_emulator/static/icon.svg", width=360, height=640)
    for path, said in words.items():
        page.goto(f"{served.origin}{path}")
        page.get_by_text(said).wait_for()
        assert page.get_by_role("button").count() == 0
        look(page, f"ended-360-{said.split()[-1].lower()}")


@pytest.mark.acceptance(49, "link-limits")
def test_the_last_use_lost_to_someone_else_is_said_and_not_paid(
    opened: Opener, link: MakeLink, emulator: Emulator
) -> None:
    made = link(collect_name=False, max_uses=1)
    page = opened(path_of(made))
    emulator.pay_link(made["id"])
    page.get_by_label("Mobile Money number").fill("0789654321")
    page.get_by_role("button", name="Pay").click()
    page.get_by_text("Already paid").wait_for()
    assert len(emulator.transactions) == 1


def test_a_link_no_one_can_pay_says_so(opened: Opener, link: MakeLink) -> None:
    made = link(currency="USD", payment_types=["mobile_money"])
    page = opened(path_of(made), width=360, height=640)
    page.get_by_text("This link cannot be paid").wait_for()
    assert page.get_by_role("button").count() == 0


@pytest.mark.acceptance(50, "hostile-page-text")
def test_titles_are_words_and_never_markup(opened: Opener, link: MakeLink) -> None:
    title = "<script>document.title='owned'</script>"
    page = opened(path_of(link(title=title, description='<img src=x onerror="alert(1)">')))
    assert page.locator("h1").inner_text() == title
    assert page.title() == title
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
    page.get_by_text("Do you mean 1,050 USD or 1.05 USD?").wait_for()
    assert not emulator.transactions
    amount.fill("10,50")
    assert page.locator(".dgspay-submit").text_content() == "Pay 10.50 USD"
