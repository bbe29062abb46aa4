"""The story `dgspay demo` tells, step by step, against an emulator and over real HTTP.

Each line of Python it shows is a line of this file, word for word; a test holds that.
"""

from __future__ import annotations

import secrets
from decimal import Decimal
from functools import partial
from typing import Any, Final

import anyio
import attrs

from dgspay import (
    AsyncDGSPay,
    BankRecipient,
    Customer,
    DGSPay,
    Disbursement,
    MobileMoneyRecipient,
    PaymentStatus,
    PinRequired,
    Scenario,
    errors,
    webhooks,
)
from dgspay.cli.demo.mailbox import Mailbox
from dgspay.cli.demo.narrator import Entry, Narrator
from dgspay.cli.terminal import figure
from dgspay.emulator import Emulator
from dgspay.encryption import CardEncryptor

OPENING_BALANCE: Final = 200_000

_SHOP: Final = "https://shop.example/thanks"
_JANE: Final[dict[str, Any]] = {
    "customer": Customer(
        email="jane@example.com", first_name="Jane", last_name="Uwase", phone="0789654321"
    ),
    "network": "MTN",
    "redirect_url": _SHOP,
    "narration": "Invoice 5678",
}
_JOHN: Final[dict[str, Any]] = {
    "customer": Customer(
        email="john@example.com", first_name="John", last_name="Mugisha", phone="0788123456"
    ),
    "redirect_url": _SHOP,
    "narration": "Order 1234",
    "scenario": Scenario.card(auth="pin", issuer="approved"),
}
# A published test card. Here the demo is John's browser, which is where a card is encrypted.
_TYPED_BY_JOHN: Final[dict[str, Any]] = {
    "number": "4111111111111111",
    "expiry_month": 12,
    "expiry_year": 2030,
    "cvv": "123",
}
_PIN_TYPED_BY_JOHN: Final = "1234"
_ERIC: Final = MobileMoneyRecipient(msisdn="0788300400", network="MTN", name="Eric")
_SALARIES: Final[tuple[tuple[str, int, BankRecipient | MobileMoneyRecipient], ...]] = (
    (
        "Alice, Banque de Kigali",
        40_000,
        BankRecipient(bank_key="bk_rw", account_number="1234567890", name="Alice"),
    ),
    ("Bosco, MTN", 10_000, MobileMoneyRecipient(msisdn="0788200300", network="MTN", name="Bosco")),
    (
        "Chantal, Airtel",
        7_500,
        MobileMoneyRecipient(msisdn="0728100200", network="Airtel", name="Chantal"),
    ),
)


class DoesNotAddUpError(Exception):
    """The wallet does not hold what the webhooks said; the demo found a fault of ours."""


