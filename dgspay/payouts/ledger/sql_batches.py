"""The ledger's statements about whole batches, the same for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeAlias

import attrs

from dgspay.payouts.model.audit_log import LogHead
from dgspay.payouts.model.batch import PAUSED_BY_A_PERSON, Batch, Terms, closed_words
from dgspay.payouts.model.payout import State
from dgspay.secret import Secret

SCHEMA_VERSION = 4
"""Of the tables. One of version 2 or 3 is brought forward; any other is refused, not guessed at."""


@attrs.frozen
class BatchRow:
    """A row of the table of batches: its columns by their names, in order."""

    id: int
    name: str
    digest: str
    environment: str
    base_url: str
    account_number: str
    callback_url: str | None
    idempotency_header: str
    token_secret: str = attrs.field(repr=False)
    count: int
    total: int
    created_at: float
    started: int
    paused: str | None
    period: str | None
    repeat_days: float
    key_seed: str = attrs.field(repr=False)
    prepared_at: float | None
    exempt_at: float | None
    closed: str | None


_COLUMNS = ", ".join(attrs.fields_dict(BatchRow))

ROWS_PER_BATCH = 2**32
"""A payout is kept under its batch's id times this, and its own number."""

# Numbers, because a million rows are read and written by them.
CODES = {state: code for code, state in enumerate(State)}
NEW = CODES[State.NEW]


NOT_PAUSED_BY_A_PERSON = (
    f"coalesce(substr(paused, 1, {len(PAUSED_BY_A_PERSON)}), '') <> '{PAUSED_BY_A_PERSON}'"
)

Value: TypeAlias = str | int | float | None
"""What a statement is given for a `?`."""


