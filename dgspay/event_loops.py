"""Whether the code that runs is called from an event loop, found out without loading one."""

from __future__ import annotations

import sys


def is_in_loop() -> bool:
    """Return whether an event loop, of asyncio or trio, runs in this thread."""
    # What is not loaded does not run. Another thread may be loading it.
    running_loop = getattr(sys.modules.get("asyncio"), "_get_running_loop", None)
    if running_loop is not None and running_loop() is not None:
        return True
    trio = getattr(sys.modules.get("trio"), "lowlevel", None)
    if trio is None:
        return False
    try:
        trio.current_trio_token()
    except RuntimeError:
        return False
    return True
