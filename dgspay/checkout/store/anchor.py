"""The time of a machine whose clock may be set: anchored to what has passed since its start."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from dgspay.checkout.store.protocol import Script, first, query
from dgspay.clock import Clock


class MachineClock:
    """The clock of this machine, whose `monotonic` goes on while it sleeps where that is known."""

    def time(self) -> float:
        """Unix time."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if clock is None else time.clock_gettime(clock)


def anchor(clock: Clock) -> Script[float]:
    """Return by how much this machine's time is ahead of its monotonic clock.

    It is noted once for each start of the machine: a clock that is set afterwards neither opens
    the way for a second prompt nor expires an order early.
    """
    ahead = clock.time() - clock.monotonic()
    boot = _boot()
    if boot is None:
        return ahead
    yield from query(
        "CREATE TABLE IF NOT EXISTS dgspay_order_clock (boot TEXT PRIMARY KEY, ahead REAL)"
    )
    yield from query("DELETE FROM dgspay_order_clock WHERE boot <> ?", boot)
    yield from query(
        "INSERT INTO dgspay_order_clock VALUES (?, ?) ON CONFLICT DO NOTHING", boot, ahead
    )
    row = yield from first("SELECT ahead FROM dgspay_order_clock")
    assert row is not None
    noted: float = row[0]
    return noted


def _boot() -> str | None:
    """Return what names this start of the machine, where the system has that."""
    if sys.platform != "linux":
        return None
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
