"""What type checkers say of every public call: checked by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_never, assert_type

import aiohttp
import httpx

from dgspay import (
    AddressRequired,
    ArchivedLink,
    AsyncDGSPay,
    AsyncPager,
    Balances,
    Bank,
    BankRecipient,
    BillingAddress,
    Charge,
    Conversion,
    ConversionPreview,
    Customer,
    DGSPay,
    Disbursement,
    EncryptedCard,
    EncryptedPin,
    MobileMoneyRecipient,
    NextAction,
    Operation,
    OtpRequired,
    Outcome,
    Page,
    Pager,
    PaymentLink,
    PaymentLinkDetails,
    PaymentStatus,
    PinRequired,
    RedirectRequired,
    Reply,
    Request,
    RetryPolicy,
    Scenario,
    Timeout,
    Transaction,
    UnknownAction,
    errors,
)
from dgspay.api import balances as balances_api
from dgspay.core.messages import Response
from dgspay.transports.aiohttp import AiohttpTransport
from dgspay.transports.base import AsyncTransport, Transport
from dgspay.transports.httpx import AsyncHttpxTransport, BlockingHttpxTransport, HttpxTransport
from dgspay.webhooks import (
    Delivery,
    PaymentFailed,
    PaymentSucceeded,
    WebhookReceiver,
    WebhookResponse,
)

THANKS = "https://yourdomain.com/payment-success"


async def asynchronous(
    dgs: AsyncDGSPay, customer: Customer, card: EncryptedCard, pin: EncryptedPin
) -> None:
    charge = await dgs.charges.mobile_money(
        amount=2000, customer=customer, network="MTN", phone="0789654321", redirect_url=THANKS
    )
    assert_type(charge, Charge)
    assert_type(
        await dgs.charges.card(
            amount=Decimal("94.50"),
            currency="USD",
            customer=customer,
            card=card,
            redirect_url=THANKS,
            scenario=Scenario.card(auth="pin", issuer="approved"),
        ),
        Charge,
    )
    assert_type(await dgs.charges.authorize_pin("dgs_1", pin), Charge)
    assert_type(await dgs.charges.authorize_pin("dgs_1", pin=pin), Charge)
    assert_type(await dgs.charges.authorize_otp("dgs_1", otp="123456"), Charge)
    address = BillingAddress(line1="123 Main Street", country="RW")
    assert_type(await dgs.charges.authorize_avs("dgs_1", address=address), Charge)
    assert_type(await dgs.charges.wait("dgs_1", timeout=5), Transaction)
    waiting: Coroutine[Any, Any, Transaction] = dgs.charges.wait("dgs_1")
    await waiting

    link = await dgs.payment_links.create(title="x", amount_type="flexible")
    assert_type(link, PaymentLink)
    assert_type(dgs.payment_links.list(), AsyncPager[PaymentLink])
    assert_type(await dgs.payment_links.retrieve(link.id), PaymentLinkDetails)
    assert_type(await dgs.payment_links.update(link.id, max_uses=None), PaymentLink)
    assert_type(await dgs.payment_links.archive(link.id), ArchivedLink)

    bank = BankRecipient(bank_key="kcb_rw", account_number="1234567890")
    wallet = MobileMoneyRecipient(msisdn="0788123456", network="MTN")
    assert_type(await dgs.disbursements.create(amount="10000", recipient=bank), Disbursement)
    assert_type(await dgs.disbursements.create(amount=5000, recipient=wallet), Disbursement)

    assert_type(await dgs.banks.list("RW"), list[Bank])
    assert_type(await dgs.balances.list(), Balances)
    assert_type(await dgs.balances.available("RWF"), Decimal)
    assert_type(
        await dgs.conversions.preview(from_currency="USD", to_currency="EUR", from_amount=100),
        ConversionPreview,
    )
    assert_type(
        await dgs.conversions.convert(from_currency="USD", to_currency="EUR", from_amount=100),
        Conversion,
    )

    pager = dgs.transactions.list(status=PaymentStatus.FAILED, prefetch=4)
    assert_type(pager, AsyncPager[Transaction])
    assert_type(pager.pages(), AsyncIterator[Page[Transaction]])
    assert_type(await pager.first_page(), Page[Transaction])
    async for transaction in pager:
        assert_type(transaction, Transaction)
    assert_type(await dgs.transactions.retrieve("dgs_1"), Transaction)

    operation = balances_api.list()
    assert_type(operation, Operation[Balances])
    assert_type(await dgs.execute(operation), Balances)
    assert_type(await dgs.reply(operation), Reply[Balances])
    assert_type((await dgs.reply(operation)).value, Balances)
    assert_type(dgs.prepare(operation), Request)
    async with AsyncDGSPay.from_env(deadline=5) as again:
        assert_type(again, AsyncDGSPay)


def blocking(dgs: DGSPay, customer: Customer, card: EncryptedCard, pin: EncryptedPin) -> None:
    charge = dgs.charges.mobile_money(
        amount=2000, customer=customer, network="MTN", phone="0789654321", redirect_url=THANKS
    )
    assert_type(charge, Charge)
    assert_type(
        dgs.charges.card(amount=5000, customer=customer, card=card, redirect_url=THANKS), Charge
    )
    assert_type(dgs.charges.authorize_pin("dgs_1", pin), Charge)
    assert_type(dgs.charges.authorize_otp("dgs_1", "123456"), Charge)
    address = BillingAddress(line1="123 Main Street", country="RW")
    assert_type(dgs.charges.authorize_avs("dgs_1", address), Charge)
    assert_type(dgs.charges.wait("dgs_1"), Transaction)

    assert_type(dgs.payment_links.create(title="x", amount_type="fixed", amount=5), PaymentLink)
    assert_type(dgs.payment_links.list(), Pager[PaymentLink])
    assert_type(dgs.payment_links.retrieve("id"), PaymentLinkDetails)
    assert_type(dgs.payment_links.update("id", title="y"), PaymentLink)
    assert_type(dgs.payment_links.archive("id"), ArchivedLink)

    bank = BankRecipient(bank_key="kcb_rw", account_number="1234567890")
    assert_type(dgs.disbursements.create(amount=10000, recipient=bank), Disbursement)
    assert_type(dgs.banks.list(), list[Bank])
    assert_type(dgs.balances.list(), Balances)
    assert_type(dgs.balances.available(), Decimal)
    assert_type(
        dgs.conversions.preview(from_currency="USD", to_currency="EUR", from_amount="94.50"),
        ConversionPreview,
    )
    assert_type(
        dgs.conversions.convert(from_currency="USD", to_currency="EUR", from_amount=100),
        Conversion,
    )

    pager = dgs.transactions.list(limit=20)
    assert_type(pager, Pager[Transaction])
    assert_type(pager.pages(), Iterator[Page[Transaction]])
    assert_type(pager.first_page(), Page[Transaction])
    for transaction in pager:
        assert_type(transaction, Transaction)
        assert_type(transaction.amount, Decimal | None)
    assert_type(dgs.transactions.retrieve("dgs_1"), Transaction)

    operation = balances_api.available("RWF")
    assert_type(dgs.execute(operation), Decimal)
    anything: Operation[object] = operation
    assert_type(dgs.prepare(anything), Request)
    assert_type(dgs.reply(operation), Reply[Decimal])
    with DGSPay.from_env() as again:
        assert_type(again, DGSPay)


def next_action(charge: Charge) -> str:
    """Every case of the union is handled, or `assert_never` is an error."""
    action = charge.next_action
    assert_type(action, NextAction | None)
    match action:
        case None:
            return "done"
        case PinRequired() | OtpRequired() | AddressRequired():
            return action.display_text or ""
        case RedirectRequired(url=url):
            assert_type(url, str)
            return url
        case UnknownAction(type=word):
            return word
        case _:
            assert_never(action)


def outcome(error: errors.DGSPayError) -> str:
    match error.outcome:
        case Outcome.COMPLETED | Outcome.NOT_SENT | Outcome.REJECTED:
            return "certain"
        case Outcome.UNKNOWN:
            return "in doubt"
        case _:
            assert_never(error.outcome)


def transports(own: httpx.Client, own_async: httpx.AsyncClient) -> None:
    asynchronous_one: AsyncTransport = HttpxTransport()
    asynchronous_two: AsyncTransport = HttpxTransport(own_async)
    blocking_one: Transport = HttpxTransport.blocking()
    blocking_two: Transport = HttpxTransport(own)
    AsyncDGSPay(api_key="k", account_number="a", transport=asynchronous_one)
    AsyncDGSPay(api_key="k", account_number="a", transport=asynchronous_two)
    DGSPay(api_key="k", account_number="a", transport=blocking_one)
    DGSPay(api_key="k", account_number="a", transport=blocking_two)
    DGSPay(
        api_key="k",
        account_number="a",
        environment="sandbox",
        retry=RetryPolicy(attempts=3, trust_idempotency=True),
        timeout=Timeout(connect=5, write=10, read=40, pool=5),
        deadline=100,
    )


async def what_transports_return(request: Request, own: httpx.Client) -> None:
    timeout = Timeout()
    assert_type(await HttpxTransport().send(request, timeout), Response)
    assert_type(HttpxTransport(own).send(request, timeout), Response)
    blocking_one = HttpxTransport.blocking(library="httpx2", max_connections=5)
    assert_type(blocking_one, BlockingHttpxTransport)
    assert_type(blocking_one.send(request, timeout), Response)
    assert_type(blocking_one.to_async(), AsyncHttpxTransport | None)


def aiohttp_transport(own: aiohttp.ClientSession) -> None:
    of_its_own: AsyncTransport = AiohttpTransport()
    borrowing: AsyncTransport = AiohttpTransport(own)
    AiohttpTransport(verify=True, trust_env=True, proxy="http://127.0.0.1:1", max_connections=5)
    AsyncDGSPay(api_key="k", account_number="a", transport=of_its_own)
    AsyncDGSPay(api_key="k", account_number="a", transport=borrowing)


def errors_of_ones_own(outcome: Outcome) -> None:
    errors.TransportError("no network", outcome=outcome, attempts=1, permanent=True)
    errors.NotFoundError("no such payment", status=404, error_code="92", operation="GET /x")
    errors.UndecodableOutcomeError("cut off", path="data[0]", status=200, likely_accepted=False)


def error_fields(error: errors.InsufficientFundsError) -> None:
    assert_type(error.available_balance, Decimal | None)
    assert_type(error.outcome, Outcome)
    assert_type(error.operation, str | None)
    assert_type(error.attempts, int)
    assert_type(error.idempotency_key, str | None)


def webhooks(receiver: WebhookReceiver, body: bytes) -> None:
    @receiver.on(PaymentSucceeded)
    async def paid(event: PaymentSucceeded, delivery: Delivery) -> None:
        assert_type(delivery.path, str | None)
        assert_type(delivery.token, str | None)
        assert_type(delivery.received_at, datetime)

    @receiver.on(PaymentFailed)
    def failed(event: PaymentFailed, connection: object, delivery: Delivery) -> int:
        return len(event.dgs_reference)

    # The decorator leaves the function as it is.
    event = PaymentFailed(dgs_reference="dgs_1", amount=Decimal(2000), currency="RWF")
    assert_type(failed(event, None, Delivery.of(None, None)), int)
    assert_type(receiver.receive(body, None), WebhookResponse)
    assert_type(receiver.receive(body, None, path="/hooks/t", token="t"), WebhookResponse)


async def webhooks_later(receiver: WebhookReceiver, body: bytes) -> None:
    assert_type(await receiver.areceive(body, None, path=None, token=None), WebhookResponse)
