"""Books: a statement of charges, fees, payouts, conversions and refunds, held against the wallet.

    with DGSPay.from_env() as dgs, SqliteLedger("payouts.sqlite3") as ledger:
        statement = read_books(dgs, Period.parse("2026-11"), ledgers=[ledger])
        print(statement.is_reconciled, statement.differences)

What DGS-Pay does not tell is said in `statement.notes`, and never guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dgspay import _lazy

if TYPE_CHECKING:
    from dgspay.books.journal import Accounts, Entry, Line, journal_of
    from dgspay.books.movement import Doubt, Kind, Movement
    from dgspay.books.period import Period
    from dgspay.books.reading import read_books
    from dgspay.books.statement import Reconciliation, Statement
    from dgspay.books.writing import write_journal, write_statement, write_workbook

_HOME = {
    "journal": "Accounts Entry Line journal_of",
    "movement": "Doubt Kind Movement",
    "period": "Period",
    "reading": "read_books",
    "statement": "Reconciliation Statement",
    "writing": "write_journal write_statement write_workbook",
}

__all__ = [
    "Accounts",
    "Doubt",
    "Entry",
    "Kind",
    "Line",
    "Movement",
    "Period",
    "Reconciliation",
    "Statement",
    "journal_of",
    "read_books",
    "write_journal",
    "write_statement",
    "write_workbook",
]

__getattr__ = _lazy.attach(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
