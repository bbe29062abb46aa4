"""Orders are opened, read, given up, and put right by a person."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from dgspay import Customer
from dgspay.callback_urls import is_same_token
from dgspay.checkout import refunds, transitions
from dgspay.checkout.errors import UnknownOrderError
from dgspay.checkout.evidence import said_by_person
from dgspay.checkout.flow import Flow, transact
from dgspay.checkout.handlers import run_tasks
from dgspay.checkout.order import (
    AttemptState,
    Order,
    OrderState,
    Problem,
    ProblemKind,
    RefundState,
)
from dgspay.checkout.shop import Shop
from dgspay.checkout.store.attempts import learn
from dgspay.checkout.store.loading import find, load
from dgspay.checkout.store.opening import open_order
from dgspay.checkout.store.problems import close, open_problems
from dgspay.checkout.store.protocol import Script
from dgspay.checkout.store.scope import Scope
from dgspay.checkout.store.writing import Learnt, change_order, write
from dgspay.models.validators import optional_text, optional_url
from dgspay.money import AmountInput, Money

_LONGEST_ID = 200
_NEWEST = 2**62


def open(  # noqa: A001 - the word for it; a shop calls it on the checkout
    shop: Shop,
    order_id: str,
    *,
    amount: AmountInput,
    customer: Customer,
    currency: str = "RWF",
    description: str | None = None,
    metadata: Mapping[str, str] | None = None,
    redirect_url: str | None = None,
    expires: float | timedelta | datetime | None = None,
    connection: Any = None,
) -> Flow[Order]:
    """Open an order, or return it where it was opened with the same terms before.

    Args:
        order_id: The shop's own id: one purchase, one id. It is never shown to DGS-Pay.
        amount: In `currency`; RWF has no fraction.
        customer: Who pays.
        currency: ISO 4217 code; mobile money takes RWF only.
        description: Short text for the payer.
        metadata: The shop's own, text by text.
        redirect_url: Where the payer goes after a step outside of the page; the checkout's
            `redirect_url` if left out.
        expires: Seconds from now, a timedelta, or an aware datetime after which no attempt begins.
        connection: A connection of the shop's on the same database, in whose transaction the order
            is written: psycopg's, `sqlite3`'s, Django's (`django.db.connection`), or SQLAlchemy's
            `Connection` or `Session`; those with `await` for `AsyncCheckout`. The order is there
            once the shop commits. Where the order cannot be written, it alone is undone, and the
            transaction goes on.

    Raises:
        ValueError, TypeError: an argument is wrong; nothing was written.
        ConfigError: the connection has no transaction open, or is to no such database.
        OrderChangedError: it was opened with other terms, which are named.
        OrdersError: the store failed; the order may not be there.
    """
    money = Money.parse(amount, currency)
    is_whole = money.amount == money.amount.to_integral_value()
    if money.currency == "RWF" and not is_whole and not shop.settings.allow_rwf_fractions:
        raise ValueError(f"amount must be whole RWF, not {money.amount:f}")
    if not isinstance(customer, Customer):
        raise TypeError(f"customer must be a Customer, not {type(customer).__name__}")
    expires_in, expires_at = _expiry(expires)
    order = Order(
        id=check_id(order_id),
        amount=money.amount,
        currency=money.currency,
        customer=customer,
        description=optional_text(description, field="description"),
        metadata=_metadata(metadata),
        redirect_url=optional_url(redirect_url, field="redirect_url"),
        expires_at=expires_at,
    )
    scope = yield from shop.scope(connection)
    return (yield from transact(partial(open_order, scope, order, expires_in), connection))


def order(shop: Shop, order_id: str) -> Flow[Order]:
    """Return an order as it stands.

    Raises:
        UnknownOrderError: there is no such order.
    """
    scope = yield from shop.scope()
    return (yield from transact(partial(load, scope, order_id)))[0]


def order_of_page(shop: Shop, order_id: str, page_token: str | None) -> Flow[Order]:
    """Return an order for a payer's page, which shows the order's token.

    Raises:
        UnknownOrderError: there is no such order, or the token is another one's: a page is not
            told which.
    """
    scope = yield from shop.scope()
    if not page_token or not is_same_token(scope.page_token(order_id), page_token):
        raise UnknownOrderError("there is no such order for this page")
    return (yield from transact(partial(load, scope, order_id)))[0]


def orders(
    shop: Shop, *, state: OrderState | None = None, before: int | None = None, limit: int = 100
) -> Flow[list[Order]]:
    """Return orders, newest first.

    Args:
        state: Those in this state only.
        before: Those older than the one of this `key`: the last one of the page before.
        limit: The most to return.
    """
    scope = yield from shop.scope()
    newest = before if before is not None else _NEWEST
    return (yield from transact(partial(find, scope, state, newest, limit)))


def problems(shop: Shop, *, limit: int = 1000) -> Flow[list[tuple[str, Problem]]]:
    """Return the problems that were not resolved, each with its order's id, oldest first."""
    scope = yield from shop.scope()
    return (yield from transact(partial(open_problems, scope, limit)))


