"""Summary of a sheet: its count, its sum, its banks, and rows that look like one another."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import attrs

from dgspay.payouts.errors import RowFault, RowsInvalidError
from dgspay.payouts.model.allowances import Allowances
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.model.spellings import account_key, reference_key

if TYPE_CHECKING:
    from dgspay.payouts.sheet.rows import Rows

MAX_LISTED = 1000
"""Faults and duplicates beyond this many are counted and not listed."""

_BUCKETS = 256
_BANK_KEY = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+", re.ASCII)


@attrs.frozen
class Duplicate:
    """Two rows that pay the same amount to the same account."""

    first_line: int
    line: int

    def __str__(self) -> str:
        """The pair as a line for a person."""
        return f"line {self.line} pays the same amount to the same account as {self.first_line}"


@attrs.define
class BankUse:
    """How a batch uses a bank.

    Attributes:
        count: Rows that pay to it.
        without_branch: Those of them that name no branch.
        first_line_without_branch: Where the first of these is.
        first_line: Where the first of all of them is.
    """

    count: int = 0
    without_branch: int = 0
    first_line_without_branch: int | None = None
    first_line: int | None = None


@attrs.define
class SheetSummary:
    """What was found while the rows went by.

    Attributes:
        count: Good rows.
        total: Their sum, in RWF.
        smallest: The smallest amount, in RWF.
        smallest_line: Where that is.
        banks: Use of each bank, by its key.
        to_phones: Rows that pay to a mobile wallet.
        faults: What is wrong, in the order of the file, at most `MAX_LISTED`.
        fault_count: How many faults there are.
        duplicates: Pairs that look like one another, at most `MAX_LISTED`.
        ignored: Headings that mean nothing here.
        remarks: What a person should know: rows that were left out, networks that were guessed.
        watch: Called with each good row.
    """

    count: int = 0
    total: int = 0
    smallest: int | None = None
    smallest_line: int | None = None
    banks: dict[str, BankUse] = attrs.field(factory=dict)
    to_phones: int = 0
    faults: list[RowFault] = attrs.field(factory=list)
    fault_count: int = 0
    duplicates: list[Duplicate] = attrs.field(factory=list)
    ignored: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    watch: Callable[[Payout], None] | None = attrs.field(default=None, repr=False)

    def require_good(self) -> None:
        """Refuse a batch with faults.

        Raises:
            RowsInvalidError: with all of them.
        """
        if self.fault_count:
            raise RowsInvalidError(self.faults, self.fault_count, self.remarks)
        if not self.count:
            raise RowsInvalidError([RowFault(1, None, "there are no rows")], 1, self.remarks)

    @property
    def notes(self) -> list[str]:
        """What a person should know of a sheet that can be paid."""
        ignored = (f"column {name!r} is not recognised and was ignored" for name in self.ignored)
        return [*ignored, *self.remarks]

    @property
    def unlikely_banks(self) -> list[str]:
        """Which banks can be none of DGS-Pay's keys, whatever it lists."""
        return [
            f"{use.count} rows pay to {key!r}, which is no key of a bank as `dgspay banks` lists "
            f"them; the first is line {use.first_line}"
            for key, use in self.banks.items()
            if not _BANK_KEY.fullmatch(key)
        ]

    def note(self, line: int, payout: Payout) -> None:
        """Count a good row."""
        self.count += 1
        self.total += payout.amount
        if self.watch is not None:
            self.watch(payout)
        if self.smallest is None or payout.amount < self.smallest:
            self.smallest, self.smallest_line = payout.amount, line
        if payout.bank_key is None:
            self.to_phones += 1
            return
        use = self.banks.setdefault(payout.bank_key, BankUse(first_line=line))
        use.count += 1
        if payout.branch is None:
            use.without_branch += 1
            if use.first_line_without_branch is None:
                use.first_line_without_branch = line

    def complain(self, fault: RowFault) -> None:
        """Count a fault."""
        self.fault_count += 1
        if len(self.faults) < MAX_LISTED:
            self.faults.append(fault)


def summarise_rows(rows: Rows, sheet: SheetSummary, allowances: Allowances) -> Iterator[Payout]:
    """Yield the good rows while the summary counts them; exhaust it to know all faults.

    Args:
        rows: The rows.
        sheet: Counts them.
        allowances: Rows that may pay what another row pays.

    Raises:
        ConfigError: a row is allowed by name that is not there.
    """
    references, payments = _Repeats(), _Repeats()
    for line, row in rows:
        if isinstance(row, RowFault):
            sheet.complain(row)
            continue
        references.add(reference_key(row.reference), line)
        if not allowances.look(row):
            payments.add((account_key(row), row.amount), line)
        sheet.note(line, row)
        yield row
    sheet.ignored, sheet.remarks = tuple(rows.ignored), tuple(rows.remarks)
    for first, line in references.pairs():
        sheet.complain(RowFault(line, "reference", f"line {first} has the same reference"))
    sheet.faults.sort(key=lambda fault: fault.line)
    sheet.duplicates = [Duplicate(*pair) for pair in islice(payments.pairs(), MAX_LISTED)]
    if not sheet.fault_count:
        allowances.require_found()


class _Repeats:
    """Finds what came before, in 16 bytes a row: a set of a million texts would take 100 MB.

    It keeps 64-bit hashes under a random key; that two texts in a million rows share one
    by chance happens once in thirty million files, and then only a row too many is flagged.

    Unlike `dgspay.core.seen_rows` it answers at the end, with the lines of both, and forgets none.
    """

    def __init__(self) -> None:
        self._hashes = [array("q") for _ in range(_BUCKETS)]
        self._lines = [array("q") for _ in range(_BUCKETS)]

    def add(self, value: object, line: int) -> None:
        digest = hash(value)
        bucket = digest % _BUCKETS
        self._hashes[bucket].append(digest)
        self._lines[bucket].append(line)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Give the line of the first and of a later row that are the same."""
        found: list[tuple[int, int]] = []
        for hashes, lines in zip(self._hashes, self._lines, strict=True):
            if len(set(hashes)) == len(hashes):
                continue
            first: dict[int, int] = {}
            for digest, line in zip(hashes, lines, strict=True):
                if first.setdefault(digest, line) != line:
                    found.append((first[digest], line))
        found.sort(key=lambda pair: pair[1])
        return iter(found)
