"""Rows of a program: mappings with keys of their own each, and frames of pandas and polars."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import attrs

from dgspay.errors import ConfigError
from dgspay.payouts.errors import RowFault
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.sheet.footers import Footers
from dgspay.payouts.sheet.headings import headings_of, require_columns, require_mapped
from dgspay.payouts.sheet.notes import Notes
from dgspay.payouts.sheet.row import read_row
from dgspay.payouts.sheet.rows import Rows

_SLICE = 1000
# So many different sets of keys of mappings are remembered.
_SETS_OF_KEYS = 1000
# Of pandas, which is not imported for this.
_MISSING_TYPES = ("NAType", "NaTType")


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
        headings_of([str(name) for name in names], mapping)
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
            said = headings_of(names, self.mapping)
            meaning = {k: c for k, c in zip(keys, said.columns, strict=True) if c is not None}
            self.found.update(dict.fromkeys(names))
            self.ignored.extend(name for name in said.ignored if name not in self.ignored)
            if len(self._known) < _SETS_OF_KEYS:
                self._known[keys] = meaning
        return meaning


def rows_of_program(source: Any, mapping: Mapping[str, str]) -> Rows:
    """Return the rows of a frame or of mappings.

    Args:
        source: The frame, or an iterable of mappings.
        mapping: Other keys and what they mean; see `check_mapping`.

    Raises:
        ConfigError: it is neither, or columns are missing.
    """
    waiting = iter(_mappings_of(source, mapping))
    first = next(waiting, None)
    headings = _Headings(mapping)
    if first is not None and not isinstance(first, Mapping):
        raise ConfigError("rows of a program must be mappings, a dict for each row")
    # Without any, the error is that there are no columns, as for a file.
    require_columns(headings_of([str(key) for key in first or ()], mapping), mapping)
    notes, footers = Notes(), Footers(())
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
            for line, read in read_row(number, number, row):
                if not isinstance(read, Payout):
                    yield line, read
                elif (against := footers.paid(read)) is not None:
                    yield line, RowFault(line, None, against)
                else:
                    notes.look(number, read, has_network="network" in row)
                    yield line, read
        require_mapped(mapping, headings.found)

    return Rows(headings.ignored, rows(), sha256.hexdigest, notes.remarks)


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
