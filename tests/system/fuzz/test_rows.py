"""Whatever stands in a payouts file: payouts that can be sent, faults by line, or ConfigError."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgspay.errors import ConfigError
from dgspay.payouts import Payout, RowFault, check_rows
from dgspay.payouts.sheet.reader import open_rows
from tests.support.effort import ENOUGH_SECONDS, FUZZ, MEGABYTE, seconds_of
from tests.system.fuzz.hostile import ROWS_PER_BATCH

COLUMNS = [
    "reference", "amount", "destination_type", "bank_key", "account_number", "branch", "msisdn",
    "network", "country", "name", "narration", "currency",
]  # fmt: skip

cells = (
    st.text(max_size=12)
    | st.sampled_from(ROWS_PER_BATCH)
    | st.sampled_from(["1000", "0788123456", "+250788123456", "MTN", "airtel", "bk_rw", "bank"])
    | st.sampled_from(["mobile_money", "1.23E+12", "7,88E+8", "1000.00", "=1+1", "RWF", '"', "\0"])
)


@st.composite
def sheets(draw: st.DrawFn) -> bytes:
    """A file much like a good one: known headings, odd cells, ragged lines."""
    headings = draw(st.lists(st.sampled_from(COLUMNS) | st.text(max_size=5), max_size=8))
    if draw(st.booleans()):
        headings = ["reference", "amount", "msisdn", "network", *headings]
    rows = draw(st.lists(st.lists(cells, max_size=len(headings) + 1), max_size=6))
    good = ["a", "1000", "0788123456", "MTN", *[""] * (len(headings) - 4)]
    written = io.StringIO()
    delimiter = draw(st.sampled_from(",;\t"))
    writer = csv.writer(written, delimiter=delimiter, escapechar="\\")
    writer.writerows([headings, good, *rows])
    start = draw(st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe"]))
    return start + written.getvalue().encode("utf-8", "surrogatepass")


def read(file: Path) -> list[Payout]:
    """Read a file to its end; what comes out must be what can be sent."""
    payouts = []
    with open_rows(file) as rows:
        for line, row in rows:
            assert line >= 1
            if isinstance(row, RowFault):
                assert row.line >= 1
                assert row.message
                continue
            payouts.append(row)
            assert row.amount > 0
            assert row.recipient is not None
            # Taken apart and put together it is the same, so the ledger pays whom the file names.
            again = Payout.to(
                row.recipient,
                number=row.number,
                reference=row.reference,
                amount=row.amount,
                narration=row.narration,
            )
            assert again == row
        assert len(rows.digest) == 64
    return payouts


@FUZZ
@given(text=st.binary(max_size=300) | sheets())
def test_a_file_gives_payouts_and_faults_or_is_refused(text: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "sheet.csv")
        file.write_bytes(text)
        try:
            payouts = read(file)
        except ConfigError as refused:
            assert str(refused) != ""  # noqa: PT017 - it is one of two ways to end
            return
        assert [payout.number for payout in payouts] == sorted(
            {payout.number for payout in payouts}
        )
        sheet = check_rows(file)
        assert sheet.count <= len(text)


@FUZZ
@given(
    rows=st.lists(
        st.dictionaries(
            st.sampled_from(COLUMNS),
            cells | st.none() | st.floats() | st.integers() | st.booleans() | st.binary(max_size=3),
            max_size=8,
        ),
        max_size=5,
    )
)
def test_mappings_give_payouts_and_faults_or_are_refused(rows: list[Mapping[str, Any]]) -> None:
    try:
        sheet = check_rows(rows)
    except ConfigError as refused:
        assert str(refused) != ""  # noqa: PT017 - it is one of two ways to end
        return
    assert sheet.count <= len(rows)


HEAD = b"reference,amount,msisdn,network\n"

HUGE = {
    "one cell": HEAD + b"a" * 10 * MEGABYTE,
    "an open quote": HEAD + b'"' + b"a\n" * 5 * MEGABYTE,
    "quotes": HEAD + b'"' * 10 * MEGABYTE,
    "commas": HEAD + b"," * 10 * MEGABYTE,
    "a heading": b"a" * 10 * MEGABYTE,
    "headings": b"reference," * MEGABYTE,
    "a number": HEAD + b"a," + b"1" * 10 * MEGABYTE + b",0788123456,MTN",
    "NUL": HEAD + b"\0" * MEGABYTE,
    "empty lines": HEAD + b"\n" * MEGABYTE,
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_file_ends_in_time(name: str, tmp_path: Path) -> None:
    file = tmp_path / "sheet.csv"
    file.write_bytes(HUGE[name])

    def check() -> None:
        try:
            assert read(file) == []
        except ConfigError:
            return

    assert seconds_of(check) < ENOUGH_SECONDS
