"""Scripts of the journal: a verified body is kept, and what it is about is found."""

from __future__ import annotations

import hashlib

from dgspay.checkout.store.protocol import Script, first, query, record
from dgspay.checkout.store.scope import Scope


def keep_event(
    scope: Scope,
    body: bytes,
    name: str,
    dgs_reference: str | None,
    order_key: int | None,
    subject: str | None,
) -> Script[None]:
    """Keep the body of a verified webhook, or count that it was delivered again."""
    yield from record(
        "INSERT INTO dgspay_order_events AS held (account, order_key, subject, received_at, name, "
        "dgs_reference, digest, body, deliveries) VALUES (?, ?, ?, {now}, ?, ?, ?, ?, 1) "
        "ON CONFLICT (account, digest) DO UPDATE SET deliveries = held.deliveries + 1, "
        "order_key = COALESCE(held.order_key, excluded.order_key), "
        "subject = COALESCE(held.subject, excluded.subject)",
        scope.key,
        order_key,
        subject,
        name,
        dgs_reference,
        hashlib.sha256(body).digest()[:16],
        body,
    )


def forget_events(scope: Scope, most: int = 500) -> Script[int]:
    """Remove bodies that have been kept for as long as they are; return how many."""
    rows = yield from query(
        "DELETE FROM dgspay_order_events WHERE key IN (SELECT key FROM dgspay_order_events "
        "WHERE account = ? ORDER BY key LIMIT ?) AND received_at < {now} - ? RETURNING key",
        scope.key,
        most,
        scope.timing.journal,
    )
    return len(rows)


def find_by_reference(scope: Scope, dgs_reference: str) -> Script[tuple[int, str] | None]:
    """Return the order and the subject (`a1`, `r1`) that DGS-Pay's reference is of."""
    for table, letter in (("attempts", "a"), ("refunds", "r")):
        row = yield from first(
            f"SELECT order_key, number FROM dgspay_order_{table} "
            "WHERE dgs_reference = ? AND account = ?",
            dgs_reference,
            scope.key,
        )
        if row is not None:
            return row[0], f"{letter}{row[1]}"
    return None
