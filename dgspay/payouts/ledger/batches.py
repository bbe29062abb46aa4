"""The ledger's statements about whole batches, the same for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from dgspay.payouts.batch import Batch, Terms
from dgspay.payouts.payout import State
from dgspay.secret import Secret

SCHEMA_VERSION = 2
"""Of the tables. A ledger of another version is refused, not guessed at."""

_COLUMNS = (
    "id, name, digest, environment, base_url, account_number, callback_url, idempotency_header, "
    "token_secret, count, total, created_at, started, paused"
)


NUMBERS = 2**32
"""A payout is kept under its batch's id times this, and its own number."""

# Numbers, because a million rows are read and written by them.
CODES = {state: code for code, state in enumerate(State)}
NEW, FAILED = CODES[State.NEW], CODES[State.FAILED]


class Database(Protocol):
    """A connection within a transaction. Statements are written with `?`."""

    lock_states: str
    """What a SELECT ends with that goes on to change the states `s` it has read."""

    def query(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        ...

    def rows(self, statement: str, values: Sequence[Any]) -> Iterable[tuple[Any, ...]]:
        """Return the rows of a statement as they come, to be read before anything else is asked."""
        ...

    def change(self, statement: str, values: Sequence[Any]) -> int:
        """Carry a statement out; return how many rows it changed."""
        ...

    def mark(self, statement: str, values: Sequence[Any]) -> list[int] | None:
        """Change rows and return the ids of those it were; None where nobody can come between."""
        ...

    def accept(
        self,
        ids: Sequence[int],
        references: Sequence[str | None],
        fees: Sequence[str | None],
    ) -> int:
        """Accept what is in doubt, by id, DGS-Pay's reference and fee; return how many it was."""
        ...

    def index_references(self) -> None:
        """See that a payout is found by DGS-Pay's reference quickly."""
        ...


def insert_batch(database: Database, batch: Batch) -> None:
    """Write a batch down."""
    terms = batch.terms
    values = (
        *(batch.id, batch.name, batch.digest),
        *(terms.environment, terms.base_url, terms.account_number, terms.callback_url),
        terms.idempotency_header,
        *(batch.token_secret.reveal(), batch.count, batch.total, batch.created_at),
        *(int(batch.started), batch.paused),
    )
    marks = ", ".join("?" * len(values))
    database.change(f"INSERT INTO dgspay_payout_batches ({_COLUMNS}) VALUES ({marks})", values)  # noqa: S608 - no value is in the text


def read_batches(database: Database, name: str | None = None) -> list[Batch]:
    """Return one batch by name, or all."""
    where, values = ("", ()) if name is None else ("WHERE name = ?", (name,))
    rows = database.query(
        f"SELECT {_COLUMNS} FROM dgspay_payout_batches {where} ORDER BY id",  # noqa: S608 - no value is in the text
        values,
    )
    return [_batch_of(row) for row in rows]


def _batch_of(row: tuple[Any, ...]) -> Batch:
    identity, name, digest, environment, base_url, account_number, callback_url, *rest = row
    idempotency_header, token_secret, count, total, created_at, started, paused = rest
    return Batch(
        id=identity,
        name=name,
        digest=digest,
        terms=Terms(
            environment=environment,
            base_url=base_url,
            account_number=account_number,
            callback_url=callback_url,
            idempotency_header=idempotency_header,
        ),
        token_secret=Secret(token_secret),
        count=count,
        total=int(total),
        created_at=created_at,
        started=bool(started),
        paused=paused,
    )


def id_of(database: Database, name: str) -> int | None:
    """Return the number a batch is kept under."""
    rows = database.query("SELECT id FROM dgspay_payout_batches WHERE name = ?", (name,))
    return rows[0][0] if rows else None


def delete_unstarted(database: Database, name: str) -> int | None:
    """Remove a batch, unless something of it may have been sent; return what its id was."""
    identity = id_of(database, name)
    removed = database.change(
        "DELETE FROM dgspay_payout_batches WHERE name = ? AND started = 0", (name,)
    )
    return identity if removed else None


def mark_started(database: Database, name: str, identity: int | None) -> bool:
    """Note that a batch was confirmed, and end its pause; say whether it was still that one."""
    changed = database.change(
        "UPDATE dgspay_payout_batches SET started = 1, paused = NULL "
        "WHERE name = ? AND id = coalesce(?, id)",
        (name, identity),
    )
    return changed > 0


def read_overlaps(database: Database, batch: Batch) -> list[tuple[str, float, int]]:
    """Name the batches that may have paid rows of this one, when they were read, and how many rows.

    A row is the same where its reference, its amount and its account are. What failed, or was
    never sent, may be in another batch.
    """
    others = database.query(
        "SELECT id FROM dgspay_payout_batches WHERE started = 1 AND id <> ? AND environment = ?",
        (batch.id, batch.terms.environment),
    )
    if not others:
        return []
    own = batch.id * NUMBERS, (batch.id + 1) * NUMBERS
    return [
        (name, created_at, count)
        for name, created_at, count in database.query(
            "SELECT b.name, b.created_at, count(*) FROM dgspay_payouts ours "  # noqa: S608 - constants
            "JOIN dgspay_payouts theirs ON theirs.reference = ours.reference "
            "AND theirs.amount = ours.amount AND theirs.account = ours.account "
            "AND coalesce(theirs.bank_key, '') = coalesce(ours.bank_key, '') "
            "JOIN dgspay_payout_states s ON s.id = theirs.id "
            f"JOIN dgspay_payout_batches b ON b.id = theirs.id / {NUMBERS} "
            "WHERE ours.id > ? AND ours.id < ? AND NOT (theirs.id > ? AND theirs.id < ?) "
            f"AND s.state NOT IN ({NEW}, {FAILED}) AND b.environment = ? "
            "GROUP BY b.name, b.created_at ORDER BY b.created_at",
            (*own, *own, batch.terms.environment),
        )
    ]


def mark_paused(database: Database, name: str, reason: str) -> None:
    """Note why a batch stopped by itself; the first reason stays."""
    database.change(
        "UPDATE dgspay_payout_batches SET paused = ? WHERE name = ? AND paused IS NULL",
        (reason, name),
    )


def may_be_paid(database: Database, batch: Batch) -> bool:
    """Say whether the batch was confirmed, is not paused, and is still the one that was read."""
    rows = database.query(
        "SELECT 1 FROM dgspay_payout_batches "
        "WHERE id = ? AND name = ? AND digest = ? AND started = 1 AND paused IS NULL",
        (batch.id, batch.name, batch.digest),
    )
    return bool(rows)
