"""The pytest plugin: an emulator for each test, and both clients already talking to it.

Installed with dgspay, so the fixtures are there without an import. They need the extra
`emulator`, load it only when used, and open no socket::

    def test_checkout(dgs, emulator):
        charge = dgs.charges.mobile_money(...)
        emulator.approve(charge.dgs_reference)
        assert dgs.transactions.retrieve(charge.dgs_reference).is_paid
        assert emulator.webhooks.received[0].dgs_reference == charge.dgs_reference

`emulator.deliver_to(app)` hands the events to the shop's application, and
`emulator.webhooks.deliver_to` to a function; `emulator.clock.advance` brings retries and expiry
dates nearer, and `no_waiting` turns the pauses of clients off. `emulator.snapshot()` keeps the
state as it is, and `emulator.restore()` returns to it. A shop that must be reached, or must reach
DGS-Pay, over a socket takes the fixture `dgs_server` besides. Each test has its own emulator, on a
free port where it has one: tests may run side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from dgspay.clock import PROCESS_CLOCK

if TYPE_CHECKING:
    from anyio.lowlevel import RunVar

    from dgspay.client import AsyncDGSPay, DGSPay
    from dgspay.core.messages import Request, Response, Timeout
    from dgspay.emulator import Emulator, Served
    from dgspay.transports.base import AsyncTransport


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A fresh emulator, in this process. What is pending settles at the next look-up.

    That is one at transactions, or for a conversion at the balances; no other call settles
    anything. Before it, `approve`, `decline` and `settle` decide how. Its clock stands at the
    moment the test began, until `emulator.clock.advance(seconds)`, which settles what is pending
    too. A webhook that the application of `emulator.deliver_to` did not accept fails the test.
    """
    from dgspay.emulator import Emulator, VirtualClock  # noqa: PLC0415 - needs the extra

    with Emulator(settle_after=0.0, clock=VirtualClock(datetime.now(UTC))) as running:
        yield running
        running.webhooks.require_accepted()


@pytest.fixture
def dgs_server(emulator: Emulator) -> Iterator[Served]:
    """The same emulator on a real socket: `dgs_server.url` is the base URL of its API.

    `DGSPAY_BASE_URL` and its like are not set: hand the shop under test its settings.
    """
    with emulator.serve() as served:
        yield served


@pytest.fixture
def dgs(emulator: Emulator) -> Iterator[DGSPay]:
    """A blocking client of the emulator."""
    from dgspay.client import DGSPay  # noqa: PLC0415 - loaded by the test that uses it
    from dgspay.transports.httpx import HttpxTransport  # noqa: PLC0415

    with (
        emulator.http_client() as http,
        DGSPay(transport=HttpxTransport(http), **client_options(emulator)) as client,
    ):
        yield client


@pytest.fixture
def async_dgs(emulator: Emulator) -> AsyncDGSPay:
    """An asynchronous client of the emulator, for asyncio and trio, in any number of loops.

    There is nothing to close: it has no socket.
    """
    from dgspay.client import AsyncDGSPay  # noqa: PLC0415 - loaded by the test that uses it

    return AsyncDGSPay(transport=_InEveryLoop(emulator), **client_options(emulator))


class _InEveryLoop:
    """A transport to the emulator in this process, with an httpx client per event loop.

    A test client runs each request of its app in a loop of its own.
    """

    def __init__(self, emulator: Emulator) -> None:
        from anyio import lowlevel  # noqa: PLC0415 - loaded by the test that uses it

        self._emulator = emulator
        self._transport: RunVar[AsyncTransport] = lowlevel.RunVar("dgspay emulator")

    async def send(self, request: Request, timeout: Timeout) -> Response:
        """Send the request and return the answer."""
        from dgspay.transports.httpx import HttpxTransport  # noqa: PLC0415

        transport: AsyncTransport | None = self._transport.get(None)
        if transport is None:
            transport = HttpxTransport(self._emulator.async_http_client())
            self._transport.set(transport)
        return await transport.send(request, timeout)

    async def aclose(self) -> None:
        """Nothing is open."""


@contextmanager
def no_waiting() -> Iterator[None]:
    """Turn waiting off while the block runs: clients and checkouts go on as if they had waited.

    It is for the pauses between attempts, which a shop's own `RetryPolicy` may have, and those of
    `charges.wait`, `checkout.wait` and a sweep: their time passes at once, also in other threads,
    so that what is never settled is given up at once. It does not move the clock of an emulator
    or of a store, for which `emulator.clock.advance` and `SqliteOrders(clock=)` are there, nor
    that of a payout run. For all the tests of a folder, in its `conftest.py`::

        @pytest.fixture(autouse=True)
        def without_waiting():
            with dgspay.testing.no_waiting():
                yield
    """
    with PROCESS_CLOCK.skipping():
        yield


def client_options(emulator: Emulator) -> dict[str, Any]:
    """Return what a client of this emulator is set up with; retries do not wait."""
    from dgspay.core.retry import RetryPolicy  # noqa: PLC0415

    return {
        "api_key": emulator.api_key,
        "account_number": emulator.account_number,
        "environment": "emulator",
        "base_url": emulator.base_url,
        "retry": RetryPolicy(initial_delay=0.0),
    }
