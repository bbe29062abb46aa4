"""Backups of a ledger's file, and restoring one without paying twice."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.errors import LedgerError, WentBackError
from dgspay.payouts.ledger import commit_history, sql_audit_log
from dgspay.payouts.ledger.commit_notes import Noted
from dgspay.payouts.ledger.database import DatabaseLedger
from dgspay.payouts.ledger.file_wholeness import read_as_it_is
from dgspay.payouts.ledger.migration import OLDER_VERSIONS
from dgspay.payouts.ledger.sql_batches import SCHEMA_VERSION, Database
from dgspay.payouts.ledger.sqlite import SqliteConnection, SqliteLedger
from dgspay.payouts.model.audit_log import Action, Facts


@attrs.frozen(kw_only=True)
class RestoredLedger:
    """What became of a ledger that was restored.

    Attributes:
        held: Payouts that may have been sent since, and are held now.
        lost: Batches that were begun since and are not in it, and up to which row each was sent.
        since: Unix time of the last commit that it has.
        aside: Where the file is now that was there before, or None.
    """

    held: int
    lost: dict[str, int]
    since: float
    aside: Path | None = None


def backup_ledger(
    ledger: SqliteLedger, to: Path, *, clock: Callable[[], float] = time.time
) -> None:
    """Write a copy of a ledger that is whole, also while it is in use.

    The copy says of itself that it is one, so that nothing is ever paid from it.

    Args:
        ledger: The ledger.
        to: Where the copy goes; it appears there once it is on disk.
        clock: Unix time.

    Raises:
        ConfigError: there is something at that place.
        LedgerError: the copy cannot be written.
    """
    if to.exists():
        raise ConfigError(f"{to} is there already: a backup replaces nothing")
    unfinished = to.with_name(f"{to.name}.unfinished")
    try:
        os.close(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))
        _log_backup(ledger, to, clock())
        with (
            contextlib.closing(sqlite3.connect(ledger.path)) as source,
            contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            copy.execute("PRAGMA synchronous = FULL")
            copy.execute(
                "UPDATE dgspay_payout_ledger SET copy_of = ?, copied_at = ?",
                (str(ledger.path), clock()),
            )
        unfinished.rename(to)
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(f"the backup {to} cannot be written: {error}") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _log_backup(ledger: SqliteLedger, to: Path, now: float) -> None:
    """Write the line before the ledger is copied, so that the copy has it, too."""
    # A ledger that lacks commits can be copied, though nothing is written into it.
    with contextlib.suppress(WentBackError):
        ledger.transact(
            lambda connection: sql_audit_log.append(
                connection, Action.BACKUP, now, facts={"to": str(to)}
            )
        )


def restore_ledger(
    path: Path, backup: Path | None = None, *, clock: Callable[[], float] = time.time
) -> RestoredLedger:
    """Bring a ledger back, and hold all that may have been sent since.

    Args:
        path: The ledger's file; one that is there is put aside and not removed.
        backup: The backup, or any older copy; the file at `path` as it is if left out.
        clock: Unix time.

    Raises:
        ConfigError: there is no such file.
        LedgerError: it is no ledger, or cannot be written.
    """
    path, now = Path(os.path.realpath(path)), clock()
    source = path if backup is None else Path(os.path.realpath(backup))
    if not source.exists():
        raise ConfigError(f"there is no ledger at {source}")
    aside = None
    if source != path:
        aside = _replaced(path, source, now)
    connection = SqliteConnection(path, clock=clock, checked=False)
    try:
        return attrs.evolve(_held_since(connection, now), aside=aside)
    except sqlite3.Error as error:
        raise LedgerError(f"{path} cannot be restored: {error}") from None
    finally:
        connection.close()


def _replaced(path: Path, source: Path, now: float) -> Path | None:
    """Put a copy of a backup in a ledger's place; return where what was there is now."""
    _require_ledger(source)
    fresh = path.with_name(f"{path.name}.restored")
    try:
        os.close(os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))
        with (
            contextlib.closing(sqlite3.connect(source)) as old,
            contextlib.closing(sqlite3.connect(fresh)) as new,
        ):
            old.backup(new)
        aside = _put_aside(path, now)
        fresh.replace(path)
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(f"{source} cannot be brought back: {error}") from None
    return aside


