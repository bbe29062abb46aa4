"""What can go wrong with an order. None of it leaves money unaccounted for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
    """The store failed: what is not on its disk was not sent.

    Its `outcome` is UNKNOWN where the payment or the refund had left before, and only its answer
    could not be written: it is on disk as in doubt, and its webhook or a look-up settles it.
    """


@contextmanager
def recording(outcome: Outcome = Outcome.UNKNOWN) -> Iterator[None]:
    """Say, where the store fails while an answer is written down, that the call had been made.

    Args:
        outcome: The call's, as far as is known.

    Raises:
        OrdersError: the store failed.
    """
    try:
        yield
    except OrdersError as error:
        if outcome is Outcome.NOT_SENT:
            raise
        message = (
            "the call to DGS-Pay was made, and its answer could not be written down. On disk it is "
            "in doubt, and is not made again: a webhook, a look-up or a person settles it. "
            f"{error.message}"
        )
        raise OrdersError(message, outcome=Outcome.UNKNOWN) from error
