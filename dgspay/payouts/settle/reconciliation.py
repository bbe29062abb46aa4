"""The ledger against what DGS-Pay says: every difference by name, and nothing changed."""

from __future__ import annotations

import datetime as dt
import enum
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from decimal import Decimal

import anyio
import attrs

from dgspay import AsyncDGSPay, Standing, Transaction, errors
from dgspay.models.reported import (
    Matter,
    PaymentFacts,
    account_in,
    digits_of,
    disagreements,
)
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.model.batch import Batch, Terms
from dgspay.payouts.model.payout import CURRENCY, UNSENT, Record, State
from dgspay.payouts.run.pacing import Pace, RateLimiter
from dgspay.payouts.threads import in_thread

_PAGE = 500
_MAX_STRANGERS = 10_000
# DGS-Pay's times have no zone: they are within this of ours wherever its clocks hang.
_ANY_ZONE = dt.timedelta(hours=26)

_SAYS = {
    State.CONFIRMED: Standing.PAID,
    State.FAILED: Standing.FAILED,
    State.ACCEPTED: Standing.PENDING,
}
_MAY_BE_PAID = "it may have been paid. Do not pay for it again before you have looked at DGS-Pay"
_MOST_PAGES_AT_ONCE = 4


class Kind(enum.StrEnum):
    """In what way the ledger and DGS-Pay do not agree."""

    IN_DOUBT = "not known whether paid"
    """Its answer was lost, or DGS-Pay does not find what it has accepted: that proves nothing."""
    NOT_LISTED = "paid by the ledger, not found by DGS-Pay"
    NOT_IN_LEDGER = "at DGS-Pay, not in the ledger"
    AMOUNT = "amounts differ"
    STATUS = "states differ"
    RECIPIENT = "recipients differ"
    TWICE = "at DGS-Pay twice"
    CONTRADICTION = "contradicts itself"
    NOT_KNOWN = "cannot be compared"


@attrs.frozen(kw_only=True)
class Difference:
    """Something the ledger and DGS-Pay do not agree on.

    Attributes:
        kind: In what way.
        reference: The row's own reference; None for a payout that no row is known for.
        dgs_reference: DGS-Pay's, where it is known.
        what: The difference, for a person.
    """

    kind: Kind
    reference: str | None
    dgs_reference: str | None
    what: str


@attrs.define
class _Listed:
    """Rows of the transaction list that matter here."""

    of_rows: dict[int, Transaction] = attrs.field(factory=dict)
    twice: dict[int, Transaction] = attrs.field(factory=dict)
    strangers: list[Transaction] = attrs.field(factory=list)

    def take(self, number: int, transaction: Transaction) -> None:
        known = self.of_rows.setdefault(number, transaction)
        if known.id != transaction.id:
            self.twice[number] = transaction


@attrs.define
class _Nameless:
    """Rows that DGS-Pay's name is not known of, and that pay what a stranger in the list does."""

    last_sent: float
    _by_payment: dict[tuple[Decimal, str], list[str]]

    @classmethod
    def beside(cls, strangers: Iterable[Transaction], last_sent: float) -> _Nameless:
        """Look for rows that these may be."""
        payments = (_payment_of(transaction) for transaction in strangers)
        return cls(last_sent, {payment: [] for payment in payments if payment is not None})

    def note(self, record: Record) -> None:
        self.last_sent = max(self.last_sent, record.sent_at or 0.0)
        # One that was never sent is among them: the ledger may be older than what was paid.
        if record.dgs_reference is None and self._by_payment:
            payment = (Decimal(record.payout.amount), digits_of(record.payout.account))
            if payment in self._by_payment:
                self._by_payment[payment].append(record.payout.reference)

    def like(self, transaction: Transaction) -> list[str]:
        """Return the references of rows that pay this amount to this account."""
        payment = _payment_of(transaction)
        return [] if payment is None else self._by_payment[payment]


def _payment_of(transaction: Transaction) -> tuple[Decimal, str] | None:
    account = account_in(transaction.extra.get("recipient"))
    if transaction.amount is None or account is None:
        return None
    return transaction.amount, digits_of(account)


async def reconcile(
    client: AsyncDGSPay, ledger: Ledger, batch: Batch, *, pace: Pace | None = None
) -> AsyncGenerator[Difference]:
    """Compare every payout that was sent with DGS-Pay, and yield the differences as they come.

    The transaction list is walked once (guide, "Transactions"). Whether it holds disbursements
    is not documented, so what it does not hold is looked up one by one. A payout that only the
    list holds is reported where the list says that it is one (`destination_type`) and it was made
    in the days of the batch.

    Raises:
        BatchChangedError: the batch was paid from another account, or another environment.
        DGSPayError: the list cannot be read.
    """
    batch.require_payer(Terms.of(client))
    pace = pace or Pace()
    listed = await _listed(client, ledger, batch, pace)
    nameless = _Nameless.beside(listed.strangers, batch.created_at)
    asking = _Asking(client, pace)
    after = 0
    while page := await in_thread(
        ledger.page, batch.name, after=after, limit=_PAGE, states=tuple(State)
    ):
        after = page[-1].payout.number
        sent = [record for record in page if record.state not in UNSENT]
        unlisted = [record for record in sent if record.payout.number not in listed.of_rows]
        asked = await asking.about(unlisted)
        for record in page:
            nameless.note(record)
        for record in sent:
            number = record.payout.number
            said = listed.of_rows.get(number) or asked.get(number)
            for difference in _differences(record, said, listed.twice.get(number)):
                yield difference
    for transaction in listed.strangers:
        if _may_be_of(batch, transaction, nameless.last_sent):
            yield _stranger(transaction, nameless)