class Database(Protocol):
    """A connection within a transaction. Statements are written with `?`."""

    lock_states: str
    """What a SELECT ends with that goes on to change the states `s` it has read."""

    lock_claims: str
    """The same for claims `c`; empty where a transaction has the ledger for itself."""

    by_bytes: str
    """What follows a text that is compared with the key of a claim: keys are ordered by bytes."""

    logged: LogHead | None
    """The last line of the audit log, where this transaction has written to it."""

    def lock_audit_log(self) -> str | None:
        """Keep others from writing to the audit log until the commit; return our role, if any."""
        ...

    def lock_limits(self) -> None:
        """Keep others from deciding until the commit what is within a limit."""
        ...

    def query(self, statement: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        ...

    def rows(self, statement: str, values: Sequence[Value]) -> Iterable[tuple[Any, ...]]:
        """Return the rows of a statement as they come, to be read before anything else is asked."""
        ...

    def change(self, statement: str, values: Sequence[Value]) -> int:
        """Carry a statement out; return how many rows it changed."""
        ...

    def mark(self, statement: str, values: Sequence[Value]) -> list[int] | None:
        """Change rows and return their ids; None where no other writer can come between."""
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
    row = BatchRow(
        id=batch.id,
        name=batch.name,
        digest=batch.digest,
        environment=terms.environment,
        base_url=terms.base_url,
        account_number=terms.account_number,
        callback_url=terms.callback_url,
        idempotency_header=terms.idempotency_header,
        token_secret=batch.token_secret.reveal(),
        count=batch.count,
        total=batch.total,
        created_at=batch.created_at,
        started=int(batch.started),
        paused=batch.paused,
        period=batch.period,
        repeat_days=batch.repeat_days,
        key_seed=batch.key_seed,
        prepared_at=batch.prepared_at,
        exempt_at=batch.exempt_at,
        closed=batch.closed,
    )
    values = attrs.astuple(row)
    marks = ", ".join("?" * len(values))
    database.change(f"INSERT INTO dgspay_payout_batches ({_COLUMNS}) VALUES ({marks})", values)  # noqa: S608 - no value is in the text


def read_batches(database: Database, name: str | None = None) -> list[Batch]:
    """Return one batch by name, or all."""
    where, values = ("", ()) if name is None else ("WHERE name = ?", (name,))
    rows = database.query(
        f"SELECT {_COLUMNS} FROM dgspay_payout_batches {where} ORDER BY id",  # noqa: S608 - no value is in the text
        values,
    )
    return [_batch_of(BatchRow(*row)) for row in rows]


def batch_numbered(database: Database, identity: int) -> Batch | None:
    """Return one batch by the number it is kept under."""
    rows = database.query(
        f"SELECT {_COLUMNS} FROM dgspay_payout_batches WHERE id = ?",  # noqa: S608 - constants
        (identity,),
    )
    return _batch_of(BatchRow(*rows[0])) if rows else None


def _batch_of(row: BatchRow) -> Batch:
    return Batch(
        id=row.id,
        name=row.name,
        digest=row.digest,
        terms=Terms(
            environment=row.environment,
            base_url=row.base_url,
            account_number=row.account_number,
            callback_url=row.callback_url,
            idempotency_header=row.idempotency_header,
        ),
        token_secret=Secret(row.token_secret),
        count=row.count,
        total=int(row.total),
        created_at=row.created_at,
        started=bool(row.started),
        paused=row.paused,
        period=row.period,
        repeat_days=row.repeat_days,
        key_seed=row.key_seed,
        prepared_at=row.prepared_at,
        exempt_at=row.exempt_at,
        closed=row.closed,
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
    """Note that a batch was confirmed, and end its pause; say whether it was still that one.

    A pause by a person stays, and nothing is noted then.
    """
    changed = database.change(
        "UPDATE dgspay_payout_batches SET started = 1, paused = NULL "  # noqa: S608 - constants
        f"WHERE name = ? AND id = coalesce(?, id) AND {NOT_PAUSED_BY_A_PERSON}",
        (name, identity),
    )
    return changed > 0


def mark_prepared(database: Database, identity: int, now: float) -> None:
    """Note that the rows of a batch are fixed, to be approved."""
    database.change(
        "UPDATE dgspay_payout_batches SET prepared_at = ? WHERE id = ?", (now, identity)
    )


def mark_exempt(database: Database, identity: int, now: float | None) -> None:
    """Note when a batch is paid without approval, for it is little; None for not at all."""
    database.change("UPDATE dgspay_payout_batches SET exempt_at = ? WHERE id = ?", (now, identity))


def mark_closed(database: Database, identity: int, reason: str) -> None:
    """Note that nothing more of a batch is sent, and why."""
    database.change("UPDATE dgspay_payout_batches SET closed = ? WHERE id = ?", (reason, identity))


def mark_paused(database: Database, name: str, reason: str) -> bool:
    """Note why a batch stopped by itself; the first reason stays. Say whether this is it."""
    changed = database.change(
        "UPDATE dgspay_payout_batches SET paused = ? WHERE name = ? AND paused IS NULL",
        (reason, name),
    )
    return changed > 0


def mark_paused_by_a_person(database: Database, identity: int, reason: str) -> None:
    """Note that a person has paused a batch, whether or not it had stopped by itself."""
    database.change(
        "UPDATE dgspay_payout_batches SET paused = ? WHERE id = ?",
        (f"{PAUSED_BY_A_PERSON}{reason}", identity),
    )


def mark_resumed(database: Database, identity: int) -> None:
    """Note that a batch may go on."""
    database.change("UPDATE dgspay_payout_batches SET paused = NULL WHERE id = ?", (identity,))


def obstacle(database: Database, batch: Batch) -> str | None:
    """Return why nothing of a batch may be sent, or None.

    It must be confirmed, neither paused nor closed, and still the one that was read.
    """
    found = batch_numbered(database, batch.id)
    if found is None or (found.name, found.digest) != (batch.name, batch.digest):
        return "the batch was paused: it was read again or removed since"
    if found.closed is not None:
        return closed_words(found)
    if found.paused is not None:
        return (
            found.paused if found.is_paused_by_a_person else f"the batch was paused: {found.paused}"
        )
    return None if found.started else "the batch was paused: it was not confirmed"
