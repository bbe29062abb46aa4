"""The contract is the same for every transport: each test here is run through all of them."""

from __future__ import annotations

import pytest

from tests.support.transport_matrix import WAYS, Way


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way