def cancel(shop: Shop, order_id: str) -> Flow[Order]:
    """Give an order up: no attempt begins any more.

    An attempt that is under way stays watched: where it is paid after all, that is a problem with
    a way out, never silently dropped. A paid order stays paid: `refund` it.

    Raises:
        UnknownOrderError: there is no such order.
    """
    scope = yield from shop.scope()
    learnt = yield from transact(
        partial(change_order, scope, order_id, lambda order, _: transitions.cancel(order))
    )
    return learnt.order


def resolve(
    shop: Shop,
    order_id: str,
    *,
    reason: str,
    attempt: int | None = None,
    refund: int | None = None,
    problem: int | None = None,
    paid: bool | None = None,
    accept: bool = False,
) -> Flow[Order]:
    """Put right what a person has looked up in the merchant portal.

        checkout.resolve("2026-1234", attempt=1, paid=True, reason="portal, DGS-77, 14 March")
        checkout.resolve("2026-1234", problem=7, accept=True, reason="the customer still wants it")
        checkout.resolve("2026-1234", problem=7, reason="paid back by bank transfer")

    Args:
        order_id: The order's id.
        reason: What was found out, and by whom; it is kept.
        attempt: Number of an attempt that is in doubt or held.
        refund: Number of a refund that is in doubt.
        problem: Number (`Problem.key`) of a problem.
        paid: Whether the attempt or the refund was paid.
        accept: Take what a problem was paid with as the payment of the order: `on_paid` is run.

    Raises:
        ValueError: the arguments name nothing of the order, or too much, or what was resolved or
            paid back before.
        UnknownOrderError: there is no such order.
    """
    if not isinstance(reason, str) or not reason.strip():
        raise ValueError("reason must say what was found out, and by whom")
    if sum(each is not None for each in (attempt, refund, problem)) != 1:
        raise ValueError("name one of attempt, refund and problem")
    if problem is None and paid is None:
        raise ValueError("paid must be True or False, as the merchant portal shows it")
    scope = yield from shop.scope()
    learnt = yield from transact(
        partial(
            _resolve,
            shop,
            scope,
            order_id,
            attempt,
            refund,
            problem,
            reason,
            paid=paid,
            accept=accept,
        )
    )
    yield from run_tasks(shop, scope, learnt.tasks)
    return (yield from transact(partial(load, scope, order_id)))[0]


