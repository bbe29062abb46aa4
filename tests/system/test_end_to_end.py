"""Every call of both clients against the emulator: what a shop does from morning to evening."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from dgspay import (
    AddressRequired,
    AsyncDGSPay,
    BankRecipient,
    BillingAddress,
    Customer,
    DGSPay,
    EncryptedCard,
    MobileMoneyRecipient,
    OtpRequired,
    Outcome,
    PaymentMethod,
    PaymentStatus,
    PinRequired,
    RedirectRequired,
    Scenario,
    errors,
)
from dgspay.api.payment_links import UNSET
from dgspay.emulator import Emulator
from dgspay.encryption import CardEncryptor
from dgspay.money import gross_for

JOHN = Customer(
    email="john.doe@example.com", first_name="John", last_name="Doe", phone="+250 788 123 456"
)
THANKS = "https://shop.example/thanks"
ERIC = MobileMoneyRecipient(msisdn="0788123456", network="mtn", name="Eric")


class Both:
    """One way to write a story for both clients: `await go(...)` whatever the client is."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def __call__(self, path: str, *args: Any, **kwargs: Any) -> Any:
        area, _, name = path.partition(".")
        result = getattr(getattr(self.client, area), name)(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    async def rows(self, path: str, **kwargs: Any) -> list[Any]:
        area, _, name = path.partition(".")
        pager = getattr(getattr(self.client, area), name)(**kwargs)
        if hasattr(pager, "__aiter__"):
            return [row async for row in pager]
        return list(pager)


@pytest.fixture(params=["blocking", "async"])
def go(request: pytest.FixtureRequest, dgs: DGSPay, async_dgs: AsyncDGSPay) -> Both:
    return Both(dgs if request.param == "blocking" else async_dgs)


@pytest.fixture
def encryptor(emulator: Emulator) -> CardEncryptor:
    return CardEncryptor(emulator.encryption_key)


@pytest.fixture
def card(encryptor: CardEncryptor) -> Callable[[], EncryptedCard]:
    return lambda: encryptor.encrypt_card(
        number="4111 1111 1111 1111", expiry_month=12, expiry_year=2030, cvv="123"
    )


def mobile_money(**more: Any) -> dict[str, Any]:
    return {
        "amount": 2000,
        "customer": JOHN,
        "network": "MTN",
        "phone": "0788123456",
        "redirect_url": THANKS,
        **more,
    }


pytestmark = pytest.mark.anyio


async def test_mobile_money_from_prompt_to_wallet(go: Both, emulator: Emulator) -> None:
    before = await go("balances.available", "RWF")
    charge = await go("charges.mobile_money", **mobile_money(narration="Order 7"))
    assert charge.transaction_status is PaymentStatus.PENDING
    assert not charge.is_complete
    paid = await go("charges.wait", charge.dgs_reference, timeout=60, interval=0.01)
    assert paid.is_paid
    assert paid.amount == 2000
    assert await go("balances.available", "RWF") == before + 2000 - 60
    assert [deed.idempotency_key for deed in emulator.executed] != [None]


async def test_each_scenario_of_mobile_money_ends_as_its_name_says(go: Both) -> None:
    approved = await go(
        "charges.mobile_money", **mobile_money(scenario=Scenario.mobile_money("auth_pin"))
    )
    assert approved.is_complete
    redirect = await go("charges.mobile_money", **mobile_money(scenario="scenario:auth_redirect"))
    match redirect.next_action:
        case RedirectRequired(url=url):
            assert url.startswith("http://127.0.0.1")
        case other:
            pytest.fail(f"a redirect was expected, {other} came")


async def test_a_declined_payment_is_a_result(go: Both, emulator: Emulator) -> None:
    charge = await go("charges.mobile_money", **mobile_money())
    emulator.decline(charge.dgs_reference, "Insufficient funds")
    found = await go("transactions.retrieve", charge.dgs_reference)
    assert found.status is PaymentStatus.FAILED
    assert found.processor_response == "Insufficient funds"


async def test_a_card_through_pin(
    go: Both, encryptor: CardEncryptor, card: Callable[[], EncryptedCard]
) -> None:
    charge = await go(
        "charges.card",
        amount=5000,
        currency="RWF",
        customer=JOHN,
        card=card(),
        redirect_url=THANKS,
        scenario=Scenario.card(auth="pin", issuer="approved"),
    )
    assert charge.next_action == PinRequired(display_text=charge.display_text)
    done = await go(
        "charges.authorize_pin", charge.dgs_reference, pin=encryptor.encrypt_pin("1234")
    )
    assert done.is_complete


@pytest.mark.parametrize(
    ("issuer", "complete"),
    [
        ("approved", True),
        ("insufficient_funds", False),
        ("incorrect_pin", False),
        ("expired_card", False),
        ("invalid_cvv", False),
        ("do_not_honor", False),
        ("system_error", False),
    ],
)
async def test_a_card_through_pin_and_otp(
    go: Both,
    encryptor: CardEncryptor,
    card: Callable[[], EncryptedCard],
    issuer: Any,
    complete: bool,
) -> None:
    charge = await go(
        "charges.card",
        amount="50.00",
        currency="USD",
        customer=JOHN,
        card=card(),
        redirect_url=THANKS,
        scenario=Scenario.card(auth="pin_3ds", issuer=issuer),
    )
    reference = charge.dgs_reference
    charge = await go("charges.authorize_pin", reference, pin=encryptor.encrypt_pin("1234"))
    if charge.next_action is not None:
        assert isinstance(charge.next_action, OtpRequired)
        charge = await go("charges.authorize_otp", reference, otp="123456")
    assert charge.is_complete is complete
    assert charge.is_declined is not complete
    if not complete:
        assert charge.processor_response


async def test_a_card_through_the_billing_address(
    go: Both, card: Callable[[], EncryptedCard]
) -> None:
    charge = await go(
        "charges.card",
        amount=5000,
        customer=JOHN,
        card=card(),
        redirect_url=THANKS,
        scenario="issuer:approved&scenario:auth_avs",
    )
    assert isinstance(charge.next_action, AddressRequired)
    home = BillingAddress(line1="KN 4 Ave 12", city="Kigali", country="RW")
    assert (await go("charges.authorize_avs", charge.dgs_reference, address=home)).is_complete


async def test_the_life_of_a_payment_link(go: Both, emulator: Emulator) -> None:
    link = await go(
        "payment_links.create",
        title="Invoice #123",
        amount_type="fixed",
        amount=50_000,
        payment_types=["card", PaymentMethod.MOBILE_MONEY],
        max_uses=3,
        expires_at=datetime(2036, 12, 31, 23, 59, 59),  # noqa: DTZ001 - the API's are naive
        metadata={"order": 7},
    )
    assert link.url.endswith("/invoice-123")
    assert link.payment_types == (PaymentMethod.CARD, PaymentMethod.MOBILE_MONEY)

    emulator.pay_link(link.id)
    details = await go("payment_links.retrieve", link.id)
    assert details.link.use_count == 1
    assert details.stats.total_collected == 50_000
    assert details.recent_charges[0].amount == Decimal(50_000)
    assert details.recent_charges[0].status is PaymentStatus.SUCCESSFUL
    (sold,) = await go.rows("transactions.list", payment_link_id=link.id)
    assert (await go("transactions.retrieve", sold.id)).payment_link_id == link.id

    changed = await go("payment_links.update", link.id, title="Invoice 123", max_uses=None)
    assert (changed.title, changed.max_uses, changed.amount) == ("Invoice 123", None, 50_000)
    assert repr(UNSET) == "UNSET"

    flexible = await go(
        "payment_links.create", title="Gift", amount_type="flexible", min_amount=100, max_amount=900
    )
    listed = await go.rows("payment_links.list", limit=1)
    assert {row.id for row in listed} == {link.id, flexible.id}

    archived = await go("payment_links.archive", link.id)
    assert archived.status == "success"
    assert (await go("payment_links.retrieve", link.id)).link.status == "archived"
    with pytest.raises(errors.NotFoundError):
        await go("payment_links.retrieve", "nothing")


async def test_a_payout_is_sent_looked_up_and_taken_from_the_balance(
    go: Both, emulator: Emulator
) -> None:
    banks = {bank.bank_key: bank for bank in await go("banks.list", "RW")}
    assert banks["bk_rw"].name == "Banque de Kigali"
    assert any(bank.branch_required for bank in banks.values())

    before = emulator.balance("RWF")
    sent = await go(
        "disbursements.create",
        amount=gross_for(10_000, fee=100),
        recipient=BankRecipient(bank_key="bk_rw", account_number="1234567890", name="John Doe"),
        narration="Vendor payment",
        callback_url="https://shop.example/payouts/7",
    )
    assert sent.status == "success"
    assert sent.recipient_gets == 10_000
    assert emulator.balance("RWF") == before - 10_100

    failing = await go(
        "disbursements.create",
        amount=5000,
        recipient=ERIC,
        scenario=Scenario.transfer("successful"),
    )
    assert failing.destination_type == "mobile_money"
    with pytest.raises(errors.InsufficientFundsError) as caught:
        await go("disbursements.create", amount=10**9, recipient=ERIC)
    assert caught.value.required == 10**9
    assert caught.value.outcome is Outcome.REJECTED


async def test_a_lost_answer_is_never_sent_again(go: Both, emulator: Emulator) -> None:
    emulator.faults.lose_answer("POST /disburse")
    with pytest.raises(errors.OutcomeUnknownError) as caught:
        await go("disbursements.create", amount=5000, recipient=ERIC, idempotency_key="november-7")
    assert caught.value.idempotency_key == "november-7"
    assert caught.value.attempts == 1
    assert len(emulator.executed) == 1


async def test_99_is_tried_again_under_the_same_key(go: Both, emulator: Emulator) -> None:
    emulator.faults.fail_next("POST /disburse", error_code="99", times=2)
    await go("disbursements.create", amount=5000, recipient=ERIC)
    keys = {arrival.headers["idempotency-key"] for arrival in emulator.requests}
    assert len(emulator.requests) == 3
    assert len(keys) == 1
    assert len(emulator.executed) == 1


WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    "POST /charges": ("charges.mobile_money", mobile_money()),
    "POST /disburse": ("disbursements.create", {"amount": 5000, "recipient": ERIC}),
    "POST /convert": (
        "conversions.convert",
        {"from_currency": "usd", "to_currency": "EUR", "from_amount": "100"},
    ),
    "POST /payment-links": (
        "payment_links.create",
        {"title": "Invoice", "amount_type": "fixed", "amount": 500, "currency": "RWF"},
    ),
}


