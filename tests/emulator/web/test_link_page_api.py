"""What a payment link's page may ask, as a payer's browser and as who wants more than that does."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from tests.emulator.emulator_calls import LINK, NONCE, credentials, sealed

JANE = "jane-0123456789abcdef"
JOHN = "john-0123456789abcdef"

PIN_CARD = "4000000000003055"
PHONE = {"phone": "0788 123 456", "network": "MTN", "name": "Jane Uwase"}


@attrs.frozen
class PayersPage:
    """A payer's page of one link, which knows the token that it has drawn."""

    client: httpx.Client
    emulator: Emulator
    slug: str
    token: str

    def ask(self, action: str = "", **body: Any) -> httpx.Response:
        path = f"http://127.0.0.1/generation/pay/{self.slug}/order"
        headers = {"DGSPay-Order": self.slug, "DGSPay-Page-Token": self.token}
        if not action:
            return self.client.get(path, headers=headers)
        return self.client.post(f"{path}/{action}", json=body, headers=headers)

    def shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.ask().json()
        return shown

    def pay_by_card(self, number: str = PIN_CARD, **more: Any) -> httpx.Response:
        card = {
            "card_encrypted_number": sealed(self.emulator, number),
            "card_encrypted_expiry_month": sealed(self.emulator, "12"),
            "card_encrypted_expiry_year": sealed(self.emulator, "2028"),
            "card_encrypted_cvv": sealed(self.emulator, "123"),
            "card_nonce": NONCE,
        }
        return self.ask("card", **{"name": "Jane Uwase", "phone": "0788123456", **card, **more})

    def as_of(self, token: str) -> PayersPage:
        return attrs.evolve(self, token=token)


@pytest.fixture
def emulator(clock: VirtualClock) -> Iterator[Emulator]:
    """Nothing settles by itself."""
    with Emulator(clock=clock, seed=7, settle_after=None) as emulator:
        yield emulator


def page_of(client: httpx.Client, emulator: Emulator, **terms: Any) -> PayersPage:
    """Make a link, and open its page."""
    asked = {**LINK, "payment_types": None, "max_uses": None, **terms}
    given = {name: value for name, value in asked.items() if value is not None}
    answer = client.post("/payment-links", json=given)
    assert answer.status_code == 200, answer.text
    return PayersPage(client, emulator, answer.json()["link"]["slug"], JANE)


def refusal(answer: httpx.Response) -> tuple[int, str, str | None]:
    body = answer.json()
    return answer.status_code, body["error"], body["field"]


def test_a_request_is_shown_to_the_page_that_sent_it_and_to_no_other(
    client: httpx.Client, emulator: Emulator
) -> None:
    page = page_of(client, emulator)
    assert page.ask("mobile-money", **PHONE).status_code == 200
    shown = page.shown()
    assert (shown["order"]["state"], shown["next_action"]["type"]) == ("paying", "approval")
    assert shown["attempt"]["phone"] == "…456"
    other = page.as_of(JOHN).shown()
    assert (other["order"]["state"], other["attempt"], other["order"]["payer"]) == (
        "open",
        None,
        None,
    )


@pytest.mark.parametrize("phone", ["0788123456", "+250 788 123 456"])
def test_no_second_request_is_sent_while_one_is_out(
    client: httpx.Client, emulator: Emulator, phone: str
) -> None:
    """Neither from the same page, nor to the same number from another one."""
    page = page_of(client, emulator)
    page.ask("mobile-money", **PHONE)
    for each in (page, page.as_of(JOHN)):
        answer = each.ask("mobile-money", **{**PHONE, "phone": phone})
        assert answer.json()["order"]["state"] == "paying"
    assert len(emulator.transactions) == 1
    page.as_of(JOHN).ask("mobile-money", **{**PHONE, "phone": "0788000000"})
    assert len(emulator.transactions) == 1


def test_a_link_that_is_paid_once_shows_every_device_what_is_under_way_and_no_name(
    client: httpx.Client, emulator: Emulator
) -> None:
    page = page_of(client, emulator, max_uses=1)
    page.ask("mobile-money", **PHONE)
    other = page.as_of(JOHN)
    assert other.shown()["attempt"]["reference"] == emulator.transactions[0].dgs_reference
    assert other.shown()["order"]["payer"] is None
    assert page.shown()["order"]["payer"] == "Jane Uwase"
    emulator.approve(emulator.transactions[0].dgs_reference)
    assert other.shown()["order"]["state"] == "paid"
    assert refusal(page.as_of("late-0123456789abcdef").ask()) == (410, "link_paid", None)


def test_the_last_use_of_several_is_not_anothers_to_see(
    client: httpx.Client, emulator: Emulator
) -> None:
    page = page_of(client, emulator, max_uses=2)
    emulator.pay_link(page.slug)
    page.ask("mobile-money", **PHONE)
    other = page.as_of(JOHN)
    assert other.shown()["attempt"] is None
    answer = other.ask("mobile-money", **{**PHONE, "phone": "0788000000"})
    assert refusal(answer) == (409, "link_taken", None)


