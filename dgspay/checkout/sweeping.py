"""The sweep: look-ups of what no webhook has settled, handlers that are owed, and expiry."""

from __future__ import annotations

from functools import partial

import attrs

from dgspay import errors
from dgspay.api import transactions
from dgspay.checkout import refunds, transitions
from dgspay.checkout.attempts import look_up
from dgspay.checkout.evidence import evidence_of_look_up
from dgspay.checkout.flow import Flow, execute, sleep, transact
from dgspay.checkout.handlers import run_owed, run_tasks
from dgspay.checkout.order import Attempt, Order
from dgspay.checkout.shop import Shop
from dgspay.checkout.store.events import forget_events
from dgspay.checkout.store.limits import forget_addresses
from dgspay.checkout.store.loading import load_by_key
from dgspay.checkout.store.scope import Scope
from dgspay.checkout.store.tasks import count_owed
from dgspay.checkout.store.watching import (
    Due,
    doubt,
    lease_due,
    lease_expiring,
    make_due,
    open_attempts,
    release_expiring,
)
from dgspay.checkout.store.writing import change_order


@attrs.define
class Sweep:
    """What one sweep did.

    Attributes:
        looked_up: Look-ups that DGS-Pay answered.
        unanswered: Look-ups to which it gave no usable answer; they are due again.
        settled: Attempts and refunds that ended by them.
        in_doubt: Problems noted for what has been in doubt for too long.
        expired: Orders that expired.
        handled: Handlers that were owed and succeeded.
        failing: Handlers that were owed and failed.
        owed: Handlers that are still owed: to be run again, or by the process that has them.
        is_complete: Whether nothing that was due is left.
    """

    looked_up: int = 0
    unanswered: int = 0
    settled: int = 0
    in_doubt: int = 0
    expired: int = 0
    handled: int = 0
    failing: int = 0
    owed: int = 0
    is_complete: bool = True


_AT_ONCE = 50
_EXPIRING = 500
"""The most orders that one sweep expires."""
_REFUNDS = 100
"""The most refunds that one sweep looks at: they are few, and looked at seldom."""


def sweep(
    shop: Shop, *, most: int = 1000, per_second: float = 20.0, everything: bool = False
) -> Flow[Sweep]:
    """Look up what no webhook has settled, run the handlers that are owed, expire what is over.

    It may run in every process at once: what one looks at is leased to it. The work grows with
    what is open, never with what is settled.

    Args:
        most: The most look-ups.
        per_second: The most look-ups in a second.
        everything: Look up all that is open, due or not.

    Raises:
        OrdersError: the store failed; another sweep goes on.
    """
    scope = yield from shop.scope()
    done = Sweep()
    if everything:
        yield from transact(partial(make_due, scope))
    # Before the look-ups, which would be of the same attempts.
    yield from _expire(shop, scope, done, pause=1 / per_second)
    left = most
    while left > 0:
        dues = yield from transact(partial(lease_due, scope, "attempts", min(_AT_ONCE, left)))
        for due in dues:
            yield from _look_at(shop, scope, due, done)
            if due.dgs_reference is not None:
                yield from sleep(1 / per_second)
        left -= len(dues)
        if not dues:
            break
    done.is_complete = left > 0
    for due in (yield from transact(partial(lease_due, scope, "refunds", _REFUNDS))):
        yield from _look_at_refund(shop, scope, due, done)
        if due.dgs_reference is not None:
            yield from sleep(1 / per_second)
    yield from transact(partial(forget_events, scope))
    yield from transact(partial(forget_addresses, scope))
    handled, failing = yield from run_owed(shop, scope)
    done.handled += handled
    done.failing += failing
    done.owed = yield from transact(partial(count_owed, scope))
    return done


def _look_at(shop: Shop, scope: Scope, due: Due, done: Sweep) -> Flow[None]:
    found = yield from transact(partial(load_by_key, scope, due.order_key))
    if found is None:
        return
    order = found[0]
    attempt = order.numbered(due.number)
    if attempt.is_settled:
        return
    if attempt.dgs_reference is not None:
        after = yield from _counted_look_up(shop, scope, order, attempt, done)
        if after is not None and after.numbered(due.number).is_settled:
            return
    learnt = yield from transact(partial(doubt, scope, due))
    if learnt is not None:
        done.in_doubt += 1
        yield from run_tasks(shop, scope, learnt.tasks)


def _look_at_refund(shop: Shop, scope: Scope, due: Due, done: Sweep) -> Flow[None]:
    if due.dgs_reference is not None:
        try:
            found = yield from execute(transactions.retrieve(due.dgs_reference))
        except (errors.DGSPayError, ValueError):
            # Whether disbursements are listed there is not documented: that is no failure.
            pass
        else:
            said = evidence_of_look_up(found)
            learnt = yield from transact(
                partial(refunds.learn, scope, due.order_key, due.number, said)
            )
            done.looked_up += 1
            if learnt is not None:
                yield from run_tasks(shop, scope, learnt.tasks)
                done.settled += refunds.numbered(learnt.order, due.number).is_settled
    learnt = yield from transact(partial(refunds.doubt, scope, due))
    if learnt is not None:
        done.in_doubt += 1
        yield from run_tasks(shop, scope, learnt.tasks)


def _expire(shop: Shop, scope: Scope, done: Sweep, *, pause: float) -> Flow[None]:
    """Expire what is over, after one more look-up of what may still be paid."""
    unanswered: list[Order] = []
    for _ in range(_EXPIRING):
        order = yield from transact(partial(lease_expiring, scope))
        if order is None:
            break
        is_answered = True
        for attempt in open_attempts(order):
            after = yield from _counted_look_up(shop, scope, order, attempt, done)
            is_answered = is_answered and after is not None
            yield from sleep(pause)
        if not is_answered:
            # It may be paid by now: another sweep asks again.
            unanswered.append(order)
            continue
        learnt = yield from transact(
            partial(
                change_order, scope, order.id, lambda order, now: transitions.expire(order, now=now)
            )
        )
        done.expired += learnt.changed
    for order in unanswered:
        yield from transact(partial(release_expiring, order))


def _counted_look_up(
    shop: Shop, scope: Scope, order: Order, attempt: Attempt, done: Sweep
) -> Flow[Order | None]:
    after = yield from look_up(shop, scope, order, attempt)
    if after is None:
        done.unanswered += 1
    else:
        done.looked_up += 1
        done.settled += after.numbered(attempt.number).is_settled
    return after
