"""Records of the emulator: payments, disbursements, conversions, links and executed calls."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from dgspay.models.enums import ConversionStatus, PaymentMethod, PaymentStatus


@attrs.frozen
class Decline:
    """Reason of a declined payment, in the guide's three fields."""

    processor_response: str
    issuer_response_code: str = "05"
    issuer_response_type: str = "declined"


# There may be a hundred thousand payers, payments and executed calls: no weak references.
@attrs.frozen(weakref_slot=False)
class Payer:
    """A payer."""

    email: str
    first_name: str
    last_name: str
    phone: str | None = None
    phone_country_code: str | None = None
    address: str | None = None


@attrs.define(eq=False, weakref_slot=False)
class Payment:
    """One collection, by mobile money or card; `GET /transactions` calls it a transaction."""

    id: str
    dgs_reference: str
    flw_reference: str
    method: PaymentMethod
    amount: Decimal
    currency: str
    payer: Payer
    created_at: float
    status: PaymentStatus = PaymentStatus.PENDING
    redirect_url: str | None = None
    callback_url: str | None = None
    narration: str | None = None
    network: str | None = None
    phone: str | None = None
    card_brand: str | None = None
    card_last4: str | None = None
    link_id: str | None = None
    payer_token: str | None = None
    """Token of the page of a link on which it was begun: the payer's browser keeps it."""
    awaits: tuple[str, ...] = ()
    """Steps still to authorize, in order: `pin`, `otp`, `avs`."""
    verdict: Decline | None = None
    """The decline the payment gets when it settles; None when it will succeed."""
    settled_at: float | None = None
    merchant_fee: Decimal = Decimal(0)

    # What follows from the rest is not stored: there may be a hundred thousand payments.

    @property
    def transaction_id(self) -> str:
        """The number in its reference (guide, "Response Format")."""
        return self.dgs_reference.removeprefix("dgs_")

    @property
    def net_amount(self) -> Decimal:
        """Net amount for the merchant."""
        if self.status is PaymentStatus.SUCCESSFUL:
            return self.amount - self.merchant_fee
        return Decimal(0)


@attrs.define(eq=False)
class Disbursement:
    """One transfer out of the wallet. `amount` is gross: the recipient gets it less `fee`."""

    id: str
    dgs_reference: str
    flw_transfer_id: int
    amount: Decimal
    fee: Decimal
    currency: str
    destination_type: str
    recipient: Mapping[str, str]
    created_at: float
    status: PaymentStatus = PaymentStatus.PENDING
    narration: str | None = None
    callback_url: str | None = None
    verdict: str | None = None
    """The `fail_reason` the transfer gets when it settles; None when it will succeed."""
    proof: str | None = None
    settled_at: float | None = None

    @property
    def recipient_gets(self) -> Decimal:
        """Amount that arrives: the gross amount less the fee."""
        return self.amount - self.fee


@attrs.define(eq=False)
class Conversion:
    """One exchange of wallet money between two currencies."""

    dgs_reference: str
    from_currency: str
    from_amount: Decimal
    to_currency: str
    to_amount: Decimal
    rate: Decimal
    created_at: float
    status: ConversionStatus = ConversionStatus.PROCESSING
    fail_reason: str | None = None
    settled_at: float | None = None

    @property
    def rate_display(self) -> str:
        """The rate for people, such as `1 USD = 0.9450 EUR`."""
        return f"1 {self.from_currency} = {self.rate:.4f} {self.to_currency}"


@attrs.define(eq=False)
class Link:
    """One payment link with the payments made through it, oldest first."""

    id: str
    slug: str
    terms: Mapping[str, Any]
    """The fields of the create request, checked, as the link shows them."""
    created_at: float
    archived: bool = False
    used: int = 0
    """Count of successful payments (guide: `use_count`)."""
    held: int = 0
    """Count of pending payments: each holds a use until it fails."""
    payments: list[Payment] = attrs.field(factory=list, repr=False)
    payers: dict[str, list[Payment]] = attrs.field(factory=dict, repr=False)
    """Payments that each payer's page has begun or was shown, oldest first, by its token."""

    def add(self, payment: Payment) -> None:
        """Remember a payment, also as that of the page on which it was begun."""
        self.payments.append(payment)
        if payment.payer_token is not None:
            self.payers.setdefault(payment.payer_token, []).append(payment)


@attrs.frozen(weakref_slot=False)
class ExecutedCall:
    """Something the emulator really did: the truth to compare a client's claims with.

    Attributes:
        operation: The call as a route template, such as `POST /disburse`.
        reference: The `dgs_reference` of what was made or changed, or the id of the link.
        amount: What moves, where money does; gross for a disbursement.
        currency: ISO 4217 code of `amount`.
        recipient: Account number or msisdn of a disbursement.
        idempotency_key: The key the call came with.
        at: Seconds since 1970, by the emulator's clock.
    """

    operation: str
    reference: str
    at: float
    amount: Decimal | None = None
    currency: str | None = None
    recipient: str | None = None
    idempotency_key: str | None = None


@attrs.frozen
class Due:
    """Moment at which something settles by itself, seconds since 1970."""

    moment: float


@attrs.frozen
class Event:
    """A webhook to send: its payload and where it goes (None: nowhere, it is only recorded)."""

    payload: Mapping[str, Any]
    url: str | None
    account_number: str
    secret: str = attrs.field(default="", repr=False)
    """The account's. No state file has it: there, an event waits to be announced anew."""
    number: int = 0
    """Its key in a state file, from when it arose until it was recorded."""