def test_a_request_that_ran_out_gives_way_to_another(
    client: httpx.Client, emulator: Emulator, clock: VirtualClock
) -> None:
    """The one that ran out can then be approved no more: who pays again pays once."""
    page = page_of(client, emulator, max_uses=1)
    page.ask("mobile-money", **PHONE)
    clock.advance(299)
    page.ask("mobile-money", **PHONE)
    assert len(emulator.transactions) == 1
    clock.advance(1)
    assert page.ask("mobile-money", **PHONE).json()["attempt"]["number"] == 2
    first, second = emulator.transactions
    assert (first.status, second.status) == ("failed", "pending")
    with pytest.raises(ValueError, match="ended already"):
        emulator.approve(first.dgs_reference)


def test_a_card_that_waits_for_its_payer_is_given_up_for_another_way_only_when_asked(
    client: httpx.Client, emulator: Emulator
) -> None:
    page = page_of(client, emulator, max_uses=1)
    assert page.pay_by_card().json()["next_action"] == {"type": "pin"}
    page.ask("mobile-money", **PHONE)
    page.ask("mobile-money", **PHONE, instead_of=2)
    assert len(emulator.transactions) == 1
    assert page.ask("mobile-money", **PHONE, instead_of=1).json()["attempt"]["number"] == 2
    assert [payment.status for payment in emulator.transactions] == ["failed", "pending"]
    # A request on a handset cannot be taken back.
    page.pay_by_card(instead_of=2)
    assert len(emulator.transactions) == 2


def test_what_is_given_up_stays_where_the_other_way_is_refused(
    client: httpx.Client, emulator: Emulator
) -> None:
    page = page_of(client, emulator)
    page.pay_by_card()
    answer = page.ask("mobile-money", **{**PHONE, "phone": "12"}, instead_of=1)
    assert refusal(answer) == (422, "invalid", "phone")
    assert page.shown()["next_action"] == {"type": "pin"}


def test_a_step_is_taken_once_and_for_the_attempt_that_the_page_has_seen(
    client: httpx.Client, emulator: Emulator
) -> None:
    page = page_of(client, emulator)
    attempt = page.pay_by_card().json()["attempt"]
    pin = {"auth_pin_encrypted": sealed(emulator, "1234"), "auth_pin_nonce": NONCE}
    seen = {"attempt": attempt["number"], "step": attempt["step"]}
    for wrong in ({"attempt": 2}, {"step": 0}, {"attempt": None}):
        assert refusal(page.ask("pin", **pin, **{**seen, **wrong})) == (409, "step_over", None)
    assert refusal(page.ask("otp", otp="123456", **seen)) == (409, "step_over", None)
    assert refusal(page.as_of(JOHN).ask("pin", **pin, **seen)) == (409, "step_over", None)
    assert page.ask("pin", **pin, **seen).json()["order"]["state"] == "paid"
    assert refusal(page.ask("pin", **pin, **seen)) == (409, "step_over", None)


def test_who_has_paid_is_not_charged_again(client: httpx.Client, emulator: Emulator) -> None:
    page = page_of(client, emulator)
    page.pay_by_card("4242424242424242")
    assert refusal(page.pay_by_card("4242424242424242")) == (409, "order_closed", None)
    assert len(emulator.transactions) == 1


def test_what_is_under_way_can_be_cancelled_and_begun_again(
    client: httpx.Client, emulator: Emulator
) -> None:
    page = page_of(client, emulator, max_uses=1)
    assert page.shown()["order"]["is_cancellable"] is False
    assert page.ask("mobile-money", **PHONE).json()["order"]["is_cancellable"] is True
    cancelled = page.ask("cancel").json()
    assert (cancelled["order"]["state"], cancelled["attempt"]["reason"]) == ("open", "cancelled")
    assert refusal(page.ask("cancel")) == (409, "step_over", None)
    assert page.ask("mobile-money", **PHONE).json()["order"]["state"] == "paying"


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"expires_at": "2020-01-01 00:00:00"}, "link_expired"),
        ({}, "link_closed"),
    ],
)
def test_a_link_that_has_ended_takes_no_new_payment(
    client: httpx.Client, emulator: Emulator, terms: dict[str, Any], code: str
) -> None:
    page = page_of(client, emulator, **terms)
    if code == "link_closed":
        link = client.get("/payment-links").json()["data"][0]["id"]
        client.delete(f"/payment-links/{link}")
    assert refusal(page.ask()) == (410, code, None)
    assert refusal(page.ask("mobile-money", **PHONE)) == (410, code, None)
    assert not emulator.transactions


