"""How hard fuzzing and state machines try: `DGSPAY_TEST_FULL=1` makes thousands of new inputs."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

FULL = bool(os.environ.get("DGSPAY_TEST_FULL"))

FUZZ = settings(
    max_examples=2000 if FULL else 70,
    deadline=None,
    # The same inputs at each run, so that a change that breaks something is the one to blame.
    derandomize=not FULL,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)

STORIES = settings(
    max_examples=1000 if FULL else 20,
    stateful_step_count=30 if FULL else 10,
    deadline=None,
    # The same stories at each run, so that a change that breaks one is the one to blame.
    derandomize=not FULL,
    print_blob=True,
    # Shrinking a story takes minutes; the default ones are short.
    phases=[Phase.generate, Phase.shrink] if FULL else [Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

MEGABYTE = 1024 * 1024

# Of processor time, so that a busy machine does not matter; what is quadratic takes hours.
ENOUGH_SECONDS = 20.0

# In memory where there is such a place: these stories kill no kernel, so no disk is waited for.
_MEMORY = Path("/dev/shm")


def seconds_of(act: Callable[[], object]) -> float:
    """Processor time of this thread."""
    began = time.thread_time()
    act()
    return time.thread_time() - began


def story_folder() -> Path:
    """Make a folder for one story."""
    return Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
