"""One row: its cells become a payout, or every fault they have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from dgspay import BankRecipient
from dgspay.models.characters import without_invisible
from dgspay.models.validators import optional_text
from dgspay.money import parse_amount
from dgspay.payouts.errors import RowFault
from dgspay.payouts.model.payout import Payout, Recipient, wallet_of
from dgspay.payouts.sheet.cells import NO_VALUES, BadCell, no_value
from dgspay.payouts.sheet.words import composed

COLUMNS = (
    "reference",
    "amount",
    "destination_type",
    "bank_key",
    "account_number",
    "branch",
    "msisdn",
    "network",
    "country",
    "name",
    "narration",
    "currency",
    "pay_again",
)
"""The columns as the vendor names them (guide, "Disburse Funds"), and two of the caller's own.

`reference` names a row; `pay_again` gives the reason why a row is to be paid although it looks
as if it had been paid before.
"""

_PLACES: dict[str | None, int] = {column: place for place, column in enumerate(COLUMNS)}

MAX_REFERENCE = 128
"""Characters of a row's own reference."""

_BANK_COLUMNS = ("bank_key", "account_number", "branch")
_PHONE_COLUMNS = ("msisdn", "network")
# Words of a person's: what is not seen in them may have a meaning in their script.
_PROSE = frozenset({"name", "narration", "branch", "pay_again"})
_GOOD_BANK = {"destination_type": "bank", "bank_key": "bk_rw", "account_number": "1234567890"}
_GOOD_PHONE = {"destination_type": "mobile_money", "msisdn": "0788123456", "network": "MTN"}
# What Excel makes of a long number, in either decimal notation: 1.23457E+12 and 1,23457E+12.
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?[eE][+-]?[0-9]+", re.ASCII)
_DECIMAL_TAIL = re.compile(r"[0-9]+[.,]0+", re.ASCII)
# One that is not all zeros is refused as a fraction.
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+", re.ASCII)
_LONG_NUMBER = re.compile(r"[0-9]{15}0+", re.ASCII)
_DIGIT_BUT_ZERO = re.compile(r"[1-9]|[^\x00-\x7f]", re.ASCII)
# Answers to a question that the column does not ask: it wants the reason for paying again.
_NO_REASONS = frozenset({"no", "non", "oya", "0", "false", "faux", "yes", "oui", "yego", "1"})
_DIGIT_LOSS = (
    "a spreadsheet has turned the number into another one (1.23E+12); make the column text "
    "there, enter the digits again and export once more"
)


def read_row(
    number: int, line: int, row: dict[str, Any]
) -> Iterator[tuple[int, Payout | RowFault]]:
    """Give the payout of a row with its line, or the faults of the row.

    Args:
        number: The row's place in the batch, from 1.
        line: Where it begins in the file.
        row: What its cells hold, by the names of `COLUMNS`; empty ones are left out.
    """
    row, faults = _plain(line, row)
    unreadable = {fault.column for fault in faults}

    def checked(column: str, check: Callable[[], Any]) -> Any:
        try:
            return check()
        except (ValueError, TypeError) as error:
            complain(column, str(error))
            return None

    def complain(column: str, message: str) -> None:
        if column not in unreadable:
            faults.append(RowFault(line, column, message.removeprefix("recipient.")))

    reference = checked("reference", lambda: _reference(row.get("reference")))
    amount = checked("amount", lambda: _whole_rwf(row.get("amount")))
    if "currency" in row:
        checked("currency", lambda: _require_rwf(row["currency"]))
    recipient: Recipient | None = None
    try:
        recipient = _recipient(row)
    except (ValueError, TypeError) as error:
        # Only now is it worth the time to look at each column by itself.
        for fault in [*_recipient_faults(row)] or [("recipient", str(error))]:
            complain(*fault)
    narration = checked("narration", lambda: _text(row, "narration"))
    pay_again = checked("pay_again", lambda: _reason(row)) if "pay_again" in row else None
    if faults or recipient is None:
        faults.sort(key=lambda fault: _PLACES.get(fault.column, len(COLUMNS)))
        yield from ((line, fault) for fault in faults)
        return
    yield (
        line,
        Payout.to(
            recipient,
            number=number,
            reference=reference,
            amount=amount,
            narration=narration,
            pay_again=pay_again,
        ),
    )


def _plain(line: int, row: dict[str, Any]) -> tuple[dict[str, Any], list[RowFault]]:
    """Return the cells as a reader sees them, and a fault for each that shows something else."""
    for value in row.values():
        if type(value) is not str or value in NO_VALUES or not value.isascii():
            break
    else:
        return row, []  # as most are
    plain, faults = row, []

    def change(column: str, value: str | None) -> None:
        nonlocal plain
        if plain is row:
            plain = dict(row)
        if value:
            plain[column] = value
        else:
            del plain[column]

    for column, value in row.items():
        if isinstance(value, BadCell):
            faults.append(RowFault(line, column, f"{column} {value.reason}"))
        if not isinstance(value, str):
            continue
        # What a person writes to another may be anything.
        if value in NO_VALUES and column != "narration":
            faults.append(RowFault(line, column, f"{column} {no_value(value)}"))
        elif value.isascii():
            continue
        elif column in _PROSE:
            change(column, composed(value))
        else:
            try:
                change(column, without_invisible(composed(value), field=column))
            except ValueError as error:
                faults.append(RowFault(line, column, str(error)))
    return plain, faults


