"""Sheets as people really have them: each is read right, or it is told what is wrong and where."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import HeadingsError, RowFault, SheetFile, check_rows
from tests.support.workbook_factory import write_workbook

pytestmark = pytest.mark.acceptance(106, "odd-sheets")

PHONES = "reference,amount,msisdn,network\n"
NAMED = "reference,amount,msisdn,network,name\n"
BANKS = "reference,amount,bank_key,account_number,name\n"
NAMES = (
    *("Uwimana Jeanne", "Habimana Éric", "Mukamana Béatrice", "N'Guessan Aya"),
    *("Niyonzima Jean-Pierre", "Nshimiyimana Théogène"),
)
PREFIXES = ("0788", "0738", "0788", "0722", "0798", "0788")
STAFF = NAMED + "".join(
    f"2026-11-{number:03},{150000 + 1000 * number},{prefix}12345{number},"
    f"{'Airtel' if prefix[1:3] in ('73', '72') else 'MTN'},{name}\n"
    for number, (prefix, name) in enumerate(zip(PREFIXES, NAMES, strict=True))
)
STAFF_TOTAL = sum(150000 + 1000 * number for number in range(6))


@attrs.frozen
class Case:
    """A sheet, and what is to be found in it.

    Attributes:
        text: What the file holds.
        good: Rows that can be paid.
        total: Their sum.
        faults: By line, a part of each fault.
        notes: A part of each note.
        encoding: How it is written.
        suffix: Of the file's name.
    """

    text: str
    good: int = 0
    total: int = 0
    faults: dict[int, str | tuple[str, ...]] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()
    encoding: str = "utf-8"
    suffix: str = ".csv"


PHONE_CELLS = (
    *("788123456", "2.50788E+11", "+250 788 123 456", "0788-123-456", "0788\u00a0123\u00a0456"),
    *("\u200b0788123456", "0788123456\u200b", "\ufeff0788123456", "250788123456"),
    *("(0788) 123 456", "0788.123.456", "0788123456/0738123456", "0788123456 ", "+250-788-123-456"),
    *("0788 12 34 56", "'0788123456", "0788123456.0", "25078812345", "078812345", "O788123456"),
    *("tel: 0788123456", "=+250788123456", "0731234567", "0201234567", "+254712345678"),
    *("\u202a+250788123456\u202c", "\u0660\u0667\u0668\u0668\u0661\u0662\u0663\u0664\u0665\u0666"),
)
PHONE_SHEET = PHONES + "".join(
    f"r{number},{10000 + number},{cell},MTN\n" for number, cell in enumerate(PHONE_CELLS)
)
AMOUNT_CELLS = (
    *("0", "-5000", "150000.50", "", "150000.00", "abc", "#REF!", "#N/A", "=SUM(B2:B5)", "(5000)"),
    *("1e5", "99999999999999999", "100", "101", "+150000", "\uff11\uff15\uff10", "150 000 RWF"),
    *("\u2014", "150000-", "0150000"),
)
AMOUNT_SHEET = PHONES + "".join(
    f"r{number},{cell},07881234{number:02},MTN\n" for number, cell in enumerate(AMOUNT_CELLS)
)

CASES = {
    "good": Case(STAFF, 6, STAFF_TOTAL),
    "cp1252, semicolons": Case(
        STAFF.replace(",", ";").replace("\n", "\r\n"),
        *(6, STAFF_TOTAL, {}, ("read as Windows-1252",), "cp1252"),
    ),
    "UTF-16, tabs": Case(
        STAFF.replace(",", "\t").replace("\n", "\r\n"),
        *(6, STAFF_TOTAL, {}, ("read as UTF-16",), "utf-16", ".txt"),
    ),
    "UTF-8 with BOM": Case(STAFF.replace(",", ";"), 6, STAFF_TOTAL, encoding="utf-8-sig"),
    "total and signature": Case(
        NAMED
        + "1,150000,0788123456,MTN,Jeanne\n2,160000,0738123456,Airtel,Eric\n,,,,\n,,,,\n"
        + "TOTAL,310000,,,\n,,,,\nPrepared by: Alice,,,,\n",
        good=2,
        total=310_000,
        notes=(
            "left out as a total, not paid: line 6 'TOTAL 310000'",
            "left out as a signature or a note, not paid: line 8 'Prepared by: Alice'",
        ),
    ),
    "total with a phone": Case(
        NAMED
        + "1,150000,0788123456,MTN,Jeanne\n2,160000,0738123456,Airtel,Eric\n"
        + "TOTAL,310000,0788123456,MTN,\n",
        good=2,
        total=310_000,
        faults={4: "it looks like a total, and has a phone"},
    ),
    "title rows": Case(
        "KIGALI TRADING LTD,,,,\nPAYROLL NOVEMBER 2026,,,,\n,,,,\n"
        + NAMED
        + "1,150000,0788123456,MTN,Jeanne\n",
        good=1,
        total=150_000,
        notes=("lines 1-2 above the headings not read: 'KIGALI TRADING LTD'",),
    ),
    "empty first line": Case("\n" + NAMED + "1,150000,0788123456,MTN,Jeanne\n", 1, 150_000),
    "sep line": Case(
        "sep=;\n" + (NAMED + "1,150000,0788123456,MTN,Jeanne\n").replace(",", ";"), 1, 150_000
    ),
    "phones": Case(
        PHONE_SHEET,
        good=15,
        total=15 * 10_000 + sum((0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 22, 25)),
        faults={
            3: "a spreadsheet has turned the number",
            13: "must be a phone number",
            17: "must be a phone number",
            18: "a spreadsheet has turned the number",
            19: "must be a Rwandan mobile number",
            20: "must be a Rwandan mobile number",
            21: "must be a phone number",
            22: "must be a phone number",
            23: "must be a phone number",
            25: "must be a Rwandan mobile number",
            26: "must be a number of country code 250",
            28: "must be a phone number",
        },
        notes=("line 24: the prefix of the phone is another network's",),
    ),
    "one payment twice": Case(
        NAMED
        + "A1,150000,0788123456,MTN,Uwimana Jeanne\nA2,30000,+250788123456,MTN,Uwimana Jeanne\n"
        + "A3,150000,0788 123 456,MTN,UWIMANA J.\nA4,150000,0738123456,Airtel,Uwimana Jeanne\n",
        good=4,
        total=480_000,
    ),
    "accounts": Case(
        BANKS
        + "D1,150000,bk_rw,00040123456789,A\nD3,150000,bk_rw,4.01235E+13,C\n"
        + "D4,150000,bk_rw,40123456789000000,D\nD5,150000,bk_rw,000401-234567-80,E\n"
        + "D6,150000,bk_rw,RW64 0040 0123 4567,F\nD7,150000,bk_rw,n/a,G\nD8,150000,bk_rw,-,H\n"
        + "D9,150000,bk_rw,12,I\nD10,150000,bk_rw,0000000,J\n",
        good=4,
        total=600_000,
        faults={
            3: "a spreadsheet has turned the number",
            4: "zeros from its 16th digit on",
            7: "account_number stands for no value",
            8: "account_number stands for no value",
            10: "no digit but zeros",
        },
        notes=(
            "line 9: the account number is very short",
            "line 6: the account number has letters",
        ),
    ),
    "amounts": Case(
        AMOUNT_SHEET,
        good=4,
        total=150_000 + 100 + 101 + 150_000,
        faults={
            2: "greater than 0",
            3: "plain number",
            4: "whole",
            5: "missing",
            7: "plain number",
            8: "error of a formula",
            9: "error of a formula",
            10: "plain number",
            11: "plain number",
            12: "plain number",
            13: "more than 15 digits",
            16: "plain number",
            17: "plain number",
            18: "thousands separators",
            19: "stands for no value",
            20: "plain number",
        },
    ),
    "spaces and networks": Case(
        " reference , Amount ,MSISDN , Network,  Name \n"
        " 2026-11-1 , 150000 , 0788123456 , MTN ,  Uwimana   Jeanne  \n"
        "2026-11-1,160000,0738123456,Airtel,Eric\n2026-11-3,150000,0788123459,mtn,X\n"
        "2026-11-4,150000,0788123460,M.T.N,X\n2026-11-5,150000,0788123461,MTN Rwanda,X\n"
        "2026-11-6,150000,0738123462,TIGO,X\n2026-11-8,150000,0788123464,MoMo,X\n",
        good=3,
        total=460_000,
        faults={
            3: "line 2 has the same reference",
            5: "network must be one of",
            6: "network must be one of",
            7: "network must be one of",
            8: "network must be one of",
        },
    ),
    "quotes": Case(
        NAMED.replace("\n", ",narration\n")
        + '1,150000,0788123456,MTN,"N\'Guessan ""Aya"", Dr.","Salary\nNovember"\n'
        + "2,150000,0788123457,MTN,\u201cAya\u201d,=cmd|calc\n"
        + '3,150000,0788123458,MTN,Jean "JP" Paul,x\n4,150000,0788123459,MTN,ok,x\n',
        good=4,
        total=600_000,
    ),
    "bank and phone": Case(
        "reference,amount,bank_key,account_number,msisdn,network,name\n"
        "1,150000,bk_rw,1002003004005,0788123456,MTN,Jeanne\n2,150000,,,0788123457,MTN,Eric\n"
        "3,150000,bk_rw,1002003004006,,,Paul\n4,150000,,1002003004007,,,Nobank\n"
        "5,150000,,,,,Nothing\n",
        good=2,
        total=300_000,
        faults={
            2: ("msisdn does not belong", "network does not belong"),
            5: "bank_key is missing",
            6: "msisdn is missing",
        },
    ),
    "currency in the amount": Case(
        'reference,name,amount,msisdn,network\n1,Jeanne,"RWF150,000",788123456,MTN\n',
        faults={2: "thousands separators"},
    ),
    "no network": Case(
        "reference,amount,msisdn,name\n1,150000,0788123456,Jeanne\n2,150000,0738123456,Eric\n",
        good=2,
        total=300_000,
        notes=("rows without a network get it from the phone's prefix: 1 MTN, 1 Airtel",),
    ),
    "headings only": Case(PHONES),
    "ragged": Case(
        PHONES.replace("\n", ",\n")
        + "1,150000,0788123456,MTN,\n2,150000,0788123457,MTN\n3,150000,0788123458,MTN,,\n"
        + "4,150000,0788123459,MTN,,x\n5,1500",
        good=3,
        total=450_000,
        faults={5: "it has 6 fields", 6: "it has 2 fields"},
    ),
    "currencies": Case(
        "reference,amount,currency,msisdn,network\n1,150,USD,0788123456,MTN\n"
        "2,150000,rwf,0788123457,MTN\n3,150000,FRW,0788123458,MTN\n",
        good=1,
        total=150_000,
        faults={2: "currency must be RWF", 4: "currency must be RWF"},
    ),
    "lines of an old Mac": Case(
        (PHONES + "1,150000,0788123456,MTN\n2,150000,0788123457,MTN\n").replace("\n", "\r"),
        good=2,
        total=300_000,
    ),
    "NUL": Case(
        PHONES + "1,150000,0788123456,MTN\n2,15\x000000,0788123457,MTN\n",
        good=1,
        total=150_000,
        faults={3: "plain number"},
    ),
}


def written(folder: Path, case: Case) -> Path:
    path = folder / f"sheet{case.suffix}"
    path.write_bytes(case.text.encode(case.encoding))
    return path


@pytest.mark.parametrize("name", CASES)
def test_each_row_is_right_or_told(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    found = check_rows(written(tmp_path, case))
    assert (found.count, found.total) == (case.good, case.total)
    told: dict[int, list[RowFault]] = {}
    for fault in found.faults:
        told.setdefault(fault.line, []).append(fault)
    assert told.keys() == case.faults.keys()
    for line, parts in case.faults.items():
        expected = (parts,) if isinstance(parts, str) else parts
        assert len(expected) == len(told[line])
        for part, fault in zip(expected, told[line], strict=True):
            assert part in fault.message
    assert len(found.remarks) == len(case.notes), found.remarks
    for part, note in zip(case.notes, found.remarks, strict=True):
        assert part in note


def test_the_same_payment_twice_is_told_whatever_it_is_called(tmp_path: Path) -> None:
    (duplicate,) = check_rows(written(tmp_path, CASES["one payment twice"])).duplicates
    assert (duplicate.first_line, duplicate.line) == (2, 4)
    banks = Case(
        BANKS
        + "B1,150000,bk_rw,1002003004005,J\nB2,150000,bk_rw,1002 0030 04005,J\n"
        + "B3,150000,bk_rw,100-2003004-005,J\nB4,150000,bk_rw,0001002003004005,J\n"
        + "B5,150000,kcb_rw,1002003004005,Paul\nB6,150000,BK_RW,1002003004005,J\n"
    )
    found = check_rows(written(tmp_path, banks))
    assert [pair.line for pair in found.duplicates] == [3, 4, 5, 7]
    assert ["'BK_RW'" in words for words in found.unlikely_banks] == [True]


@pytest.mark.parametrize("rows", ["", "x"])
def test_an_empty_file_says_so(tmp_path: Path, rows: str) -> None:
    if rows:
        with pytest.raises(ConfigError, match="no column for reference, amount"):
            check_rows(written(tmp_path, Case(rows)))
        return
    with pytest.raises(ConfigError, match="no heading line"):
        check_rows(written(tmp_path, Case(rows)))


def test_a_name_of_a_bank_is_no_key(tmp_path: Path) -> None:
    names = ("Bank of Kigali", "BK", "Banque de Kigali", "Equity", "I&M", "COGEBANQUE", "bpr_rw")
    text = BANKS + "".join(
        f"C{number},150000,{name},100200300400{number},A\n" for number, name in enumerate(names, 1)
    )
    found = check_rows(written(tmp_path, Case(text)))
    assert len(found.unlikely_banks) == 6
    assert "1 rows pay to 'Bank of Kigali', which is no key" in found.unlikely_banks[0]
    assert found.unlikely_banks[0].endswith("the first is line 2")


def test_a_bank_is_read_by_the_name_that_a_person_gave_it(tmp_path: Path) -> None:
    path = written(tmp_path, Case(BANKS + "C1,150000,BANK OF  KIGALI,1002003004007,A\n"))
    found = check_rows(SheetFile(path, banks={"Bank of Kigali": "bk_rw"}))
    assert (found.count, [*found.banks], found.unlikely_banks) == (1, ["bk_rw"], [])


# --- headings --------------------------------------------------------------------------------

FRENCH = "Référence;Montant;Téléphone;Réseau;Nom\n2026-11-1;150000;0788123456;MTN;Jeanne\n"


def proposed(tmp_path: Path, text: str) -> dict[str, str]:
    with pytest.raises(HeadingsError) as refused:
        check_rows(written(tmp_path, Case(text)))
    return refused.value.proposed


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_french_headings_are_offered_and_not_assumed(tmp_path: Path, form: Any) -> None:
    import unicodedata

    text = unicodedata.normalize(form, FRENCH)
    offered = proposed(tmp_path, text)
    assert {*offered.values()} == {"reference", "amount", "msisdn", "network", "name"}
    # As they are typed, which is seldom as a file from a Mac writes them.
    typed = {unicodedata.normalize("NFC", heading): column for heading, column in offered.items()}
    found = check_rows(written(tmp_path, Case(text)), typed)
    assert (found.count, found.total, found.remarks) == (1, 150_000, ())


@pytest.mark.parametrize(
    ("headings", "mapping"),
    [
        (
            "MSISDN,Amount,Currency,Recipient Name,Payment Reference,Comment",
            {
                "Recipient Name": "name",
                "Payment Reference": "reference",
                "Comment": "narration",
            },
        ),
        (
            "Account Name,Account Number,Bank Paybill Number,Amount,Nickname,Reason",
            {"Account Name": "name", "Reason": "narration"},
        ),
        ("name,amount,msisdn,network", {}),
        (
            "Matricule,Noms et prénoms,Salaire brut,Salaire net,N° de téléphone,Opérateur",
            {
                "Matricule": "reference",
                "Noms et prénoms": "name",
                "Salaire net": "amount",
                "N° de téléphone": "msisdn",
                "Opérateur": "network",
            },
        ),
        (
            "Employee No,Full name,Gross pay,Net Pay (RWF),Bank,Account No",
            {
                "Employee No": "reference",
                "Full name": "name",
                "Net Pay (RWF)": "amount",
                "Bank": "bank_key",
                "Account No": "account_number",
            },
        ),
        ("Refrence,Ammount,Telephon", {"Refrence": "reference", "Telephon": "msisdn"}),
    ],
)
def test_what_a_heading_looks_like_is_offered(
    tmp_path: Path, headings: str, mapping: dict[str, str]
) -> None:
    offered = proposed(tmp_path, f"{headings}\n1,2,3,4,5,6\n")
    offered.pop("Ammount", None)
    assert offered == mapping
    assert "gross" not in str(offered).lower()


def test_two_headings_that_look_alike_are_left_to_a_person(tmp_path: Path) -> None:
    with pytest.raises(HeadingsError, match="'Net pay' and 'net  pay' both look like amount"):
        check_rows(written(tmp_path, Case("reference,msisdn,Net pay,net  pay\n1,0788123456,2,3\n")))


def test_a_column_that_nobody_mapped_is_told_with_what_it_looks_like(tmp_path: Path) -> None:
    found = check_rows(
        written(tmp_path, Case("reference,amount,msisdn,Nom\n1,150000,0788123456,Jeanne\n"))
    )
    assert (found.count, found.ignored) == (1, ("Nom",))
    assert "the heading 'Nom' looks like name, and is not read as it" in found.remarks


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    text = "reference,amount,amount,msisdn,network\n1,150000,160000,0788123456,MTN\n"
    with pytest.raises(ConfigError, match="more than one column maps to amount"):
        check_rows(written(tmp_path, Case(text)))


def test_a_payee_above_the_headings_is_no_title(tmp_path: Path) -> None:
    text = "0,150000,0788123455,MTN,Ange\n" + STAFF
    found = check_rows(written(tmp_path, Case(text)))
    assert [(fault.line, fault.message) for fault in found.faults] == [
        (1, "it looks like a payee above the headings")
    ]


# --- what is told about a cell ---------------------------------------------------------------


def test_a_fault_has_line_heading_value_and_payee_and_may_propose(tmp_path: Path) -> None:
    text = FRENCH.replace("150000", "150 000 Frw").replace("MTN", "MTN Rwanda")
    mapping = dict(
        zip(
            ("Référence", "Montant", "Téléphone", "Réseau", "Nom"),
            ("reference", "amount", "msisdn", "network", "name"),
            strict=True,
        )
    )
    amount, network = check_rows(written(tmp_path, Case(text)), mapping).faults
    assert (amount.line, amount.heading, amount.value, amount.payee, amount.proposal) == (
        *(2, "Montant", "150 000 Frw"),
        *("Jeanne", "150000"),
    )
    assert (network.heading, network.value, network.proposal) == ("Réseau", "MTN Rwanda", "MTN")
    # They are personal: none of them is in what a log would show.
    assert not {"Jeanne", "150 000"} & {*str(amount).split(), *repr(amount).split("'")}


@pytest.mark.parametrize(
    ("cell", "proposal"),
    [
        ("150,000", "150000"),
        ("RWF 1,150,000.00", "1150000"),
        ("150.000", "150000"),
        ("1\u00a0150\u202f000 FRW", "1150000"),
        ("150,00", None),
        ("15,0000", None),
        ("150,000-", None),
    ],
)
def test_a_thousands_separator_is_offered_and_never_multiplied(
    tmp_path: Path, cell: str, proposal: str | None
) -> None:
    path = written(tmp_path, Case(f'{PHONES}1,"{cell}",0788123456,MTN\n'))
    (told,) = check_rows(path).faults
    assert (told.column, told.proposal) == ("amount", proposal)


ROW = {"reference": "1", "amount": "150000", "msisdn": "0788123456", "network": "MTN"}


@pytest.mark.parametrize("answer", ["no", "Non", "-", "n/a", "0", "OYA"])
def test_an_answer_is_no_reason_to_pay_again(answer: str) -> None:
    (fault,) = check_rows([{**ROW, "pay_again": answer}]).faults
    assert fault.column == "pay_again"


def test_a_total_that_the_rows_do_not_come_to_is_a_fault(tmp_path: Path) -> None:
    rows = "1,150000,0788123456,MTN,Jeanne\n2,160000,0738123456,Airtel,Eric\n"
    parts = "Sous-total,310000,,,\n3,1000,0788123457,MTN,Paul\nSous total,1000,,,\n"
    good = check_rows(written(tmp_path, Case(f"{NAMED}{rows}{parts}Total général,311 000,,,\n")))
    assert (good.count, good.fault_count) == (3, 0)
    (fault,) = check_rows(written(tmp_path, Case(f"{NAMED}{rows}TOTAL,300000,,,\n"))).faults
    assert fault.line == 4
    assert "says 300,000 RWF, and the rows above it come to 310,000 RWF" in fault.message


def test_a_sum_without_a_word_is_a_total_where_it_is_the_sum(tmp_path: Path) -> None:
    rows = "1,150000,0788123456,MTN,Jeanne\n2,160000,0738123456,Airtel,Eric\n"
    assert check_rows(written(tmp_path, Case(f"{NAMED}{rows},310000,,,\n"))).fault_count == 0
    assert check_rows(written(tmp_path, Case(f"{NAMED}{rows},310001,,,\n"))).fault_count


@pytest.mark.parametrize("name", ["Total Energies", "Totaux Aimable", "Signature Fashion Ltd"])
def test_a_payee_whose_name_has_such_a_word_is_paid(tmp_path: Path, name: str) -> None:
    found = check_rows(written(tmp_path, Case(f"{NAMED}1,150000,0788123456,MTN,{name}\n")))
    assert (found.count, found.remarks) == (1, ())


def test_a_payee_without_amount_and_phone_is_a_fault_and_no_note(tmp_path: Path) -> None:
    found = check_rows(written(tmp_path, Case(f"{NAMED}1,,,,Jeanne\n")))
    assert {fault.line for fault in found.faults} == {2}


def test_the_headings_once_more_are_left_out(tmp_path: Path) -> None:
    found = check_rows(written(tmp_path, Case(STAFF + NAMED)))
    assert (found.count, found.fault_count) == (6, 0)
    assert found.remarks[0].startswith("left out as the headings again, not paid: line 8")


def test_no_key_of_a_later_mapping_is_overlooked() -> None:
    first = {**ROW, "name": "Jeanne"}
    faults = check_rows([first, {**ROW, "reference": "2", "Currency": "USD"}]).faults
    assert [(fault.line, fault.column) for fault in faults] == [(2, "currency")]


def test_two_columns_of_one_name_in_a_frame_are_refused() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    columns = ["reference", "amount", "amount", "msisdn"]
    frame = pandas.DataFrame([["1", 150000, 160000, "0788123456"]], columns=columns)
    with pytest.raises(ConfigError, match="more than one column maps to amount"):
        check_rows(frame)


# --- characters ------------------------------------------------------------------------------


def test_cp1252_is_read_only_where_it_is_certain(tmp_path: Path) -> None:
    for encoding, is_certain in (("cp1252", True), ("cp850", False), ("mac-roman", False)):
        found = check_rows(written(tmp_path, Case(STAFF, encoding=encoding)))
        assert (found.fault_count == 0) is is_certain, encoding
        assert found.fault_count in (0, 3)


def test_names_of_a_cp1252_file_are_right(tmp_path: Path) -> None:
    from dgspay.payouts.sheet.reader import open_rows

    for case in (CASES["cp1252, semicolons"], CASES["UTF-16, tabs"]):
        with open_rows(written(tmp_path, case)) as rows:
            assert [getattr(payout, "name", None) for _, payout in rows] == [*NAMES]


def test_an_accent_in_two_characters_is_one_in_what_is_sent(tmp_path: Path) -> None:
    from dgspay.payouts.sheet.reader import open_rows

    with open_rows(written(tmp_path, Case(f"{NAMED}1,150000,0788123456,MTN,E\u0301ric\n"))) as rows:
        ((_, payout),) = rows
    assert getattr(payout, "name", None) == "\u00c9ric"


# --- the same sheets as workbooks ------------------------------------------------------------


def typed(text: str) -> Sequence[Sequence[Any]]:
    """The cells of a sheet as somebody types them into a spreadsheet: amounts are numbers."""
    rows = [line.split(",") for line in text.splitlines()]
    place = rows[0].index("amount")
    return [rows[0]] + [
        [int(cell) if column == place else cell for column, cell in enumerate(row)]
        for row in rows[1:]
    ]


@pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".ods"])
@pytest.mark.parametrize("renamed", [False, True])
def test_a_workbook_is_read_whatever_it_is_called(
    tmp_path: Path, suffix: str, *, renamed: bool
) -> None:
    pytest.importorskip("python_calamine", reason="the extra excel is not installed")
    path = write_workbook(tmp_path / f"staff{suffix}", typed(STAFF))
    if renamed:
        path = path.rename(tmp_path / "staff.csv")
    found = check_rows(path)
    assert (found.count, found.total, found.fault_count) == (6, STAFF_TOTAL, 0)
    assert found.remarks == ()


@pytest.mark.acceptance(110, "limits-and-prefixes")
@pytest.mark.anyio
async def test_a_network_that_the_prefix_contradicts_is_told_and_paid_as_written(
    tmp_path: Path,
) -> None:
    """A program whose warnings are errors must not stop at such a row, while it pays."""
    from dgspay.payouts import AsyncPayouts
    from tests.support.sheet_factory import in_process, ledger_in

    path = written(tmp_path, Case(PHONES + "1,5000,0731234567,MTN\n2,5000,00250738123456,\n"))
    with in_process() as (emulator, dgs), ledger_in(tmp_path) as ledger:
        own = AsyncPayouts(dgs, ledger)
        found = await own.check(path)
        assert any("line 2: the prefix of the phone" in remark for remark in found.remarks)
        await own.run(path, settle_within=0)
        assert len(emulator.executed) == 2
        networks = {record.payout.network for record in ledger.page("sheet")}
        assert networks == {"MTN", "Airtel"}
