"""Orders, their attempts, problems and refunds: frozen values, as a store returns them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs

from dgspay.models.customers import Customer
from dgspay.models.next_actions import (
    AddressRequired,
    NextAction,
    OtpRequired,
    PinRequired,
    RedirectRequired,
)
from dgspay.models.recipients import BankRecipient, MobileMoneyRecipient

__all__ = [
    "AddressRequired",
    "ApprovalRequired",
    "Attempt",
    "AttemptAction",
    "AttemptState",
    "Method",
    "Order",
    "OrderState",
    "OtpRequired",
    "PinRequired",
    "Problem",
    "ProblemKind",
    "RedirectRequired",
    "Refund",
    "RefundState",
    "StepUnknown",
]


class OrderState(enum.StrEnum):
    """The state of an order. A late payment of one that is closed is a problem beside it."""

    OPEN = "open"
    """Nothing is under way: it can be paid."""
    PAYING = "paying"
    """An attempt is under way."""
    PAID = "paid"
    """Paid in full, once."""
    EXPIRED = "expired"
    """Its time is over, and no attempt had paid it when DGS-Pay was asked."""
    CANCELLED = "cancelled"
    """The shop or the payer gave it up."""


class AttemptState(enum.StrEnum):
    """The state of one attempt to pay an order."""

    IN_DOUBT = "in doubt"
    """It may have left, and no usable answer came: it may be paid."""
    PENDING = "pending"
    """DGS-Pay has it, and will say how it ends."""
    WAITING = "waiting for the payer"
    """The payer has to do something: `Attempt.next_action`."""
    PAID = "paid"
    """Paid, in the order's amount and currency."""
    FAILED = "failed"
    """Declined, rejected or never sent: nothing was collected."""
    HELD = "held"
    """What is reported of it does not fit the order: a person decides."""


class Method(enum.StrEnum):
    """The means of payment of an attempt."""

    MOBILE_MONEY = "mobile_money"
    CARD = "card"
    UNKNOWN = "unknown"
    """It began before the store was restored from a backup, and is known by its webhook alone."""


class ProblemKind(enum.StrEnum):
    """The kind of thing a person has to look at."""

    PAID_TWICE = "paid_twice"
    """A second attempt of a paid order was paid, too. Refund it."""
    WRONG_AMOUNT = "wrong_amount"
    """An amount or currency other than the order's was paid. Accept it, or refund it."""
    PAID_LATE = "paid_late"
    """It was paid after it had expired or been cancelled. Accept it, or refund it."""
    CONTRADICTED = "contradicted"
    """What is reported of a payment contradicts what was reported before."""
    IN_DOUBT = "in_doubt"
    """It has been in doubt for longer than the stated time. Look it up in the portal."""
    HANDLER_FAILING = "handler_failing"
    """A handler has failed as often as it is tried. Mend it, and replay the order."""
    REFUND_HELD = "refund_held"
    """The answer of a refund was lost. Look it up in the portal before another one is made."""


class RefundState(enum.StrEnum):
    """The state of a refund."""

    IN_DOUBT = "in doubt"
    """It may have left, and no usable answer came: it is never sent again by itself."""
    PENDING = "pending"
    """DGS-Pay has queued it."""
    PAID = "paid"
    """It has arrived."""
    FAILED = "failed"
    """It was rejected, or never sent: the payer got nothing back."""


@attrs.frozen(kw_only=True)
class ApprovalRequired:
    """The payer approves the prompt on the handset; it is gone at `until`.

    Attributes:
        until: Unix time at which a new attempt may begin.
    """

    until: float


@attrs.frozen(kw_only=True)
class StepUnknown:
    """A step was submitted, its answer was lost, and a look-up cannot say which step is next.

    The safe way on is to wait: a webhook or a look-up says how the attempt ends, and at `until`
    another one may begin. Nothing is to be submitted again.

    Attributes:
        until: Unix time at which a new attempt may begin.
    """

    until: float


