"""Rows in: what is read, and every fault with its line before anything is sent."""

from __future__ import annotations

import hashlib
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import Payout, RowsInvalidError, check_rows
from dgspay.payouts.sheet.reader import file_digest, open_rows
from tests.support.sheet_factory import payments, write_sheet

HEAD = "reference,amount,msisdn,network,name\n"
GOOD = "r1,1000,0788123456,MTN,Jane\n"


def sheet(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "sheet.csv"
    path.write_bytes(text.encode(encoding))
    return path


def read(source: Any, mapping: dict[str, str] | None = None) -> list[Payout]:
    with open_rows(source, mapping) as rows:
        read = [row for _, row in rows]
    assert all(isinstance(row, Payout) for row in read), read
    return [row for row in read if isinstance(row, Payout)]


def faults(source: Any, mapping: dict[str, str] | None = None) -> list[tuple[int, str]]:
    return [(fault.line, fault.message) for fault in check_rows(source, mapping).faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_each_delimiter_with_and_without_bom(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = (HEAD + "r1,1000,0788123456,mtn,Jané\n").replace(",", delimiter)
    (payout,) = read(sheet(tmp_path, text, encoding))
    assert payout == Payout(
        number=1,
        reference="r1",
        amount=1000,
        account="+250788123456",
        network="MTN",
        country="RW",
        name="Jané",
    )


def test_a_quoted_line_break_moves_the_lines_and_not_the_rows(tmp_path: Path) -> None:
    text = HEAD + 'r1,1000,0788123456,MTN,"Jane\nDoe"\n\nr2,zero,0788123456,MTN,John\n'
    summary = check_rows(sheet(tmp_path, text))
    assert summary.count == 1
    assert [(fault.line, fault.column) for fault in summary.faults] == [(5, "amount")]


def test_banks_and_phones_in_one_sheet(tmp_path: Path) -> None:
    text = (
        "reference,amount,destination_type,bank_key,account_number,branch,msisdn,network\n"
        "a,5000,bank,bk_rw,0001234567,Kigali,,\n"
        "b,5000,mobile_money,,,,0733123456,airtel\n"
        "c,5000,,kcb_rw,1234567890,,,\n"
    )
    first, second, third = read(sheet(tmp_path, text))
    assert (first.bank_key, first.account, first.branch) == ("bk_rw", "0001234567", "Kigali")
    assert (second.account, second.network) == ("+250733123456", "Airtel")
    assert third.recipient.destination_type == "bank"


def test_other_headings_are_mapped(tmp_path: Path) -> None:
    text = "Employee No,Net Pay,Telephone,Operator\n7,1000,0788123456,MTN\n"
    mapping = {
        "Employee No": "reference",
        "Net Pay": "amount",
        "Telephone": "msisdn",
        "Operator": "network",
    }
    (payout,) = read(sheet(tmp_path, text), mapping)
    assert (payout.reference, payout.amount) == ("7", 1000)
    with pytest.raises(ConfigError, match="names no column"):
        read(sheet(tmp_path, text), {"Employee No": "employee"})
    with pytest.raises(ConfigError, match="does not have"):
        read(sheet(tmp_path, text), {**mapping, "Other": "name"})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",1000,0788123999,MTN,J", "reference is missing"),
        ("r1,,0788123999,MTN,J", "amount is missing"),
        ("r1,0,0788123999,MTN,J", "greater than 0"),
        ("r1,-5,0788123999,MTN,J", "plain number"),
        ("r1,10.5,0788123999,MTN,J", "no minor unit"),
        ('r1,"10,000",0788123456,MTN,J', "thousands separators"),
        ("r1,1e3,0788123999,MTN,J", "plain number"),
        ("r1,1000,2.50788E+11,MTN,J", "spreadsheet"),
        ('r1,1000,"2,50788E+11",MTN,J', "spreadsheet"),
        ("r1,1000,0788123456.0,MTN,J", "spreadsheet"),
        ("r1,1000,12345,MTN,J", "Rwandan mobile number"),
        ("r1,1000,0788123456,Vodafone,J", "MTN, Airtel"),
        ("r1,1000,0788123456,-,J", "network stands for no value"),
        ("r1,1000,0788123456,MTN,J,more", "6 fields"),
        ("r1,1000", "msisdn is missing"),
        ("r1,1000,0788123456,MTN,J\x01", "control characters"),
    ],
)
def test_each_fault_has_its_line_and_none_shows_the_value(
    tmp_path: Path, row: str, message: str
) -> None:
    ((line, said),) = faults(sheet(tmp_path, HEAD + GOOD.replace("r1", "r0") + row + "\n"))
    assert line == 3
    assert message in said
    assert "0788123999" not in said


