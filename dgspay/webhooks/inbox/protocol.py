"""The protocols of an inbox, and the claim that it gives out."""

from __future__ import annotations

import enum
import secrets
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Protocol

import attrs


@attrs.frozen
class Claim:
    """The right to handle one event until the lease is over.

    Attributes:
        key: The key of the event (`dgspay.webhooks.inbox.keys`).
        token: What tells this claim from a later one of the same event, made after its lease.
    """

    key: str
    token: str


class Refusal(enum.Enum):
    """Why an event was not given out."""

    DONE = "done"
    """It was handled."""
    BUSY = "busy"
    """Someone else is handling it, and their lease is not over."""


class ClaimLostError(Exception):
    """The lease was over before the handler, and somebody else has the event now."""


def new_claim(key: str) -> Claim:
    """Return a claim with a token nobody else has."""
    return Claim(key, secrets.token_hex(16))


PATIENCE = 3.0
"""Seconds for which a lease that seems to be over is watched, where nothing else is said."""


def watching(patience: float, lease: float) -> float:
    """Return the seconds for which a lease is watched: no longer than it lasts."""
    return max(0.0, min(patience, lease))


class Inbox(Protocol):
    """What the receiver asks of an inbox. Every method may be called from any thread."""

    def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        """Take an event for `lease` seconds, unless it is done or someone else's."""
        ...

    def done(self, claim: Claim) -> None:
        """Remember that the event was handled, whoever has claimed it since."""
        ...

    def release(self, claim: Claim) -> None:
        """Give the event back, unless it is done or someone else's by now."""
        ...


class RenewableInbox(Inbox, Protocol):
    """An inbox whose leases are stated anew while a handler runs.

    Attributes:
        patience: Seconds for which a lease that seems to be over is watched. A live handler's
            is renewed several times in them.
    """

    patience: float

    def renew(self, claim: Claim, *, lease: float) -> None:
        """State that the lease ends in so many seconds, unless it is done or someone else's."""
        ...


class TransactionalInbox(Inbox, Protocol):
    """An inbox whose "done" can be committed together with what the handler writes."""

    def transaction(self, claim: Claim) -> AbstractContextManager[Any]:
        """A transaction for the handler; it ends with the event marked done, or not at all.

        Raises:
            ClaimLostError: on entering, when the event is done or someone else's by now.
        """
        ...


class AsyncInbox(Protocol):
    """The same for a driver with `await`."""

    async def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        """Take an event for `lease` seconds, unless it is done or someone else's."""
        ...

    async def done(self, claim: Claim) -> None:
        """Remember that the event was handled, whoever has claimed it since."""
        ...

    async def release(self, claim: Claim) -> None:
        """Give the event back, unless it is done or someone else's by now."""
        ...


class AsyncRenewableInbox(AsyncInbox, Protocol):
    """The same for a driver with `await`, with leases that are renewed."""

    patience: float

    async def renew(self, claim: Claim, *, lease: float) -> None:
        """State that the lease ends in so many seconds, unless it is done or someone else's."""
        ...


class AsyncTransactionalInbox(AsyncInbox, Protocol):
    """The same for a driver with `await`, with transactions."""

    def transaction(self, claim: Claim) -> AbstractAsyncContextManager[Any]:
        """A transaction for the handler; it ends with the event marked done, or not at all.

        Raises:
            ClaimLostError: on entering, when the event is done or someone else's by now.
        """
        ...