async def _listed(client: AsyncDGSPay, ledger: Ledger, batch: Batch, pace: Pace) -> _Listed:
    listed = _Listed()
    at_once = min(pace.concurrency, _MOST_PAGES_AT_ONCE)
    async for page in client.transactions.list(prefetch=at_once).pages():
        named = [(each.dgs_reference or each.id or "", each) for each in page]
        owners = await in_thread(ledger.owners, [name for name, _ in named])
        for name, transaction in named:
            owner = owners.get(name)
            if owner is None:
                if _is_payout(transaction) and len(listed.strangers) < _MAX_STRANGERS:
                    listed.strangers.append(transaction)
            elif owner[0] == batch.name:
                listed.take(owner[1], transaction)
    return listed


def _may_be_of(batch: Batch, transaction: Transaction, last_sent: float) -> bool:
    """Return whether a payout is of the days in which the batch was paid."""
    made = transaction.created_at
    if made is None:
        return True
    first, last = (
        dt.datetime.fromtimestamp(moment, dt.UTC).replace(tzinfo=None)
        for moment in (batch.created_at, last_sent)
    )
    return first - _ANY_ZONE <= made.replace(tzinfo=None) <= last + _ANY_ZONE


def _is_payout(transaction: Transaction) -> bool:
    return transaction.extra.get("destination_type") in ("bank", "mobile_money")


class _Asking:
    """Looks payouts up one by one, so many at once and in a second."""

    def __init__(self, client: AsyncDGSPay, pace: Pace) -> None:
        self._client = client
        self._pace = pace
        self._turns = RateLimiter(pace, time.monotonic)

    async def about(self, records: list[Record]) -> dict[int, Transaction | errors.DGSPayError]:
        """Return what DGS-Pay says of each; nothing of those it has no name for."""
        answers: dict[int, Transaction | errors.DGSPayError] = {}
        limiter = anyio.CapacityLimiter(self._pace.concurrency)

        async def ask(number: int, dgs_reference: str) -> None:
            async with limiter:
                await self._turns.wait(lambda: True)
                try:
                    answers[number] = await self._client.transactions.retrieve(dgs_reference)
                except errors.DGSPayError as error:
                    answers[number] = error
                except ValueError as error:  # no look-up can carry such a name
                    answers[number] = errors.DGSPayError(str(error))

        async with anyio.create_task_group() as group:
            for record in records:
                if record.dgs_reference is not None:
                    group.start_soon(ask, record.payout.number, record.dgs_reference)
        return answers


def _differences(
    record: Record,
    said: Transaction | errors.DGSPayError | None,
    again: Transaction | None,
) -> Iterator[Difference]:
    def difference(kind: Kind, what: str) -> Difference:
        return Difference(
            kind=kind,
            reference=record.payout.reference,
            dgs_reference=record.dgs_reference,
            what=what,
        )

    if record.contradiction is not None:
        yield difference(Kind.CONTRADICTION, record.contradiction)
    if again is not None:
        yield difference(Kind.TWICE, "DGS-Pay lists it twice: it may have been paid twice")
    match said:
        case None | errors.NotFoundError() if record.state is State.FAILED:
            return  # one that was refused has no name, and nothing to be compared with
        case None:
            words = f"it is {record.state}, and DGS-Pay's name for it is not known: {_MAY_BE_PAID}"
            yield difference(Kind.IN_DOUBT, words)
        case errors.NotFoundError():
            kind = Kind.NOT_LISTED if record.state is State.CONFIRMED else Kind.IN_DOUBT
            words = f"it is {record.state}, and DGS-Pay does not find it by its name"
            yield difference(kind, f"{words}: {_MAY_BE_PAID}")
        case errors.DGSPayError():
            yield difference(Kind.NOT_KNOWN, f"it could not be looked up: {said.message}")
        case Transaction():
            for kind, what in _disagreements(record, said):
                yield difference(kind, what)


def _disagreements(record: Record, said: Transaction) -> Iterator[tuple[Kind, str]]:
    expected = _SAYS.get(record.state)
    if said.contradiction is not None or expected is not said.standing:
        theirs = said.contradiction or f"DGS-Pay says {said.status.value}"
        words = f"it is {record.state}, and {theirs}"
        if record.state is State.FAILED:
            words += f": {_MAY_BE_PAID}"
        yield Kind.STATUS, words
    asked = PaymentFacts(record.payout.amount, CURRENCY, record.payout.account)
    account = account_in(said.extra.get("recipient"))
    for matter, reported in disagreements(asked, PaymentFacts(said.amount, said.currency, account)):
        if matter is Matter.ACCOUNT:
            yield Kind.RECIPIENT, "DGS-Pay has paid another account than the row's"
        else:
            ours = f"{record.payout.amount:,} {CURRENCY}"
            yield Kind.AMOUNT, f"it is of {ours}, and DGS-Pay says {reported}"


def _stranger(transaction: Transaction, nameless: _Nameless) -> Difference:
    alike = nameless.like(transaction)
    amount = "an unknown amount" if transaction.amount is None else f"{transaction.amount:,f}"
    what = (
        f"DGS-Pay lists a payout of {amount} {transaction.currency or 'RWF'} "
        f"({transaction.status.value}) that is in no batch of the ledger"
    )
    if alike:
        what += f"; it pays what {', '.join(alike[:3])} should: it may be that row, paid already"
    return Difference(
        kind=Kind.NOT_IN_LEDGER,
        reference=alike[0] if len(alike) == 1 else None,
        dgs_reference=transaction.dgs_reference or transaction.id,
        what=what,
    )
