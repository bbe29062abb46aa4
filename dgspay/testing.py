"""The pytest plugin: an emulator for each test, and both clients already talking to it.

Installed with dgspay, so the fixtures are there without an import. They need the extra
`emulator`, load it only when used, and open no socket::

    def test_checkout(dgs, emulator):
        charge = dgs.charges.mobile_money(...)
        emulator.approve(charge.dgs_reference)
        assert dgs.transactions.retrieve(charge.dgs_reference).is_paid
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dgspay.client import AsyncDGSPay, DGSPay
    from dgspay.emulator import Emulator


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A fresh emulator, in this process. What is pending settles at the next look-up.

    Before that, `approve`, `decline` and `settle` decide how.
    """
    from dgspay.emulator import Emulator  # noqa: PLC0415 - the extra is needed only here

    with Emulator(settle_after=0.0) as running:
        yield running


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
    """An asynchronous client of the emulator, for asyncio and trio.

    There is nothing to close: it has no socket.
    """
    from dgspay.client import AsyncDGSPay  # noqa: PLC0415 - loaded by the test that uses it
    from dgspay.transports.httpx import HttpxTransport  # noqa: PLC0415

    return AsyncDGSPay(
        transport=HttpxTransport(emulator.async_http_client()), **client_options(emulator)
    )


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
