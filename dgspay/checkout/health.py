"""The health of a checkout: what is open, for how long, and what has failed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

import attrs

from dgspay.checkout.flow import Flow, transact
from dgspay.checkout.order import OrderState
from dgspay.checkout.shop import Shop
from dgspay.checkout.store.protocol import Script, first, query
from dgspay.checkout.store.scope import Scope
from dgspay.webhooks.events import UnknownEvent, read_event


@attrs.frozen(kw_only=True)
class Health:
    """What a monitor asks of a checkout. Its cost grows with what is open, not with what is over.

    Attributes:
        is_healthy: No handler has failed for good, nothing is in doubt for longer than the stated
            time, and the sweep is not behind.
        open_orders: Orders that are open or being paid, and have an expiry, by state.
        attempts_watched: Attempts that a webhook or a look-up has still to settle.
        oldest_attempt: Seconds since the oldest of them was begun, or None.
        look_ups_due: Attempts whose look-up is due: many mean that no sweep runs.
        handlers_owed: Handlers that are still to be run.
        handlers_failing: Handlers that are no longer run: mend them, and replay their orders.
        oldest_handler: Seconds for which the oldest handler has been due, or None.
        problems_open: Problems that were not resolved.
        unknown_events: Verified webhooks about no order of this store.
        webhook_lag: The longest time in seconds, of the latest webhooks of the last quarter of an
            hour, from a payment's end to the first delivery; None where none came that says when.
    """

    is_healthy: bool
    open_orders: Mapping[str, int]
    attempts_watched: int
    oldest_attempt: float | None
    look_ups_due: int
    handlers_owed: int
    handlers_failing: int
    oldest_handler: float | None
    problems_open: int
    unknown_events: int
    webhook_lag: float | None


_BEHIND = 300.0
"""Seconds for which a handler may be due before the sweep counts as behind."""

_LATEST_SECONDS = 900.0
_LATEST_WEBHOOKS = 20


def health(shop: Shop) -> Flow[Health]:
    """Return what is open, for how long, and what has failed.

    Raises:
        OrdersError: the store cannot be read: it is not healthy.
    """
    scope = yield from shop.scope()
    return (yield from transact(partial(_health, scope)))


def _health(scope: Scope) -> Script[Health]:
    account = scope.key
    by_state = yield from query(
        "SELECT state, count(*) FROM dgspay_orders WHERE account = ? AND expires_at IS NOT NULL "
        "AND state IN ('open', 'paying') GROUP BY state",
        account,
    )
    watched = yield from first(
        "SELECT count(*), {now} - min(asked_at), "
        "sum(CASE WHEN look_at <= {now} THEN 1 ELSE 0 END) "
        "FROM dgspay_order_attempts WHERE account = ? AND look_at IS NOT NULL",
        account,
    )
    tasks = yield from first(
        "SELECT sum(CASE WHEN due_at IS NULL THEN 0 ELSE 1 END), "
        "sum(CASE WHEN due_at IS NULL THEN 1 ELSE 0 END), {now} - min(due_at) "
        "FROM dgspay_order_tasks WHERE account = ?",
        account,
    )
    problems = yield from first(
        "SELECT count(*) FROM dgspay_order_problems WHERE account = ? AND resolution IS NULL",
        account,
    )
    unknown = yield from first(
        "SELECT count(*) FROM dgspay_order_events WHERE account = ? AND order_key IS NULL", account
    )
    lag = yield from _webhook_lag(scope)
    assert watched is not None
    assert tasks is not None
    oldest_handler = None if tasks[2] is None else max(0.0, float(tasks[2]))
    failing = int(tasks[1] or 0)
    oldest = None if watched[1] is None else float(watched[1])
    return Health(
        is_healthy=failing == 0
        and (oldest_handler or 0.0) < _BEHIND
        and (oldest or 0.0) < scope.timing.doubt,
        open_orders={OrderState(state).value: int(count) for state, count in by_state},
        attempts_watched=int(watched[0]),
        oldest_attempt=oldest,
        look_ups_due=int(watched[2] or 0),
        handlers_owed=int(tasks[0] or 0),
        handlers_failing=failing,
        oldest_handler=oldest_handler,
        problems_open=int(problems[0]) if problems else 0,
        unknown_events=int(unknown[0]) if unknown else 0,
        webhook_lag=lag,
    )


def _webhook_lag(scope: Scope) -> Script[float | None]:
    latest = yield from query(
        "SELECT received_at, body FROM dgspay_order_events "
        "WHERE account = ? AND received_at >= {now} - ? ORDER BY key DESC LIMIT ?",
        scope.key,
        _LATEST_SECONDS,
        _LATEST_WEBHOOKS,
    )
    lags = [
        float(received_at) - ended.timestamp()
        for received_at, body in latest
        # Of a time without a zone nobody knows which moment it is.
        if (ended := _end_of(body)) is not None and ended.tzinfo is not None
    ]
    # A clock that runs behind DGS-Pay's would make it negative.
    return max(0.0, *lags) if lags else None


def _end_of(body: bytes) -> datetime | None:
    event = read_event(bytes(body))
    return None if isinstance(event, UnknownEvent) else event.timestamp
