from __future__ import annotations

import gc
import signal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A shell starts what runs in its background with Ctrl-C ignored, and the programs that tests
# start and interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says how busy the machine is.
settings.register_profile("dgspay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dgspay")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives as long as the tests: their modules and themselves."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=[("asyncio", {}), ("trio", {})], ids=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param
