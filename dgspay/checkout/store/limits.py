"""Scripts that bound the attempts of a client address: what testers of stolen cards meet."""

from __future__ import annotations

from dgspay.callback_urls import token_of
from dgspay.checkout.errors import TooManyAttemptsError
from dgspay.checkout.store.protocol import Script, query
from dgspay.checkout.store.scope import Scope

_KEPT = 24 * 3600.0
"""Seconds for which a count is kept at least: a process with other limits may still need it."""


def count_address(scope: Scope, address: str) -> Script[None]:
    """Count an attempt of a client address, which is stored as a hash only.

    Raises:
        TooManyAttemptsError: it has made as many as are allowed.
    """
    subject = token_of(scope.token_key, "address", *address.splitlines())
    rows = yield from query(
        "INSERT INTO dgspay_order_limits AS held (subject, since, count) VALUES (?, {now}, 1) "
        "ON CONFLICT (subject) DO UPDATE SET "
        "count = CASE WHEN held.since <= {now} - ? THEN 1 ELSE held.count + 1 END, "
        "since = CASE WHEN held.since <= {now} - ? THEN {now} ELSE held.since END "
        "RETURNING count, since, {now}",
        subject,
        scope.limits.address_seconds,
        scope.limits.address_seconds,
    )
    count, since, now = rows[0]
    if count > scope.limits.address_attempts:
        wait = max(1.0, since + scope.limits.address_seconds - now)
        raise TooManyAttemptsError(
            f"this address has made {scope.limits.address_attempts} attempts in "
            f"{scope.limits.address_seconds:g} s, as many as are allowed. Nothing was sent; "
            f"try again in {wait:.0f} s",
            retry_after=wait,
        )


def forget_addresses(scope: Scope, most: int = 500) -> Script[int]:
    """Remove the counts of addresses that have made no attempt for long; return how many."""
    rows = yield from query(
        "DELETE FROM dgspay_order_limits WHERE subject IN (SELECT subject FROM dgspay_order_limits "
        "WHERE since < {now} - ? ORDER BY since LIMIT ?) RETURNING subject",
        max(_KEPT, scope.limits.address_seconds),
        most,
    )
    return len(rows)
