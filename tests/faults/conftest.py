"""Every test here is run in blocking code, on asyncio and on trio."""

from __future__ import annotations

import pytest

from tests.faults.calls import MODES


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
