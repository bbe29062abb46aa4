"""Every test here that takes a way is run through every transport."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.support.transport_matrix import ASYNC_WAYS, WAYS, Way


@pytest.fixture
def collected() -> Iterator[None]:
    """Collect what a test left open while its own filters of warnings are in force."""
    yield
    gc.collect()


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way


@pytest.fixture(params=ASYNC_WAYS, ids=str)
def async_way(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way
