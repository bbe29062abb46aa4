"""What is found before anything is sent."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import PreflightError, check_rows, open_job
from dgspay.payouts.preflight import preflight
from tests.cli.terminal import CommandLine
from tests.support.sheet_factory import in_process, ledger_in, payments, write_sheet

pytestmark = pytest.mark.acceptance(56, "preflight")


def problems(rows: object, *, balance: int = 10**9, **options: object) -> list[str]:
    async def look() -> list[str]:
        with in_process(balances={"RWF": balance}) as (emulator, dgs):
            allowed = options.pop("allow_duplicates", ())
            sheet = check_rows(rows, allow_duplicates=allowed)  # type: ignore[arg-type]
            found = await preflight(dgs, sheet, **options)  # type: ignore[arg-type]
            assert not emulator.executed
            return [*found.problems]

    return anyio.run(look)


def test_the_balance_is_under_the_total() -> None:
    rows = [*payments(3)]
    assert problems(rows, balance=3006) == []
    assert problems(rows, balance=3005) == [
        "the batch needs 3,006 RWF and the wallet holds 3,005 RWF"
    ]


def test_an_amount_is_not_above_the_fee() -> None:
    rows = [*payments(3)]
    assert problems(rows, fee=1000) == []
    assert problems(rows, fee=1001) == ["line 1: 1,001 RWF is not above the fee of 1,001 RWF"]
    for nothing in (0, "0"):
        assert problems(rows, fee=nothing) == []


@pytest.mark.parametrize("fee", ["1,000", "abc", "", "-1", -1, "NaN"])
def test_a_fee_that_is_no_amount_is_an_error_of_the_settings(fee: object) -> None:
    with pytest.raises(ConfigError, match="fee must be"):
        problems([*payments(1)], fee=fee)


@pytest.mark.parametrize("fee", [0.0, False, 99.5])
def test_a_fee_of_a_type_that_loses_digits_is_refused(fee: object) -> None:
    with pytest.raises(TypeError, match="fee must be an int, a str or a Decimal"):
        problems([*payments(1)], fee=fee)


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("fee", ["1,000", "abc", "1e2"])
def test_a_fee_that_is_no_amount_ends_a_command_before_anything_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, fee: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_sheet(tmp_path / "s.csv", 1)
    said = CommandLine({})("payouts", command, "s.csv", "--fee", fee)
    assert said.code == 2
    assert "fee must be a plain number" in said.err
    assert [*tmp_path.iterdir()] == [tmp_path / "s.csv"]


def bank_row(number: int, key: str, branch: str | None = None) -> dict[str, object]:
    return {
        "reference": f"b{number}",
        "amount": 5000,
        "bank_key": key,
        "account_number": f"{number:010d}",
        "branch": branch,
    }


def test_a_branch_is_missing_where_the_bank_needs_it_or_the_bank_is_unknown() -> None:
    rows = [bank_row(1, "bpr_rw", "Kigali"), bank_row(2, "bk_rw"), bank_row(3, "bpr_rw")]
    assert problems(rows) == ["'bpr_rw' needs a branch, and 1 rows name none; the first is line 3"]
    assert problems([bank_row(1, "moon_rw")]) == [
        "1 rows pay to 'moon_rw', which DGS-Pay does not list; the first is line 1"
    ]


@pytest.mark.acceptance(55, "edited-sheet")
def test_duplicate_rows_are_a_problem_unless_they_are_allowed() -> None:
    row = next(payments(1))
    rows = [row, {**row, "reference": "again"}]
    (problem,) = problems(rows)
    assert problem == "line 2 pays the same amount to the same account as 1"
    assert problems(rows, allow_duplicates=["again"]) == []
    assert problems(rows, allow_duplicates={row["reference"]: "he works twice"}) == []


def test_it_names_environment_account_sum_and_count_and_never_the_key() -> None:
    async def look() -> None:
        with in_process() as (emulator, dgs):
            found = await preflight(dgs, check_rows([*payments(2)]))
            assert found.question == "Pay 2,003 RWF to 2 recipients from emulator?"
            assert found.account_number == emulator.account_number
            assert found.key == "sk_test_***"
            assert emulator.api_key not in repr(found)

    anyio.run(look)


@pytest.mark.anyio
async def test_nothing_is_sent_when_it_finds_something(tmp_path: Path) -> None:
    path = write_sheet(tmp_path / "salaries.csv", 3)
    with (
        in_process(balances={"RWF": 10}) as (emulator, dgs),
        ledger_in(tmp_path) as ledger,
    ):
        async with open_job(dgs, ledger, path) as job:
            found = await job.preflight()
            with pytest.raises(PreflightError, match="wallet holds 10 RWF"):
                found.require_good()
        assert not emulator.executed
