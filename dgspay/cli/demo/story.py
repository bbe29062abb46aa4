"""The story of `dgspay demo`, to be read from top to bottom as an example.

`tell.code()` shows the line of Python that follows it, `tell.say(...)` a sentence.
"""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any

import anyio

from dgspay import AsyncDGSPay, BankRecipient, Customer, DGSPay, MobileMoneyRecipient, webhooks
from dgspay.cli.demo.inbox import DemoError, Inbox
from dgspay.cli.demo.narrator import Narrator, Row
from dgspay.cli.terminal import figure
from dgspay.emulator import Emulator
from dgspay.encryption import CardEncryptor
from dgspay.errors import OutcomeUnknownError


def play(  # noqa: PLR0915 - a script, from top to bottom
    dgs: DGSPay, emulator: Emulator, inbox: Inbox, tell: Narrator
) -> None:
    """Collect, pay out and add up; the emulator and the inbox are the world around the shop.

    Raises:
        DemoError: something came out otherwise than it must.
        DGSPayError: a call failed that should not have.
    """
    tell.step("What is in the wallet?")
    tell.code()
    balance = dgs.balances.available("RWF")
    tell.say(f"✓ The wallet holds {figure(balance)} RWF of simulated money.")
    before, statement = balance, list[Row]()

    tell.step("Jane pays 5,000 RWF from her MTN wallet")
    phone, shop = "0789654321", "https://shop.example/thanks"
    buyer = Customer(email="jane@example.com", first_name="Jane", last_name="Uwase", phone=phone)
    jane: dict[str, Any] = {"customer": buyer, "network": "MTN", "redirect_url": shop}
    tell.code()
    charge = dgs.charges.mobile_money(amount=5000, phone=phone, **jane)
    tell.say(
        "Jane's handset now asks for her PIN. Until she enters it, the charge "
        f"{charge.dgs_reference} is {charge.transaction_status}: nothing is paid yet."
    )
    with tell.waiting("Jane enters her PIN ..."):
        event = inbox.wait_for(webhooks.PaymentSucceeded, charge.dgs_reference)
    tell.code("event = webhooks.verify(body, signature, secret)")
    tell.say(
        f"✓ She did. A signed webhook came over HTTP, and its signature holds: {event.event}. "
        f"{collected('Jane, mobile money', event, statement)}"
    )

    tell.step("John pays 12,000 RWF by card, and the bank asks for his PIN")
    buyer = Customer(email="john@example.com", first_name="John", last_name="Mugisha", phone=phone)
    john: dict[str, Any] = {"customer": buyer, "redirect_url": shop}
    # Published for tests. The demo is John's browser here, which is where a card is encrypted.
    typed: dict[str, Any] = {"number": "4000000000003055", "cvv": "123", "expiry_month": 12}
    encryptor = CardEncryptor(emulator.encryption_key)
    tell.code()
    card = encryptor.encrypt_card(**typed, expiry_year=2030)
    tell.say("John's browser encrypts the card (AES-256-GCM), so a shop never sees the number.")
    tell.code()
    charge = dgs.charges.card(amount=12_000, card=card, **john)
    tell.say(f"The answer says what John has to do next: {type(charge.next_action).__name__}.")
    pin = encryptor.encrypt_pin("1234")
    tell.code()
    charge = dgs.charges.authorize_pin(charge.dgs_reference, pin)
    with tell.waiting("The bank thinks about it ..."):
        event = inbox.wait_for(webhooks.PaymentSucceeded, charge.dgs_reference)
    tell.say(f"✓ The bank says yes. {collected('John, card', event, statement)}")

    tell.step("An invoice of 50,000 RWF as a link, for a customer without an app")
    invoice: dict[str, Any] = {"title": "Invoice #123", "amount": 50_000, "max_uses": 1}
    tell.code()
    link = dgs.payment_links.create(amount_type="fixed", **invoice)
    tell.say(f"This is all the customer needs: {link.url}")
    with tell.waiting("A customer opens the link and pays ..."):
        payment = emulator.pay_link(link.id)
        event = inbox.wait_for(webhooks.PaymentSucceeded, payment.dgs_reference)
    status = dgs.payment_links.retrieve(link.id).link.status
    tell.say(
        f"✓ A customer paid it. {collected('Invoice #123, payment link', event, statement)} "
        f"The link was good for one payment and is now {status}."
    )

    tell.step("A customer has too little money")
    phone = "0789000001"  # one of the emulator's phones with nothing in their wallet
    tell.code()
    charge = dgs.charges.mobile_money(amount=3000, phone=phone, **jane)
    expect(charge.is_declined, f"the charge is {charge.transaction_status}")
    statement.append(("Declined payment", Decimal(3000), None, Decimal(0)))
    tell.say(
        f"✗ Declined: {charge.processor_response}. That is an answer and not an exception; "
        "charge.is_declined is True, and the wallet is as it was."
    )

    tell.step("The connection breaks while Eric is being paid 25,000 RWF")
    eric = MobileMoneyRecipient(msisdn="0788300400", network="MTN", name="Eric")
    # Only the webhook of this payout can come to a path that nothing else knows.
    path, key = f"/payout-{secrets.token_hex(8)}", "payout-eric-november"
    options = {"callback_url": inbox.url + path, "idempotency_key": key}
    emulator.faults.lose_answer("POST /disburse")
    try:
        tell.code()
        dgs.disbursements.create(amount=25_000, recipient=eric, **options)
    except OutcomeUnknownError as error:
        tell.say(
            "? OutcomeUnknownError: the request left and no answer came back. Eric may have the "
            "money, or not. A program that simply tries again here may pay him twice; dgspay "
            f"stops, with the idempotency key to ask about: {error.idempotency_key}."
        )
    with tell.waiting("Waiting for what the webhook says ..."):
        sent = inbox.wait_for(webhooks.DisbursementSucceeded, path)
    statement.append(("To Eric, MTN (answer lost)", sent.amount, None, -sent.amount))
    tell.say("The payout had a callback URL of its own, and there its webhook comes.")
    tell.code()
    transaction = dgs.transactions.retrieve(sent.dgs_reference)
    times = sum(call.idempotency_key == key for call in emulator.executed)
    expect(times == 1 and transaction.is_paid, f"{times} payouts to Eric, {transaction.status}")
    tell.say(
        f"✓ It did go through: {sent.dgs_reference} is {transaction.status}, and the emulator's "
        "own books show one payout to Eric. Nobody was paid twice."
    )

    tell.step("Three salaries at once, with the async client")
    tell.code("await dgs.disbursements.create(amount=amount, recipient=recipient)")
    with tell.waiting("Paying Alice, Bosco and Chantal ..."):
        names = anyio.run(pay_salaries)
        for _ in names:
            sent = inbox.wait_for(webhooks.DisbursementSucceeded, *names)
            name, fee = names[str(sent.dgs_reference)], sent.fee or Decimal(0)
            statement.append((f"To {name}", sent.amount, None, -sent.amount))
            tell.say(
                f"✓ {name}: {figure(sent.amount)} RWF sent, fee {figure(fee)}, "
                f"so {figure(sent.amount - fee)} arrive."
            )
    tell.say(
        "The recipient bears the fee. To have exactly 10,000 arrive, send "
        "money.gross_for(10_000, fee=100)."
    )

    tell.step("Does it all add up?")
    tell.code()
    balance = dgs.balances.available("RWF")
    after = before + sum(change for *_, change in statement)
    tell.statement(before, statement, after)
    expect(balance == after, f"the wallet holds {balance} RWF instead of {after}")
    tell.say(f"✓ The wallet holds {figure(balance)} RWF. It adds up to the franc.")

    tell.title("What next")
    tell.say("Keep a DGS-Pay running on this machine, to build against:")
    tell.command("dgspay emulator")
    tell.say("Look around in it, with the variables it prints:")
    tell.command("dgspay transactions list")
    tell.say("With your sandbox keys from the merchant portal, check them:")
    tell.command("dgspay doctor")


