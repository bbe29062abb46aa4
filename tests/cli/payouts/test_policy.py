"""Standing permissions from the terminal: given, shown, used, withdrawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgspay.clock import KIGALI
from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine, variables
from tests.support.sheet_factory import RICH, phone, write_sheet


@pytest.fixture
def dgspay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("DGSPAY_PAYOUTS_LEDGER", raising=False)
    with (
        Emulator(settle_after=0, balances=RICH, seed=3) as emulator,
        emulator.serve() as server,
    ):
        yield CommandLine(variables(emulator, server.url))


def sheet_of(day: dt.date, folder: Path) -> str:
    rows = [
        {"reference": f"wages-{day}-jane", "amount": 3000, "msisdn": phone(1), "network": "MTN"}
    ]
    return write_sheet(folder / f"wages-{day}.csv", rows).name


def test_a_standing_permission_is_given_shown_used_and_withdrawn(
    dgspay: CommandLine, tmp_path: Path
) -> None:
    # The first wage is paid late, so that two are paid on this very day.
    today = dt.datetime.now(KIGALI).date()
    first, second, third = (sheet_of(today - dt.timedelta(days), tmp_path) for days in (2, 1, 0))
    assert dgspay("payouts", "run", first, "--yes").code == 0
    given = dgspay(
        *("payouts", "policy", "add-permission", "wages-{date}-*", "--reason", "paid each evening"),
        *("--from", str(today - dt.timedelta(2)), "--until", str(today + dt.timedelta(1))),
        *("--per-day", "2", "--largest", "7000", "--yes"),
    )
    assert given.code == 0, given.err
    shown = dgspay("payouts", "policy")
    assert "Standing permission: wages-{date}-* may repeat from" in shown.out
    assert "2 a day to an account, 7,000 RWF at most, given by" in shown.out
    assert shown.out.rstrip().endswith("paid each evening")
    paid = dgspay("payouts", "run", second, "--yes")
    assert paid.code == 0, paid.err
    assert "one row repeats an earlier payment, by the standing permission" in paid.out
    assert "permit wages" in dgspay("payouts", "log").out
    withdrawn = dgspay("payouts", "policy", "remove-permission", "wages-{date}-*", "--yes")
    assert withdrawn.code == 0, withdrawn.err
    refused = dgspay("payouts", "run", third, "--yes")
    assert refused.code == 1
    assert "same amount and account" in refused.err


@pytest.mark.parametrize("pattern", ["*", "{date}-*", "wages-*", "w-{date}"])
def test_a_permission_for_everything_is_rejected(dgspay: CommandLine, pattern: str) -> None:
    said = dgspay(
        *("payouts", "policy", "add-permission", pattern, "--reason", "x", "--yes"),
        *("--from", "2026-12-01", "--until", "2026-12-31", "--ledger", "new.sqlite3"),
    )
    assert said.code == 2
    assert "wages-{date}-*" in said.err


def test_a_permission_that_is_not_there_is_not_withdrawn(dgspay: CommandLine) -> None:
    said = dgspay(
        *("payouts", "policy", "remove-permission", "wages-{date}-*", "--yes"),
        *("--ledger", "new.sqlite3"),
    )
    assert said.code == 2
    assert "no standing permission" in said.err
