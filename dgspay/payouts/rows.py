"""Rows in: CSV files, frames and plain mappings become payouts, or faults with line numbers."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.faults import RowFault
from dgspay.payouts.payout import Payout
from dgspay.payouts.row import COLUMNS, read_row

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_LINE = 1024 * 1024
"""Characters of a line: a file without line ends must not fill the memory."""

Source = str | Path | Iterable[Mapping[str, Any]] | Any
"""A CSV file, an iterable of mappings, or a frame of pandas or polars."""

_DELIMITERS = ",;\t"
_UNDECODED = re.compile("[\ud800-\udfff]")
_SLICE = 1000
# Of pandas, which is not imported for this.
_MISSING_TYPES = ("NAType", "NaTType")


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
        source: A path to a CSV file (UTF-8 with or without BOM; comma, semicolon or tab), an
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


class _Lines:
    """The lines of a file, none of them longer than memory is good for, all of them decoded.

    Bytes that are not UTF-8 come as lone surrogates, so that a row with such bytes is one fault
    on its own line, and not the end of the reading.

    Attributes:
        number: Lines given out so far.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.number = 0
        self._last_undecoded = 0

    def __iter__(self) -> Iterator[str]:
        for line in iter(partial(self._text.readline, MAX_LINE + 1), ""):
            if len(line) > MAX_LINE:
                raise csv.Error(f"a line of more than {MAX_LINE:,} characters")
            self.number += 1
            if not line.isascii() and _UNDECODED.search(line):
                self._last_undecoded = self.number
            yield line

    def undecoded_since(self, line: int) -> int | None:
        """Return the last line that was not UTF-8, if it is this one or came after it."""
        return self._last_undecoded if self._last_undecoded >= line else None


def _open_text(raw: io.RawIOBase) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedReader(raw), encoding="utf-8-sig", errors="surrogateescape", newline=""
    )


@contextmanager
def _open_csv(path: Path, mapping: Mapping[str, str]) -> Iterator[Rows]:
    try:
        raw = _Hashed(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    with _open_text(raw) as text:
        lines = _Lines(text)
        try:
            delimiter = _delimiter_of(path)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            headings = next(reader, [])
        except csv.Error as error:
            raise ConfigError(f"line 1 of {path} is not CSV: {error}") from None
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
        if lines.undecoded_since(1) is not None:
            raise ConfigError(f"line 1 of {path} is not UTF-8; export it as 'CSV UTF-8'")
        columns, ignored = _columns_of(headings, mapping)
        yield Rows(
            [column for column in columns if column is not None],
            ignored,
            _csv_rows(reader, lines, columns),
            raw.sha256.hexdigest,
        )


def _delimiter_of(path: Path) -> str:
    """Take the delimiter that splits the heading line into more columns."""
    with _open_text(path.open("rb", buffering=0)) as file:
        first = file.readline(MAX_LINE)
    if not first.strip():
        raise ConfigError(f"{path} has no heading line")
    return max(_DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark))))


def _csv_rows(
    reader: Any, lines: _Lines, columns: Sequence[str | None]
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
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        number += 1
        if (undecoded := lines.undecoded_since(line)) is not None:
            yield undecoded, RowFault(undecoded, None, "it is not UTF-8; export as 'CSV UTF-8'")
            continue
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
        yield from read_row(number, line, row)


# --- frames and mappings ------------------------------------------------------------------


def _mappings_of(source: Any) -> Iterable[Mapping[str, Any]]:
    if hasattr(source, "iter_rows"):  # polars
        named: Iterable[Mapping[str, Any]] = source.iter_rows(named=True)
        return named
    if hasattr(source, "to_dict") and hasattr(source, "iloc"):  # pandas
        # In slices: the records of a whole frame take many times its memory.
        return chain.from_iterable(
            source.iloc[first : first + _SLICE].to_dict("records")
            for first in range(0, len(source), _SLICE)
        )
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
            yield from read_row(number, number, row)

    return Rows([*meaning.values()], ignored, rows(), sha256.hexdigest)


def _chain(
    first: Mapping[str, Any] | None, rest: Iterator[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    if first is not None:
        yield first
        yield from rest


def _is_missing(value: object) -> bool:
    """Frames write an empty cell as None, as NaN, or as a value that is not even itself."""
    match value:
        case None:
            return True
        case str():
            return not value.strip()
        case float():
            return math.isnan(value)
        case _:
            return type(value).__name__ in _MISSING_TYPES
