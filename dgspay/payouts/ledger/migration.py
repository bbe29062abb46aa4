"""Brings an older ledger forward, so that what was paid with it is guarded as well."""

from __future__ import annotations

from collections.abc import Sequence

from dgspay.payouts.ledger import guard
from dgspay.payouts.ledger.sql_batches import ROWS_PER_BATCH, Database, read_batches
from dgspay.payouts.model.batch import REPEAT_DAYS
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.model.spellings import stored_keys

OLDER_VERSIONS = (2, 3)
"""The versions that can be brought forward."""

_WITHOUT_GUARD = 2
_PAGE = 10_000
_DAYS = f"double precision NOT NULL DEFAULT {REPEAT_DAYS}"
_COLUMNS = (
    "ALTER TABLE dgspay_payout_batches ADD COLUMN period text",
    f"ALTER TABLE dgspay_payout_batches ADD COLUMN repeat_days {_DAYS}",
    # Empty: the keys of these batches follow from name and rows, and must stay as they are.
    "ALTER TABLE dgspay_payout_batches ADD COLUMN key_seed text NOT NULL DEFAULT ''",
    "ALTER TABLE dgspay_payouts ADD COLUMN pay_again text",
    "ALTER TABLE dgspay_payouts ADD COLUMN reference_key text",
    "ALTER TABLE dgspay_payouts ADD COLUMN account_key text",
)


_OF_VERSION_4 = tuple(
    f"ALTER TABLE dgspay_payout_batches ADD COLUMN {column}"
    for column in ("prepared_at double precision", "exempt_at double precision", "closed text")
)


def bring_forward(database: Database, version: int, guard_tables: Sequence[str]) -> None:
    """Add what is new, and claim what was taken up, all within the transaction it is called in.

    Args:
        database: The ledger's connection.
        version: The version it has.
        guard_tables: The statements that make the tables of the guard, which came with version 3.
    """
    for statement in _OF_VERSION_4:
        database.change(statement, ())
    if version > _WITHOUT_GUARD:
        return
    for statement in (*_COLUMNS, *guard_tables):
        database.change(statement, ())
    for batch in read_batches(database):
        _write_keys(database, batch.id)
        guard.claim_taken(database, batch)


def _write_keys(database: Database, batch: int) -> None:
    """Write down how references and accounts compare, where that is not how they are written."""
    first, last = batch * ROWS_PER_BATCH, (batch + 1) * ROWS_PER_BATCH
    while True:
        rows = database.query(
            "SELECT id, reference, amount, account, bank_key FROM dgspay_payouts "
            "WHERE id > ? AND id < ? ORDER BY id LIMIT ?",
            (first, last, _PAGE),
        )
        if not rows:
            return
        for identity, reference, amount, account, bank_key in rows:
            keys = stored_keys(
                Payout(
                    number=identity % ROWS_PER_BATCH,
                    reference=reference,
                    amount=amount,
                    account=account,
                    bank_key=bank_key,
                )
            )
            if keys != (None, None):
                database.change(
                    "UPDATE dgspay_payouts SET reference_key = ?, account_key = ? WHERE id = ?",
                    (*keys, identity),
                )
        first = rows[-1][0]
