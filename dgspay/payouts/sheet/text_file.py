"""Text files of rows: the characters and the delimiter they are written with, and their lines."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.errors import RowFault
from dgspay.payouts.sheet.headings import SEARCHED_LINES, Headings, Lines
from dgspay.payouts.sheet.table import Table

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_LINE = 1024 * 1024
"""Characters of a line: a file without line ends must not fill the memory."""

_DELIMITERS = ",;\t"
_UNDECODED = re.compile("[\ud800-\udfff\ufffd]")
_UNREADABLE = "a character of it cannot be read; export as 'CSV UTF-8'"
_SEP_LINE = re.compile("sep=(.)", re.IGNORECASE)
_BLOCK = 64 * 1024
_SEARCHED_CHARACTERS = 256 * 1024
# What Windows writes beyond ASCII in names of this country: letters of French, its quotation marks,
# dashes, the euro and the space that does not break. In the code pages of DOS and the old Mac the
# bytes of these letters are other signs, so a file in one of them is not taken for this.
_CERTAIN_CP1252 = frozenset(
    "\u00e0\u00e2\u00e4\u00e7\u00e8\u00e9\u00ea\u00eb\u00ee\u00ef\u00f4\u00f6\u00f9\u00fb\u00fc\u0153"
    "\u00c0\u00c2\u00c4\u00c7\u00c8\u00c9\u00ca\u00cb\u00ce\u00cf\u00d4\u00d6\u00d9\u00db\u00dc\u0152"
    "\u2018\u2019\u201c\u201d\u2013\u2014\u2026\u20ac\u00a0\u00b0\u00ab\u00bb".encode("cp1252")
)
_ASCII_AND_CERTAIN = frozenset(range(128)) | _CERTAIN_CP1252


@attrs.frozen
class _Form:
    """How a file is written.

    Attributes:
        encoding: The codec of its characters.
        delimiter: What stands between two cells.
        headings: Its headings.
        above: The lines above them that hold anything.
    """

    encoding: str
    delimiter: str
    headings: Headings
    above: Sequence[tuple[int, Sequence[str]]]


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


class _Lines:
    """The lines of a file, none of them longer than memory is good for, all of them decoded.

    Bytes that cannot be decoded come as lone surrogates or as U+FFFD, so that a row with such
    bytes is one fault on its own line, and not the end of the reading.

    Attributes:
        number: Lines given out so far.
        is_cut: Whether the last of them has no end.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.number = 0
        self.is_cut = False
        self._last_undecoded = 0

    def __iter__(self) -> Iterator[str]:
        for line in iter(partial(self._text.readline, MAX_LINE + 1), ""):
            if len(line) > MAX_LINE:
                raise csv.Error(f"a line of more than {MAX_LINE:,} characters")
            self.number += 1
            self.is_cut = line[-1] not in "\r\n"
            if not line.isascii() and _UNDECODED.search(line):
                self._last_undecoded = self.number
            yield line

    def undecoded_since(self, line: int) -> int | None:
        """Return the last line that was not decoded, if it is this one or came after it."""
        return self._last_undecoded if self._last_undecoded >= line else None


