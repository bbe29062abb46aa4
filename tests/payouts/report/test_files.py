"""Files of reports: whole or not at all, and in place of nothing but a report."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TextIO

import attrs
import pytest

from dgspay import errors
from dgspay.payouts import Batch, Ledger, Payouts, SqliteLedger, State
from dgspay.payouts.report.files import write_report
from dgspay.payouts.report.summary import COLUMNS, PAYSLIP_COLUMNS
from dgspay.payouts.sheet.reader import file_digest
from tests.support.sheet_factory import write_sheet

FORMS = (("r.html", "html"), ("r.csv", "csv"), ("r.json", "json"), ("mails.csv", "payslips"))


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_a_report_is_written_anew_in_the_place_of_itself(
    ledger: SqliteLedger, tmp_path: Path, name: str, form: str
) -> None:
    payouts = Payouts(ledger=ledger)
    payouts.report("salaries", tmp_path / name, form=form)
    payouts.resolve("salaries", "salary-1", paid=True, note="portal")
    before = (tmp_path / name).read_bytes()
    payouts.report("salaries", tmp_path / name, form=form)
    assert (tmp_path / name).read_bytes() != before


@pytest.mark.parametrize(("name", "form"), FORMS)
@pytest.mark.parametrize(
    "content", [b"", b"Salaries of the board", b"\xff\xfe\x00PK", b"<!doctype html><p>Offer"]
)
def test_nothing_that_is_no_report_is_overwritten(
    ledger: SqliteLedger, tmp_path: Path, name: str, form: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(errors.ConfigError, match=r"is no report of batch 'salaries'.*another name"):
        Payouts(ledger=ledger).report("salaries", tmp_path / name, form=form)
    assert (tmp_path / name).read_bytes() == content
    assert ledger.path.exists()
    with pytest.raises(errors.ConfigError, match="is no report"):
        Payouts(ledger=ledger).report("salaries", ledger.path, form=form)


def test_a_report_that_was_edited_is_a_sheet_and_is_kept(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    for name, form, column in (("r.csv", "csv", "msisdn"), ("m.csv", "payslips", "account")):
        path = tmp_path / name
        Payouts(ledger=ledger).report("salaries", path, form=form)
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [*csv.DictReader(file)]
        rows[0][column] = "+250788000001"
        write_sheet(path, rows)
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r\n", b"\n"))
        with pytest.raises(errors.ConfigError, match="is no report"):
            Payouts(ledger=ledger).report("salaries", path, form=form)


def test_the_sheet_of_another_batch_is_kept_though_it_is_a_report_of_this_one(
    ledger: SqliteLedger, batch: Batch, tmp_path: Path
) -> None:
    path = tmp_path / "r.csv"
    Payouts(ledger=ledger).report("salaries", path)
    ledger.load(attrs.evolve(batch, name="next", digest=file_digest(path)), [])
    with pytest.raises(errors.ConfigError, match="a sheet that a batch was read from"):
        Payouts(ledger=ledger).report("salaries", path)


def test_a_report_that_fails_on_the_way_leaves_the_earlier_one(
    ledger: SqliteLedger, batch: Batch, tmp_path: Path
) -> None:
    path = tmp_path / "r.csv"
    Payouts(ledger=ledger).report("salaries", path)
    before = path.read_bytes()

    def fail(ledger: Ledger, batch: Batch, file: TextIO) -> None:
        file.write("half of it")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_report(path, ledger, batch, fail)
    assert path.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir() if "r.csv" in each.name} == {"r.csv"}


def test_payslips_are_of_those_who_were_paid_and_nobody_else(
    ledger: SqliteLedger, batch: Batch, tmp_path: Path
) -> None:
    Payouts(ledger=ledger).report("salaries", tmp_path / "mails.csv", form="payslips")
    with (tmp_path / "mails.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [*csv.DictReader(file)]
    assert tuple(rows[0]) == PAYSLIP_COLUMNS
    assert len(rows) == ledger.counts(batch.name).count(State.CONFIRMED) == 27
    for row in rows:
        known = row["fee"] != ""
        assert row["arrived"] == (str(int(row["amount"]) - int(row["fee"])) if known else "")
        assert row["paid_on"]


def test_the_columns_of_a_report_are_those_of_a_sheet_and_never_allow_a_second_payment() -> None:
    assert {"reference", "amount", "msisdn", "bank_key", "account_number"} < set(COLUMNS)
    assert "pay_again" not in COLUMNS