def _resolve(
    shop: Shop,
    scope: Scope,
    order_id: str,
    attempt: int | None,
    refund: int | None,
    problem: int | None,
    reason: str,
    *,
    paid: bool | None,
    accept: bool,
) -> Script[Learnt]:
    order, now = yield from load(scope, order_id, locked=True)
    if problem is not None:
        noted = next((one for one in order.problems if one.key == problem), None)
        if noted is None:
            raise ValueError(f"order {order.id!r} has no problem {problem}")
        if noted.resolution is not None:
            raise ValueError(f"problem {problem} was resolved before: {noted.resolution}")
        if accept:
            _require_acceptable(order, noted)
        yield from close(noted, reason)
        if not accept:
            return Learnt(order)
        change = transitions.accept(order, noted, now=now)
        return (yield from write(scope, order, change, noted.attempt))
    assert paid is not None
    if refund is not None:
        if not any(one.number == refund for one in order.refunds):
            raise ValueError(f"order {order.id!r} has no refund {refund}")
        said = said_by_person(is_paid=paid)
        learnt = yield from refunds.learn(scope, order.key, refund, said)
        kinds: tuple[ProblemKind, ...] = (ProblemKind.REFUND_HELD,)
    else:
        assert attempt is not None
        if not any(one.number == attempt for one in order.attempts):
            raise ValueError(f"order {order.id!r} has no attempt {attempt}")
        if paid and order.numbered(attempt).state is AttemptState.HELD:
            _require_kept(order, attempt)
        said = said_by_person(is_paid=paid)
        learnt = yield from learn(scope, order.key, attempt, said)
        kinds = (ProblemKind.IN_DOUBT, ProblemKind.WRONG_AMOUNT, ProblemKind.CONTRADICTED)
    for noted in order.open_problems:
        if noted.kind in kinds and noted.attempt == (attempt if refund is None else refund):
            yield from close(noted, reason)
    return learnt or Learnt(order)


def _require_acceptable(order: Order, problem: Problem) -> None:
    """Reject what cannot be the payment of the order, or no longer."""
    if problem.kind not in (ProblemKind.WRONG_AMOUNT, ProblemKind.PAID_LATE):
        raise ValueError(
            f"problem {problem.key} is {problem.kind.value}: only what was paid late or in another "
            "amount can be accepted as the payment"
        )
    assert problem.attempt is not None
    if order.is_paid and (
        problem.kind is ProblemKind.PAID_LATE
        or order.numbered(problem.attempt).state is not AttemptState.PAID
    ):
        raise ValueError(
            f"order {order.id!r} is paid: refund attempt {problem.attempt}, which cannot be its "
            "payment, too"
        )
    _require_kept(order, problem.attempt)


def _require_kept(order: Order, attempt: int) -> None:
    """Reject what goes back to the payer already."""
    for refund in order.refunds:
        if refund.attempt == attempt and refund.state is not RefundState.FAILED:
            raise ValueError(
                f"refund {refund.number} of order {order.id!r} pays attempt {refund.attempt} back, "
                f"and is {refund.state.value}: it cannot be accepted as the payment, too"
            )


def check_id(order_id: str) -> str:
    """Return an order's id where it can be one.

    Raises:
        TypeError, ValueError: it cannot.
    """
    if not isinstance(order_id, str):
        raise TypeError(f"the order's id must be a str, not {type(order_id).__name__}")
    if not 0 < len(order_id) <= _LONGEST_ID or not order_id.isprintable() or not order_id.strip():
        raise ValueError(
            f"the order's id must be 1 to {_LONGEST_ID} printable characters, and not blank"
        )
    return order_id


def _metadata(given: Mapping[str, str] | None) -> dict[str, str]:
    if given is None:
        return {}
    for name, text in given.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise TypeError("metadata must hold texts by text")
    return dict(given)


def _expiry(
    expires: float | timedelta | datetime | None,
) -> tuple[float | None, float | None]:
    """Return seconds from now, or a Unix time."""
    if expires is None:
        return None, None
    if isinstance(expires, datetime):
        if expires.tzinfo is None:
            raise ValueError("expires must have a time zone, or be seconds from now")
        return None, expires.timestamp()
    seconds = expires.total_seconds() if isinstance(expires, timedelta) else expires
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError("expires must be seconds, a timedelta or an aware datetime")
    if not 0 < seconds < math.inf:
        raise ValueError("expires must be more than 0 seconds from now")
    return float(seconds), None
