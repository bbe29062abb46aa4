"""Charges of the books, from DGS-Pay's list of transactions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import NamedTuple

import attrs

from dgspay import DGSPay, Standing, Transaction, errors
from dgspay.books.movement import Doubt, Kind, Movement, credit_of
from dgspay.books.sources import Found
from dgspay.money import exact_difference

# The list is "newest first", and its times have no zone: what is so much older is certainly older.
_MARGIN = 2 * 86_400.0
_LOOK_UPS_AT_ONCE = 8
_PAGES_AT_ONCE = 4
# What DGS-Pay says of a disbursement, and of no charge.
_OF_A_DISBURSEMENT = ("recipient_gets", "destination_type", "recipient")


class _Row(NamedTuple):
    """A row of the list that says what the books need."""

    name: str
    amount: Decimal
    currency: str
    at: float
    transaction: Transaction

    @property
    def is_disbursement(self) -> bool:
        """Whether it is one: whether the list has any, the guide does not say."""
        return any(name in self.transaction.extra for name in _OF_A_DISBURSEMENT)


@attrs.define
class TransactionReader:
    """Reads the charges of an account; what it looked up it does not ask again.

    Attributes:
        dgs: The client.
        zone: The zone of times that come without one.
        credits: What the wallet was credited with for a payment, by DGS-Pay's reference, where
            that is known from elsewhere.
        orders: The id of the order, by DGS-Pay's reference of a payment.
    """

    dgs: DGSPay
    zone: dt.tzinfo
    credits: Mapping[str, Decimal] = attrs.field(factory=dict)
    orders: Mapping[str, str] = attrs.field(factory=dict)
    _looked_up: dict[str, Decimal | None] = attrs.field(factory=dict)

    def read(self, since: float | None, known: Collection[str]) -> Found:
        """Return what was charged, and disbursements that no other source has.

        Args:
            since: Unix time of the earliest that is wanted; None for all there are.
            known: References that other sources have: they are no charges.

        Raises:
            DGSPayError: DGS-Pay cannot be asked.
        """
        found = Found()
        moved: list[_Row] = []
        for row in self._rows(since, found):
            if row.name in known:
                continue
            found.references.add(row.name)
            standing = row.transaction.standing
            if standing is Standing.UNKNOWN:
                found.doubts.append(_doubt(row))
            elif standing is Standing.PAID or (
                # The wallet of a disbursement is debited at once.
                standing is Standing.PENDING and row.is_disbursement
            ):
                moved.append(row)
        self._look_up(row for row in moved if not row.is_disbursement)
        found.movements += (
            _payout(row) if row.is_disbursement else self._charge(row) for row in moved
        )
        return found

    def _rows(self, since: float | None, found: Found) -> Iterator[_Row]:
        for page in self.dgs.transactions.list(prefetch=_PAGES_AT_ONCE).pages():
            rows = [row for each in page.rows if (row := self._row(each, found)) is not None]
            yield from rows
            if since is not None and rows and max(row.at for row in rows) < since - _MARGIN:
                return

    def _row(self, row: Transaction, found: Found) -> _Row | None:
        name = row.dgs_reference or row.id
        if name is None or row.amount is None or row.currency is None or row.created_at is None:
            found.notes.append(
                f"transaction {name or 'without a name'} has no amount, currency or time in "
                "DGS-Pay's list: it is left out"
            )
            return None
        created = row.created_at
        moment = created if created.tzinfo else created.replace(tzinfo=self.zone)
        return _Row(name, row.amount, row.currency, moment.timestamp(), row)

    def _look_up(self, rows: Iterable[_Row]) -> None:
        """Ask for the fees that neither the list nor a webhook has named."""
        names = [
            row.name for row in rows if self._told(row) is None and row.name not in self._looked_up
        ]
        with ThreadPoolExecutor(_LOOK_UPS_AT_ONCE) as threads:
            self._looked_up.update(zip(names, threads.map(self._credit, names), strict=True))

    def _credit(self, name: str) -> Decimal | None:
        try:
            row = self.dgs.transactions.retrieve(name)
        except errors.NotFoundError:
            return None
        if row.amount is None:
            return None
        return credit_of(row.amount, row.merchant_fee, row.net_amount)

    def _told(self, row: _Row) -> Decimal | None:
        said = row.transaction
        credited = credit_of(row.amount, said.merchant_fee, said.net_amount)
        return self.credits.get(row.name) if credited is None else credited

    def _charge(self, row: _Row) -> Movement:
        credited = self._told(row)
        if credited is None:
            credited = self._looked_up.get(row.name)
        order = self.orders.get(row.name)
        method = row.transaction.payment_method_type
        return Movement(
            at=row.at,
            kind=Kind.CHARGE,
            reference=row.name,
            currency=row.currency,
            wallet=row.amount if credited is None else credited,
            fee=None if credited is None else exact_difference(row.amount, credited),
            text=" ".join(filter(None, (method, order and f"order {order}"))),
        )


def _payout(row: _Row) -> Movement:
    fee = row.transaction.extra.get("fee")
    return Movement(
        at=row.at,
        kind=Kind.PAYOUT,
        reference=row.name,
        currency=row.currency,
        wallet=row.amount.copy_negate(),
        fee=Decimal(fee) if isinstance(fee, int | Decimal) else None,
        text="in no ledger: known from DGS-Pay's list",
    )


def _doubt(row: _Row) -> Doubt:
    return Doubt(
        at=row.at,
        reference=row.name,
        currency=row.currency,
        wallet=row.amount.copy_negate() if row.is_disbursement else row.amount,
        reason="DGS-Pay's list does not say how it ended",
    )