@pytest.mark.acceptance(29, "same-bytes-again", 59, "conflict-on-own-key")
@pytest.mark.parametrize("route", WRITES)
async def test_what_a_balancer_sends_on_twice_is_done_once_under_one_key(
    go: Both, emulator: Emulator, route: str
) -> None:
    call, arguments = WRITES[route]
    emulator.faults.send_on_twice(route)
    await go(call, **arguments)
    assert len(emulator.executed) == 1
    assert len(emulator.requests) == 2
    assert emulator.requests[0].headers == emulator.requests[1].headers
    assert emulator.requests[0].body == emulator.requests[1].body


@pytest.mark.acceptance(59, "conflict-on-own-key")
@pytest.mark.parametrize("route", WRITES)
async def test_under_the_callers_key_a_conflict_is_raised_at_once(
    go: Both, emulator: Emulator, route: str
) -> None:
    call, arguments = WRITES[route]
    emulator.faults.send_on_twice(route)
    with pytest.raises(errors.IdempotencyError) as caught:
        await go(call, **arguments, idempotency_key="order-7")
    assert caught.value.attempts == 1
    assert len(emulator.executed) == 1


@pytest.mark.acceptance(59, "conflict-on-own-key")
async def test_an_otp_sent_on_twice_is_spent_once(
    go: Both, emulator: Emulator, card: Callable[[], EncryptedCard]
) -> None:
    charge = await go(
        "charges.card",
        amount=5000,
        customer=JOHN,
        card=card(),
        redirect_url=THANKS,
        scenario=Scenario.card(auth="3ds", issuer="approved"),
    )
    assert isinstance(charge.next_action, OtpRequired)
    emulator.faults.send_on_twice("POST /authorize")
    done = await go("charges.authorize_otp", charge.dgs_reference, "123456")
    assert done.is_complete
    assert [deed.operation for deed in emulator.executed] == ["POST /charges", "POST /authorize"]


