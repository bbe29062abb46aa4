"""Kills a run from inside the emulator, at an exact request or a moment after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random

import attrs

from dgspay.emulator import Emulator
from dgspay.emulator.faults.kinds import Fault
from dgspay.emulator.http import Drop, Effect, Response
from dgspay.payouts import SqliteLedger, State

ENOUGH = 600


def environ_of(emulator: Emulator, url: str) -> dict[str, str]:
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("DGSPAY_")},
        "DGSPAY_ENVIRONMENT": "emulator",
        "DGSPAY_BASE_URL": url,
        "DGSPAY_API_KEY": emulator.api_key,
        "DGSPAY_ACCOUNT_NUMBER": emulator.account_number,
        "DGSPAY_WEBHOOK_SECRET": emulator.webhook_secret,
    }


def start(*arguments: str, environ: dict[str, str]) -> subprocess.Popen[str]:
    """`dgspay payouts ...` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "dgspay", "payouts", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )


@attrs.define
class Strike(Fault):
    """Sends a signal to a process when a request comes, before or after its work."""

    process: subprocess.Popen[str]
    before: bool
    after_seconds: float = 0.0
    signal: int = signal.SIGKILL

    def instead(self) -> Response | Drop | None:
        if self.before:
            self._strike()
        return None

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        if not self.before:
            self._strike()
        return super().afterwards(answer)

    def _strike(self) -> None:
        if self.after_seconds:
            timer = threading.Timer(self.after_seconds, self.process.send_signal, [self.signal])
            timer.daemon = True
            timer.start()
        else:
            self.process.send_signal(self.signal)


def strike_at(emulator: Emulator, route: str, number: int, strike: Fault) -> None:
    """Have the n-th request to a route from now on be struck."""
    if number > 1:
        emulator.faults.add(route, Fault(), times=number - 1)
    emulator.faults.add(route, strike)


def random_strike(random: Random, process: subprocess.Popen[str]) -> Strike:
    moment = random.choice([0.0, 0.0, random.random() * 0.03])
    return Strike(process, before=random.random() < 0.5, after_seconds=moment)


def paid(emulator: Emulator) -> Counter[str]:
    """How often each recipient was really paid."""
    return Counter(
        deed.recipient or "" for deed in emulator.executed if deed.operation == "POST /disburse"
    )


def ledger_of(folder: Path) -> Path:
    """The one ledger that commands made of their own accord in a test with this folder."""
    (found,) = (folder / "data" / "dgspay" / "payouts").glob("*.sqlite3")
    return found


def states(path: Path, batch: str) -> dict[str, State]:
    """Where each recipient of a batch stands."""
    found: dict[str, State] = {}
    with SqliteLedger(path) as ledger:
        after = 0
        while page := ledger.page(batch, after=after):
            after = page[-1].payout.number
            found.update({record.payout.account: record.state for record in page})
    return found


def finish(process: subprocess.Popen[str], codes: Iterable[int]) -> str:
    out, err = process.communicate(timeout=ENOUGH)
    # One text: pytest shortens the parts of a tuple.
    assert process.returncode in codes, f"it ended with {process.returncode}\n{out}\n{err}"
    return out + err
