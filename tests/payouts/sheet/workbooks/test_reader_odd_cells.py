"""Cells of workbooks that are not what they show: each is a fault with what a person sees there."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import RowFault, SheetFile, check_rows
from dgspay.payouts.sheet.reader import file_digest, open_rows
from tests.support.workbook_factory import ERROR, Percent, write_workbook

pytest.importorskip("python_calamine", reason="the extra excel is not installed")

pytestmark = pytest.mark.acceptance(106, "odd-sheets")

PHONES = ("reference", "amount", "msisdn", "name")
KINDS = pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".ods"])


def faults(path: Path, sheet: str | None = None) -> list[RowFault]:
    return check_rows(SheetFile(path, sheet=sheet)).faults


def with_amount(path: Path, amount: Any) -> Path:
    return write_workbook(path, [PHONES, ("1", amount, "0788123456", "Jeanne")])


def edited(path: Path, edit: Callable[[Any], None]) -> Path:
    """Change the one sheet of an .xlsx."""
    import openpyxl

    book = openpyxl.load_workbook(path)
    edit(book.worksheets[0])
    book.save(path)
    return path


@KINDS
@pytest.mark.parametrize(
    ("amount", "shown", "message"),
    [
        (Percent(1.0), "1", "amount is a percentage"),
        (ERROR, None, "amount is the error of a formula"),
        (dt.date(2026, 11, 1), "2026-11-01", "amount is a date"),
        (True, "TRUE", "amount is TRUE or FALSE"),
        (150000.4, "150000.4", "amount must be whole"),
        (-5000, "-5000", "greater than 0"),
        (1e15, "1000000000000000", "number of more than 15 digits"),
        ("150,000", "150,000", "without thousands separators"),
        (None, None, "amount is missing"),
    ],
)
def test_an_amount_that_is_none_is_a_fault_with_what_stands_there(
    tmp_path: Path, suffix: str, amount: Any, shown: str | None, message: str
) -> None:
    (fault,) = faults(with_amount(tmp_path / f"pay{suffix}", amount))
    assert (fault.line, fault.column, fault.payee) == (2, "amount", "Jeanne")
    assert message in fault.message
    if shown is not None:
        assert fault.value == shown


@KINDS
def test_a_float_of_a_formula_is_the_number_that_a_spreadsheet_shows(
    tmp_path: Path, suffix: str
) -> None:
    path = with_amount(tmp_path / f"pay{suffix}", 145_500.00000000003)
    assert check_rows(path).total == 145_500


@KINDS
def test_an_account_that_is_a_number_is_a_fault(tmp_path: Path, suffix: str) -> None:
    rows = [
        ("reference", "amount", "bank_key", "account_number"),
        (1, 5000, "bk_rw", 1002003004005),
        (2, 5000, "bk_rw", 40123456789012345),
        (3, 5000, "bk_rw", "40123456789000000"),
        (4, 5000, "bk_rw", "0040123456789"),
    ]
    found = faults(write_workbook(tmp_path / f"pay{suffix}", rows))
    assert [(fault.line, fault.column) for fault in found] == [
        (line, "account_number") for line in (2, 3, 4)
    ]
    assert "loses leading zeros" in found[0].message
    assert "more than 15 digits" in found[1].message
    assert "zeros from its 16th digit on" in found[2].message


@KINDS
def test_an_error_in_a_column_that_may_be_empty_is_a_fault_too(tmp_path: Path, suffix: str) -> None:
    """Read as an empty cell it would pay in RWF what somebody meant in dollars."""
    rows = [("reference", "amount", "msisdn", "currency"), ("1", 5000, "0788123456", ERROR)]
    found = faults(write_workbook(tmp_path / f"pay{suffix}", rows))
    assert {fault.column for fault in found} == {"currency"}


@KINDS
def test_numbers_are_references_and_phones_as_they_are_typed(tmp_path: Path, suffix: str) -> None:
    rows = [PHONES, (7, 5000, 788123456, "Jeanne"), ("008", 6000.0, "250 788 123 457", "Eric")]
    with open_rows(write_workbook(tmp_path / f"pay{suffix}", rows)) as read:
        payouts = [payout for _, payout in read if not isinstance(payout, RowFault)]
    assert [(each.reference, each.amount, each.account) for each in payouts] == [
        ("7", 5000, "+250788123456"),
        ("008", 6000, "+250788123457"),
    ]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("0.0%", "is a percentage"),
        ("#,##0,", "is shown in thousands"),
        ('#,##0.0,"k"', "is shown in thousands"),
        ('"$"#,##0', "is shown in another currency"),
        ("[$$-409]#,##0.00", "is shown in another currency"),
        ("[$USD] #,##0", "is shown in another currency"),
        ("#,##0 [$\u20ac-40C]", "is shown in another currency"),
        ("#,##0", None),
        ('#,##0 "RWF"', None),
        ("[$RWF] #,##0;[Red]-[$RWF] #,##0", None),
        ('#,##0" 100% net"', None),
        ("_-* #,##0_-", None),
    ],
)
def test_a_format_that_shows_another_amount_is_a_fault(
    tmp_path: Path, code: str, message: str | None
) -> None:
    def set_format(table: Any) -> None:
        table["B2"].number_format = code

    path = edited(with_amount(tmp_path / "pay.xlsx", 150_000), set_format)
    found = faults(path)
    if message is None:
        assert found == []
    else:
        assert [message in fault.message for fault in found] == [True]


def test_a_formula_without_a_result_is_a_fault_and_one_with_it_is_a_number(tmp_path: Path) -> None:
    (fault,) = faults(with_amount(tmp_path / "pay.xlsx", "=75000*2"))
    assert "formula that has no result yet" in fault.message
    # As a spreadsheet writes it that has calculated it.
    path = tmp_path / "pay.xlsx"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    part = "xl/worksheets/sheet1.xml"
    parts[part] = (
        parts[part].replace(b"<v></v>", b"<v>150000</v>").replace(b"<v />", b"<v>150000</v>")
    )
    assert b"<v>150000</v>" in parts[part]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    assert check_rows(path).total == 150_000


@KINDS
def test_a_hidden_row_is_not_paid_unseen(tmp_path: Path, suffix: str) -> None:
    rows = [PHONES, ("1", 5000, "0788123456", "Jeanne"), ("2", 5000, "0788123457", "Eric")]
    path = write_workbook(tmp_path / f"pay{suffix}", rows)
    if suffix == ".xlsx":

        def hide(table: Any) -> None:
            table.row_dimensions[3].hidden = True
            table.column_dimensions["B"].hidden = True

        edited(path, hide)
    elif suffix == ".xls":
        import xlwt

        book = xlwt.Workbook()
        table = book.add_sheet("Sheet")
        for line, cells in enumerate(rows):
            for column, value in enumerate(cells):
                table.write(line, column, value)
        table.row(2).hidden = True
        book.save(str(path))
    else:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        before, last = parts["content.xml"].rsplit(b"<table:table-row", 1)
        parts["content.xml"] = before + b'<table:table-row table:visibility="filter"' + last
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, data)
    found = check_rows(path)
    assert [(fault.line, fault.message) for fault in found.faults] == [
        (3, "the row is hidden in the workbook, by a filter perhaps: show it, or delete it")
    ]
    if suffix == ".xlsx":
        assert "hidden in the workbook, and read all the same: 'amount'" in found.remarks


def test_cells_merged_over_rows_are_a_fault_in_each_but_the_first(tmp_path: Path) -> None:
    rows = [
        ("reference", "amount", "msisdn", "currency"),
        ("1", 5000, "0788123456", "RWF"),
        ("2", 5000, "0788123457", None),
    ]
    path = write_workbook(tmp_path / "pay.xlsx", rows)
    (fault,) = faults(edited(path, lambda table: table.merge_cells("D2:D3")))
    assert (fault.line, fault.column) == (3, "currency")
    assert "is merged with a cell above it" in fault.message


def test_the_digest_is_that_of_the_cells_and_not_of_the_bytes(tmp_path: Path) -> None:
    path = with_amount(tmp_path / "pay.xlsx", 5000)
    before, digest = path.read_bytes(), file_digest(path)

    def change(table: Any) -> None:
        table["B2"].number_format = "#,##0"

    assert edited(path, change).read_bytes() != before
    with open_rows(path) as rows:
        list(rows)
        assert rows.digest == file_digest(path) == digest

    def raise_amount(table: Any) -> None:
        table["B2"] = 5001

    assert file_digest(edited(path, raise_amount)) != digest


# --- which sheet -----------------------------------------------------------------------------

GOOD = [PHONES, ("1", 5000, "0788123456", "Jeanne")]


def test_a_sheet_is_chosen_where_more_than_one_holds_something(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "pay.xlsx", {"Notes": [("x",)], "Nov": GOOD, "Empty": []})
    with pytest.raises(ConfigError, match="2 sheets that hold something, 'Notes', 'Nov'"):
        check_rows(path)
    assert check_rows(SheetFile(path, sheet=" nov ")).count == 1
    with pytest.raises(ConfigError, match="has no sheet 'Dec'; it has 'Notes', 'Nov', 'Empty'"):
        check_rows(SheetFile(path, sheet="Dec"))
    csv = tmp_path / "pay.csv"
    csv.write_text("reference,amount,msisdn\n1,5000,0788123456\n")
    with pytest.raises(ConfigError, match="is no workbook, and has no sheet 'Nov'"):
        check_rows(SheetFile(csv, sheet="Nov"))


def test_a_sheet_that_is_hidden_is_read_only_by_its_name(tmp_path: Path) -> None:
    import openpyxl

    path = write_workbook(tmp_path / "pay.xlsx", {"Old": GOOD, "Now": GOOD})
    book = openpyxl.load_workbook(path)
    book["Old"].sheet_state = "hidden"
    book.save(path)
    assert check_rows(path).count == 1
    assert check_rows(SheetFile(path, sheet="Old")).count == 1


# --- what is no workbook, and what would take the process with it ----------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 and no archive",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
    ],
    ids=["zip", "xls", "password"],
)
def test_a_damaged_or_locked_workbook_says_so(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "pay.xlsx"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=r"pay\.xlsx cannot be read: (it is damaged|a password)"):
        check_rows(path)


def test_an_archive_of_something_else_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "pay.xlsx"
    for name, message in (("notes.txt", "no workbook"), ("xl/workbook.bin", "save it as .xlsx")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, "x")
        with pytest.raises(ConfigError, match=message):
            check_rows(path)


@pytest.mark.parametrize("suffix", [".xlsx", ".ods"])
def test_a_cell_far_away_is_named_and_takes_neither_memory_nor_the_process(
    tmp_path: Path, suffix: str
) -> None:
    """The library that reads the values would end the process for want of memory."""
    path = write_workbook(tmp_path / f"pay{suffix}", GOOD)
    if suffix == ".xlsx":

        def write_far_away(table: Any) -> None:
            table["XFD1048576"] = "x"

        edited(path, write_far_away)
    else:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        repeated = b'<table:table-row table:number-rows-repeated="1048576"'
        before, last = parts["content.xml"].rsplit(b"<table:table-row", 1)
        wide = last.replace(
            b"<table:table-cell", b'<table:table-cell table:number-columns-repeated="16384"', 1
        )
        parts["content.xml"] = before + repeated + wide
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, data)
    script = (
        "import sys\nfrom dgspay.payouts import check_rows\n"
        "try: check_rows(sys.argv[1])\nexcept Exception as error: print(error)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(path)],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "the sheet reaches to row 1,048,57" in ran.stdout
