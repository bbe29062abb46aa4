"""The ledger's statements about its audit log, the same for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from dgspay.payouts.ledger import commit_history
from dgspay.payouts.ledger.commit_notes import Noted
from dgspay.payouts.ledger.sql_batches import Database
from dgspay.payouts.model.audit_log import (
    Action,
    AuditLine,
    Facts,
    LogFault,
    LogHead,
    faults_of,
    genesis,
    new_line,
)

TABLE = """
    CREATE TABLE IF NOT EXISTS dgspay_payout_audit_log (
        number bigint PRIMARY KEY,
        moment text NOT NULL,
        action text NOT NULL,
        batch text,
        os_user text NOT NULL,
        host text NOT NULL,
        role text,
        reason text,
        facts text NOT NULL,
        previous text NOT NULL,
        hash text NOT NULL
    )
"""
KEPT = "the audit log of payouts is append-only"
"""What a statement is told that would change or remove a line."""

_COLUMNS = "number, moment, action, batch, os_user, host, role, reason, facts, previous, hash"
_PAGE = 1000


def append(
    database: Database,
    action: Action,
    now: float,
    *,
    batch: str | None = None,
    reason: str | None = None,
    facts: Facts = MappingProxyType({}),
) -> None:
    """Write a line, within the transaction that does what it is about.

    Args:
        database: The ledger's connection.
        action: What is done.
        now: Unix time.
        batch: The batch it is about.
        reason: Why.
        facts: What belongs to it.
    """
    role = database.lock_audit_log()
    line = new_line(
        _head(database),
        now=now,
        action=action,
        batch=batch,
        role=role,
        reason=reason,
        facts=facts,
    )
    values = (
        *(line.number, line.at, line.action, line.batch, line.user, line.host, line.role),
        *(line.reason, line.facts, line.previous, line.hash),
    )
    marks = ", ".join("?" * len(values))
    database.change(f"INSERT INTO dgspay_payout_audit_log ({_COLUMNS}) VALUES ({marks})", values)  # noqa: S608 - no value is in the text
    database.logged = LogHead(line.number, line.hash)


def _head(database: Database) -> LogHead:
    rows = database.query(
        "SELECT number, hash FROM dgspay_payout_audit_log ORDER BY number DESC LIMIT 1", ()
    )
    return LogHead(*rows[0]) if rows else genesis(_ledger(database))


def _ledger(database: commit_history.Reader) -> str:
    identity = commit_history.identity_of(database)
    return "" if identity is None else identity.id


def read(
    database: commit_history.Reader, *, batch: str | None, after: int, limit: int
) -> list[AuditLine]:
    """Return lines in order, after one of them; of one batch, or all."""
    where, named = ("", ()) if batch is None else ("batch = ? AND", (batch,))
    rows = database.query(
        f"SELECT {_COLUMNS} FROM dgspay_payout_audit_log WHERE {where} number > ? "  # noqa: S608 - no value is in the text
        "ORDER BY number LIMIT ?",
        (*named, after, limit),
    )
    return [_line_of(row) for row in rows]


def verify(database: Database, noted: Noted | None, *, noted_all: bool) -> list[LogFault]:
    """Return what was done to the log by other means than dgspay's; see `faults_of`."""
    known = {} if noted is None else noted.log
    return [*faults_of(_all(database), _ledger(database), known, noted_all=noted_all)]


def _all(database: Database) -> Iterator[AuditLine]:
    after = 0
    while page := read(database, batch=None, after=after, limit=_PAGE):
        yield from page
        after = page[-1].number


def _line_of(row: tuple[Any, ...]) -> AuditLine:
    number, at, action, batch, user, host, role, reason, facts, previous, digest = row
    return AuditLine(
        number=number,
        at=at,
        action=action,
        batch=batch,
        user=user,
        host=host,
        role=role,
        reason=reason,
        facts=facts,
        previous=previous,
        hash=digest,
    )
