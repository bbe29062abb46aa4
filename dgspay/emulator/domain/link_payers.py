"""One payer's page of a payment link: what was begun on it, and when another payment may begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.records import Decline, Link, Payment
from dgspay.models.enums import PaymentMethod, PaymentStatus

PROMPT_SECONDS: Final = 300.0
"""How long a payer has to approve a request on the handset."""

CANCELLED: Final = Decline("Customer cancelled the payment")
TIMED_OUT: Final = Decline("Request timed out")
REPLACED: Final = Decline("Customer chose another way to pay")

_STEP_SECONDS: Final = 86_400.0
_TAKEN_BY_PAYER: Final = (PaymentMethod.USSD, PaymentMethod.BANK_TRANSFER)


@attrs.frozen
class LinkPayer:
    """A payer's page of a link, known by the token that the payer's browser keeps.

    Two tabs and a page that is loaded anew have one token, and show one payment.
    """

    account: Account
    link: Link
    token: str

    @property
    def payments(self) -> Sequence[Payment]:
        """What was begun on this page or is shown on it, oldest first."""
        return self.link.payers.get(self.token, ())

    @property
    def latest(self) -> Payment | None:
        """The payment that the page shows."""
        return self.payments[-1] if self.payments else None

    @property
    def under_way(self) -> Payment | None:
        """The payment that has not ended."""
        latest = self.latest
        return latest if latest is not None and _is_pending(latest) else None

    def adopt(self, payment: Payment) -> None:
        """Show a payment that was begun on another page."""
        self.link.payers.setdefault(self.token, []).append(payment)

    def adopt_single(self) -> None:
        """Show what is under way on a link that is paid once, whichever device began it."""
        if self.link.terms["max_uses"] == 1 and self.link.held and self.under_way is None:
            self.adopt(next(filter(_is_pending, reversed(self.link.payments))))

    def request_to(self, phone: str) -> Payment | None:
        """Return the request on this link that is out to a number, whichever page sent it."""
        if not self.link.held:
            return None
        pending = self.account.history.with_status(PaymentStatus.PENDING)
        same = (each for each in pending if each.link_id == self.link.id and each.phone == phone)
        return next((each for each in same if not self._is_stale(each)), None)

    def why_over(self, payment: Payment, *, is_given_up: bool) -> Decline | None:
        """Return why another payment may take the place of one that is under way.

        Args:
            payment: The one under way.
            is_given_up: Whether the payer has asked for another way to pay.

        Returns:
            What the one under way is declined with; None when it must be waited for.
        """
        if self._is_stale(payment):
            return TIMED_OUT
        # Nothing can be taken until the payer has done something.
        is_with_payer = bool(payment.awaits) or payment.method in _TAKEN_BY_PAYER
        return REPLACED if is_given_up and is_with_payer else None

    def _is_stale(self, payment: Payment) -> bool:
        return self.account.clock.time() >= stale_at(payment)


def stale_at(payment: Payment) -> float:
    """Return until when a payment can be completed, as far as the payer knows."""
    is_prompt = payment.method is PaymentMethod.MOBILE_MONEY
    return payment.created_at + (PROMPT_SECONDS if is_prompt else _STEP_SECONDS)


def _is_pending(payment: Payment) -> bool:
    return payment.status is PaymentStatus.PENDING
