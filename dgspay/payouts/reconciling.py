"""The ledger against what DGS-Pay says: every difference by name, and nothing changed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from decimal import Decimal
from functools import partial

import anyio
import anyio.to_thread
import attrs

from dgspay import AsyncDGSPay, PaymentStatus, Transaction, errors
from dgspay.payouts.batch import Batch
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.pace import Pace
from dgspay.payouts.payout import Record, State

_PAGE = 500

_SAYS = {
    State.CONFIRMED: PaymentStatus.SUCCESSFUL,
    State.FAILED: PaymentStatus.FAILED,
    State.ACCEPTED: PaymentStatus.PENDING,
}


@attrs.frozen(kw_only=True)
class Difference:
    """Something the ledger and DGS-Pay do not agree on.

    Attributes:
        reference: The row's own reference.
        dgs_reference: DGS-Pay's, where it is known.
        what: The difference, for a person.
    """

    reference: str
    dgs_reference: str | None
    what: str


async def reconcile(
    client: AsyncDGSPay, ledger: Ledger, batch: Batch, *, pace: Pace | None = None
) -> AsyncGenerator[Difference]:
    """Hold every payout that was sent against DGS-Pay, and give the differences as they come.

    The transaction list is walked once. Whether it holds disbursements is not documented, so
    what it does not hold is looked up one by one.

    Raises:
        DGSPayError: the list cannot be read.
    """
    listed: dict[int, Transaction] = {}
    async for transaction in client.transactions.list():
        owner = await anyio.to_thread.run_sync(
            ledger.who_is, transaction.dgs_reference or transaction.id or ""
        )
        if owner is not None and owner[0] == batch.name:
            listed[owner[1]] = transaction
    concurrency = (pace or Pace()).concurrency
    after = 0
    while page := await anyio.to_thread.run_sync(
        partial(ledger.page, batch.name, after=after, limit=_PAGE, states=tuple(State))
    ):
        after = page[-1].payout.number
        found: dict[int, list[Difference]] = {}
        limiter = anyio.CapacityLimiter(concurrency)

        async def compare(
            record: Record,
            found: dict[int, list[Difference]] = found,
            limiter: anyio.CapacityLimiter = limiter,
        ) -> None:
            async with limiter:
                said = listed.get(record.payout.number) or await _ask(client, record)
            found[record.payout.number] = [*_differences(record, said)]

        async with anyio.create_task_group() as group:
            for record in page:
                if record.state is not State.NEW:
                    group.start_soon(compare, record)
        for number in sorted(found):
            for difference in found[number]:
                yield difference


async def _ask(client: AsyncDGSPay, record: Record) -> Transaction | errors.DGSPayError | None:
    if record.dgs_reference is None:
        return None
    try:
        return await client.transactions.retrieve(record.dgs_reference)
    except errors.DGSPayError as error:
        return error


def _differences(
    record: Record, said: Transaction | errors.DGSPayError | None
) -> Iterator[Difference]:
    def difference(what: str) -> Difference:
        return Difference(
            reference=record.payout.reference, dgs_reference=record.dgs_reference, what=what
        )

    if record.contradiction is not None:
        yield difference(record.contradiction)
    match said:
        case None:
            # One that was refused has no reference, and nothing to be compared with.
            if record.state is not State.FAILED:
                yield difference(f"it is {record.state}, and DGS-Pay's name for it is not known")
        case errors.NotFoundError():
            yield difference(f"it is {record.state}, and DGS-Pay does not find it")
        case errors.DGSPayError():
            yield difference(f"it could not be looked up: {said.message}")
        case Transaction():
            yield from map(difference, _disagreements(record, said))


def _disagreements(record: Record, said: Transaction) -> Iterator[str]:
    expected = _SAYS.get(record.state)
    if expected is not said.status:
        yield f"it is {record.state}, and DGS-Pay says {said.status.value}"
    if said.amount is not None and said.amount != Decimal(record.payout.amount):
        yield f"it is of {record.payout.amount:,} RWF, and DGS-Pay says {said.amount:,f}"
