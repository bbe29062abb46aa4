"""Wrong uses that both type checkers must refuse: an ignore without an error is an error."""


# fmt: off

from __future__ import annotations

import aiohttp
import httpx

from dgspay import (
    AsyncDGSPay,
    Balances,
    BankRecipient,
    CallStatus,
    Charge,
    Customer,
    DGSPay,
    Operation,
    Outcome,
    PinRequired,
    errors,
)
from dgspay.payouts import AsyncPayouts, Pace
from dgspay.transports.aiohttp import AiohttpTransport
from dgspay.transports.httpx import HttpxTransport
from dgspay.webhooks import Delivery, PaymentSucceeded, WebhookReceiver

THANKS = "https://yourdomain.com/payment-success"


def blocking(dgs: DGSPay, customer: Customer, bank: BankRecipient) -> None:
    dgs.disbursements.create(amount=5.0, recipient=bank)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dgs.disbursements.create(recipient=bank)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dgs.disbursements.create(5, bank)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dgs.payment_links.archive("id", idempotencykey="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dgs.charges.card(amount=5000, customer=customer, card={"number": "4"}, redirect_url=THANKS)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dgs.charges.authorize_otp("dgs_1", 123456)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dgs.charges.authorize_pin("dgs_1", "1234")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dgs.charges.capture("dgs_1")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    dgs.disbursements.create(amount=5, recipient={"bank_key": "x"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dgs.payment_links.create(title="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    dgs.payment_links.update("id", title=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dgs.payment_links.create(title="x", amount_type="fix", amount=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dgs.payment_links.create(title="x", amount_type="fixed", amount=5, payment_types=["cash"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    dgs.transactions.list(status="paid")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    DGSPay.from_env(deadline="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    DGSPay.from_env(dead_line=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    DGSPay.from_env(environment="prod")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dgs.with_options(deadline=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dgs.with_options(account_number=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dgs.transactions.retrieve(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dgs.transactions.list(limit="20")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    dgs.balances.available(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    reference: str = dgs.charges.authorize_otp("dgs_1", "123456")  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    reference.upper()


async def asynchronous(dgs: AsyncDGSPay, customer: Customer) -> None:
    charge: Charge = dgs.charges.authorize_otp("dgs_1", "123456")  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    str(charge)
    await dgs.transactions.list()  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    for transaction in dgs.transactions.list():  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        str(transaction)
    await dgs.balances.available(currency=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await dgs.charges.wait("dgs_1", timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def frozen(charge: Charge, customer: Customer) -> None:
    charge.status = CallStatus.ACCEPTED  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    customer.phone = "1"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    PinRequired("text")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Customer("jane@example.com", "Jane", "Doe", "1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def errors_of_ones_own() -> None:
    errors.TransportError("no network", outcom=Outcome.NOT_SENT)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    errors.TransportError("no network", status=503)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    errors.NotFoundError("no such payment", status="404")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    errors.InsufficientFundsError("too little", path="amount")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    errors.OutcomeUnknownError("lost", likely_accepted="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def operations(dgs: DGSPay, operation: Operation[Charge]) -> None:
    one: Operation[Balances] = operation  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    dgs.execute(one)
    dgs.prepare("POST /charges")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def payouts(dgs: AsyncDGSPay) -> None:
    batches = AsyncPayouts(dgs)
    batches.open("salaries.csv", pase=Pace(concurrency=4))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    batches.open("salaries.csv", pace=4)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    batches.open("salaries.csv", repeat_days="7")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await batches.run("salaries.csv", limits=Pace())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def set_up() -> None:
    DGSPay(api_key="k")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    DGSPay("k", "a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    DGSPay(api_key="k", account_number="a", transport=HttpxTransport())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncDGSPay(api_key="k", account_number="a", transport=HttpxTransport.blocking())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncDGSPay(api_key="k", account_number="a", transport=HttpxTransport(httpx.Client()))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    DGSPay(api_key="k", account_number="a", transport=HttpxTransport(httpx.AsyncClient()))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    HttpxTransport(httpx.Client(), verify=False)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    HttpxTransport(aiohttp.ClientSession())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    HttpxTransport(library="requests")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    HttpxTransport.blocking(library="requests")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    DGSPay(api_key="k", account_number="a", transport=AiohttpTransport())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AiohttpTransport(aiohttp.ClientSession(), proxy="http://x")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    AsyncDGSPay(api_key="k", account_number="a", retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncDGSPay(api_key="k", account_number="a", timeout=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def webhooks(receiver: WebhookReceiver, delivery: Delivery, body: bytes) -> None:
    delivery.token.upper()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    delivery.token = "another"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    Delivery(path="/hooks/t", token="t")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    receiver.receive(body, None, "/hooks/t")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    receiver.receive(body, None, path=b"/hooks/t")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    receiver.receive(body, None, token=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    receiver.on(PaymentSucceeded)("paid")  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
