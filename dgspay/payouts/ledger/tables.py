"""The ledger's statements, the same for SQLite and PostgreSQL, and rows to records and back.

Statements are written with `?`; the PostgreSQL connection writes them with `%s`.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import attrs

from dgspay.payouts.batch import Batch, Chunk, Terms
from dgspay.payouts.evidence import Evidence, Finding, merge
from dgspay.payouts.ledger import Counts
from dgspay.payouts.payout import Payout, Record, State
from dgspay.secret import Secret

BATCH_COLUMNS = (
    "id, name, digest, environment, base_url, account_number, callback_url, token_secret, "
    "count, total, created_at, started, paused"
)
PAYOUT_COLUMNS = (
    "batch, number, reference, amount, account, bank_key, branch, network, country, name, "
    "narration, state"
)
_KNOWN_COLUMNS = (
    "number, reference, amount, account, bank_key, branch, network, country, name, narration, "
    "state, attempts, doubtful, dgs_reference, fee, reason, contradiction, sent_at, settled_at"
)

# Numbers, because a million rows are read and written by them.
_CODE = {state: code for code, state in enumerate(State)}
_STATE = dict(enumerate(State))
_NEW, _IN_DOUBT, _ACCEPTED, _HELD = (
    _CODE[state] for state in (State.NEW, State.IN_DOUBT, State.ACCEPTED, State.HELD)
)

DIED = "its answer was lost: the process that sent it, or was about to, has died"


class Database(Protocol):
    """A connection within a transaction."""

    for_update: str
    """What a SELECT ends with that goes on to change what it has read."""

    def query(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        ...

    def change(self, statement: str, values: Sequence[Any]) -> int:
        """Carry a statement out; return how many rows it changed."""
        ...

    def change_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> int:
        """Carry a statement out for each of the values; return how many rows that changed."""
        ...


@functools.lru_cache(maxsize=64)
def batch_id(name: str) -> int:
    """Return the number a batch's rows are kept under: 63 bits that follow from its name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 1


# --- batches ------------------------------------------------------------------------------


def insert_batch(database: Database, batch: Batch) -> None:
    """Write a batch down."""
    terms = batch.terms
    values = (
        *(batch_id(batch.name), batch.name, batch.digest),
        *(terms.environment, terms.base_url, terms.account_number, terms.callback_url),
        *(batch.token_secret.reveal(), batch.count, batch.total, batch.created_at),
        *(int(batch.started), batch.paused),
    )
    marks = ", ".join("?" * len(values))
    database.change(f"INSERT INTO dgspay_payout_batches ({BATCH_COLUMNS}) VALUES ({marks})", values)  # noqa: S608 - no value is in the text


def read_batches(database: Database, name: str | None = None) -> list[Batch]:
    """Return one batch by name, or all."""
    where, values = ("", ()) if name is None else ("WHERE id = ?", (batch_id(name),))
    rows = database.query(
        f"SELECT {BATCH_COLUMNS} FROM dgspay_payout_batches {where} ORDER BY created_at",  # noqa: S608 - no value is in the text
        values,
    )
    return [_batch_of(row) for row in rows]


def _batch_of(row: tuple[Any, ...]) -> Batch:
    _, name, digest, environment, base_url, account_number, callback_url, *rest = row
    token_secret, count, total, created_at, started, paused = rest
    return Batch(
        name=name,
        digest=digest,
        terms=Terms(
            environment=environment,
            base_url=base_url,
            account_number=account_number,
            callback_url=callback_url,
        ),
        token_secret=Secret(token_secret),
        count=count,
        total=int(total),
        created_at=created_at,
        started=bool(started),
        paused=paused,
    )


def delete_unstarted(database: Database, name: str) -> None:
    """Remove a batch and its rows, unless something of it may have been sent."""
    unstarted = "(SELECT id FROM dgspay_payout_batches WHERE id = ? AND started = 0)"
    database.change(f"DELETE FROM dgspay_payouts WHERE batch = {unstarted}", (batch_id(name),))  # noqa: S608 - no value is in the text
    database.change(
        "DELETE FROM dgspay_payout_batches WHERE id = ? AND started = 0", (batch_id(name),)
    )