def test_all_faults_of_all_rows_are_listed(tmp_path: Path) -> None:
    path = sheet(tmp_path, HEAD + ",zero,12,None,x\n" + GOOD + ",1000,0788123456,MTN,J\n")
    summary = check_rows(path)
    assert [(fault.line, fault.column) for fault in summary.faults] == [
        (2, "reference"),
        (2, "amount"),
        (2, "msisdn"),
        (2, "network"),
        (4, "reference"),
    ]
    with pytest.raises(RowsInvalidError, match="5 faults") as refused:
        summary.require_good()
    assert refused.value.faults == tuple(summary.faults)


def test_every_fault_of_a_recipient_is_listed() -> None:
    row = {"reference": "r", "amount": 10, "destination_type": "bank", "bank_key": "bk_rw"}
    wrong = {**row, "account_number": 12, "branch": "a\0b", "msisdn": "0788123456", "name": 7}
    summary = check_rows([wrong])
    assert [(fault.column, fault.message) for fault in summary.faults] == [
        ("account_number", "account_number must be text: as a number it loses leading zeros"),
        ("branch", "branch has control characters"),
        ("msisdn", "msisdn does not belong to a bank account; leave it empty"),
        ("name", "name must be text"),
    ]
    (fault,) = check_rows([{**row, "destination_type": "cheque"}]).faults
    assert (fault.column, fault.message) == (
        "destination_type",
        "destination_type must be bank or mobile_money",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "no heading line"),
        ("référence,x\n".encode("mac-roman"), "line 1 .*UTF-8"),
        (b'reference,"amount,msisdn\n', "line 1 .*not CSV"),
        (b"reference,amount\n", "msisdn"),
        (b"amount,msisdn\n", "reference"),
        (b"reference,amount,msisdn,Amount\n", "more than one column"),
    ],
)
def test_a_file_that_cannot_be_a_sheet(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "sheet.csv"
    path.write_bytes(text)
    with pytest.raises(ConfigError, match=message):
        check_rows(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        check_rows(tmp_path / "nowhere.csv")


def test_a_broken_quote_ends_the_reading_with_its_line(tmp_path: Path) -> None:
    text = HEAD + GOOD + '"r2,1000,0788123456,MTN,J\n' + GOOD.replace("r1", "r3")
    ((line, message),) = faults(sheet(tmp_path, text))
    assert line == 3
    assert "not CSV from here on" in message


def test_bytes_that_are_not_utf8_are_a_fault_of_their_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    rows = [GOOD.replace("r1", f"r{number}").encode() for number in range(9000)]
    rows[8000] = "r8000,1000,0788123456,MTN,Ren\xe9\n".encode("latin-1")
    rows[8500] = b'r8500,zero,0788123456,MTN,"Two\nlines\xff"\n'
    rows[8600] = b"r8600,zero,0788123456,MTN,J\n"
    path.write_bytes(HEAD.encode() + b"".join(rows))
    assert [(line, message.partition(";")[0]) for line, message in faults(path)] == [
        (8002, "a character of it cannot be read"),
        (8503, "a character of it cannot be read"),
        (8603, 'amount must be a plain number such as "2000" or "94.50"'),
    ]


@pytest.mark.parametrize(
    ("cell", "line", "message"),
    [
        ("J\0ane", 3, "control characters"),
        ("x" * 10_000_000, 3, "not CSV from here on"),
        ('"' + "x\n" * 5_000_000, 3, "not CSV from here on"),
        ("," * 2_000_000, 3, "a line of more than 1,048,576 characters"),
        ('"Jane"Doe', 3, "not CSV from here on"),
    ],
    ids=["NUL", "huge cell", "huge unclosed quote", "huge line", "quote within"],
)
def test_a_hostile_cell_is_a_fault_of_its_line_and_takes_no_memory(
    tmp_path: Path, cell: str, line: int, message: str
) -> None:
    path = sheet(tmp_path, f"{HEAD}{GOOD}r2,1000,0788123456,MTN,{cell}\n")
    del cell
    tracemalloc.start()
    try:
        ((found, said),) = faults(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert (found, message in said) == (line, True)


def test_a_nul_in_a_column_that_is_sent_is_a_fault_of_that_column(tmp_path: Path) -> None:
    text = HEAD + "r\0,1\0,0788123\0456,M\0TN,J\n"
    assert {line for line, _ in faults(sheet(tmp_path, text))} == {2}
    assert len(faults(sheet(tmp_path, text))) == 4


def test_a_long_file_is_read_within_little_memory(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "sheet.csv", payments(5000))
    tracemalloc.start()
    try:
        assert check_rows(path).count == 5000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5000 * 200  # 32 bytes a row are kept; a row itself takes more than that


def test_no_rows_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(RowsInvalidError, match="no rows"):
        check_rows(sheet(tmp_path, HEAD)).require_good()


@pytest.mark.acceptance(55, "edited-sheet")
def test_the_same_reference_twice_is_a_fault_and_the_same_payment_twice_is_flagged(
    tmp_path: Path,
) -> None:
    text = HEAD + GOOD + "r2,1000,+250 788 123 456,MTN,J\n" + "r1,2000,0788123456,MTN,Jane\n"
    summary = check_rows(sheet(tmp_path, text))
    assert [str(fault) for fault in summary.faults] == ["line 4: line 2 has the same reference"]
    ((first, second),) = [(pair.first_line, pair.line) for pair in summary.duplicates]
    assert (first, second) == (2, 3)


def test_what_is_paid_is_what_was_hashed(tmp_path: Path) -> None:
    path = sheet(tmp_path, HEAD + GOOD, "utf-8-sig")
    with open_rows(path) as rows:
        list(rows)
        assert rows.digest == file_digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", [list, iter, lambda rows: (row for row in rows)])
def test_rows_from_a_program_are_read_like_a_sheet(kind: Any) -> None:
    records = [{**row, "amount": Decimal(row["amount"]), "name": None} for row in payments(3)]
    read_rows = read(kind(records))
    assert [row.amount for row in read_rows] == [1001, 1002, 1003]
    assert read_rows[0].name is None


@pytest.mark.parametrize("count", [3, 2500])
def test_a_frame_of_pandas_is_read_like_a_sheet(count: int) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame([{**row, "amount": int(row["amount"])} for row in payments(count)])
    frame.loc[0, "name"] = None
    frame["branch"] = pandas.NA
    frame["account_number"] = pandas.NaT
    read_rows = read(frame)
    assert [row.amount for row in read_rows] == [*range(1001, 1001 + count)]
    assert (read_rows[0].name, read_rows[1].name) == (None, "Person 2")
    # The same rows are the same batch, whatever they came in.
    with open_rows(frame) as ours, open_rows(frame.to_dict("records")) as theirs:
        list(ours), list(theirs)
        assert ours.digest == theirs.digest


def test_pandas_reading_a_sheet_carelessly_loses_no_digit_unnoticed(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    path = sheet(
        tmp_path,
        "reference,amount,bank_key,account_number,msisdn,network\n"
        "a,5000,bk_rw,0012345678,,\n"
        "b,6000,,,0788123456,MTN\n",
    )
    # Its numbers have lost their zeros in front and, with an empty cell between, are floats.
    assert faults(pandas.read_csv(path)) == [
        (1, "account_number must be text: as a number it loses leading zeros"),
        (2, "msisdn must be text: as a number it loses leading zeros"),
    ]
    bank, handset = read(pandas.read_csv(path, dtype=str))
    assert (bank.account, handset.account) == ("0012345678", "+250788123456")


def test_a_frame_of_polars_is_read_like_a_sheet(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = polars.DataFrame([*payments(3)]).with_columns(
        polars.col("amount").cast(polars.Int64), name=None
    )
    read_rows = read(frame)
    assert [row.amount for row in read_rows] == [1001, 1002, 1003]
    assert read_rows[0].name is None
    text = "Who,How much,msisdn,network\nx,1000,0788123456,MTN\n"
    exact = polars.read_csv(sheet(tmp_path, text), infer_schema=False)
    (mapped,) = read(exact, {"Who": "reference", "How much": "amount"})
    assert (mapped.reference, mapped.amount, mapped.account) == ("x", 1000, "+250788123456")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"amount": 1000.0}, "float"),
        ({"amount": True}, "bool"),
        ({"msisdn": 7.88e8}, "must be text"),
    ],
)
def test_numbers_that_lost_digits_are_refused(changed: dict[str, Any], message: str) -> None:
    ((line, said),) = faults([{**next(payments(1)), **changed}])
    assert line == 1
    assert message in said
    bank = {"reference": 1, "amount": 10, "bank_key": "bk_rw", "account_number": 123456}
    assert "leading zeros" in faults([bank])[0][1]


def test_a_phone_as_an_integer_keeps_its_meaning() -> None:
    (payout,) = read([{**next(payments(1)), "msisdn": 788123456}])
    assert payout.account == "+250788123456"


# --- what a row means it says in its own keys ------------------------------------------------

PHONE = {"reference": "a", "amount": 5000, "msisdn": "0788123456", "network": "MTN"}
BANK = {"reference": "b", "amount": 5000, "bank_key": "bk_rw", "account_number": "0001234567"}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"currency": "USD"}, "currency must be RWF: payouts leave the RWF wallet"),
        ({"destination_type": "bank"}, "bank_key is missing"),
        ({"bank_key": "bk_rw"}, "msisdn does not belong to a bank account; leave it empty"),
        ({"account_number": "123"}, "account_number does not belong to a mobile wallet"),
        ({"Currency": "USD"}, "currency must be RWF: payouts leave the RWF wallet"),
        ({"Amount": 9000}, "more than one column maps to amount; keep one of them"),
        ({None: ["MTN"]}, "it has more fields than the heading line"),
    ],
)
def test_a_key_that_the_first_mapping_lacks_counts_in_a_later_one(
    keys: dict[Any, Any], message: str
) -> None:
    found = faults([PHONE, {**PHONE, "reference": "b", **keys}])
    assert found[0][0] == 2
    assert message in [said for _, said in found] or message in found[0][1]


