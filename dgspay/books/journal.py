"""The journal: each movement as an entry of double-entry bookkeeping, under given accounts."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path
from typing import Any

import attrs

from dgspay.books.movement import Kind, Movement
from dgspay.books.period import day_of
from dgspay.errors import ConfigError
from dgspay.money import exact_difference, exact_sum, parse_currency

_NOTHING = Decimal(0)
_TABLES = ("wallets", "batches")


@attrs.frozen(kw_only=True)
class Accounts:
    """Names of accounts, as the books of the merchant have them.

        wallet = "1010 DGS-Pay wallet"
        charges = "4000 Sales"
        charge_fees = "6270 Payment fees"

        [wallets]
        USD = "1011 DGS-Pay wallet in USD"

        [batches]
        "salaries-*" = "6400 Salaries"

    Attributes:
        wallet: The wallet, in currencies that `wallets` does not name.
        charges: What payers paid.
        charge_fees: What DGS-Pay kept of it.
        payouts: What was paid out, in batches that `batches` does not name.
        payout_fees: The fees of payouts, where the merchant bears them: of each, what the recipient
            did not get. Where it is left out, all of a payout is under `payouts`: the guide takes
            the fee from the recipient.
        refunds: What payers got back.
        refund_fees: What was sent on top of a refund.
        conversions: What is under way between two currencies: in each it comes to what was
            converted.
        deposits: What was paid in.
        withdrawals: What was taken out.
        wallets: The wallet's account in a currency.
        batches: The account of what a batch pays, by a pattern of its name; the first that fits.
    """

    wallet: str = "DGS-Pay wallet"
    charges: str = "Sales"
    charge_fees: str = "Payment fees"
    payouts: str = "Payouts"
    payout_fees: str | None = None
    refunds: str = "Refunds"
    refund_fees: str = "Payment fees"
    conversions: str = "Currency conversions"
    deposits: str = "Paid into the wallet"
    withdrawals: str = "Taken out of the wallet"
    wallets: Mapping[str, str] = attrs.field(factory=dict)
    batches: Mapping[str, str] = attrs.field(factory=dict)

    @classmethod
    def read(cls, path: str | Path) -> Accounts:
        """Read a TOML file.

        Raises:
            ConfigError: it cannot be read, or names what is no account here.
        """
        try:
            with Path(path).open("rb") as file:
                given = tomllib.load(file)
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            reason = str(error)
        else:
            return cls._checked(path, given)
        raise ConfigError(f"{path} cannot be read: {reason}")

    @classmethod
    def _checked(cls, path: str | Path, given: dict[str, Any]) -> Accounts:
        names = [field.name for field in attrs.fields(cls)]
        for name, value in given.items():
            is_table = name in _TABLES and isinstance(value, dict)
            values = value.values() if is_table else [value]
            are_texts = all(isinstance(each, str) and each for each in values)
            if name not in names or not are_texts or (name in _TABLES and not is_table):
                raise ConfigError(
                    f"{path}: {name} is no account; it may name {', '.join(names)}, each with a "
                    "text, and the last two as tables"
                )
        try:
            wallets = {
                parse_currency(name): each for name, each in given.get("wallets", {}).items()
            }
        except ValueError as error:
            reason = str(error)
        else:
            return cls(**{**given, "wallets": wallets})
        raise ConfigError(f"{path}: wallets: {reason}")

    def of_wallet(self, currency: str) -> str:
        """Return the wallet's account in a currency."""
        return self.wallets.get(currency, self.wallet)

    def of_batch(self, name: str) -> str:
        """Return the account of what a batch pays."""
        fits = (account for pattern, account in self.batches.items() if fnmatchcase(name, pattern))
        return next(fits, self.payouts)


@attrs.frozen(kw_only=True)
class Line:
    """A line of an entry; one of debit and credit is 0.

    Attributes:
        account: The account's name.
        currency: Its currency.
        debit: In `currency`.
        credit: In `currency`.
    """

    account: str
    currency: str
    debit: Decimal = _NOTHING
    credit: Decimal = _NOTHING


def _check_balance(entry: Entry, _: object, lines: Sequence[Line]) -> None:
    for currency in {line.currency for line in lines}:
        ours = [line for line in lines if line.currency == currency]
        if exact_sum(line.debit for line in ours) != exact_sum(line.credit for line in ours):
            raise ValueError(f"the entry of {entry.reference} does not balance in {currency}")


@attrs.frozen(kw_only=True)
class Entry:
    """An entry: in each of its currencies, debits and credits come to the same.

    Attributes:
        number: Its number in the journal, from 1.
        day: The day in Kigali.
        kind: What it is about.
        reference: DGS-Pay's reference, or the caller's own.
        text: What it was for.
        lines: Its lines.
    """

    number: int
    day: dt.date
    kind: Kind
    reference: str
    text: str
    lines: Sequence[Line] = attrs.field(validator=_check_balance)


def journal_of(movements: Iterable[Movement], accounts: Accounts) -> Iterator[Entry]:
    """Yield an entry for each movement, and one for the two of a conversion.

    Args:
        movements: Oldest first; the two of a conversion one after the other.
        accounts: The accounts' names.
    """
    for number, (_, group) in enumerate(groupby(movements, _entry_key), 1):
        moved = [*group]
        first = moved[0]
        yield Entry(
            number=number,
            day=day_of(first.at),
            kind=first.kind,
            reference=first.reference,
            text=first.text,
            lines=tuple(line for each in moved for line in _lines(each, accounts)),
        )


def _entry_key(movement: Movement) -> tuple[object, ...]:
    if movement.kind is Kind.CONVERSION:
        return movement.kind, movement.reference
    return (id(movement),)


def _lines(movement: Movement, accounts: Accounts) -> Iterator[Line]:
    """Yield the wallet's line, and those of the other side, which come to the opposite."""
    yield _line(accounts.of_wallet(movement.currency), movement.currency, movement.wallet)
    rest = movement.wallet.copy_negate()
    fee_account = _fee_account(movement, accounts)
    if fee_account is not None and movement.fee:
        # Whoever bears it, a fee is an expense: it is debited.
        yield _line(fee_account, movement.currency, movement.fee)
        rest = exact_difference(rest, movement.fee)
    if rest:
        yield _line(_other_side(movement, accounts), movement.currency, rest)


def _fee_account(movement: Movement, accounts: Accounts) -> str | None:
    match movement.kind:
        case Kind.CHARGE:
            return accounts.charge_fees
        case Kind.PAYOUT:
            return accounts.payout_fees
        case Kind.REFUND:
            return accounts.refund_fees
        case _:
            return None


def _other_side(movement: Movement, accounts: Accounts) -> str:
    match movement.kind:
        case Kind.CHARGE:
            return accounts.charges
        case Kind.PAYOUT | Kind.PAYOUT_RETURNED:
            return accounts.of_batch(movement.group)
        case Kind.REFUND:
            return accounts.refunds
        case Kind.CONVERSION:
            return accounts.conversions
        case Kind.DEPOSIT:
            return accounts.deposits
        case Kind.WITHDRAWAL:
            return accounts.withdrawals


def _line(account: str, currency: str, amount: Decimal) -> Line:
    """Return a line that debits an amount, or credits it where it is below 0."""
    if amount < 0:
        return Line(account=account, currency=currency, credit=amount.copy_abs())
    return Line(account=account, currency=currency, debit=amount)