AttemptAction = NextAction | ApprovalRequired | StepUnknown
"""What comes next for an attempt, for `match`."""


@attrs.frozen(kw_only=True)
class Attempt:
    """One try to pay an order.

    Attributes:
        number: 1 for an order's first.
        method: How it is paid.
        state: See `AttemptState`.
        is_under_way: Whether it is the attempt that keeps another from beginning. One whose
            prompt is gone is watched to its end, but no longer under way.
        dgs_reference: DGS-Pay's reference, once it is known.
        next_action: What DGS-Pay asks of the payer; see `Order.next_action` for all cases.
        step: Number of the step that `next_action` is: what a page submits names it.
        reason: Why it failed or is held, as a code for programs (`not_sent`, `rejected:90`, …);
            kept where it was paid after all.
        network: The wallet's network.
        phone: The number that got the prompt.
        asked_at: Unix time at which it was written down, before its first byte left.
        stale_at: Unix time at which its prompt is gone, and another attempt may begin.
        amount: What was paid, where that is known.
        currency: Its currency.
        has_lost_step: Whether the answer to a step that was submitted was lost.
    """

    number: int
    method: Method
    state: AttemptState = AttemptState.IN_DOUBT
    is_under_way: bool = True
    dgs_reference: str | None = None
    next_action: NextAction | None = None
    step: int = 0
    reason: str | None = None
    network: str | None = None
    phone: str | None = attrs.field(default=None, repr=False)
    asked_at: float = 0.0
    stale_at: float = 0.0
    amount: Decimal | None = None
    currency: str | None = None
    has_lost_step: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is expected of it by itself."""
        return self.state in (AttemptState.PAID, AttemptState.FAILED, AttemptState.HELD)


@attrs.frozen(kw_only=True)
class Problem:
    """Something that a person, or `refund`, has to put right.

    Attributes:
        kind: See `ProblemKind`; each says its way out.
        attempt: Number of the attempt it is about, or of the refund for `REFUND_HELD`.
        detail: One sentence for the people of the shop.
        noted_at: Unix time.
        resolution: How it was resolved, or None while it is open.
        key: Its number in the store.
        order_id: The order's id, where a handler is given it.
    """

    kind: ProblemKind
    attempt: int | None
    detail: str
    noted_at: float = 0.0
    resolution: str | None = None
    key: int | None = None
    order_id: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has not been resolved."""
        return self.resolution is None


@attrs.frozen(kw_only=True)
class Refund:
    """Money sent back for an order, by a disbursement.

    Attributes:
        number: 1 for an order's first.
        amount: What the payer gets back, in the order's currency.
        gross: What is taken from the wallet: `amount`, and the fee where that was asked for.
        state: See `RefundState`.
        attempt: The attempt it pays back.
        recipient: Where it goes.
        dgs_reference: DGS-Pay's reference, once it is known.
        reason: Why it failed.
        note: The shop's own reason.
        asked_at: Unix time at which it was written down, before its first byte left.
    """

    number: int
    amount: Decimal
    gross: Decimal
    state: RefundState = RefundState.IN_DOUBT
    attempt: int
    recipient: BankRecipient | MobileMoneyRecipient = attrs.field(repr=False)
    dgs_reference: str | None = None
    reason: str | None = None
    note: str | None = None
    asked_at: float = 0.0

    @property
    def is_settled(self) -> bool:
        """Whether it is known how it ended."""
        return self.state in (RefundState.PAID, RefundState.FAILED)