def mark_started(database: Database, name: str) -> None:
    """Note that a batch was confirmed, and end its pause."""
    database.change(
        "UPDATE dgspay_payout_batches SET started = 1, paused = NULL WHERE id = ?",
        (batch_id(name),),
    )


def mark_paused(database: Database, name: str, reason: str) -> None:
    """Note why a batch stopped by itself; the first reason stays."""
    database.change(
        "UPDATE dgspay_payout_batches SET paused = ? WHERE id = ? AND paused IS NULL",
        (reason, batch_id(name)),
    )


def is_paused(database: Database, batch: Batch) -> bool:
    """Say whether nothing of a batch may be sent at the moment."""
    rows = database.query(
        "SELECT 1 FROM dgspay_payout_batches WHERE id = ? AND started = 1 AND paused IS NULL",
        (batch_id(batch.name),),
    )
    return not rows


# --- payouts ------------------------------------------------------------------------------


def payout_values(batch: int, payout: Payout) -> tuple[Any, ...]:
    """Return a new payout as the values of `PAYOUT_COLUMNS`."""
    return (batch, *payout, _NEW)


def take(
    database: Database, chunk: Chunk, *, after: int, limit: int, now: float, doubtful: bool
) -> list[Payout]:
    """Put the next payouts in doubt, and return them."""
    batch = batch_id(chunk.batch.name)
    # Where anything speaks for an earlier attempt having arrived, it is not sent again.
    wanted = (
        f"state IN ({_IN_DOUBT}, {_HELD}) AND dgs_reference IS NULL AND contradiction IS NULL"
        if doubtful
        else f"state = {_NEW}"
    )
    rows = database.query(
        f"SELECT {_KNOWN_COLUMNS} FROM dgspay_payouts WHERE batch = ? AND number > ? "  # noqa: S608 - no value is in the text
        f"AND number <= ? AND {wanted} ORDER BY number LIMIT ? {database.for_update}",
        (batch, max(after, chunk.first - 1), chunk.last, limit),
    )
    if rows:
        database.change(
            f"UPDATE dgspay_payouts SET state = {_IN_DOUBT}, attempts = attempts + 1, "  # noqa: S608 - no value is in the text
            f"doubtful = {'1' if doubtful else 'doubtful'}, sent_at = ? "
            f"WHERE batch = ? AND number >= ? AND number <= ? AND {wanted}",
            (now, batch, rows[0][0], rows[-1][0]),
        )
    return [payout_of(row) for row in rows]


def hold_doubtful(database: Database, chunk: Chunk) -> int:
    """Hold what somebody who is gone has left in doubt; return how many."""
    return database.change(
        f"UPDATE dgspay_payouts SET state = {_HELD}, doubtful = 1, reason = ? "  # noqa: S608 - no value is in the text
        f"WHERE batch = ? AND number >= ? AND number <= ? AND state = {_IN_DOUBT}",
        (DIED, batch_id(chunk.batch.name), chunk.first, chunk.last),
    )


def apply(database: Database, learned: Sequence[tuple[str, int, Evidence]], now: float) -> None:
    """Take evidence in. The usual kind, an acceptance of what is in doubt, is taken at once."""
    usual = [
        (
            evidence.dgs_reference,
            None if evidence.fee is None else format(evidence.fee, "f"),
            batch_id(name),
            number,
        )
        for name, number, evidence in learned
        if evidence.finding is Finding.ACCEPTED
    ]
    changed = 0
    if usual:
        changed = database.change_many(
            f"UPDATE dgspay_payouts SET state = {_ACCEPTED}, dgs_reference = ?, fee = ?, "  # noqa: S608 - no value is in the text
            f"reason = NULL WHERE batch = ? AND number = ? AND state = {_IN_DOUBT} "
            "AND dgs_reference IS NULL",
            usual,
        )
    if changed == len(learned):
        return
    # Merging the same acceptance twice changes nothing, so nobody asks which ones are left.
    for name, number, evidence in learned:
        merge_into(database, name, number, evidence, now)