@pytest.mark.parametrize("amount", ["", "0", "-5", "499", "20001", "500.5", "1e3", "x", None, 500])
def test_an_amount_that_the_link_does_not_take_is_refused(
    client: httpx.Client, emulator: Emulator, amount: object
) -> None:
    flexible = {"amount_type": "flexible", "amount": None, "min_amount": 500, "max_amount": 20_000}
    page = page_of(client, emulator, **flexible)
    assert page.shown()["order"]["amount"] is None
    answer = page.ask("mobile-money", **PHONE, amount=amount)
    assert refusal(answer) == (422, "invalid", "amount")
    assert not emulator.transactions


@pytest.mark.parametrize("terms", [{"amount": 100.5}, {"amount": None, "min_amount": 0.5}])
def test_francs_with_a_fraction_are_refused_for_any_link(
    client: httpx.Client, terms: dict[str, Any]
) -> None:
    kind = "fixed" if terms["amount"] else "flexible"
    given = {name: value for name, value in {**LINK, **terms, "amount_type": kind}.items() if value}
    answer = client.post("/payment-links", json=given)
    assert answer.status_code == 400
    assert "finer than the smallest coin of RWF" in answer.json()["message"]
    assert client.post("/payment-links", json={**given, "currency": "USD"}).status_code == 200


@pytest.mark.parametrize(
    ("phone", "kept"),
    [
        ("0788 123 456", ("250", "788123456")),
        ("+254 712 345 678", ("254", "712345678")),
        ("001 415 555 0132", ("1", "4155550132")),
        ("+33 6 12 34 56 78", ("33", "612345678")),
    ],
)
def test_who_pays_by_card_may_have_a_number_from_anywhere(
    client: httpx.Client, emulator: Emulator, phone: str, kept: tuple[str, str]
) -> None:
    page = page_of(client, emulator)
    assert page.pay_by_card(phone=phone).status_code == 200
    payer = emulator.transactions[0].payer
    assert (payer.phone_country_code, payer.phone) == kept


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": 5}, "name"),
        ({"phone": "712345678"}, "phone"),
        ({"card_nonce": "short"}, None),
    ],
)
def test_what_is_missing_or_wrong_is_named_by_a_code(
    client: httpx.Client, emulator: Emulator, change: dict[str, Any], field: str | None
) -> None:
    page = page_of(client, emulator)
    assert refusal(page.pay_by_card(**change)) == (422, "invalid", field)
    assert not emulator.transactions


def test_a_card_that_is_no_test_card_is_named_by_a_code(
    client: httpx.Client, emulator: Emulator
) -> None:
    answer = page_of(client, emulator).pay_by_card("4539578763621486")
    assert refusal(answer) == (422, "not_a_test_card", None)


@pytest.mark.parametrize("token", ["", "short", "x" * 101, "jane 0123456789abcdef"])
def test_a_page_without_a_token_of_its_own_is_shown_nothing(
    client: httpx.Client, emulator: Emulator, token: str
) -> None:
    page = page_of(client, emulator).as_of(token)
    assert refusal(page.ask()) == (404, "unknown_order", None)
    assert refusal(page.ask("mobile-money", **PHONE)) == (404, "unknown_order", None)


def test_what_is_no_request_of_a_page_is_refused(client: httpx.Client, emulator: Emulator) -> None:
    page = page_of(client, emulator)
    assert refusal(attrs.evolve(page, slug="nowhere").ask()) == (404, "unknown_link", None)
    assert refusal(page.ask("refund")) == (404, "unknown_path", None)
    path = f"http://127.0.0.1/generation/pay/{page.slug}/order/cancel"
    headers = {"DGSPay-Page-Token": JANE}
    assert refusal(client.post(path, json=[], headers=headers)) == (400, "not_an_object", None)
    foreign = {**headers, "Origin": "https://evil.example", "Host": "127.0.0.1"}
    assert client.post(path, json={}, headers=foreign).status_code == 401


@pytest.mark.parametrize(("action", "kind"), [("ussd", "dial"), ("bank-transfer", "transfer")])
def test_what_is_paid_elsewhere_is_marked_as_simulated(
    client: httpx.Client, emulator: Emulator, action: str, kind: str
) -> None:
    page = page_of(client, emulator)
    shown = page.ask(action, name="Jane Uwase", phone="0788123456").json()
    assert (shown["next_action"]["type"], shown["next_action"]["is_simulated"]) == (kind, True)


def test_a_page_that_outlives_the_emulator_finds_its_payment_again(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    for count in (0, 1):
        with Emulator(settle_after=None, state=path) as emulator, emulator.http_client() as client:
            client.headers.update(credentials(emulator))
            if count == 0:
                page = page_of(client, emulator)
                page.ask("mobile-money", **PHONE)
            else:
                page = PayersPage(client, emulator, "invoice-123", JANE)
            assert page.shown()["attempt"]["number"] == 1
            assert page.shown()["order"]["state"] == "paying"
            assert emulator.transactions[0].amount == Decimal(50000)
