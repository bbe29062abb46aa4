"""How many stories are told, how long they are, and where they keep their files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

FULL = bool(os.environ.get("DGSPAY_TEST_FULL"))

STORIES = settings(
    max_examples=1000 if FULL else 20,
    stateful_step_count=30 if FULL else 10,
    deadline=None,
    # The same stories at each run, so that a change that breaks one is the one to blame.
    derandomize=not FULL,
    print_blob=True,
    # Making a story shorter takes minutes; those told by default are short.
    phases=[Phase.generate, Phase.shrink] if FULL else [Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

# In memory where there is such a place: these stories kill no kernel, so no disk is waited for.
_MEMORY = Path("/dev/shm")


def story_folder() -> Path:
    """Make a folder for one story."""
    return Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