def merge_into(
    database: Database, name: str, number: int, evidence: Evidence, now: float
) -> Record | None:
    """Take evidence in by the table of `evidence.merge`; None where there is no such payout."""
    rows = database.query(
        f"SELECT {_KNOWN_COLUMNS} FROM dgspay_payouts WHERE batch = ? AND number = ? "  # noqa: S608 - no value is in the text
        f"{database.for_update}",
        (batch_id(name), number),
    )
    if not rows:
        return None
    before = record_of(rows[0])
    after = merge(before, evidence, now)
    if after != before:
        database.change(
            "UPDATE dgspay_payouts SET state = ?, doubtful = ?, dgs_reference = ?, fee = ?, "
            "reason = ?, contradiction = ?, settled_at = ? WHERE batch = ? AND number = ?",
            (
                *(_CODE[after.state], int(after.doubtful), after.dgs_reference, after.fee),
                *(after.reason, after.contradiction, after.settled_at, batch_id(name), number),
            ),
        )
    return after


def read_page(
    database: Database, name: str, *, after: int, limit: int, states: Sequence[State]
) -> list[Record]:
    """Return payouts in the order of their numbers."""
    codes = ", ".join(str(_CODE[state]) for state in states)
    rows = database.query(
        f"SELECT {_KNOWN_COLUMNS} FROM dgspay_payouts WHERE batch = ? AND number > ? "  # noqa: S608 - no value is in the text
        f"AND state IN ({codes}) ORDER BY number LIMIT ?",
        (batch_id(name), after, limit),
    )
    return [record_of(row) for row in rows]


def read_one(database: Database, name: str, column: str, value: object) -> Record | None:
    """Return one payout by its `number` or `reference`."""
    rows = database.query(
        f"SELECT {_KNOWN_COLUMNS} FROM dgspay_payouts WHERE batch = ? AND {column} = ?",  # noqa: S608 - the column is ours
        (batch_id(name), value),
    )
    return record_of(rows[0]) if rows else None


def read_owner(database: Database, dgs_reference: str) -> tuple[str, int] | None:
    """Return batch and number of the payout DGS-Pay calls so."""
    # Made when it is first asked for: a run without such questions need not keep it up to date.
    database.change(
        "CREATE INDEX IF NOT EXISTS dgspay_payouts_dgs_reference "
        "ON dgspay_payouts (dgs_reference) WHERE dgs_reference IS NOT NULL",
        (),
    )
    rows = database.query(
        "SELECT b.name, p.number FROM dgspay_payouts p "
        "JOIN dgspay_payout_batches b ON b.id = p.batch WHERE p.dgs_reference = ?",
        (dgs_reference,),
    )
    return (rows[0][0], rows[0][1]) if rows else None


def read_counts(database: Database, name: str) -> Counts:
    """Count the payouts of a batch by state."""
    rows = database.query(
        "SELECT state, count(*), sum(amount) FROM dgspay_payouts WHERE batch = ? GROUP BY state",
        (batch_id(name),),
    )
    return Counts({_STATE[code]: (count, int(amount)) for code, count, amount in rows})


# --- rows to records ----------------------------------------------------------------------


def payout_of(row: tuple[Any, ...]) -> Payout:
    """Read the first columns of a row."""
    return Payout._make(row[:10])


def record_of(row: tuple[Any, ...]) -> Record:
    """Read a whole row."""
    code, attempts, doubtful, dgs_reference, fee, reason, contradiction, sent, settled = row[10:]
    return Record(
        payout=payout_of(row),
        state=_STATE[code],
        attempts=attempts,
        doubtful=bool(doubtful),
        dgs_reference=dgs_reference,
        fee=fee,
        reason=reason,
        contradiction=contradiction,
        sent_at=sent,
        settled_at=settled,
    )


def counted(batch: Batch, payouts: Iterable[Payout], count: list[int]) -> Iterable[tuple[Any, ...]]:
    """Give payouts on as values, and leave their count and sum in `count`."""
    identity = batch_id(batch.name)
    for payout in payouts:
        count[0] += 1
        count[1] += payout.amount
        yield payout_values(identity, payout)


def with_sums(batch: Batch, count: list[int]) -> Batch:
    """Return the batch with the count and the sum of what was loaded."""
    return attrs.evolve(batch, count=count[0], total=count[1])