def test_each_mapping_may_pay_in_its_own_way() -> None:
    first, second = read(iter([PHONE, BANK]))
    assert (first.account, second.account) == ("+250788123456", "0001234567")
    second, first = read(iter([BANK, PHONE]))
    assert (first.account, second.account) == ("+250788123456", "0001234567")
    # A heading that the first mapping does not have may be mapped, and one that none has may not.
    other = {"reference": "c", "amount": 5, "Phone": "0788123457", "network": "MTN"}
    assert read([PHONE, other], {"Phone": "msisdn"})[1].account == "+250788123457"
    with pytest.raises(ConfigError, match="does not have"):
        read([PHONE, other], {"Telephone": "msisdn"})
    assert check_rows([PHONE, {**other, "msisdn": "0788123457"}]).ignored == ("Phone",)


@pytest.mark.parametrize("second", ["amount", "Amount", "amount.1", "amount_duplicated_0"])
def test_a_frame_with_two_columns_of_one_name_is_refused(second: str) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(
        [["a", 5000, "0788123456", "MTN", 7000]],
        columns=["reference", "amount", "msisdn", "network", second],
    )
    with pytest.raises(ConfigError, match="more than one column maps to amount; keep one of them"):
        check_rows(frame)
    with pytest.raises(ConfigError, match="more than one column maps to amount; keep one of them"):
        check_rows(frame.rename(columns={"amount": "Net", second: "Net"}), {"Net": "amount"})
    # Two unknown columns do no harm.
    noted = pandas.DataFrame(
        [["a", 5000, "0788123456", "MTN", 1, 2]], columns=[*PHONE, "note", "note"]
    )
    assert check_rows(noted).count == 1


