"""Files of the books: the statement and the journal as CSV, and both as a workbook."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from dgspay.books.journal import Accounts, journal_of
from dgspay.books.movement import Kind, Movement
from dgspay.books.statement import Reconciliation, Statement
from dgspay.clock import KIGALI
from dgspay.csv_safety import safe_cell
from dgspay.errors import ConfigError
from dgspay.money import exact_sum, to_json_number

Cell = str | int | Decimal | dt.date | None
Row = Sequence[Cell]

STATEMENT_COLUMNS = (
    "date",
    "time",
    "kind",
    "reference",
    "text",
    "currency",
    "amount",
    "fee",
    "wallet",
    "balance",
)
"""Of a movement: what it was in all, DGS-Pay's fee, what the wallet has by it, and its balance."""

JOURNAL_COLUMNS = (
    "entry",
    "date",
    "account",
    "debit",
    "credit",
    "currency",
    "kind",
    "reference",
    "text",
)

# Excel takes UTF-8 for something else without it.
_BOM = "\ufeff"
_WIDTHS = (12, 12, 18, 24, 40, 10, 14, 14, 14, 16)


def write_statement(statement: Statement, file: TextIO) -> None:
    """Write the movements with the running balance as CSV; open the file with `newline=""`."""
    _write_csv(file, STATEMENT_COLUMNS, statement_rows(statement))


def write_journal(statement: Statement, accounts: Accounts, file: TextIO) -> None:
    """Write the entries as CSV, a line for each of theirs; open the file with `newline=""`."""
    _write_csv(file, JOURNAL_COLUMNS, journal_rows(statement, accounts))


def write_workbook(statement: Statement, accounts: Accounts, path: Path) -> None:
    """Write summary, movements and journal as an .xlsx, which must not be there.

    Raises:
        ConfigError: the extra `excel` is not installed.
        OSError: it is there, or cannot be written.
    """
    try:
        from openpyxl import Workbook  # noqa: PLC0415 - the extra
    except ImportError:
        pass
    else:
        with path.open("xb") as file:
            book = Workbook(write_only=True)
            _add_sheet(book, "Summary", (), summary_rows(statement))
            _add_sheet(book, "Movements", STATEMENT_COLUMNS, statement_rows(statement))
            _add_sheet(book, "Journal", JOURNAL_COLUMNS, journal_rows(statement, accounts))
            book.save(file)
        return
    raise ConfigError("this needs openpyxl: pip install 'dgspay[excel]'")


def _add_sheet(book: Any, title: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    sheet = book.create_sheet(title)
    for letter, width in zip("ABCDEFGHIJ", _WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    if columns:
        sheet.append([_typed(sheet, column, bold=True) for column in columns])
    for row in rows:
        sheet.append([_typed(sheet, cell) for cell in row])


def summary_rows(statement: Statement) -> Iterator[Row]:
    """Yield the reconciliation, the differences, what is in doubt, and what is not told."""
    yield ("DGS-Pay account", statement.account_number, statement.environment)
    yield ("Period", str(statement.period), "days of Kigali")
    for each in statement.reconciliations:
        yield ()
        yield ("Opening balance", each.opening, each.currency, opening_words(each))
        for kind, amount in each.by_kind.items():
            yield (plural(kind), amount, each.currency)
        if each.fees:
            yield ("  fees kept of charges", each.fees.copy_negate(), each.currency, "in them")
        yield ("Closing balance", each.closing, each.currency)
        yield ("Moved since then", each.after, each.currency)
        yield ("Expected now", each.expected, each.currency)
        yield ("The wallet holds", each.balance, each.currency, "available and pending")
        yield ("Difference", each.difference, each.currency)
    for title, sentences in (("Differs", statement.differences), ("Note", statement.notes)):
        yield ()
        for sentence in sentences:
            yield (title, sentence)
    for doubt in statement.doubts:
        yield ("In doubt", doubt.wallet, doubt.currency, doubt.reference, doubt.reason)


def statement_rows(statement: Statement) -> Iterator[Row]:
    """Yield opening, movements and closing, with the running balance of each currency."""
    balances = {each.currency: each.opening for each in statement.reconciliations}
    for currency, balance in balances.items():
        yield (statement.period.first, "", "opening", "", "", currency, None, None, None, balance)
    for each in statement.movements:
        moment = dt.datetime.fromtimestamp(each.at, KIGALI)
        balances[each.currency] = exact_sum((balances[each.currency], each.wallet))
        yield (
            moment.date(),
            f"{moment:%H:%M:%S}",
            each.kind.value,
            each.reference,
            each.text,
            each.currency,
            amount_of(each),
            each.fee,
            each.wallet,
            balances[each.currency],
        )
    for currency, balance in balances.items():
        yield (statement.period.last, "", "closing", "", "", currency, None, None, None, balance)


def amount_of(movement: Movement) -> Decimal:
    """Return what a movement was in all: of a charge, what the payer paid."""
    if movement.kind is Kind.CHARGE and movement.fee is not None:
        return exact_sum((movement.wallet, movement.fee))
    return movement.wallet


def journal_rows(statement: Statement, accounts: Accounts) -> Iterator[Row]:
    """Yield each line of each entry."""
    for entry in journal_of(statement.movements, accounts):
        for line in entry.lines:
            yield (
                entry.number,
                entry.day,
                line.account,
                line.debit or None,
                line.credit or None,
                line.currency,
                entry.kind.value,
                entry.reference,
                entry.text,
            )


def plural(kind: Kind) -> str:
    """Return a heading for the sum of a kind."""
    if kind is Kind.PAYOUT_RETURNED:
        return "Payouts returned"
    return f"{kind.value.capitalize()}s"


def opening_words(reconciliation: Reconciliation) -> str:
    """Say where an opening balance comes from."""
    given = reconciliation.is_opening_given
    return "as given" if given else "what the history adds up to from 0"


def _write_csv(file: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> None:
    file.write(_BOM)
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_text(cell) for cell in row])


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case Decimal():
            return to_json_number(cell)
        case str():
            return safe_cell(cell)
        case _:
            return str(cell)


def _typed(sheet: Any, value: Any, *, bold: bool = False) -> object:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - the extra
    from openpyxl.styles import Font  # noqa: PLC0415 - the extra

    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        # No text of a payer's is a formula.
        cell.data_type = "s"
    elif isinstance(value, Decimal):
        cell.number_format = "#,##0.######" if value != value.to_integral_value() else "#,##0"
    if bold:
        cell.font = Font(bold=True)
    return cell
