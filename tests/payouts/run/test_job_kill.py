"""`kill -9` at random moments: nobody is paid twice, nobody is forgotten.

The quick version runs always; `DGSPAY_TEST_FULL=1` runs ten thousand rows and twenty kills.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from dgspay.emulator import Emulator
from dgspay.emulator.domain.idempotency import Keys
from dgspay.payouts import State
from tests.support.crash_points import (
    environ_of,
    finish,
    paid,
    random_strike,
    start,
    states,
    strike_at,
)
from tests.support.sheet_factory import RICH, write_sheet

FULL = bool(os.environ.get("DGSPAY_TEST_FULL"))
# A machine is killed at one of its first so many payouts. The last one must find new rows to pay
# too.
ROWS, KILLS, FIRST, CONCURRENCY = (10_000, 20, 300, 32) if FULL else (240, 2, 30, 4)

DONE = {State.CONFIRMED, State.FAILED, State.HELD}


@pytest.mark.acceptance(52, "killed-run", 54, "held-in-doubt")
@pytest.mark.parametrize("trusting", [False, True], ids=["held", "trusting"])
def test_killed_again_and_again_it_pays_each_recipient_at_most_once(
    tmp_path: Path, trusting: bool
) -> None:
    random = Random(52 + trusting)
    sheet, ledger = write_sheet(tmp_path / "salaries.csv", ROWS), tmp_path / "ledger.sqlite3"
    options = ["--trust-idempotency"] if trusting else []
    options += ["--concurrency", str(CONCURRENCY), "--ledger", str(ledger)]
    command = ["run", str(sheet), "--yes", *options]
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)
        for _ in range(KILLS):
            emulator.faults.clear()
            process = start(*command, environ=environ)
            route = random.choices(["POST /disburse", "GET /balance"], [9, 1])[0]
            number = 1 if route == "GET /balance" else random.randint(1, FIRST)
            strike_at(emulator, route, number, random_strike(random, process))
            finish(process, [-9])
            if not trusting:
                # A server that honours no key: sending a row twice would pay it twice.
                with emulator._engine.steering() as account:
                    account.keys = Keys()
        emulator.faults.clear()
        finish(start(*command, environ=environ), [0, 5])
        times = paid(emulator)
        stands = states(ledger, "salaries")
    assert set(times.values()) <= {1}
    assert len(stands) == ROWS
    assert set(stands.values()) <= DONE
    # Whoever was not paid is held, and nobody is said to be paid who was not.
    assert {who for who, state in stands.items() if state is State.CONFIRMED} <= times.keys()
    assert stands.keys() - times.keys() <= {
        who for who, state in stands.items() if state is State.HELD
    }
    if trusting:
        assert set(stands.values()) == {State.CONFIRMED}
        assert len(times) == ROWS
