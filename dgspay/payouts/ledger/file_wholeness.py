"""Whether a ledger's file is all there: closed in order, or beside the log of its last commits."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dgspay.payouts.errors import WentBackError
from dgspay.payouts.ledger import commit_history
from dgspay.payouts.ledger.commit_notes import Notes, predecessor_at
from dgspay.payouts.ledger.sql_batches import Value

_HEADER_BYTES = 20
_WRITE_VERSION, _WITH_LOG = 18, 2
_LOOKS, _BETWEEN_LOOKS = 10, 0.02


def note_beside(path: Path) -> Path:
    """Return where the note of a file lies beside it."""
    return path.with_name(f"{path.name}.note")


def log_of(path: Path) -> Path:
    """Return where SQLite keeps the last commits until it moves them into the file."""
    return path.with_name(f"{path.name}-wal")


def has_lost_its_log(path: Path) -> bool:
    """Say whether a file waits for a log that is not there.

    The last process that closes the file switches the log off, which is written in the file's
    head. A file that says otherwise was not closed in order: its process was killed, or it was
    copied while it was in use.
    """
    for _ in range(_LOOKS):
        if log_of(path).exists():
            return False
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
        if len(head) < _HEADER_BYTES or head[_WRITE_VERSION] != _WITH_LOG:
            return False
        # Another process may be opening or closing it at this very moment.
        time.sleep(_BETWEEN_LOOKS)
    return True


class _Reading:
    """A file as it is, without its log, and without a trace beside it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def query(self, statement: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return self._connection.execute(statement, values).fetchall()


@contextlib.contextmanager
def read_as_it_is(path: Path) -> Generator[commit_history.Reader]:
    """Open a file that no process has open, without changing anything."""
    address = f"file:{quote(str(path))}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        yield _Reading(connection)


def require_log(path: Path, folder: Path | None) -> None:
    """Refuse a file that has lost the log of its last commits.

    Raises:
        LedgerError: commits may be missing.
    """
    if not has_lost_its_log(path) or _is_complete_by_its_notes(path, folder):
        return
    raise WentBackError(
        f"{path} was not closed in order (its process was killed, or it was copied while in use), "
        f"and {log_of(path).name}, which holds the last commits, is not beside it: who was paid "
        "last may be missing from it, and would be paid again. Nothing was sent. Bring that file "
        "from where the ledger was before, under this name; or have all held that may have been "
        f"sent: dgspay payouts restore --ledger {path}"
    )


def _is_complete_by_its_notes(path: Path, folder: Path | None) -> bool:
    try:
        with read_as_it_is(path) as reader:
            identity = commit_history.identity_of(reader)
            if identity is None:
                return False
            notes = Notes(identity.id, str(path), beside=note_beside(path), folder=folder)
            noted = notes.read()
            latest = commit_history.latest_session(reader)
            return (
                noted is not None
                and latest.items() <= noted.sessions.items()
                and not commit_history.missing(reader, noted.sessions)
            )
    except sqlite3.Error as error:
        # A ledger of a dgspay that kept no record of its commits.
        return "no such table" in str(error)


def require_no_predecessor(path: Path, identity: str | None, folder: Path | None) -> None:
    """Refuse a ledger that stands where another one was that has paid.

    Args:
        path: The file.
        identity: The id of the ledger in it; None for a new one.
        folder: Where programs keep their state.

    Raises:
        LedgerError: there was another one.
    """
    before = predecessor_at(str(path), beside=note_beside(path), folder=folder)
    if before is None or before.ledger == identity:
        return
    notes = Notes(before.ledger, str(path), beside=note_beside(path), folder=folder)
    begun = ", ".join(sorted(before.reached)[:5])
    found = "there is none now" if identity is None else "now there is another one"
    raise WentBackError(
        f"the ledger that was at {path} has paid from ({begun}), and {found}: it was deleted, "
        "moved or replaced. Its payments would be made again. Nothing was sent. Put "
        "it back, or bring a backup back with `dgspay payouts restore BACKUP`. If it paid "
        f"no one, as in a test, delete {' and '.join(str(note) for note in notes.paths)}"
    )


def lacks_commits(path: Path, count: int, notes: Notes) -> WentBackError:
    """Return the error for a ledger that is older than its notes."""
    commits = "a commit" if count == 1 else f"{count:,} commits"
    return WentBackError(
        f"{path} lacks {commits} that this machine has seen: it was restored from a backup, "
        "replaced by an older copy, or another copy of it was used since. Payments made "
        "meanwhile would be made again. Nothing is sent from it. Put the newest file back, or have "
        f"all held that may have been sent since: dgspay payouts restore --ledger {path}. If "
        f"it paid no one, as in a test, delete {' and '.join(str(note) for note in notes.paths)}"
    )