def _reference(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None:
        raise ValueError("reference is missing: give each row a name of your own")
    if not isinstance(value, str) or not value:
        raise ValueError("reference must be text or a whole number")
    if len(value) > MAX_REFERENCE or not value.isprintable():
        raise ValueError(f"reference must be at most {MAX_REFERENCE} printable characters")
    return value


def _require_rwf(currency: object) -> None:
    if str(currency).upper() != "RWF":
        raise ValueError("currency must be RWF: payouts leave the RWF wallet")


def _whole_rwf(value: Any) -> int:
    if value is None:
        raise ValueError("amount is missing")
    if isinstance(value, str) and ("," in value or " " in value):
        raise ValueError("amount must be digits only, without thousands separators")
    if isinstance(value, str) and _THOUSANDS.fullmatch(value):
        raise ValueError(
            "amount must have no thousands separator: 10.000 is ten thousand in one country and "
            "ten in another; write 10000"
        )
    amount: Decimal = parse_amount(value)
    if amount != amount.to_integral_value():
        raise ValueError("amount must be whole: RWF has no minor unit")
    return int(amount)


def _recipient(row: Mapping[str, Any]) -> Recipient:
    to_bank = _is_bank(row)
    unwanted = [name for name in (_PHONE_COLUMNS if to_bank else _BANK_COLUMNS) if name in row]
    if unwanted:
        kind = "a bank account" if to_bank else "a mobile wallet"
        raise ValueError(f"{', '.join(unwanted)} does not belong to {kind}; leave it empty")
    if to_bank:
        return BankRecipient(
            bank_key=_needed(row, "bank_key"),
            account_number=_account(row),
            name=_text(row, "name"),
            branch=_text(row, "branch"),
        )
    return wallet_of(
        _number(row, "msisdn"),
        _text(row, "network"),
        _text(row, "country") or "RW",
        _text(row, "name"),
    )


def _recipient_faults(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give every column that spoils the recipient: each is tried beside good ones."""
    try:
        good = _GOOD_BANK if _is_bank(row) else _GOOD_PHONE
    except ValueError as error:
        yield "destination_type", str(error)
        return
    for column in (*_BANK_COLUMNS, *_PHONE_COLUMNS, "country", "name"):
        tried = {name: value for name, value in good.items() if name != column}
        if column in row:
            tried[column] = row[column]
        try:
            _recipient(tried)
        except (ValueError, TypeError) as error:
            yield column, str(error)


def _is_bank(row: Mapping[str, Any]) -> bool:
    match row.get("destination_type"):
        case None:
            return "bank_key" in row or ("account_number" in row and "msisdn" not in row)
        case "bank":
            return True
        case "mobile_money":
            return False
        case _:
            raise ValueError("destination_type must be bank or mobile_money")


def _needed(row: Mapping[str, Any], column: str) -> str:
    text = _text(row, column)
    if text is None:
        raise ValueError(f"{column} is missing")
    return text


def _account(row: Mapping[str, Any]) -> str:
    """Read an account, unless a spreadsheet has put zeros in place of its last digits."""
    text = _number(row, "account_number")
    if _LONG_NUMBER.fullmatch(text):
        raise ValueError(
            "account_number has zeros from its 16th digit on, as a spreadsheet writes that keeps "
            "15: enter it again in a column of text, or in groups (4012 3456) if it is right"
        )
    if not _DIGIT_BUT_ZERO.search(text):
        raise ValueError("account_number has no digit but zeros")
    return text


def _reason(row: Mapping[str, Any]) -> str | None:
    text = _text(row, "pay_again")
    if text is not None and text.strip().lower() in _NO_REASONS:
        raise ValueError(
            "pay_again must give the reason why the row is to be paid again; leave it empty if it "
            "is not"
        )
    return text


def _number(row: Mapping[str, Any], column: str) -> str:
    """Read digits that are a name, where a lost zero or digit would pay another account."""
    value = row.get(column)
    if isinstance(value, int | float) and not isinstance(value, bool):
        # A phone keeps its meaning without the zero in front; an account does not.
        if column == "msisdn" and isinstance(value, int):
            value = str(value)
        else:
            raise TypeError(f"{column} must be text: as a number it loses leading zeros")
    text = _needed({column: value}, column)
    if _SCIENTIFIC.fullmatch(text) or _DECIMAL_TAIL.fullmatch(text):
        raise ValueError(f"{column}: {_DIGIT_LOSS}")
    return text


def _text(row: Mapping[str, Any], column: str) -> str | None:
    value = row.get(column)
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{column} must be text")
    # The client's own rule, so that it is broken here and not after other rows were paid.
    return optional_text(value, field=column)
