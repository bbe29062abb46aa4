"""How hard the fuzzing tries: `DGSPAY_TEST_FULL=1` makes thousands of new inputs each time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from hypothesis import HealthCheck, settings

FULL = bool(os.environ.get("DGSPAY_TEST_FULL"))

FUZZ = settings(
    max_examples=2000 if FULL else 70,
    deadline=None,
    # The same inputs at each run, so that a change that breaks something is the one to blame.
    derandomize=not FULL,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)

MEGABYTE = 1024 * 1024

# Of processor time, so that a busy machine does not matter; what is quadratic takes hours.
ENOUGH_SECONDS = 20.0


def seconds_of(act: Callable[[], object]) -> float:
    """Processor time of this thread."""
    began = time.thread_time()
    act()
    return time.thread_time() - began