def test_what_polars_and_pandas_make_of_a_sheet_with_two_columns_of_one_name_is_refused(
    tmp_path: Path,
) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    polars = pytest.importorskip("polars", reason="polars is not installed")
    path = sheet(tmp_path, "reference,amount,msisdn,network,amount\nr1,1000,0788123456,MTN,2000\n")
    for source in (path, pandas.read_csv(path, dtype=str), polars.read_csv(path)):
        with pytest.raises(ConfigError, match="more than one column maps to amount"):
            check_rows(source)


# --- characters that no reader sees ------------------------------------------------------------

INVISIBLE = ["\u200b", "\ufeff", "\u00ad", "\u202a", "\u2069", "\u200e", "\u2060", "\ufe0f"]


@pytest.mark.parametrize("mark", INVISIBLE, ids=ascii)
def test_invisible_characters_are_no_part_of_what_is_paid(tmp_path: Path, mark: str) -> None:
    head = "reference,amount,destination_type,bank_key,account_number,msisdn,network,currency\n"
    rows = [
        ["r1", "1000", "bank", "bk_rw", "0001234567", "", "", "RWF"],
        ["r2", "2000", "mobile_money", "", "", "0788123456", "MTN", "RWF"],
    ]
    clean = read(sheet(tmp_path, head + "".join(",".join(row) + "\n" for row in rows)))
    dirty = [
        ",".join(f"{mark}{cell[:1]}{mark}{cell[1:]}\u00a0{mark}" if cell else mark for cell in row)
        for row in rows
    ]
    spoilt = head.replace("account_number", f"{mark}account\u00a0number{mark}")
    assert read(sheet(tmp_path, spoilt + "".join(f"{row}\n" for row in dirty))) == clean


def test_a_reference_that_only_looks_like_another_is_the_same_one(tmp_path: Path) -> None:
    text = HEAD + GOOD + GOOD.replace("r1", "r\u200b1").replace("1000", "2000")
    assert faults(sheet(tmp_path, text)) == [(3, "line 2 has the same reference")]


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("account_number", "12\u202e34", "shows it backwards (U+202E)"),
        ("amount", "\u202e0001", "shows it backwards (U+202E)"),
        ("reference", "r\u202e1", "shows it backwards (U+202E)"),
        ("account_number", "\uff11\uff12", "a digit that is none of 0 to 9, at place 1"),
        ("account_number", "12\u201134", "(U+2011, NON-BREAKING HYPHEN), at place 3"),
        ("account_number", "12\n34", "no account number has (U+000A), at place 3"),
        ("amount", "10\u202f000", "without thousands separators"),
    ],
)
def test_what_cannot_be_made_right_is_named_with_its_line(
    column: str, cell: str, message: str
) -> None:
    ((line, said),) = faults([PHONE, {**BANK, column: cell}])
    assert line == 2
    assert message in said
