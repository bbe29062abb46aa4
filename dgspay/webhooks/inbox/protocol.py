"""The protocols of an inbox, and the claim that it gives out."""

from __future__ import annotations

import enum
import secrets
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Protocol

import attrs


@attrs.frozen
class Claim:
    """The right to handle one event until the lease is over, and no other of its group meanwhile.

    Attributes:
        key: The key of the event (`dgspay.webhooks.inbox.keys`).
        token: Distinguishes this claim from a later one of the same event, after its lease.
        group: The key of its group: the events of one reference. "" where it is in none.
    """

    key: str
    token: str
    group: str = ""

    @property
    def records(self) -> list[str]:
        """The keys of all that is leased with it: the event first, and its group."""
        return [self.key, self.group] if self.group else [self.key]


class Refusal(enum.Enum):
    """The reason why an event could not be claimed."""

    DONE = "done"
    """It was handled."""
    BUSY = "busy"
    """Another delivery is handling it, or an event of its group, and its lease is not over."""


class ClaimLostError(Exception):
    """The lease expired before the handler finished, and another delivery has the event."""


def new_claim(key: str, group: str = "") -> Claim:
    """Return a claim with a unique token."""
    return Claim(key, secrets.token_hex(16), group)


PATIENCE = 3.0
"""Seconds for which a lease that seems to be over is watched, where nothing else is said."""


def watching(patience: float, lease: float) -> float:
    """Return the seconds for which a lease is watched: no longer than it lasts."""
    return max(0.0, min(patience, lease))


class Inbox(Protocol):
    """The inbox as the receiver uses it. Every method may be called from any thread."""

    def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        """Claim an event for `lease` seconds, unless it is done or claimed elsewhere."""
        ...

    def done(self, claim: Claim) -> None:
        """Mark the event done, even if another delivery has claimed it since."""
        ...

    def release(self, claim: Claim) -> None:
        """Release the event, unless it is done or claimed elsewhere by now."""
        ...


class GroupingInbox(Inbox, Protocol):
    """An inbox that has the events of a group handled one after another.

    The receiver knows one by this parameter of `claim`.
    """

    def claim(self, key: str, *, lease: float, group: str = "") -> Claim | Refusal:
        """Claim an event and its group for `lease` seconds: both, or neither.

        The event stays claimed or done by its own key. The group is free again once the claim is
        done or released, or its lease is over.
        """
        ...


class RenewableInbox(Inbox, Protocol):
    """An inbox whose leases are stated anew while a handler runs.

    Attributes:
        patience: Seconds for which a lease that seems to be over is watched. A live handler's
            is renewed several times in them.
    """

    patience: float

    def renew(self, claim: Claim, *, lease: float) -> None:
        """Renew the lease for so many seconds, unless it is done or claimed elsewhere."""
        ...


class TransactionalInbox(Inbox, Protocol):
    """An inbox whose "done" can be committed together with what the handler writes."""

    def transaction(self, claim: Claim) -> AbstractContextManager[Any]:
        """A transaction for the handler; it ends with the event marked done, or not at all.

        Raises:
            ClaimLostError: on entering, when the event is done or claimed elsewhere by now.
        """
        ...


class AsyncInbox(Protocol):
    """The same for a driver with `await`."""

    async def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        """Claim an event for `lease` seconds, unless it is done or claimed elsewhere."""
        ...

    async def done(self, claim: Claim) -> None:
        """Mark the event done, even if another delivery has claimed it since."""
        ...

    async def release(self, claim: Claim) -> None:
        """Release the event, unless it is done or claimed elsewhere by now."""
        ...


class AsyncGroupingInbox(AsyncInbox, Protocol):
    """The same for a driver with `await`, with groups."""

    async def claim(self, key: str, *, lease: float, group: str = "") -> Claim | Refusal:
        """Claim an event and its group for `lease` seconds: both, or neither."""
        ...


class AsyncRenewableInbox(AsyncInbox, Protocol):
    """The same for a driver with `await`, with leases that are renewed."""

    patience: float

    async def renew(self, claim: Claim, *, lease: float) -> None:
        """Renew the lease for so many seconds, unless it is done or claimed elsewhere."""
        ...


class AsyncTransactionalInbox(AsyncInbox, Protocol):
    """The same for a driver with `await`, with transactions."""

    def transaction(self, claim: Claim) -> AbstractAsyncContextManager[Any]:
        """A transaction for the handler; it ends with the event marked done, or not at all.

        Raises:
            ClaimLostError: on entering, when the event is done or claimed elsewhere by now.
        """
        ...
