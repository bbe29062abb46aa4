"""Scripts of an attempt: it begins, takes its steps, and learns how it stands."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from dgspay import Charge, Operation
from dgspay.checkout import transitions
from dgspay.checkout.errors import (
    OrderClosedError,
    StepOverError,
    TooManyAttemptsError,
)
from dgspay.checkout.order import Attempt, Method, Order, OrderState, ProblemKind
from dgspay.checkout.store.limits import count_address
from dgspay.checkout.store.loading import load, load_by_key
from dgspay.checkout.store.problems import settle
from dgspay.checkout.store.protocol import Script, first, record
from dgspay.checkout.store.scope import Scope
from dgspay.checkout.store.writing import Learnt, write, write_attempt, write_state
from dgspay.checkout.transitions import Begin, Evidence, may_begin


@attrs.frozen
class Begun:
    """What came of the wish to begin an attempt.

    Attributes:
        order: The order as it stands now.
        now: The store's time.
        operation: The call of its last attempt, to be sent now; None where none may begin.
        look_first: The attempt to look up before another may begin.
    """

    order: Order
    now: float
    operation: Operation[Charge] | None = None
    look_first: Attempt | None = None


def begin(
    scope: Scope,
    order_id: str,
    method: Method,
    *,
    details: dict[str, str],
    client_address: str | None,
    instead_of: int | None,
    asked_at: float | None,
    build: Callable[[Order, Attempt], Operation[Charge]],
) -> Script[Begun]:
    """Write an attempt down as in doubt, unless one is under way.

    Args:
        scope: The order's.
        order_id: The order's id.
        method: How it is to be paid.
        details: The attempt's `phone` and `network`.
        client_address: Where the payer is on the network.
        instead_of: See `may_begin`.
        asked_at: See `may_begin`.
        build: Makes the call; where it raises, nothing is written.

    Raises:
        UnknownOrderError, OrderClosedError, TooManyAttemptsError: nothing was written.
    """
    order, now = yield from load(scope, order_id, locked=True)
    current = order.under_way
    if order.state in (OrderState.CANCELLED, OrderState.EXPIRED):
        raise OrderClosedError(
            f"order {order.id!r} is {order.state}. Nothing was sent; open another order"
        )
    looked_at = None
    if current is not None:
        row = yield from first(
            "SELECT looked_at FROM dgspay_order_attempts WHERE order_key = ? AND number = ?",
            order.key,
            current.number,
        )
        looked_at = None if row is None else row[0]
    may = may_begin(order, now=now, looked_at=looked_at, instead_of=instead_of, asked_at=asked_at)
    if may is Begin.NO:
        return Begun(order, now)
    if may is Begin.LOOK_FIRST:
        return Begun(order, now, look_first=current)
    if order.expires_at is not None and now >= order.expires_at:
        raise OrderClosedError(
            f"the time of order {order.id!r} is over. Nothing was sent; open another order"
        )
    if len(order.attempts) >= scope.limits.attempts:
        raise TooManyAttemptsError(
            f"order {order.id!r} had {len(order.attempts)} attempts, as many as are allowed. "
            "Nothing was sent; open another order"
        )
    if client_address is not None:
        yield from count_address(scope, client_address)
    order = transitions.begin(
        order, method, now=now, stale_at=now + scope.timing.lifetime(method), **details
    )
    attempt = order.attempts[-1]
    operation = build(order, attempt)
    if current is not None:
        yield from record(
            "UPDATE dgspay_order_attempts SET under_way = 0 WHERE order_key = ? AND number = ?",
            order.key,
            current.number,
        )
    yield from _insert(scope, order, attempt, look_at=now + scope.timing.first_look_up)
    yield from write_state(order)
    return Begun(order, now, operation=operation)


def _insert(scope: Scope, order: Order, attempt: Attempt, *, look_at: float | None) -> Script[None]:
    yield from record(
        "INSERT INTO dgspay_order_attempts (order_key, number, account, method, state, under_way, "
        "step, lost_step, network, phone, asked_at, stale_at, look_at, looks) "
        "VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, 0)",
        order.key,
        attempt.number,
        scope.key,
        attempt.method.value,
        attempt.state.value,
        int(attempt.is_under_way),
        attempt.network,
        attempt.phone,
        attempt.asked_at,
        attempt.stale_at,
        look_at,
    )


def take_step(
    scope: Scope, order_id: str, kind: type[object], attempt: int | None, step: int | None
) -> Script[tuple[Order, Attempt]]:
    """Take the step of an attempt away, so that it is submitted once, and put it in doubt.

    Returns:
        The order as it is then, and the attempt as it was before.

    Raises:
        StepOverError: this step is not, or no longer, what DGS-Pay asks for.
    """
    order, now = yield from load(scope, order_id, locked=True)
    before = order.under_way
    if (
        before is None
        or order.is_closed
        or (attempt is not None and before.number != attempt)
        or (step is not None and before.step != step)
        or not isinstance(before.next_action, kind)
        or before.dgs_reference is None
    ):
        raise StepOverError(
            f"order {order.id!r} does not wait for this step: it was submitted before, or is "
            "another attempt's. Nothing was sent; show the order's next action"
        )
    order = transitions.submit(order, before.number)
    yield from write_attempt(order, order.numbered(before.number))
    # Where its answer is lost, the payer waits for a look-up: the pauses begin anew.
    yield from record(
        "UPDATE dgspay_order_attempts SET look_at = ?, looks = 0 "
        "WHERE order_key = ? AND number = ?",
        now + scope.timing.first_look_up,
        order.key,
        before.number,
    )
    return order, before


def learn(
    scope: Scope,
    order_key: int,
    number: int,
    evidence: Evidence,
    *,
    asked_at: float | None = None,
) -> Script[Learnt | None]:
    """Merge a piece of evidence into its order.

    An attempt of the order that is not there is one that the store has forgotten: it was restored
    from a backup since, and nothing but the attempt's own callback URL names it.

    Args:
        scope: The order's.
        order_key: The order's number in the store.
        number: The attempt's.
        evidence: What was learned.
        asked_at: The store's time before DGS-Pay was asked, for a look-up.
    """
    found = yield from load_by_key(scope, order_key, locked=True)
    if found is None:
        return None
    return (yield from learn_of(scope, *found, number, evidence, asked_at=asked_at))


def learn_of(
    scope: Scope,
    order: Order,
    now: float,
    number: int,
    evidence: Evidence,
    *,
    asked_at: float | None = None,
) -> Script[Learnt]:
    """Merge a piece of evidence into an order that this transaction has loaded and locked.

    Args:
        scope: The order's.
        order: The order.
        now: The store's time.
        number: The attempt's number.
        evidence: What was learned.
        asked_at: See `learn`.
    """
    if not any(one.number == number for one in order.attempts):
        order = transitions.recall(order, number, now=now)
        yield from _insert(scope, order, order.numbered(number), look_at=None)
    change = transitions.learn(order, number, evidence, now=now)
    if asked_at is not None:
        yield from record(
            "UPDATE dgspay_order_attempts SET looked_at = ? WHERE order_key = ? AND number = ?",
            asked_at,
            order.key,
            number,
        )
    after = change.order.numbered(number)
    if after.is_settled and order.open_problems:
        how = f"the {evidence.source} settled it"
        yield from settle(order.key, ProblemKind.IN_DOUBT, number, how)
    return (yield from write(scope, order, change, number))