@attrs.define
class Story:
    """One telling: who takes part in it, and what the wallet went through so far."""

    emulator: Emulator
    dgs: DGSPay
    base_url: str
    callbacks: str
    mailbox: Mailbox
    narrator: Narrator
    entries: list[Entry] = attrs.field(factory=list)

    def tell(self) -> None:
        """Tell all of it.

        Raises:
            WebhookMissingError: a webhook did not come.
            DoesNotAddUpError: the wallet is not what it should be.
            DGSPayError: a call failed that should not have.
        """
        before = self.wallet_before()
        self.mobile_money()
        self.card_with_pin()
        self.payment_link()
        self.declined_payment()
        self.lost_answer()
        self.salaries()
        self.wallet_after(before)

    def wallet_before(self) -> Decimal:
        """Look at the wallet."""
        dgs = self.dgs
        self.narrator.step("What is in the wallet?")
        self.narrator.code('balance = dgs.balances.available("RWF")')
        balance = dgs.balances.available("RWF")
        self.narrator.good(f"The wallet holds {figure(balance)} RWF of simulated money.")
        return balance

    def mobile_money(self) -> None:
        """Collect from a mobile wallet: prompt, approval, webhook."""
        dgs, jane, phone = self.dgs, _JANE, "0789654321"
        self.narrator.step("Jane pays 5,000 RWF from her MTN wallet")
        self.narrator.code("charge = dgs.charges.mobile_money(amount=5000, phone=phone, **jane)")
        charge = dgs.charges.mobile_money(amount=5000, phone=phone, **jane)
        self.narrator.say(
            f"Jane's handset now asks for her PIN. Until she enters it, the charge "
            f"{charge.dgs_reference} is {charge.transaction_status}: nothing is paid yet."
        )
        with self.narrator.waiting("Jane enters her PIN ..."):
            event = self.mailbox.wait_for(webhooks.PaymentSucceeded, reference=charge.dgs_reference)
        self.narrator.code("event = webhooks.verify(body, signature, secret)")
        self.narrator.good(
            f"She did. A signed webhook came over HTTP, and its signature holds: {event.event}. "
            f"{self._collected('Jane, mobile money', event)}"
        )

    def card_with_pin(self) -> None:
        """Collect from a card whose issuer wants the PIN."""
        dgs, john, typed_by_john = self.dgs, _JOHN, _TYPED_BY_JOHN
        encryptor = CardEncryptor(self.emulator.encryption_key)
        self.narrator.step("John pays 12,000 RWF by card, and the bank asks for his PIN")
        self.narrator.code("card = encryptor.encrypt_card(**typed_by_john)")
        card = encryptor.encrypt_card(**typed_by_john)
        self.narrator.say(
            "John's browser encrypts the card (AES-256-GCM), so a shop never sees the number."
        )
        self.narrator.code("charge = dgs.charges.card(amount=12_000, card=card, **john)")
        charge = dgs.charges.card(amount=12_000, card=card, **john)
        match charge.next_action:
            case PinRequired():
                self.narrator.say("The answer says what John has to do next: PinRequired.")
            case other:
                raise DoesNotAddUpError(f"PinRequired was expected next, {other} came")
        pin = encryptor.encrypt_pin(_PIN_TYPED_BY_JOHN)
        self.narrator.code("charge = dgs.charges.authorize_pin(charge.dgs_reference, pin)")
        charge = dgs.charges.authorize_pin(charge.dgs_reference, pin)
        with self.narrator.waiting("The bank thinks about it ..."):
            event = self.mailbox.wait_for(webhooks.PaymentSucceeded, reference=charge.dgs_reference)
        self.narrator.good(f"The bank says yes. {self._collected('John, card', event)}")

    def payment_link(self) -> None:
        """Create a page to pay on, and have it paid."""
        dgs = self.dgs
        invoice: dict[str, Any] = {"title": "Invoice #123", "amount": 50_000, "max_uses": 1}
        self.narrator.step("An invoice of 50,000 RWF as a link, for a customer without an app")
        self.narrator.code('link = dgs.payment_links.create(amount_type="fixed", **invoice)')
        link = dgs.payment_links.create(amount_type="fixed", **invoice)
        self.narrator.say(f"This is all the customer needs: {link.url}")
        with self.narrator.waiting("A customer opens the link and pays ..."):
            self.emulator.pay_link(link.id)
            event = self.mailbox.wait_for(webhooks.PaymentSucceeded)
        status = dgs.payment_links.retrieve(link.id).link.status
        self.narrator.good(
            f"A customer paid it. {self._collected('Invoice #123, payment link', event)} "
            f"The link was good for one payment and is now {status}."
        )

    def declined_payment(self) -> None:
        """See that a no is a result."""
        # The emulator's phones that end in 9000001 have nothing in their wallet.
        dgs, jane, empty = self.dgs, _JANE, "0789000001"
        self.narrator.step("A customer has too little money")
        self.narrator.code("charge = dgs.charges.mobile_money(amount=3000, phone=empty, **jane)")
        charge = dgs.charges.mobile_money(amount=3000, phone=empty, **jane)
        if not charge.is_declined:
            raise DoesNotAddUpError(f"a declined charge is {charge.transaction_status}")
        self.entries.append(Entry("Declined payment", Decimal(3000), None, Decimal(0)))
        self.narrator.declined(
            f"Declined: {charge.processor_response}. That is an answer and not an exception; "
            "charge.is_declined is True, and the wallet is as it was."
        )

    def lost_answer(self) -> None:
        """Lose the answer to a payout, and find out what became of it."""
        dgs, eric, callback = self.dgs, _ERIC, self._unguessable_callback()
        key = "payout-eric-november"
        self.narrator.step("The connection breaks while Eric is being paid 25,000 RWF")
        self.emulator.faults.lose_answer("POST /disburse")
        self.narrator.code("dgs.disbursements.create(amount=25_000, recipient=eric, **options)")
        options: dict[str, Any] = {"callback_url": callback, "idempotency_key": key}
        try:
            dgs.disbursements.create(amount=25_000, recipient=eric, **options)
        except errors.OutcomeUnknownError as error:
            lost = error
        else:
            raise DoesNotAddUpError("the answer was to be lost, and it came")
        self.narrator.unknown(
            "OutcomeUnknownError: the request left and no answer came back. Eric may have the "
            "money, or not. A program that simply tries again here may pay him twice; dgspay "
            f"made {_times(lost.attempts)} and stops, with the idempotency key to ask about: "
            f"{lost.idempotency_key}."
        )
        with self.narrator.waiting("Waiting for what the webhook says ..."):
            event = self.mailbox.wait_for(
                webhooks.DisbursementSucceeded, path=callback.removeprefix(self.callbacks)
            )
        self._paid_out("Eric, MTN (answer lost)", event)
        self.narrator.say("The payout had a callback URL of its own, and there its webhook comes.")
        self.narrator.code("transaction = dgs.transactions.retrieve(event.dgs_reference)")
        transaction = dgs.transactions.retrieve(event.dgs_reference)
        times = sum(deed.idempotency_key == key for deed in self.emulator.executed)
        if times != 1 or transaction.status is not PaymentStatus.SUCCESSFUL:
            raise DoesNotAddUpError(f"there are {times} payouts to Eric, {transaction.status}")
        self.narrator.good(
            f"It did go through: {event.dgs_reference} is {transaction.status}, and the emulator's "
            "own books show one payout to Eric. Nobody was paid twice."
        )

    def salaries(self) -> None:
        """Pay three people at once, with the async client."""
        self.narrator.step("Three salaries at once, with the async client")
        self.narrator.code("await dgs.disbursements.create(amount=amount, recipient=recipient)")
        with self.narrator.waiting("Paying Alice, Bosco and Chantal ..."):
            queued = anyio.run(self._pay_salaries)
            for who, _, _ in _SALARIES:
                event = self.mailbox.wait_for(
                    webhooks.DisbursementSucceeded, reference=queued[who].dgs_reference
                )
                self._paid_out(who, event)
                self.narrator.good(
                    f"{who}: {figure(event.amount)} RWF sent, fee {figure(event.fee or Decimal(0))}"
                    f", so {figure(event.recipient_gets or Decimal(0))} arrive."
                )
        self.narrator.say(
            "The recipient bears the fee. To have exactly 10,000 arrive, send "
            "money.gross_for(10_000, fee=100)."
        )

    async def _pay_salaries(self) -> dict[str, Disbursement]:
        queued: dict[str, Disbursement] = {}

        async def pay(
            dgs: AsyncDGSPay, who: str, amount: int, recipient: BankRecipient | MobileMoneyRecipient
        ) -> None:
            queued[who] = await dgs.disbursements.create(amount=amount, recipient=recipient)

        client = AsyncDGSPay(
            api_key=self.emulator.api_key,
            account_number=self.emulator.account_number,
            environment="emulator",
            base_url=self.base_url,
        )
        async with client as dgs, anyio.create_task_group() as group:
            for who, amount, recipient in _SALARIES:
                group.start_soon(partial(pay, dgs, who, amount, recipient))
        return queued

    def wallet_after(self, before: Decimal) -> None:
        """Check that every franc is where the webhooks said it went."""
        dgs = self.dgs
        self.narrator.step("Does it all add up?")
        self.narrator.code('balance = dgs.balances.available("RWF")')
        balance = dgs.balances.available("RWF")
        expected = before + sum((entry.change for entry in self.entries), Decimal(0))
        self.narrator.statement(before, self.entries, expected)
        if balance != expected:
            raise DoesNotAddUpError(f"the wallet holds {balance} RWF instead of {expected}")
        self.narrator.good(f"The wallet holds {figure(balance)} RWF. It adds up to the franc.")

    def _collected(self, who: str, event: webhooks.PaymentSucceeded) -> str:
        """Note a collection, and say what it did to the wallet."""
        fee = event.merchant_fee or Decimal(0)
        net = event.amount - fee if event.net_amount is None else event.net_amount
        self.entries.append(Entry(who, event.amount, fee, net))
        return (
            f"{figure(event.amount)} RWF less a fee of {figure(fee)} put {figure(net)} "
            "in the wallet."
        )

    def _paid_out(self, who: str, event: webhooks.DisbursementSucceeded) -> None:
        self.entries.append(Entry(f"To {who}", event.amount, None, -event.amount))

    def _unguessable_callback(self) -> str:
        """Return a URL that only this payout's webhook can come to."""
        return f"{self.callbacks}/payout-{secrets.token_hex(8)}"


def _times(attempts: int) -> str:
    return "one attempt" if attempts == 1 else f"{attempts} attempts"
