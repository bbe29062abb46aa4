"""Where a ledger's file may be: SQLite keeps its last commits in a second file beside it."""

from __future__ import annotations

import re
from pathlib import Path

from dgspay.payouts.faults import LedgerError

_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(rb"\\([0-7]{3})")


def require_one_name(path: Path) -> None:
    """Refuse a file whose last commits would be missed by whoever opens it by another name.

    They are in the file with `-wal` at the end of its name, beside it, until SQLite moves them. Of
    a file with two names, or one that is mounted by itself, they stay behind in another folder:
    who was paid would be forgotten, and be paid again.

    Raises:
        LedgerError: the file has a second name, or is a mount.
    """
    if path.stat().st_nlink > 1:
        raise LedgerError(
            f"{path} has a second name (a hard link), by which another run would not see what this "
            "one writes. Remove one of the two; a symbolic link does no harm. Nothing was sent"
        )
    if is_mounted(path):
        raise LedgerError(
            f"{path} is mounted by itself, so that SQLite's files beside it would be lost with the "
            "container. Mount its folder instead. Nothing was sent"
        )


def is_mounted(path: Path) -> bool:
    """Say whether a file is a mount of its own, as a container is given one; Linux tells."""
    try:
        mounts = _MOUNTS.read_bytes()
    except OSError:
        return path.is_mount()
    points = (line.split(b" ", 5)[4] for line in mounts.splitlines())
    own = str(path).encode("utf-8", "surrogateescape")
    return any(_OCTAL.sub(_character, point) == own for point in points)


def _character(escaped: re.Match[bytes]) -> bytes:
    return bytes([int(escaped.group(1), 8)])
