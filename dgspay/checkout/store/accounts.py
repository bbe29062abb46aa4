"""The script that finds the account whose orders these are."""

from __future__ import annotations

import attrs

from dgspay.checkout.store.protocol import Script, first, query
from dgspay.secret import Secret


@attrs.frozen
class Account:
    """A merchant account, as the store knows it.

    Attributes:
        key: Its number in the store.
        token_key: What the tokens of its pages and callback URLs are made with.
        salt: What distinguishes the idempotency keys of this store from those of another one.
    """

    key: int
    token_key: Secret
    salt: str


def ensure_account(environment: str, account_number: str, new_key: Secret) -> Script[Account]:
    """Return an account, and make it when it is not there."""
    yield from query(
        "INSERT INTO dgspay_order_accounts (environment, account_number, token_key) "
        "VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        environment,
        account_number,
        new_key.reveal(),
    )
    row = yield from first(
        "SELECT key, token_key, (SELECT salt FROM dgspay_order_salt) "
        "FROM dgspay_order_accounts WHERE environment = ? AND account_number = ?",
        environment,
        account_number,
    )
    assert row is not None
    return Account(row[0], Secret(row[1]), row[2])
