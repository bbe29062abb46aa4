"""The thread of a blocking program that sweeps again and again until it is left."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from dgspay.checkout.flow import Effect, Execute, Flow, Sleep

logger = logging.getLogger("dgspay.checkout")


class SweepingThread:
    """Sweeps until it is left, which waits for a handler or the store, and for nothing else.

    Args:
        sweep: Begins a sweep.
        carry_out: Drives a flow to its end.
        every: Seconds between the end of a sweep and the next one.
    """

    def __init__(
        self,
        sweep: Callable[[], Flow[object]],
        carry_out: Callable[[Flow[None]], None],
        every: float,
    ) -> None:
        self._sweep = sweep
        self._carry_out = carry_out
        self._every = every
        self._is_over = threading.Event()
        # Held while a handler runs or the store is used: neither may be left half done.
        self._busy = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="dgspay-sweep", daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """End the sweep where it stands; a look-up that is under way changes nothing any more."""
        self._is_over.set()
        with self._busy:
            pass

    def _run(self) -> None:
        while not self._is_over.is_set():
            with self._busy:
                try:
                    self._carry_out(self._until_left(self._sweep()))
                except Exception:  # the next one may do better
                    logger.exception("a sweep of the orders failed; another one follows")
            self._is_over.wait(self._every)

    def _until_left(self, sweep: Flow[object]) -> Flow[None]:
        """Yield the effects of a sweep, which ends at its next wait once it is left."""
        step: Callable[[], Effect] = partial(next, sweep)
        while True:
            try:
                effect = step()
            except StopIteration:
                return
            is_wait = isinstance(effect, Sleep | Execute)
            if is_wait and self._is_over.is_set():
                return
            answer: object = None
            if is_wait:
                self._busy.release()
            try:
                if isinstance(effect, Sleep):
                    self._is_over.wait(effect.seconds)
                else:
                    answer = yield effect
            except Exception as error:  # noqa: BLE001 - the sweep decides
                step = partial(sweep.throw, error)
            else:
                step = partial(sweep.send, answer)
            finally:
                if is_wait:
                    self._busy.acquire()
            if is_wait and self._is_over.is_set():
                return