async def pay_salaries() -> dict[str, str]:
    """Pay three people at once, and return their names by the references of the payouts."""
    names: dict[str, str] = {}

    async def pay(amount: int, recipient: BankRecipient | MobileMoneyRecipient, name: str) -> None:
        queued = await dgs.disbursements.create(amount=amount, recipient=recipient)
        names[str(queued.dgs_reference)] = name

    alice = BankRecipient(bank_key="bk_rw", account_number="1234567890", name="Alice")
    bosco = MobileMoneyRecipient(msisdn="0788200300", network="MTN", name="Bosco")
    chantal = MobileMoneyRecipient(msisdn="0728100200", network="Airtel", name="Chantal")
    async with AsyncDGSPay.from_env() as dgs, anyio.create_task_group() as group:
        group.start_soon(pay, 40_000, alice, "Alice, Banque de Kigali")
        group.start_soon(pay, 10_000, bosco, "Bosco, MTN")
        group.start_soon(pay, 7_500, chantal, "Chantal, Airtel")
    return names


def collected(what: str, event: webhooks.PaymentSucceeded, statement: list[Row]) -> str:
    """Add a line to the statement, and return the sentence about it."""
    amount, fee = event.amount, event.merchant_fee or Decimal(0)
    statement.append((what, amount, fee, amount - fee))
    net = figure(amount - fee)
    return f"{figure(amount)} RWF less a fee of {figure(fee)} put {net} in the wallet."


def expect(met: bool, otherwise: str) -> None:
    """Stop the demo where something is not as it must be."""
    if not met:
        raise DemoError(otherwise)
