"""What can go wrong with an order. None of it leaves money unaccounted for."""

from __future__ import annotations

from dgspay.errors import DGSPayError, Outcome


class CheckoutError(DGSPayError):
    """The root of what is raised for orders; nothing was sent by the call that raised it."""

    outcome = Outcome.NOT_SENT


class UnknownOrderError(CheckoutError):
    """The store has no such order for this account and environment."""


class OrderChangedError(CheckoutError):
    """The order was opened before with other terms."""


class OrderClosedError(CheckoutError):
    """The order is cancelled or has expired: it takes no further attempt."""


class TooManyAttemptsError(CheckoutError):
    """The order, its page or the payer's address has made as many attempts as are allowed.

    Attributes:
        retry_after: Seconds after which another may be made, or None where none will be.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StepOverError(CheckoutError):
    """The step was submitted before, is not what DGS-Pay asks for, or is another attempt's."""


class RefundError(CheckoutError):
    """The refund is more than what is left, or another one of the order is under way."""


class OrdersError(CheckoutError):
    """The store failed: what is not on its disk was not sent."""
