"""Emulators that stand still in time, and clients that know its credentials."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from tests.emulator.emulator_calls import credentials


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def emulator(clock: VirtualClock) -> Iterator[Emulator]:
    # A receiver that answers is never given up because the machine is busy.
    with Emulator(clock=clock, seed=7, webhook_timeout=60.0) as emulator:
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[httpx.Client]:
    with emulator.http_client() as client:
        client.headers.update(credentials(emulator))
        yield client