def _require_ledger(source: Path) -> None:
    with contextlib.suppress(sqlite3.Error), read_as_it_is(source) as reader:
        ((version,),) = reader.query("PRAGMA user_version", ())
        if (
            version in (*OLDER_VERSIONS, SCHEMA_VERSION)
            and commit_history.identity_of(reader) is not None
        ):
            return
    raise LedgerError(f"{source} is no ledger, or one of another dgspay than this")


def _put_aside(path: Path, now: float) -> Path | None:
    if not path.exists():
        return None
    aside = path.with_name(f"{path.name}.before-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}")
    # The log first: the file without it could still be read, and would be an older one.
    for end in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(f"{path.name}{end}").rename(aside.with_name(f"{aside.name}{end}"))
    path.rename(aside)
    return aside


def _held_since(connection: SqliteConnection, now: float) -> RestoredLedger:
    """Hold what may have been sent in commits that a file lacks, and begin a new session of it."""
    noted = connection.memory.notes.read()
    connection.begin()
    since = commit_history.latest_commit(connection)
    known = {name for (name,) in connection.query("SELECT name FROM dgspay_payout_batches", ())}
    held = 0
    if noted is None or not _has_seen(connection, noted):
        # It was used on another machine: how far it came is unknown here.
        held = _hold(connection, since, now)
    elif commit_history.missing(connection, noted.sessions):
        held = _hold(connection, since, now, noted.reached)
    reached = {} if noted is None else noted.reached
    lost = {name: number for name, number in reached.items() if name not in known}
    sql_audit_log.append(
        connection,
        Action.RESTORE,
        now,
        facts={
            "since": commit_history.moment(since),
            "held": held,
            "lost batches": ", ".join(lost) or None,
            # Those after the backup are not in it any more.
            "audit log noted up to line": max(noted.log, default=None) if noted else None,
        },
    )
    connection.change("UPDATE dgspay_payout_ledger SET copy_of = NULL, copied_at = NULL", ())
    connection.memory.begin_anew()
    connection.commit()
    return RestoredLedger(held=held, lost=lost, since=since)


def _has_seen(connection: SqliteConnection, noted: Noted) -> bool:
    """Say whether a note is of a machine that has seen the last commits of a file."""
    latest = commit_history.latest_session(connection)
    return all(noted.sessions.get(token, -1) >= count for token, count in latest.items())


def _hold(
    database: Database, since: float, now: float, reached: Mapping[str, int] | None = None
) -> int:
    reason = (
        f"the ledger lacks what came after {commit_history.moment(since)}: this may have been sent"
    )
    held = commit_history.hold_unsent(database, reason, now, reached)
    commit_history.note_loss(database, since, now, (None, None))
    return held


def hold_ledger(
    ledger: DatabaseLedger[Any], *, clock: Callable[[], float] = time.time
) -> RestoredLedger:
    """Hold all that a database that was restored by its own means may have sent since.

    Args:
        ledger: The ledger.
        clock: Unix time.

    Raises:
        LedgerError: it cannot be written.
    """

    def work(database: Database) -> RestoredLedger:
        since, now = commit_history.latest_commit(database), clock()
        held = _hold(database, since, now)
        facts: Facts = {"since": commit_history.moment(since), "held": held}
        sql_audit_log.append(database, Action.RESTORE, now, facts=facts)
        return RestoredLedger(held=held, lost={}, since=since)

    return ledger.transact(work)


def confirm_compared(
    ledger: DatabaseLedger[Any], *, clock: Callable[[], float] = time.time
) -> None:
    """Note that a person has compared what a ledger may lack with DGS-Pay's records.

    Args:
        ledger: The ledger.
        clock: Unix time.

    Raises:
        LedgerError: it cannot be written.
    """

    def work(database: Database) -> None:
        commit_history.forget_loss(database)
        sql_audit_log.append(database, Action.COMPARE, clock())

    ledger.transact(work)
