"""Emulators that stand still in time, and clients that know its credentials."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from dgspay.emulator.webhooks import dispatcher
from tests.emulator.emulator_calls import credentials


@pytest.fixture(autouse=True)
def patient_webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that answers is never given up because the machine is busy."""
    monkeypatch.setattr(dispatcher, "TIMEOUT_SECONDS", 60.0)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def emulator(clock: VirtualClock) -> Iterator[Emulator]:
    with Emulator(clock=clock, seed=7) as emulator:
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[httpx.Client]:
    with emulator.http_client() as client:
        client.headers.update(credentials(emulator))
        yield client
