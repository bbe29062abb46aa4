"""Graceful shutdown on SIGINT, SIGTERM and SIGHUP, and a quiet end before anything has begun."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager

# Short enough that Ctrl-C is heard at once where the system cannot interrupt a wait.
_PAUSE = 0.25


@contextmanager
def quiet_interruption() -> Generator[None]:
    """Let Ctrl-C end the process without a word, while it only loads what it needs.

    Python would raise wherever an import has come to, and show it.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # nohup, say, has it ignored; and the handler of another program stays
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def stop_signals() -> Generator[threading.Event]:
    """Turn SIGINT, SIGTERM and SIGHUP into an event, so that everything is closed in order."""
    stopped = threading.Event()
    names = [signal.SIGINT, signal.SIGTERM]
    # A terminal that goes away; under nohup the command goes on without one.
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        names.append(hangup)
    before = {name: signal.signal(name, lambda *_: stopped.set()) for name in names}
    try:
        yield stopped
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def wait_until(stopped: threading.Event) -> None:
    """Wait until the event is set."""
    while not stopped.wait(_PAUSE):
        pass
