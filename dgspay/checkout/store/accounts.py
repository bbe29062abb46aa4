"""The script that finds the account whose orders these are."""

from __future__ import annotations

from dgspay.checkout.store.protocol import Script, first, query
from dgspay.secret import Secret


def ensure_account(
    environment: str, account_number: str, new_key: Secret
) -> Script[tuple[int, Secret]]:
    """Return an account, and make it when it is not there."""
    yield from query(
        "INSERT INTO dgspay_order_accounts (environment, account_number, token_key) "
        "VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        environment,
        account_number,
        new_key.reveal(),
    )
    row = yield from first(
        "SELECT key, token_key FROM dgspay_order_accounts "
        "WHERE environment = ? AND account_number = ?",
        environment,
        account_number,
    )
    assert row is not None
    return row[0], Secret(row[1])
