"""A webhook, from its creation until a receiver has accepted it."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from dgspay.emulator.webhooks.attempt import Attempt, is_success
from dgspay.webhooks import SIGNATURE_HEADER


@attrs.define(eq=False)
class Delivery:
    """A webhook and its attempts.

    Attributes:
        id: Its number, counted from 1.
        event: Its name, such as `payment.success`.
        reference: Its `dgs_reference`.
        url: Where it goes; None when no URL was known and it is only recorded.
        body: The exact bytes that were signed.
        signature: The value of `X-DGS-Signature`.
        account_number: Whose event it is.
        at: Seconds since 1970 when it arose, by the emulator's clock.
        treatment: What was done to it on purpose, in words.
        attempts: Every attempt, oldest first.
        next_at: When it is tried next, or None.
        held: Whether it waits for others, to be delivered after them.
    """

    id: int
    event: str
    reference: str
    url: str | None
    body: bytes = attrs.field(repr=False)
    signature: str
    account_number: str
    at: float
    treatment: tuple[str, ...] = ()
    attempts: list[Attempt] = attrs.field(factory=list)
    next_at: float | None = None
    held: bool = False

    @property
    def statuses(self) -> tuple[int | None, ...]:
        """Status of each attempt."""
        return tuple(attempt.status for attempt in self.attempts)

    @property
    def delivered(self) -> bool:
        """Return whether the receiver has answered 2xx."""
        return any(is_success(status) for status in self.statuses)

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the request."""
        return {"Content-Type": "application/json", SIGNATURE_HEADER: self.signature}