@attrs.frozen(kw_only=True)
class Order:
    """What a shop wants to be paid for once.

    Attributes:
        id: The shop's own.
        amount: In `currency`.
        currency: ISO 4217 code.
        customer: Who pays.
        description: Short text for the payer.
        metadata: The shop's own, text by text.
        redirect_url: Where the payer goes after a step outside of the shop's page.
        state: See `OrderState`.
        attempts: All of them, oldest first.
        problems: All of them, oldest first; `open_problems` are those to look at.
        refunds: All of them, oldest first.
        created_at: Unix time.
        expires_at: Unix time, or None.
        paid_at: Unix time at which it became paid, or None.
        told_at: Unix time at which the handler of `on_paid` was through, or None.
        page_token: What a payer's page shows to act for this order, and for no other.
        key: Its number in the store.
    """

    id: str
    amount: Decimal
    currency: str
    customer: Customer = attrs.field(repr=False)
    description: str | None = None
    metadata: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    redirect_url: str | None = None
    state: OrderState = OrderState.OPEN
    attempts: tuple[Attempt, ...] = ()
    problems: tuple[Problem, ...] = ()
    refunds: tuple[Refund, ...] = ()
    created_at: float = 0.0
    expires_at: float | None = None
    paid_at: float | None = None
    told_at: float | None = None
    page_token: str = attrs.field(default="", repr=False)
    key: int = 0

    @property
    def is_paid(self) -> bool:
        """Whether it is paid: deliver."""
        return self.state is OrderState.PAID

    @property
    def is_closed(self) -> bool:
        """Whether no attempt may begin any more."""
        return self.state in (OrderState.PAID, OrderState.EXPIRED, OrderState.CANCELLED)

    @property
    def under_way(self) -> Attempt | None:
        """The attempt that keeps another one from beginning, or None."""
        return next((attempt for attempt in self.attempts if attempt.is_under_way), None)

    @property
    def attempt(self) -> Attempt | None:
        """The attempt that paid it, or is under way, or was the last."""
        paid = (attempt for attempt in self.attempts if attempt.state is AttemptState.PAID)
        last = self.attempts[-1] if self.attempts else None
        return next(paid, None) or self.under_way or last

    @property
    def next_action(self) -> AttemptAction | None:
        """What comes next for the attempt under way, or None where nothing is."""
        attempt = self.under_way
        if attempt is None or attempt.is_settled:
            return None
        if attempt.next_action is not None:
            return attempt.next_action
        if attempt.has_lost_step:
            return StepUnknown(until=attempt.stale_at)
        if attempt.method is Method.MOBILE_MONEY:
            return ApprovalRequired(until=attempt.stale_at)
        return StepUnknown(until=attempt.stale_at)

    @property
    def open_problems(self) -> tuple[Problem, ...]:
        """The problems that were not resolved."""
        return tuple(problem for problem in self.problems if problem.is_open)

    @property
    def collected(self) -> Decimal:
        """What all of its attempts have collected, in `currency`: what refunds may not exceed."""
        return sum((self.collected_by(each.number) for each in self.attempts), Decimal(0))

    @property
    def refunded(self) -> Decimal:
        """What was sent back or may have been, in `currency`."""
        kept = (refund.amount for refund in self.refunds if refund.state is not RefundState.FAILED)
        return sum(kept, Decimal(0))

    @property
    def expires(self) -> datetime | None:
        """`expires_at` as an aware datetime, in UTC."""
        return None if self.expires_at is None else datetime.fromtimestamp(self.expires_at, UTC)

    def collected_by(self, number: int) -> Decimal:
        """Return what one attempt has collected, in `currency`; 0 where that is another.

        Raises:
            LookupError: there is none of this number.
        """
        attempt = self.numbered(number)
        if attempt.amount is None:
            return self.amount if attempt.state is AttemptState.PAID else Decimal(0)
        is_counted = attempt.state in (AttemptState.PAID, AttemptState.HELD)
        is_ours = (attempt.currency or "").upper() == self.currency
        return attempt.amount if is_counted and is_ours else Decimal(0)

    def numbered(self, number: int) -> Attempt:
        """Return an attempt by its number.

        Raises:
            LookupError: there is none.
        """
        for attempt in self.attempts:
            if attempt.number == number:
                return attempt
        raise LookupError(f"order {self.id!r} has no attempt {number}")

    def terms(self) -> dict[str, Any]:
        """Return what may not change when the order is opened again."""
        return {
            "amount": self.amount,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "metadata": dict(self.metadata),
            "redirect_url": self.redirect_url,
        }
