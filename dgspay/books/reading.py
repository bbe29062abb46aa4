"""Reading of the books: every source once, between two readings of the wallet that agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import attrs

from dgspay import Balances, DGSPay
from dgspay.books.differences import differences_of, missing_from_list
from dgspay.books.from_file import movements_in
from dgspay.books.from_ledgers import payouts_in
from dgspay.books.from_orders import FromOrders, orders_in
from dgspay.books.from_transactions import TransactionReader
from dgspay.books.movement import Kind, Movement
from dgspay.books.period import Period
from dgspay.books.sources import Found, counted
from dgspay.books.statement import Statement, reconcile
from dgspay.checkout import OrdersStore
from dgspay.errors import ConfigError
from dgspay.money import AmountInput, exact_sum, parse_amount, parse_currency
from dgspay.payouts import Ledger

_READINGS = 3
_NOT_LISTED = (
    "DGS-Pay's list has no disbursements and no conversions: they are those of the ledgers, of the "
    "orders with the webhooks kept there, and of the file of further movements (--also)"
)
_UPSTREAM = "what providers charge DGS-Pay is not known; the fees are those that DGS-Pay charges"


def read_books(
    dgs: DGSPay,
    period: Period,
    *,
    ledgers: Iterable[Ledger] = (),
    orders: OrdersStore | None = None,
    also: str | Path | None = None,
    opening: Mapping[str, AmountInput] | None = None,
    api_timezone: dt.tzinfo = dt.UTC,
) -> Statement:
    """Read the books of an account for a period, and hold them against its wallet.

        statement = read_books(dgs, Period.parse("2026-11"), ledgers=[ledger], orders=store)
        print(statement.is_reconciled, statement.differences)

    DGS-Pay tells the balance of now only: the books are read up to now, and what moved after the
    period is told apart.

    Args:
        dgs: The account's client.
        period: Whole days in Kigali.
        ledgers: The ledgers of its payouts.
        orders: The store of its orders.
        also: A CSV of what else moved the wallet; see `dgspay.books.from_file`.
        opening: The balance at the beginning of the period by currency, available and pending;
            what the history adds up to from 0 where it is left out.
        api_timezone: The zone of DGS-Pay's times, which come without one.

    Raises:
        ConfigError: an argument makes no sense.
        DGSPayError: DGS-Pay cannot be asked.
        LedgerError, OrdersError: a ledger or the orders cannot be read.
    """
    given = _opening(opening or {})
    before = _totals(dgs.balances.list())
    # Only what is after the opening is needed, where it is given for all that is held.
    since = period.begin if given and before.keys() <= given.keys() else None
    reader = _Reader(dgs, [*ledgers], orders, TransactionReader(dgs, api_timezone), since)
    (found, unlisted), balances = reader.read(), _totals(dgs.balances.list())
    for _ in range(_READINGS - 1):
        if balances == before:
            break
        before = balances
        (found, unlisted), balances = reader.read(), _totals(dgs.balances.list())
    if balances != before:
        found.notes.append("the wallet changed while it was read: read the books again")
    if also is not None:
        found.add(movements_in(Path(also), found.references))
    found.notes.append(f"DGS-Pay's times come without a zone, and are taken as {api_timezone}")
    movements = sorted(found.movements, key=_order)
    within = [each for each in movements if period.begin <= each.at < period.end]
    # What was in doubt before the opening is in it, or is not.
    doubts = [d for d in found.doubts if d.currency not in given or d.at >= period.begin]
    reconciliations = reconcile(movements, period, given, balances)
    return Statement(
        account_number=dgs.settings.account_number,
        environment=dgs.settings.environment,
        period=period,
        movements=within,
        doubts=doubts,
        reconciliations=reconciliations,
        differences=[*differences_of(reconciliations, movements, doubts), *unlisted],
        notes=[_NOT_LISTED, _UPSTREAM, *found.notes, *_unknown_fees(within)],
    )


@attrs.frozen
class _Reader:
    """Reads every source but the file, as often as it is asked to.

    Attributes:
        dgs: The client.
        ledgers: The ledgers of payouts.
        orders: The store of orders, or None.
        transactions: Reads DGS-Pay's list.
        since: Unix time of the earliest that is needed of the list; None for all.
    """

    dgs: DGSPay
    ledgers: Sequence[Ledger]
    orders: OrdersStore | None
    transactions: TransactionReader
    since: float | None

    def read(self) -> tuple[Found, list[str]]:
        """Return what the sources report, and what the orders have that DGS-Pay's list has not."""
        settings = self.dgs.settings
        found = payouts_in(self.ledgers, settings)
        kept = FromOrders()
        if self.orders is not None:
            kept = orders_in(self.orders, settings, found.references)
        found.add(kept.found)
        self.transactions.credits, self.transactions.orders = kept.credits, kept.orders
        listed = self.transactions.read(self.since, found.references)
        found.add(listed)
        since = self.since or 0.0
        paid = {name for name, asked_at in kept.paid.items() if asked_at >= since}
        return found, [*missing_from_list(paid - listed.references, kept.orders)]


def _opening(given: Mapping[str, AmountInput]) -> dict[str, Decimal]:
    """Read the opening balances: amounts, or nothing at all."""
    opening = {}
    for currency, amount in given.items():
        is_nothing = not isinstance(amount, bool) and amount in (0, "0", Decimal(0))
        try:
            opening[parse_currency(currency, field="opening")] = (
                Decimal(0) if is_nothing else parse_amount(amount, field="opening")
            )
        except (ValueError, TypeError) as error:
            reason = str(error)
        else:
            continue
        raise ConfigError(reason)
    return opening


def _totals(balances: Balances) -> dict[str, Decimal]:
    """Return what the wallet holds, available and pending, by currency."""
    return {
        each.currency: exact_sum((each.available_balance, each.pending_balance or Decimal(0)))
        if each.total_balance is None
        else each.total_balance
        for each in balances
    }


def _order(movement: Movement) -> tuple[float, str]:
    # By its reference as well, so that the two of a conversion stay together.
    return movement.at, movement.reference


def _unknown_fees(movements: Iterable[Movement]) -> Iterator[str]:
    unknown = [each for each in movements if each.fee is None]
    charges = [each for each in unknown if each.kind is Kind.CHARGE]
    if charges:
        yield (
            f"DGS-Pay has not named the fees of {counted(len(charges), 'charge')}: counted as if "
            "all had come in"
        )
    if len(unknown) > len(charges):
        yield (
            f"DGS-Pay has not named the fees of {counted(len(unknown) - len(charges), 'payout')}: "
            "the wallet is debited the same"
        )
