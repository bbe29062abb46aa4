"""Files that only their owner may read."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def make_private(path: Path) -> None:
    """Make an empty file that only its owner reads, unless it exists.

    SQLite gives the journal of a database the permissions of the database. Another fault of the
    path is left to SQLite, whose message says more.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