@contextmanager
def open_text_table(path: Path, mapping: Mapping[str, str]) -> Iterator[Table]:
    """Open a file of text, its headings found.

    Args:
        path: Where it is.
        mapping: Other headings and what they mean; see `check_mapping`.

    Raises:
        ConfigError: it cannot be read, or has no headings.
    """
    try:
        form = _form_of(path, mapping)
        raw = _Hashed(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    with _open_text(raw, form.encoding) as text:
        lines = _Lines(text)
        # Titles may hold what is no CSV.
        numbered = iter(lines)
        try:
            for _ in islice(numbered, form.headings.line - 1):
                pass
            reader = csv.reader(numbered, delimiter=form.delimiter, strict=True)
            next(reader, [])
        except csv.Error as error:
            raise ConfigError(f"line {form.headings.line} of {path} is not CSV: {error}") from None
        if lines.undecoded_since(form.headings.line) is not None:
            raise ConfigError(
                f"line {form.headings.line} of {path} is not UTF-8; export it as 'CSV UTF-8'"
            )
        yield Table(
            headings=form.headings,
            rows=_rows(reader, lines, form.headings),
            digest=raw.sha256.hexdigest,
            above=form.above,
            remarks=_remarks(form.encoding),
        )


def _open_text(raw: io.RawIOBase, encoding: str) -> io.TextIOWrapper:
    errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
    return io.TextIOWrapper(io.BufferedReader(raw), encoding=encoding, errors=errors, newline="")


def _remarks(encoding: str) -> list[str]:
    read_as = {"cp1252": "Windows-1252, as old versions of Excel write", "utf-16": "UTF-16"}
    if encoding not in read_as:
        return []
    return [f"the file is not UTF-8; it was read as {read_as[encoding]}: look over the names"]


# --- how it is written ------------------------------------------------------------------------


def _form_of(path: Path, mapping: Mapping[str, str]) -> _Form:
    encoding = _encoding_of(path)
    with _open_text(path.open("rb", buffering=0), encoding) as file:
        first = [*_first_lines(file)]
    if not any(line.strip() for line in first):
        raise ConfigError(f"{path} has no heading line")
    delimiters = _DELIMITERS
    if named := _SEP_LINE.fullmatch(first[0].lstrip("\ufeff").strip('\r\n "')):
        delimiters, first[0] = named[1], "\n"
    parsed = {mark: Lines([*_parsed(first, mark)]) for mark in delimiters}
    found = ((mark, headings) for mark in parsed if (headings := parsed[mark].heading(mapping)))
    mark, headings = next(found, (None, None))
    if mark is None or headings is None:
        mark = max(parsed, key=lambda each: parsed[each].width)
        headings = parsed[mark].likeliest(mapping)
    return _Form(encoding, mark, headings, parsed[mark].above(headings.line))


def _first_lines(file: TextIO) -> Iterator[str]:
    left = _SEARCHED_CHARACTERS
    for line in islice(iter(partial(file.readline, MAX_LINE), ""), SEARCHED_LINES):
        left -= len(line)
        if left < 0:
            return
        yield line


def _parsed(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=delimiter)
    before = 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield before + 1, [cell.strip() for cell in cells]
            before = reader.line_num
    except csv.Error:
        return  # named with its line when the rows are read


def _encoding_of(path: Path) -> str:
    """Return the codec of a file.

    UTF-8, unless a mark at its beginning says UTF-16, or what is not UTF-8 in it can be nothing
    but Windows-1252.
    """
    is_utf8, is_cp1252 = True, True
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        file.seek(0)
        for block in iter(partial(file.read, _BLOCK), b""):
            if block.isascii() and not decoder.getstate()[0]:
                continue
            is_cp1252 = is_cp1252 and {*block} <= _ASCII_AND_CERTAIN
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                is_utf8 = False
                decoder.reset()
            if not (is_utf8 or is_cp1252):
                break
    is_utf8 = is_utf8 and not decoder.getstate()[0]
    return "cp1252" if is_cp1252 and not is_utf8 else "utf-8-sig"


# --- its rows ---------------------------------------------------------------------------------


def _rows(
    reader: Iterator[list[str]], lines: _Lines, headings: Headings
) -> Iterator[tuple[int, Sequence[str] | RowFault]]:
    width = len(headings.names)
    while True:
        line = lines.number + 1
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
        if (undecoded := lines.undecoded_since(line)) is not None:
            yield undecoded, RowFault(undecoded, None, _UNREADABLE)
        elif len(cells) == width:
            yield line, cells
        else:
            yield line, _fitted(line, cells, width, is_cut=lines.is_cut)


def _fitted(line: int, cells: list[str], width: int, *, is_cut: bool) -> Sequence[str] | RowFault:
    """Make a row as long as the headings, where that can mean one thing only.

    Spreadsheets leave commas out, or write too many, behind the last cell that holds something. A
    line without an end may be cut off in the middle of an amount.
    """
    if (is_cut and len(cells) < width) or any(cell.strip() for cell in cells[width:]):
        return RowFault(line, None, f"it has {len(cells)} fields, the heading line has {width}")
    return [*cells[:width], *[""] * (width - len(cells))]
