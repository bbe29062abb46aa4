"""Thousands of calls through a broken line, each compared with what the emulator really did.

The promise, for every transport, sync and async, and for every kind of call:

- NOT_SENT and REJECTED mean that nothing was done,
- whatever returns a result was done, under the reference it returns,
- nothing is done twice: neither where the server honours no idempotency key and the client was
  not told to trust in them, nor where it does and the client was.

Bytes that are *destroyed* (0xFF, which is neither HTTP nor JSON) fall under the same promise, on
their way there and back. Bytes that are *forged* cannot: without TLS a changed digit in an amount
is as good as the real one. What is promised about one forged byte in an answer stands in
`tests/system/fuzz/test_answers.py`.

A seed that fails is printed, and one command replays it::

    DGSPAY_TEST_SEED=137 pytest tests/system/network_faults/test_proxy_storm.py

Some runs come over TLS or through a tunnel; in some an alarm of the program raises in the middle,
or the program forks, and its child makes a call of its own: none hangs, and the client is of use
afterwards.

`DGSPAY_TEST_FULL=1` runs thousands for each transport.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pytest

from dgspay.emulator import Emulator
from tests.support.transport_matrix import WAYS, Way
from tests.system.network_faults.proxy import FaultProxy
from tests.system.network_faults.proxy_cases import COMBINATIONS
from tests.system.network_faults.proxy_storm import Storm

RICH = {"RWF": 10**12, "USD": 10**12}


ROUNDS = 17 if os.environ.get("DGSPAY_TEST_FULL") else 1


def seeds(way: Way, turn: int) -> Sequence[int]:
    """Every fault with every call once, by other seeds for each transport and each turn."""
    if "DGSPAY_TEST_SEED" in os.environ:
        return [int(os.environ["DGSPAY_TEST_SEED"])]
    first = (1000 * WAYS.index(way) + turn) * COMBINATIONS
    return range(first, first + COMBINATIONS)


@pytest.fixture
def served() -> Iterator[tuple[Emulator, int, str]]:
    with Emulator(settle_after=None, balances=RICH, seed=7) as emulator, emulator.serve() as server:
        yield emulator, server.port, server.url


@pytest.mark.acceptance(
    14,
    "not-reached",
    15,
    "lost-answer",
    59,
    "conflict-on-own-key",
    62,
    "nothing-left",
    63,
    "leftover-bytes",
)
@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_nothing_is_done_that_was_denied_and_nothing_twice(
    way: Way, turn: int, served: tuple[Emulator, int, str]
) -> None:
    emulator, port, url = served
    with FaultProxy(port) as proxy:
        wrong = Storm(way, emulator, proxy, url).blow(seeds(way, turn))
    file = "tests/system/network_faults/test_proxy_storm.py"
    replay = f"replay one with DGSPAY_TEST_SEED=<seed> pytest {file}"
    assert not wrong, "\n".join([*wrong, replay, f"-k '{way}'"])
