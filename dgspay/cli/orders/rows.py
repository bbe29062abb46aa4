"""Orders, their problems and unknown webhooks as rows of a table, of CSV and of JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final, Self

import attrs

from dgspay.checkout import KeptEvent, Order, OrderState, Problem, opening
from dgspay.checkout.evidence import action_to_json
from dgspay.cli.orders.checkouts import OpenCheckout
from dgspay.cli.output import as_record
from dgspay.cli.tables import Column
from dgspay.cli.terminal import money, shown

_AT_ONCE = 500


@attrs.frozen
class OrderRow:
    """An order in one line. Times are UTC.

    Attributes:
        order: The shop's id.
        state: `open`, `paying`, `paid`, `expired` or `cancelled`.
        amount: What the shop wants.
        currency: Its currency.
        collected: What all attempts have collected.
        refunded: What was sent back, or may have been.
        method: How it was paid, or is being paid.
        dgs_reference: DGS-Pay's reference of that attempt.
        attempts: How many there were.
        open_problems: How many a person has to look at.
        description: The shop's.
        created_at: When it was opened.
        expires_at: When it expires.
        paid_at: When it became paid.
        told_at: When the shop's handler of `on_paid` was through.
    """

    order: str
    state: str
    amount: Decimal
    currency: str
    collected: Decimal
    refunded: Decimal
    method: str | None
    dgs_reference: str | None
    attempts: int
    open_problems: int
    description: str | None
    created_at: datetime
    expires_at: datetime | None
    paid_at: datetime | None
    told_at: datetime | None

    @classmethod
    def of(cls, order: Order) -> Self:
        """Return the line of an order."""
        attempt = order.attempt
        return cls(
            order=order.id,
            state=order.state.value,
            amount=order.amount,
            currency=order.currency,
            collected=order.collected,
            refunded=order.refunded,
            method=None if attempt is None else attempt.method.value,
            dgs_reference=None if attempt is None else attempt.dgs_reference,
            attempts=len(order.attempts),
            open_problems=len(order.open_problems),
            description=order.description,
            created_at=moment(order.created_at),
            expires_at=moment_or_none(order.expires_at),
            paid_at=moment_or_none(order.paid_at),
            told_at=moment_or_none(order.told_at),
        )


@attrs.frozen
class ProblemRow:
    """A problem that is open, in one line.

    Attributes:
        order: The order's id.
        problem: Its number, for `dgspay orders resolve --problem`.
        kind: Such as `paid_twice`.
        attempt: Number of the attempt it is about; of the refund for `refund_held`.
        detail: One sentence.
        noted_at: When it was noted, in UTC.
    """

    order: str
    problem: int | None
    kind: str
    attempt: int | None
    detail: str
    noted_at: datetime

    @classmethod
    def of(cls, order_id: str, problem: Problem) -> Self:
        """Return the line of a problem."""
        return cls(
            order=order_id,
            problem=problem.key,
            kind=problem.kind.value,
            attempt=problem.attempt,
            detail=problem.detail,
            noted_at=moment(problem.noted_at),
        )


@attrs.frozen
class EventRow:
    """A webhook that is about no order, in one line.

    Attributes:
        event: Its name, such as `payment.success`.
        dgs_reference: The payment it names.
        deliveries: How often it came.
        received_at: When it came first, in UTC.
        body: As it came.
    """

    event: str
    dgs_reference: str | None
    deliveries: int
    received_at: datetime
    body: str

    @classmethod
    def of(cls, kept: KeptEvent) -> Self:
        """Return the line of a webhook that was kept."""
        return cls(
            event=kept.name,
            dgs_reference=kept.dgs_reference,
            deliveries=kept.deliveries,
            received_at=moment(kept.received_at),
            body=kept.body.decode(errors="replace"),
        )


ORDER_COLUMNS: Final[list[Column[OrderRow]]] = [
    Column("created", lambda row: short(row.created_at)),
    Column("order", lambda row: shown(row.order)),
    Column("state", lambda row: shown(row.state)),
    Column("amount", lambda row: money(row.amount, row.currency), right=True),
    Column("method", lambda row: shown(row.method)),
    Column("reference", lambda row: shown(row.dgs_reference)),
    Column("problems", lambda row: shown(row.open_problems or None), right=True),
]


def columns_of(row: type[attrs.AttrsInstance]) -> list[str]:
    """Return the columns of a CSV of these rows."""
    return [field.name for field in attrs.fields(row)]


def rows_of(
    checkout: OpenCheckout, state: OrderState | None, most: int | None = None
) -> Iterator[OrderRow]:
    """Read orders page by page, newest first."""
    before: int | None = None
    left = most
    while left is None or left > 0:
        limit = _AT_ONCE if left is None else min(left, _AT_ONCE)
        page = checkout.run(partial(opening.orders, state=state, before=before, limit=limit))
        yield from map(OrderRow.of, page)
        if len(page) < limit:
            return
        before = page[-1].key
        left = None if left is None else left - len(page)


def record_of(order: Order) -> dict[str, Any]:
    """Return all of an order for JSON: without its page's token, which would let others act."""
    record = _with_moments(as_record(order))
    del record["page_token"], record["key"]
    record["attempts"] = [
        {**_with_moments(as_record(attempt)), "next_action": action_to_json(attempt.next_action)}
        for attempt in order.attempts
    ]
    for name in ("problems", "refunds"):
        record[name] = [_with_moments(as_record(one)) for one in getattr(order, name)]
    return record


def _with_moments(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with its Unix times as ISO 8601 in UTC."""
    return {
        name: moment(value).isoformat() if isinstance(value, float) else value
        for name, value in record.items()
    }


def moment(unix: float) -> datetime:
    """Return a Unix time in UTC, to the second."""
    return datetime.fromtimestamp(int(unix), UTC)


def moment_or_none(unix: float | None) -> datetime | None:
    """Return a Unix time in UTC, or None."""
    return None if unix is None else moment(unix)


def short(when: datetime | None) -> str:
    """Return a time in UTC for a column whose heading need not repeat it."""
    return "-" if when is None else f"{when:%Y-%m-%d %H:%M:%S}Z"
