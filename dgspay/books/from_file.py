"""Movements of the books that a person lists, because neither DGS-Pay nor a ledger does."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Collection, Iterator
from decimal import Decimal
from pathlib import Path

from dgspay.books.movement import Kind, Movement, conversion
from dgspay.books.sources import Found
from dgspay.clock import KIGALI
from dgspay.errors import ConfigError
from dgspay.money import Money, parse_currency

COLUMNS = (
    "date",
    "kind",
    "reference",
    "amount",
    "currency",
    "to_amount",
    "to_currency",
    "fee",
    "text",
)
"""Columns of the file; the last four may be left out, and `date` is a day in Kigali."""

_NEEDED = COLUMNS[:5]
_KINDS = (Kind.PAYOUT, Kind.REFUND, Kind.CONVERSION, Kind.DEPOSIT, Kind.WITHDRAWAL)


def movements_in(path: Path, known: Collection[str]) -> Found:
    """Read what a person knows from the merchant portal.

    Args:
        path: A CSV in UTF-8 with a heading line; comma or semicolon.
        known: References that are in the books already: what is there must not count twice.

    Raises:
        ConfigError: it cannot be read, or a line of it cannot be right.
    """
    found = Found()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            heading = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter=";" if ";" in heading else ",")
            missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
            unknown = [name for name in reader.fieldnames or () if name not in COLUMNS]
            if missing or unknown:
                raise ConfigError(
                    f"{path}: the heading line must name {', '.join(_NEEDED)}, and may name "
                    f"{', '.join(COLUMNS[len(_NEEDED) :])}"
                )
            for row in reader:
                reference = (row["reference"] or "").strip()
                if reference in known or reference in found.references:
                    raise ConfigError(
                        f"{path}, line {reader.line_num}: {reference} is in the books already, and "
                        "would count twice"
                    )
                try:
                    found.movements += _movements(row, reference)
                except (ValueError, TypeError, KeyError) as error:
                    reason = str(error)
                else:
                    found.references.add(reference)
                    continue
                raise ConfigError(f"{path}, line {reader.line_num}: {reason}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = str(error)
    else:
        return found
    raise ConfigError(f"{path} cannot be read: {reason}")


def _movements(row: dict[str, str], reference: str) -> Iterator[Movement]:
    cells = {name: (text or "").strip() for name, text in row.items() if name is not None}
    if None in row or not reference:
        raise ValueError("it has more fields than the heading line, or no reference")
    day = dt.date.fromisoformat(cells["date"])
    # At noon: a day without a time is within its day for everyone.
    at = dt.datetime.combine(day, dt.time(12), KIGALI).timestamp()
    if cells["kind"] not in _KINDS:
        raise ValueError(f"kind must be one of {', '.join(_KINDS)}")
    kind = Kind(cells["kind"])
    money = Money.parse(cells["amount"], cells["currency"])
    if kind is Kind.CONVERSION:
        into = Money.parse(
            cells.get("to_amount", ""), cells.get("to_currency", ""), field="to_amount"
        )
        yield from conversion(
            at=at,
            reference=reference,
            out=(money.amount, money.currency),
            into=(into.amount, into.currency),
        )
        return
    fee = cells.get("fee")
    yield Movement(
        at=at,
        kind=kind,
        reference=reference,
        currency=parse_currency(cells["currency"]),
        wallet=money.amount if kind is Kind.DEPOSIT else money.amount.copy_negate(),
        fee=Decimal(0) if not fee else Money.parse(fee, money.currency, field="fee").amount,
        text=cells.get("text", ""),
    )
