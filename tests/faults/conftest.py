"""Every test here is run in blocking code, on asyncio and on trio."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.faults.calls import MODES


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect what a test left open while its own filters of warnings are in force."""
    yield
    gc.collect()


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
