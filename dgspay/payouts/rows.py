"""Rows in: CSV files, frames and plain mappings become payouts, or faults with line numbers."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from dgspay import BankRecipient, MobileMoneyRecipient
from dgspay.errors import ConfigError
from dgspay.models.checks import optional_text
from dgspay.money import parse_amount
from dgspay.payouts.faults import RowFault
from dgspay.payouts.payout import Payout, Recipient

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

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
)
"""The columns as the vendor names them (guide, "Disburse Funds"), and the caller's reference."""

MAX_REFERENCE = 128

Source = str | Path | Iterable[Mapping[str, Any]] | Any
"""A CSV file, an iterable of mappings, or a frame of pandas or polars."""

_BANK_COLUMNS = ("bank_key", "account_number", "branch")
_PHONE_COLUMNS = ("msisdn", "network")
# What Excel makes of a long number, in either decimal notation: 1.23457E+12 and 1,23457E+12.
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?[eE][+-]?[0-9]+", re.ASCII)
_DECIMAL_TAIL = re.compile(r"[0-9]+[.,]0+", re.ASCII)
_DIGIT_LOSS = (
    "a spreadsheet has turned the number into another one (1.23E+12); make the column text "
    "there, enter the digits again and export once more"
)


@attrs.define
class Rows:
    """Rows under way from a source. Iterate once; `digest` is right after the last row.

    Attributes:
        columns: The columns that were found, by the vendor's names.
        ignored: Headings that mean nothing here.
    """

    columns: Sequence[str]
    ignored: Sequence[str]
    _rows: Iterator[tuple[int, Payout | RowFault]]
    _digest: Callable[[], str]

    def __iter__(self) -> Iterator[tuple[int, Payout | RowFault]]:
        """Give out the line and what became of it; a bad row gives every one of its faults."""
        return self._rows

    @property
    def digest(self) -> str:
        """SHA-256 of the file's bytes, or of the rows where there is no file."""
        return self._digest()


@contextmanager
def open_rows(source: Source, mapping: Mapping[str, str] | None = None) -> Iterator[Rows]:
    """Open a source of rows.

    Args:
        source: A path to a CSV file (UTF-8 with or without BOM; comma or semicolon), an
            iterable of mappings, or a frame of pandas or polars.
        mapping: Other headings and what they mean, such as `{"Telephone": "msisdn"}`.

    Raises:
        ConfigError: when the file cannot be read, has no heading line, or the mapping names a
            column that does not exist.
    """
    names = _check_mapping(mapping or {})
    if isinstance(source, str | Path):
        with _open_csv(Path(source), names) as rows:
            yield rows
    else:
        yield _from_mappings(_mappings_of(source), names)


def _check_mapping(mapping: Mapping[str, str]) -> dict[str, str]:
    for heading, column in mapping.items():
        if column not in COLUMNS:
            raise ConfigError(
                f"the mapping of {heading!r} names no column; one of: {', '.join(COLUMNS)}"
            )
    return dict(mapping)


def _columns_of(
    headings: Sequence[str], mapping: Mapping[str, str]
) -> tuple[list[str | None], list[str]]:
    """Say what each heading means (None: nothing), and which ones mean nothing."""
    columns: list[str | None] = []
    for heading in headings:
        name = heading.strip()
        meant = mapping.get(name) or name.lower().replace(" ", "_")
        columns.append(meant if meant in COLUMNS else None)
    known = [column for column in columns if column is not None]
    twice = sorted({column for column in known if known.count(column) > 1})
    if twice:
        raise ConfigError(f"two columns of the file mean {', '.join(twice)}")
    missing = [name for name in ("reference", "amount") if name not in known]
    if "bank_key" not in known and "msisdn" not in known:
        missing.append("msisdn (or bank_key and account_number)")
    if missing:
        raise ConfigError(f"the file has no column for {', '.join(missing)}; map its headings")
    unmapped = [heading for heading in mapping if heading not in {h.strip() for h in headings}]
    if unmapped:
        raise ConfigError(f"the mapping names headings the file does not have: {unmapped}")
    ignored = [h for h, column in zip(headings, columns, strict=True) if column is None and h]
    return columns, ignored


# --- files --------------------------------------------------------------------------------


class _Hashed(io.RawIOBase):
    """A file that is hashed while it is read, so that what is paid is what was hashed."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        read = self._file.readinto(buffer) or 0
        self.sha256.update(memoryview(buffer)[:read])
        return read

    def close(self) -> None:
        self._file.close()
        super().close()


def file_digest(path: Path) -> str:
    """Return what `Rows.digest` of this file is, without reading its rows.

    Raises:
        ConfigError: when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None


