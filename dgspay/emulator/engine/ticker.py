"""Ticker: settles what is due without a request, so that webhooks leave on time."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from dgspay.emulator.engine.engine import Engine


class Ticker:
    """A thread that sleeps until the next thing is due. Use it as a context manager."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._awake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="dgspay-emulator-clock", daemon=True)

    def wake(self) -> None:
        """Check again what is due."""
        self._awake.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping = True
        self.wake()
        self._thread.join()

    def _run(self) -> None:
        while True:
            # Cleared before the flag is read, so that a stop cannot be missed in between.
            self._awake.clear()
            if self._stopping:
                return
            self._engine.tick_past()
            self._awake.wait(self._engine.seconds_to_next())