async def test_the_callers_key_is_replayed_or_refused(go: Both, emulator: Emulator) -> None:
    first = await go("disbursements.create", amount=5000, recipient=ERIC, idempotency_key="one")
    again = await go("disbursements.create", amount=5000, recipient=ERIC, idempotency_key="one")
    assert again == first
    with pytest.raises(errors.IdempotencyError):
        await go("disbursements.create", amount=6000, recipient=ERIC, idempotency_key="one")
    assert len(emulator.executed) == 1


async def test_a_conversion_is_previewed_made_and_taken_from_the_balance(go: Both) -> None:
    order = {"from_currency": "usd", "to_currency": "EUR", "from_amount": "100"}
    preview = await go("conversions.preview", **order)
    assert preview.to_amount == Decimal("94.50")
    before = await go("balances.available", "USD")
    conversion = await go("conversions.convert", **order)
    assert conversion.dgs_conversion_ref
    assert (await go("balances.list"))["USD"].available_balance == before - 100


async def test_every_filter_of_the_transactions(go: Both, emulator: Emulator) -> None:
    references = []
    for amount, decide in (
        (100, emulator.decline),
        (200, emulator.approve),
        (300, emulator.approve),
    ):
        charge = await go("charges.mobile_money", **mobile_money(amount=amount))
        decide(charge.dgs_reference)
        references.append(charge.dgs_reference)
    assert len(await go.rows("transactions.list", status="failed")) == 1
    assert len(await go.rows("transactions.list", status=PaymentStatus.SUCCESSFUL)) == 2
    assert [
        row.dgs_reference for row in await go.rows("transactions.list", dgs_reference=references[1])
    ] == [references[1]]
    found = await go("transactions.retrieve", references[2])
    by_provider = await go.rows("transactions.list", flw_reference=found.flw_reference)
    assert [row.dgs_reference for row in by_provider] == [references[2]]
    newest_first = await go.rows("transactions.list", limit=1, prefetch=3)
    assert [row.amount for row in newest_first] == [300, 200, 100]
