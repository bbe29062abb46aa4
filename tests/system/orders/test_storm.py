"""Orders in a storm: three processes on PostgreSQL, one killed, one stopped and woken."""

from __future__ import annotations

import os

import pytest

from tests.support.real_servers import postgres_binaries, running_postgres
from tests.system.orders.storm import Storm

STORIES = 4000 if os.environ.get("DGSPAY_TEST_FULL") else 100


@pytest.mark.acceptance(83, "killed-attempt")
def test_no_story_loses_an_order_or_is_paid_twice() -> None:
    """Told by seeds; the emulator's own record is what really happened."""
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL is installed")
    with running_postgres(binaries) as conninfo, Storm(conninfo) as storm:
        for seed in range(STORIES):
            faults = storm.tell(seed)
            assert not faults, "\n".join(faults)
