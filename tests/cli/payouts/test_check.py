"""`payouts check` as a person gives it: what is told of a sheet, and the sheet given back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine, variables
from tests.support.sheet_factory import RICH
from tests.support.workbook_factory import write_workbook

HEADINGS = ("Matricule", "Noms", "Salaire net", "Téléphone", "Réseau")
MAP = (
    *("--map", "Matricule=reference", "--map", "Noms=name", "--map", "Salaire net=amount"),
    *("--map", "Téléphone=msisdn", "--map", "Réseau=network"),
)
PAYROLL = [
    ("KIGALI TRADING LTD",),
    ("Salaires de novembre 2026",),
    (),
    HEADINGS,
    ("E-001", "Uwimana Jeanne", 150_000, "0788123456", "MTN"),
    ("E-002", "Habimana Éric", 160_000, "0738123457", "Airtel"),
    ("E-003", "Mukamana Béatrice", 170_000, 788123458, "MTN"),
    ("TOTAL", None, 480_000, None, None),
    (),
    ("Préparé par: Alice", None, "Approuvé par:"),
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DGSPAY_PAYOUTS_LEDGER", raising=False)


@pytest.fixture
def dgspay() -> Iterator[CommandLine]:
    pytest.importorskip("openpyxl", reason="the extra excel is not installed")
    with Emulator(settle_after=0, balances=RICH, seed=3) as emulator, emulator.serve() as server:
        yield CommandLine(variables(emulator, server.url))


@pytest.mark.acceptance(106, "odd-sheets")
def test_headings_that_look_like_columns_are_offered_as_options_to_copy(
    dgspay: CommandLine,
) -> None:
    write_workbook(Path("paie.xlsx"), PAYROLL)
    said = dgspay("payouts", "check", "paie.xlsx")
    assert said.code == 2
    offered = said.err.splitlines()[-1]
    assert offered == (
        "  --map Matricule=reference --map Noms=name --map 'Salaire net=amount' "
        "--map 'Téléphone=msisdn' --map 'Réseau=network'"
    )
    good = dgspay("payouts", "check", "paie.xlsx", *MAP)
    assert (good.code, good.err) == (0, "")
    assert "3 payouts, 480,000 RWF: 3 to phones" in good.out
    assert "lines 1-2 above the headings not read: 'KIGALI TRADING LTD'" in good.out
    assert "left out as a total, not paid: line 8 'TOTAL 480000'" in good.out
    assert "left out as a signature or a note, not paid: line 10 'Préparé par: Alice" in good.out


@pytest.mark.acceptance(106, "odd-sheets")
def test_a_bank_by_its_name_is_offered_as_an_option_to_copy(dgspay: CommandLine) -> None:
    rows = [
        ("reference", "amount", "bank_key", "account_number"),
        ("1", 5000, "Bank of Kigali", "0012345678"),
        ("2", 5000, "COGEBANQUE", "0012345679"),
    ]
    write_workbook(Path("banks.xlsx"), rows)
    said = dgspay("payouts", "check", "banks.xlsx")
    assert said.code == 1
    assert "--bank 'Bank of Kigali=bk_rw'" in said.err
    assert "'COGEBANQUE', which DGS-Pay does not list; the first is line 3" in said.err
    assert dgspay("payouts", "check", "banks.xlsx", "--offline").code == 1
    write_workbook(Path("banks.xlsx"), rows[:2])
    good = dgspay("payouts", "check", "banks.xlsx", "--bank", "Bank of Kigali=bk_rw")
    assert (good.code, good.err) == (0, "")
    assert dgspay("payouts", "check", "banks.xlsx", "--bank", "bk_rw").code == 2


def test_a_fault_shows_line_name_heading_and_value_and_equal_ones_are_grouped(
    dgspay: CommandLine,
) -> None:
    odd: list[tuple[object, ...]] = [
        (f"E-{number}", f"Person {number}", 1000, "0788", "MTN Rwanda") for number in range(12)
    ]
    odd[3] = ("E-3", "Person 3", "1 000 Frw", "0788123456", "MTN")
    write_workbook(Path("paie.xlsx"), [HEADINGS, *odd])
    said = dgspay("payouts", "check", "paie.xlsx", *MAP)
    assert said.code == 2
    lines = said.err.splitlines()
    assert any(line.startswith("11 rows: network must be one of MTN, Airtel") for line in lines)
    assert "  line 2: Person 0; Réseau: 'MTN Rwanda'; perhaps MTN" in lines
    assert "  and 1 more, down to line 13" in lines
    assert (
        "line 5: amount must be digits only, without thousands separators "
        "(Person 3; Salaire net: '1 000 Frw'; perhaps 1000)"
    ) in lines
    assert lines[-1] == "23 faults. Nothing was sent."
    ran = dgspay("payouts", "run", "paie.xlsx", *MAP, "--yes")
    assert (ran.code, ran.err.splitlines()) == (2, lines)


@pytest.mark.parametrize("suffix", [".xlsx", ".ods", ".xls"])
def test_the_same_sheet_comes_back_with_a_column_of_faults(
    dgspay: CommandLine, suffix: str
) -> None:
    import openpyxl

    rows = [list(cells) for cells in PAYROLL]
    rows[5][2:4] = ["160.000", "0738"]
    source = write_workbook(Path(f"paie{suffix}"), rows)
    before = source.read_bytes()
    command = ("payouts", "check", str(source), *MAP, "--faults", "faults.xlsx")
    said = dgspay(*command)
    assert said.code == 2
    assert "1 rows are marked in faults.xlsx." in said.err
    assert source.read_bytes() == before
    book = openpyxl.load_workbook("faults.xlsx")
    (table,) = book.worksheets
    assert table.cell(1, 1).value == "KIGALI TRADING LTD"
    assert [cell.value for cell in table[4]] == [*HEADINGS, "What is wrong", "Perhaps"]
    assert [cell.value for cell in table[5]][:5] == [*PAYROLL[4]]
    fault, proposal = [cell.value for cell in table[6]][5:]
    assert str(fault).startswith("Salaire net: amount must have no thousands separator")
    assert "Téléphone: msisdn must be" in str(fault)
    assert proposal == "Salaire net: 160000"
    # She corrects it there, and gives that; what it said before is not taken for a payee.
    again = dgspay(*command)
    assert again.code == 2
    assert "faults.xlsx is there already, and is not written over" in again.err
    table.cell(6, 3).value, table.cell(6, 4).value = 160_000, "0738123457"
    book.save("faults.xlsx")
    good = dgspay("payouts", "check", "faults.xlsx", *MAP, "--faults", "more.xlsx")
    assert good.code == 0, good.err
    assert "No row has a fault, and more.xlsx was not written." in good.err
    assert not Path("more.xlsx").exists()


def test_an_old_column_of_faults_is_written_anew(dgspay: CommandLine) -> None:
    import openpyxl

    rows = [list(cells) for cells in PAYROLL]
    rows[4][2] = rows[5][2] = "x"
    write_workbook(Path("paie.xlsx"), rows)
    assert dgspay("payouts", "check", "paie.xlsx", *MAP, "--faults", "first.xlsx").code == 2
    book = openpyxl.load_workbook("first.xlsx")
    book.worksheets[0].cell(5, 3).value = 150_000
    book.save("first.xlsx")
    assert dgspay("payouts", "check", "first.xlsx", *MAP, "--faults", "second.xlsx").code == 2
    (table,) = openpyxl.load_workbook("second.xlsx").worksheets
    assert [cell.value for cell in table[4]] == [*HEADINGS, "What is wrong", "Perhaps"]
    assert [row[5].value is not None for row in table.iter_rows(min_row=5, max_row=6)] == [
        *(False, True)
    ]


def test_a_csv_comes_back_as_a_workbook_whose_cells_are_text(dgspay: CommandLine) -> None:
    import openpyxl

    Path("s.csv").write_text(
        "reference,amount,bank_key,account_number,name\n1,x,bk_rw,0012345678,=1+1\n"
    )
    assert dgspay("payouts", "check", "s.csv", "--faults", "s.xlsx", "--offline").code == 2
    (table,) = openpyxl.load_workbook("s.xlsx").worksheets
    account, name = table["D2"], table["E2"]
    assert (account.value, account.data_type, account.number_format) == ("0012345678", "s", "@")
    assert (name.value, name.data_type) == ("=1+1", "s")


def test_a_workbook_keeps_its_formats_and_its_other_sheets(dgspay: CommandLine) -> None:
    import openpyxl

    rows = [list(cells) for cells in PAYROLL]
    rows[5][3] = "0738"
    write_workbook(Path("paie.xlsx"), {"Notes": [("do not pay",)], "Novembre": rows})
    book = openpyxl.load_workbook("paie.xlsx")
    book["Novembre"]["C5"].number_format = "#,##0"
    book["Novembre"]["C8"] = "=SUM(C5:C7)"
    book.save("paie.xlsx")
    chosen = dgspay("payouts", "check", "paie.xlsx", *MAP)
    assert chosen.code == 2
    assert "2 sheets that hold something, 'Notes', 'Novembre': choose one" in chosen.err
    out = ("--sheet", "novembre", "--faults", "out.xlsx", "--offline")
    assert dgspay("payouts", "check", "paie.xlsx", *MAP, *out).code == 2
    book = openpyxl.load_workbook("out.xlsx")
    assert book.sheetnames == ["Notes", "Novembre"]
    assert book["Novembre"]["C5"].number_format == "#,##0"
    assert book["Novembre"]["C8"].value == "=SUM(C5:C7)"
    assert book["Novembre"]["F6"].value is not None


def test_without_the_extra_the_command_that_installs_it_is_named(
    dgspay: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_workbook(Path("paie.xlsx"), PAYROLL)
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    said = dgspay("payouts", "check", "paie.xlsx")
    assert said.code == 2
    assert "pip install 'dgspay[excel]'" in said.err
    Path("s.csv").write_text("reference,amount,msisdn\n1,x,0788123456\n")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    said = dgspay("payouts", "check", "s.csv", "--offline", "--faults", "out.xlsx")
    assert said.code == 2
    assert "pip install 'dgspay[excel]'" in said.err
