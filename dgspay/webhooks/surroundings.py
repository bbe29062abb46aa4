"""Context managers that a framework puts around code that runs outside its own requests."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from typing import Any

import attrs


@attrs.frozen
class Surroundings:
    """Factory of the context managers in which code of the shop runs.

    Attributes:
        thread: Around everything that runs in a thread for a delivery, in that thread.
        task: Around an async handler, in its event loop.
    """

    thread: Callable[[], AbstractContextManager[Any]]
    task: Callable[[], AbstractAsyncContextManager[Any]]


NONE = Surroundings(thread=nullcontext, task=nullcontext)
"""Nothing around it."""
