"""What may happen to the program itself in the middle of a call: an alarm that raises, a fork."""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Longer than any call of the storm, so that only a child that hangs is ended.
_PATIENCE = 60.0


class AlarmError(Exception):
    """What the program raises when its alarm rings."""


def _ring(_: int, interrupted: FrameType | None) -> None:
    if _is_in_a_callback(interrupted):
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        return
    raise AlarmError


def _is_in_a_callback(frame: FrameType | None) -> bool:
    """Whether Python would swallow what is raised now: in a destructor, or a weak reference's."""
    while frame is not None:
        if frame.f_code.co_name == "__del__" or frame.f_globals["__name__"] in _OF_WEAK_REFERENCES:
            return True
        frame = frame.f_back
    return False


_OF_WEAK_REFERENCES = ("weakref", "_weakrefset")


@contextmanager
def alarm(seconds: float | None) -> Iterator[None]:
    """Raise AlarmError wherever the program is then; None sets none."""
    if seconds is None:
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        # It may ring here as well.
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def forked(work: Callable[[], None]) -> int:
    """Fork, and do the work in the child, in a thread that has known no event loop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.12 warns of a fork beside other threads
        child = os.fork()
    if child == 0:
        _work_and_exit(work)
    return child


def _work_and_exit(work: Callable[[], None]) -> None:
    failures: list[str] = []

    def guarded() -> None:
        try:
            work()
        except BaseException:  # noqa: BLE001 - its exit code is all that a child says
            failures.append(traceback.format_exc())

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    thread.join(_PATIENCE / 2)
    if thread.is_alive():
        faulthandler.dump_traceback(2)
    if failures:
        os.write(2, failures[0].encode())
    os._exit(2 if thread.is_alive() else len(failures))


def what_is_wrong_with(child: int) -> str | None:
    """Wait for a child; say how it failed, if it did."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            reasons = {0: None, 1: "the forked child failed", 2: "the forked child's call hung"}
            return reasons.get(code, f"the forked child ended with {code}")
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "the forked child hung"
