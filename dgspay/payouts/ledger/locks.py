"""A lock of the operating system: whoever dies gives it back, and a second start fails fast."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dgspay.payouts.faults import BatchBusyError, LedgerError


@contextmanager
def only_one(path: Path, name: str) -> Iterator[None]:
    """Hold the lock of a batch.

    Raises:
        BatchBusyError: another process, or another run in this one, holds it.
        LedgerError: the lock's file cannot be made.
    """
    try:
        # The file stays when the lock is gone: removing it would let two in.
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise LedgerError(f"the lock {path} cannot be made: {error.strerror}") from None
    try:
        if not _lock(descriptor):
            raise BatchBusyError(
                f"batch {name!r} is being run by another process at this moment. Nothing was sent"
            )
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