@contextmanager
def _open_csv(path: Path, mapping: Mapping[str, str]) -> Iterator[Rows]:
    delimiter = _delimiter_of(path)
    try:
        raw = _Hashed(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    with io.TextIOWrapper(io.BufferedReader(raw), encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            headings = next(reader, [])
        except (csv.Error, UnicodeDecodeError):
            raise ConfigError(f"{path} is no CSV file in UTF-8") from None
        columns, ignored = _columns_of(headings, mapping)
        yield Rows(
            [column for column in columns if column is not None],
            ignored,
            _csv_rows(reader, columns),
            raw.sha256.hexdigest,
        )


def _delimiter_of(path: Path) -> str:
    """Take the delimiter that splits the heading line into more columns."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline(1024 * 1024)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8; export it as 'CSV UTF-8'") from None
    if not first.strip():
        raise ConfigError(f"{path} has no heading line")
    return max(",;", key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter))))


def _csv_rows(
    reader: Any, columns: Sequence[str | None]
) -> Iterator[tuple[int, Payout | RowFault]]:
    number = 0
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # What follows a broken quote cannot be told apart any more.
            yield line, RowFault(line, None, f"it is not CSV from here on ({error})")
            return
        except UnicodeDecodeError:
            yield line, RowFault(line, None, "it is not UTF-8 from here on")
            return
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        number += 1
        if len(cells) != len(columns):
            yield (
                line,
                RowFault(
                    line, None, f"it has {len(cells)} fields, the heading line has {len(columns)}"
                ),
            )
            continue
        row = {
            column: text
            for column, cell in zip(columns, cells, strict=True)
            if column is not None and (text := cell.strip())
        }
        yield from _read_row(number, line, row)


# --- frames and mappings ------------------------------------------------------------------


def _mappings_of(source: Any) -> Iterable[Mapping[str, Any]]:
    if hasattr(source, "iter_rows"):  # polars
        named: Iterable[Mapping[str, Any]] = source.iter_rows(named=True)
        return named
    if hasattr(source, "to_dict") and hasattr(source, "columns"):  # pandas
        records: Iterable[Mapping[str, Any]] = source.to_dict("records")
        return records
    if not isinstance(source, Iterable):
        raise ConfigError("rows must be a CSV file, a frame, or an iterable of mappings")
    return source


def _from_mappings(mappings: Iterable[Mapping[str, Any]], mapping: Mapping[str, str]) -> Rows:
    waiting = iter(mappings)
    first = next(waiting, None)
    headings = [] if first is None else [str(name) for name in first]
    columns, ignored = _columns_of(headings, mapping)
    meaning = {h: c for h, c in zip(headings, columns, strict=True) if c is not None}
    sha256 = hashlib.sha256()

    def rows() -> Iterator[tuple[int, Payout | RowFault]]:
        for number, mapped in enumerate(_chain(first, waiting), 1):
            row = {
                meaning[name]: value.strip() if isinstance(value, str) else value
                for name, value in mapped.items()
                if name in meaning and not _is_missing(value)
            }
            sha256.update(repr(sorted(row.items())).encode("utf-8", "surrogatepass"))
            yield from _read_row(number, number, row)

    return Rows([*meaning.values()], ignored, rows(), sha256.hexdigest)


def _chain(
    first: Mapping[str, Any] | None, rest: Iterator[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    if first is not None:
        yield first
        yield from rest


def _is_missing(value: object) -> bool:
    """Frames write an empty cell as None or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or value == ""


# --- one row ------------------------------------------------------------------------------


def _read_row(
    number: int, line: int, row: dict[str, Any]
) -> Iterator[tuple[int, Payout | RowFault]]:
    faults: list[RowFault] = []

    def checked(column: str, check: Callable[[], Any]) -> Any:
        try:
            return check()
        except (ValueError, TypeError) as error:
            faults.append(RowFault(line, column, str(error)))
            return None

    reference = checked("reference", lambda: _reference(row.get("reference")))
    amount = checked("amount", lambda: _whole_rwf(row.get("amount"), row.get("currency")))
    recipient = checked("recipient", lambda: _recipient(row))
    narration = checked("narration", lambda: _text(row, "narration"))
    if faults:
        yield from ((line, fault) for fault in faults)
        return
    yield (
        line,
        Payout.to(
            recipient, number=number, reference=reference, amount=amount, narration=narration
        ),
    )


def _reference(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise ValueError("reference is missing: give each row a name of your own")
    if len(value) > MAX_REFERENCE or not value.isprintable():
        raise ValueError(f"reference must be at most {MAX_REFERENCE} printable characters")
    return value


def _whole_rwf(value: Any, currency: object) -> int:
    if value is None:
        raise ValueError("amount is missing")
    if currency is not None and str(currency).upper() != "RWF":
        raise ValueError("currency must be RWF: payouts leave the RWF wallet")
    if isinstance(value, str) and ("," in value or " " in value or "\xa0" in value):
        raise ValueError("amount must be digits only, without thousands separators")
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
            account_number=_number(row, "account_number"),
            name=_text(row, "name"),
            branch=_text(row, "branch"),
        )
    return MobileMoneyRecipient(
        msisdn=_number(row, "msisdn"),
        network=_needed(row, "network"),
        country=_text(row, "country") or "RW",
        name=_text(row, "name"),
    )


def _is_bank(row: Mapping[str, Any]) -> bool:
    match row.get("destination_type"):
        case None:
            return "bank_key" in row
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


def _number(row: Mapping[str, Any], column: str) -> str:
    """Read digits that are a name, where a lost zero or digit would pay somebody else."""
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
