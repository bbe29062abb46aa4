"""`kill -9` at any moment, again and again on one file, with four programs at work.

`DGSPAY_TEST_FULL=1` kills it thirty times; else once.
"""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import threading
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from dgspay.emulator.domain.credentials import ACCOUNT_NUMBER, API_KEY
from tests.emulator.emulator_calls import LINK, MOBILE_MONEY, PATIENCE, TO_BANK
from tests.emulator.state.test_store import process

KEY = {"X-DGS-API-Key": API_KEY, "X-DGS-ACCOUNT-NUMBER": ACCOUNT_NUMBER}
KILLS = 30 if os.environ.get("DGSPAY_TEST_FULL") else 1
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/charges", MOBILE_MONEY),
    # It ends before the answer, so that an event is there to be lost.
    ("/charges", {**MOBILE_MONEY, "mobile_money_phone": "789000001"}),
    ("/disburse", {**TO_BANK, "amount": 200}),
    ("/payment-links", LINK),
)


class Callers:
    """Four programs that call until there is no answer, and what they know of each key."""

    def __init__(self) -> None:
        self.answered: dict[str, tuple[str, dict[str, Any], bytes]] = {}
        self.in_doubt: dict[str, tuple[str, dict[str, Any]]] = {}
        self._numbers = itertools.count()
        self._answered_once_more = threading.Semaphore(0)

    def call(self, http: httpx.Client, url: str, key: str, path: str, body: Any) -> bytes:
        answer = http.post(f"{url}{path}", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == 200, answer.text
        self.answered[key] = (path, body, answer.content)
        return answer.content

    def _call_on(self, url: str) -> None:
        with httpx.Client(headers=KEY, trust_env=False, timeout=PATIENCE) as http:
            while True:
                key = f"key-{next(self._numbers)}"
                path, body = random.choice(CALLS)
                try:
                    self.call(http, url, key, path, body)
                except httpx.TransportError:
                    self.in_doubt[key] = (path, body)
                    return
                self._answered_once_more.release()

    def begin(self, url: str) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._call_on, args=(url,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        return threads

    def wait_for(self, answers: int) -> None:
        for _ in range(answers):
            assert self._answered_once_more.acquire(timeout=PATIENCE)

    def check(self, url: str) -> None:
        """What was answered is answered so again; what was not is asked for once more."""
        with httpx.Client(headers=KEY, trust_env=False, timeout=PATIENCE) as http:
            for key, (path, body, answer) in list(self.answered.items())[-100:]:
                assert self.call(http, url, key, path, body) == answer
            for key, (path, body) in self.in_doubt.items():
                self.call(http, url, key, path, body)
            self.in_doubt.clear()


@pytest.mark.acceptance(47, "idempotent-replay")
def test_nothing_is_lost_or_done_twice_however_often_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "emulator.db"
    callers = Callers()
    for _ in range(KILLS):
        with process(path, "--settle-after", "0.05") as (running, url):
            callers.check(url)
            threads = callers.begin(url)
            callers.wait_for(random.randint(1, 60))
            running.kill()
            for thread in threads:
                thread.join()
    with process(path, "--settle-after", "0.05") as (_, url):
        callers.check(url)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    with Emulator(state=path, clock=VirtualClock(), settle_after=0.05) as emulator:
        emulator.settle()
        done = Counter(deed.idempotency_key for deed in emulator.executed)
        assert done == dict.fromkeys(callers.answered, 1)
        # Every franc is where it belongs, and every event was delivered.
        earned = sum(payment.net_amount for payment in emulator.transactions)
        sent = sum(transfer.amount for transfer in emulator.disbursements)
        assert emulator.balance("RWF") == Decimal(1_000_000) + earned - sent
        ended = Counter(delivery.reference for delivery in emulator.webhooks.deliveries)
        begun = [payment.dgs_reference for payment in emulator.transactions]
        begun += [transfer.dgs_reference for transfer in emulator.disbursements]
        assert ended == dict.fromkeys(begun, 1)
