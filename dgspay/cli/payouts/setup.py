"""The client of the chosen account that the payout commands share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import attrs

from dgspay import AsyncDGSPay, RetryPolicy
from dgspay.cli.exit_codes import fail
from dgspay.cli.options import client_options
from dgspay.cli.payouts.ledgers import AnyLedger
from dgspay.payouts import AsyncPayouts

if TYPE_CHECKING:
    from dgspay.transports.base import AsyncTransport

T = TypeVar("T")

TRANSPORTS = ("aiohttp", "httpx")


@attrs.frozen(kw_only=True)
class ClientOptions:
    """Options that choose the account, and how its requests are sent.

    Attributes:
        environment: Instead of DGSPAY_ENVIRONMENT.
        base_url: Instead of DGSPAY_BASE_URL.
        transport: One of `TRANSPORTS`; None for aiohttp where it is installed.
        trust_idempotency: Whether a request without an answer is sent again with its key.
    """

    environment: str | None
    base_url: str | None
    transport: str | None = None
    trust_idempotency: bool = False

    def client(self) -> AsyncDGSPay:
        """Make the client for the chosen account.

        Raises:
            ConfigError: a variable is missing, or something does not fit together.
        """
        return AsyncDGSPay(
            retry=RetryPolicy(trust_idempotency=self.trust_idempotency),
            transport=_transport(self.transport),
            **client_options(self.environment, self.base_url),
        )

    def run(
        self,
        work: Callable[[AsyncPayouts], Coroutine[Any, Any, T]],
        *,
        ledger: AnyLedger | None = None,
    ) -> T:
        """Run an asynchronous piece of work with a client of the chosen account."""

        async def run() -> T:
            async with self.client() as dgs:
                return await work(AsyncPayouts(dgs, ledger))

        return anyio.run(run)


def _transport(name: str | None) -> AsyncTransport | None:
    """Return what sends the requests; None stands for httpx."""
    if name is not None and name not in TRANSPORTS:
        fail(f"--transport must be one of {', '.join(TRANSPORTS)}.")
    if name == "httpx":
        return None
    try:
        from dgspay.transports.aiohttp import AiohttpTransport  # noqa: PLC0415 - an extra
    except ImportError:
        if name is not None:
            fail("This needs aiohttp. Install it with: pip install 'dgspay[aiohttp]'")
        return None
    return AiohttpTransport()
