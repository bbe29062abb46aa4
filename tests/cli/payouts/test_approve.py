"""Approval by two from the terminal, with keys, passphrases and the policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dgspay.emulator import Emulator
from tests.cli.terminal import CommandLine, variables
from tests.support.sheet_factory import RICH, write_sheet

pytestmark = pytest.mark.acceptance(107, "approval-broken")

WORDS = "correct horse battery"


@pytest.fixture
def emulator() -> Iterator[tuple[Emulator, str]]:
    with (
        Emulator(settle_after=0, balances=RICH, seed=3) as emulator,
        emulator.serve() as server,
    ):
        yield emulator, server.url


@pytest.fixture
def dgspay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: tuple[Emulator, str]
) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for name in ("DGSPAY_PAYOUTS_LEDGER", "DGSPAY_APPROVAL_KEY"):
        monkeypatch.delenv(name, raising=False)
    write_sheet(tmp_path / "pay.csv", 3)
    return CommandLine({**variables(*emulator), "DGSPAY_APPROVAL_PASSPHRASE": WORDS})


def made(dgspay: CommandLine, person: str) -> str:
    said = dgspay("payouts", "key", person)
    assert said.code == 0, said.err
    return next(word for word in said.out.split() if word.startswith("ed25519:"))


def test_a_payroll_is_prepared_approved_and_paid(dgspay: CommandLine) -> None:
    for person in ("Alice", "Bob"):
        public = made(dgspay, person)
        assert dgspay("payouts", "policy", "add-key", person, public, "--yes").code == 0
    turned_on = dgspay("payouts", "policy", "--approvals", "1", "--no-self-approval", "--yes")
    assert "must be approved by one person, who did not prepare it" in turned_on.out
    refused = dgspay("payouts", "run", "pay.csv", "--yes")
    assert refused.code == 1
    assert "dgspay payouts prepare" in refused.err
    which = dgspay("payouts", "prepare", "pay.csv")
    assert which.code == 2
    assert "--key: Alice, Bob" in which.err
    prepared = dgspay("payouts", "prepare", "pay.csv", "--key", "Alice")
    assert prepared.code == 0, prepared.err
    assert "Batch pay: 3 payouts, 3,006 RWF" in prepared.out
    own = dgspay("payouts", "approve", "pay", "--key", "Alice", "--yes")
    assert own.code == 2
    assert "cannot approve it" in own.err
    assert dgspay("payouts", "run", "pay.csv", "--yes").code == 1
    declined = dgspay("payouts", "approve", "pay", "--key", "Bob", answers="n\n")
    assert declined.code == 1
    approved = dgspay("payouts", "approve", "pay", "--file", "pay.csv", "--key", "Bob", "--yes")
    assert approved.code == 0, approved.err
    assert "Prepared by Alice; approved by Bob, of 1 needed" in approved.out
    paid = dgspay("payouts", "run", "pay.csv", "--yes")
    assert paid.code == 0, paid.err
    log = dgspay("payouts", "log")
    for word in ("policy", "prepare pay", "approve pay", "confirm pay"):
        assert word in log.out
    assert dgspay("payouts", "log", "--verify").code == 0


def test_the_policy_is_turned_off_by_two_and_never_by_one(dgspay: CommandLine) -> None:
    for person in ("Alice", "Bob"):
        dgspay("payouts", "policy", "add-key", person, made(dgspay, person), "--yes")
    dgspay("payouts", "policy", "--approvals", "1", "--yes")
    off = dgspay("payouts", "policy", "--approvals", "0", "--key", "Alice", "--yes")
    assert "Not in force yet, signed by Alice; 1 more must sign" in off.out
    dgspay("payouts", "policy", "sign", "--key", "Alice", "--yes")
    assert "must be approved by one person" in dgspay("payouts", "policy").out
    signed = dgspay("payouts", "policy", "sign", "--key", "Bob", "--yes")
    assert "No approval is asked for" in signed.out
    assert dgspay("payouts", "run", "pay.csv", "--yes").code == 0


def test_a_policy_without_enough_keys_is_refused(dgspay: CommandLine) -> None:
    said = dgspay("payouts", "policy", "--approvals", "1", "--yes")
    assert said.code == 2
    assert "needs keys of 2 persons" in said.err


def test_a_wrong_or_missing_passphrase_signs_nothing(dgspay: CommandLine) -> None:
    made(dgspay, "Alice")
    wrong = dgspay.having(DGSPAY_APPROVAL_PASSPHRASE="wrong horse battery")
    said = wrong("payouts", "prepare", "pay.csv", "--key", "Alice")
    assert said.code == 2
    assert "is wrong" in said.err
    typed = dgspay.without("DGSPAY_APPROVAL_PASSPHRASE")
    said = typed("payouts", "prepare", "pay.csv", "--key", "Alice", answers=f"{WORDS}\n")
    assert said.code == 0, said.err
    assert WORDS not in said.out + said.err
    said = typed("payouts", "prepare", "pay.csv", "--key", "Alice", answers="")
    assert said.code == 2
    assert "no passphrase" in said.err
