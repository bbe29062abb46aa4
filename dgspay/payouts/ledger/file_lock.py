"""An OS file lock: released when the process exits; a second run fails at once."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dgspay.payouts.errors import BatchBusyError, LedgerError

# Errors of a lock that another process holds; others mean a disk without locks.
_BUSY = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextmanager
def only_one(path: Path, name: str) -> Iterator[None]:
    """Hold the lock of a batch.

    Raises:
        BatchBusyError: another process, or another run in this one, holds it.
        LedgerError: the lock's file cannot be made, or its disk knows no locks.
    """
    try:
        # The file stays when the lock is gone: removing it would let two in.
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise LedgerError(f"the lock {path} cannot be made: {error.strerror}") from None
    try:
        fault: OSError | None = None
        try:
            _lock(descriptor)
        except OSError as error:
            fault = error
        if fault is not None and fault.errno in _BUSY:
            raise BatchBusyError(
                f"batch {name!r} is being run by another process at this moment. This one sends "
                "nothing"
            )
        if fault is not None:
            raise LedgerError(
                f"{path} cannot be locked ({fault.strerror}): a ledger needs a local disk, for "
                "without a lock two runs could pay at once. Nothing was sent"
            )
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def wait_for_lock(descriptor: int) -> None:
        """Wait for the lock of an open file; it is released when the file is closed."""
        # A byte behind all that is written, for the lock keeps others from reading it too.
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def wait_for_lock(descriptor: int) -> None:
        """Wait for the lock of an open file; it is released when the file is closed."""
        fcntl.flock(descriptor, fcntl.LOCK_EX)
