"""Reader of CSV files, frames and plain mappings: payouts, or faults with line numbers."""

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
from dgspay.models.characters import without_invisible
from dgspay.payouts.errors import RowFault
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.sheet.row import COLUMNS, read_row

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_LINE = 1024 * 1024
"""Characters of a line: a file without line ends must not fill the memory."""

RowSource = str | Path | Iterable[Mapping[str, Any]] | Any
"""A CSV file, an iterable of mappings, or a frame of pandas or polars."""

_DELIMITERS = ",;\t"
_UNDECODED = re.compile("[\ud800-\udfff]")
_SLICE = 1000
# So many different sets of keys of mappings are remembered.
_SETS_OF_KEYS = 1000
# What pandas (`amount.1`) and polars (`amount_duplicated_0`) make of a second `amount`.
_RENAMED = re.compile(r"(.+?)(?:\.[0-9]+|_duplicated_[0-9]+)", re.ASCII | re.DOTALL)
# Of pandas, which is not imported for this.
_MISSING_TYPES = ("NAType", "NaTType")


@attrs.define
class Rows:
    """Rows under way from a source. Iterate once; `digest` is right after the last row.

    Attributes:
        ignored: Headings that mean nothing here; of mappings, all of them after the last row.
    """

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
def open_rows(source: RowSource, mapping: Mapping[str, str] | None = None) -> Iterator[Rows]:
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
        yield _from_mappings(_mappings_of(source, names), names)


def _check_mapping(mapping: Mapping[str, str]) -> dict[str, str]:
    for heading, column in mapping.items():
        if column not in COLUMNS:
            raise ConfigError(
                f"the mapping of {heading!r} names no column; one of: {', '.join(COLUMNS)}"
            )
    return {_seen(heading): column for heading, column in mapping.items()}


def _seen(heading: str) -> str:
    """Return a heading as a reader sees it."""
    try:
        return without_invisible(heading, field="a heading")
    except ValueError as error:
        reason = str(error)
    raise ConfigError(reason)


def _columns_of(
    headings: Sequence[str], mapping: Mapping[str, str]
) -> tuple[list[str | None], list[str]]:
    """Say what each heading means (None: nothing), and which ones mean nothing.

    Raises:
        ConfigError: two of them mean the same.
    """
    names = [*map(_seen, headings)]
    columns = [_meaning_of(name, mapping) for name in names]
    known = [column for column in columns if column is not None]
    twice = {column for column in known if known.count(column) > 1}
    # A library that reads a sheet renames the second of two columns of one name.
    for name, column in zip(names, columns, strict=True):
        renamed = _RENAMED.fullmatch(name) if column is None else None
        if renamed and renamed[1] in names and (meant := _meaning_of(renamed[1], mapping)):
            twice.add(meant)
    if twice:
        raise ConfigError(
            f"more than one column maps to {', '.join(sorted(twice))}; keep one of them"
        )
    return columns, [h for h, column in zip(headings, columns, strict=True) if column is None and h]


def _meaning_of(name: str, mapping: Mapping[str, str]) -> str | None:
    meant = mapping.get(name) or name.lower().replace(" ", "_")
    return meant if meant in COLUMNS else None


def _require_columns(columns: Iterable[str | None]) -> None:
    known = {*columns}
    missing = [name for name in ("reference", "amount") if name not in known]
    if "bank_key" not in known and "msisdn" not in known:
        missing.append("msisdn (or bank_key and account_number)")
    if missing:
        raise ConfigError(f"the file has no column for {', '.join(missing)}; map its headings")


def _require_mapped(mapping: Mapping[str, str], headings: Iterable[str]) -> None:
    found = {*map(_seen, headings)}
    unmapped = [heading for heading in mapping if heading not in found]
    if unmapped:
        raise ConfigError(f"the mapping names headings the file does not have: {unmapped}")


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
        _require_columns(columns)
        _require_mapped(mapping, headings)
        yield Rows(
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


def _mappings_of(source: Any, mapping: Mapping[str, str]) -> Iterable[Mapping[Any, Any]]:
    if hasattr(source, "iter_rows"):  # polars
        named: Iterable[Mapping[Any, Any]] = source.iter_rows(named=True)
        return named
    if hasattr(source, "to_dict") and hasattr(source, "iloc"):  # pandas
        return _records_of(source, mapping)
    if not isinstance(source, Iterable):
        raise ConfigError("rows must be a CSV file, a frame, or an iterable of mappings")
    return source


def _records_of(frame: Any, mapping: Mapping[str, str]) -> Iterator[Mapping[Any, Any]]:
    """Give the rows of a frame of pandas; of two columns of one name a mapping keeps only one."""
    names = [*frame.columns]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        # Where none of these means anything, none is needed.
        _columns_of([str(name) for name in names], mapping)
        frame = frame.loc[:, [name not in twice for name in names]]
    # In slices: the records of a whole frame take many times its memory.
    return chain.from_iterable(
        frame.iloc[first : first + _SLICE].to_dict("records")
        for first in range(0, len(frame), _SLICE)
    )


@attrs.define
class _Headings:
    """What the keys of mappings mean; each mapping may have keys of its own."""

    mapping: Mapping[str, str]
    found: dict[str, None] = attrs.field(factory=dict)
    ignored: list[str] = attrs.field(factory=list)
    _known: dict[tuple[Any, ...], dict[Any, str]] = attrs.field(factory=dict)

    def meaning(self, keys: tuple[Any, ...]) -> dict[Any, str]:
        """Return the column of each key that means one.

        Raises:
            ConfigError: two of them mean the same.
        """
        meaning = self._known.get(keys)
        if meaning is None:
            names = [str(key) for key in keys]
            columns, ignored = _columns_of(names, self.mapping)
            meaning = {k: c for k, c in zip(keys, columns, strict=True) if c is not None}
            self.found.update(dict.fromkeys(names))
            self.ignored.extend(name for name in ignored if name not in self.ignored)
            if len(self._known) < _SETS_OF_KEYS:
                self._known[keys] = meaning
        return meaning


def _from_mappings(mappings: Iterable[Mapping[Any, Any]], mapping: Mapping[str, str]) -> Rows:
    waiting = iter(mappings)
    first = next(waiting, None)
    headings = _Headings(mapping)
    if first is not None and not isinstance(first, Mapping):
        raise ConfigError("rows of a program must be mappings, a dict for each row")
    # Without any, the error is that there are no columns, as for a file.
    _require_columns(headings.meaning((*(first or ()),)).values())
    sha256 = hashlib.sha256()

    def rows() -> Iterator[tuple[int, Payout | RowFault]]:
        for number, mapped in enumerate(_chain(first, waiting), 1):
            try:
                meaning = headings.meaning((*mapped,))
            except ConfigError as error:
                yield number, RowFault(number, None, error.message)
                continue
            if mapped.get(None) is not None:  # of `csv.DictReader`
                yield number, RowFault(number, None, "it has more fields than the heading line")
                continue
            row = {
                column: value.strip() if isinstance(value, str) else value
                for name, value in mapped.items()
                if (column := meaning.get(name)) is not None and not _is_missing(value)
            }
            sha256.update(repr(sorted(row.items())).encode("utf-8", "surrogatepass"))
            yield from read_row(number, number, row)
        _require_mapped(mapping, headings.found)

    return Rows(headings.ignored, rows(), sha256.hexdigest)


def _chain(
    first: Mapping[Any, Any] | None, rest: Iterator[Mapping[Any, Any]]
) -> Iterator[Mapping[Any, Any]]:
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
