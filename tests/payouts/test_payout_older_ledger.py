"""A ledger that was deleted, or put back as it was before, is noticed before anybody is paid."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dgspay.emulator import Emulator
from dgspay.payouts import Batch, LedgerError, Payout, SqliteLedger, Terms

from .killing import environ_of, finish, paid, start
from .sheets import RICH, write_sheet

pytestmark = pytest.mark.acceptance(52, 57)

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1:1", account_number="ACC-1")


def load(place: Path) -> None:
    payouts = [
        Payout(number=number, reference=f"r{number}", amount=1000, account=str(number))
        for number in range(1, 4)
    ]
    with SqliteLedger(place) as ledger:
        ledger.load(Batch(name="b", digest="d", terms=TERMS), payouts)
        ledger.start("b")


def take_one_up(place: Path) -> int:
    """Run the batch on, by one payout; return its number."""
    with SqliteLedger(place) as ledger, ledger.only_run("b"):
        chunk = ledger.claim(ledger.require_batch("b"), 0, 1, 3)
        (payout,) = ledger.take(chunk, after=0, limit=1)
        return payout.number


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A ledger of three payouts, of which one was taken up."""
    place = tmp_path / "ledger.sqlite3"
    load(place)
    assert take_one_up(place) == 1
    return place


def test_the_same_ledger_goes_on_wherever_it_was_moved(place: Path, tmp_path: Path) -> None:
    assert take_one_up(place) == 2
    elsewhere = tmp_path / "elsewhere" / "ledger.sqlite3"
    elsewhere.parent.mkdir()
    place.rename(elsewhere)
    assert take_one_up(elsewhere) == 3


def test_a_backup_of_before_is_refused(place: Path) -> None:
    backup = place.with_name("backup")
    shutil.copy(place, backup)
    assert take_one_up(place) == 2
    shutil.copy(backup, place)
    with pytest.raises(LedgerError, match=r"up to 2 payouts were sent.*knows of 1"):
        take_one_up(place)


def test_a_ledger_that_begins_anew_is_refused_until_a_person_says_nobody_was_paid(
    place: Path,
) -> None:
    place.unlink()
    load(place)
    with pytest.raises(LedgerError, match="Nothing was sent") as refused:
        take_one_up(place)
    lock = place.with_name("ledger.sqlite3.b.lock")
    assert f"delete {lock}" in str(refused.value)
    lock.unlink()
    assert take_one_up(place) == 1


@pytest.mark.parametrize("noted", [b"", b"?", b"-1", "٣".encode()])
def test_a_note_that_is_none_says_nothing(place: Path, noted: bytes) -> None:
    place.with_name("ledger.sqlite3.b.lock").write_bytes(noted)
    assert take_one_up(place) == 2


def test_the_command_pays_nobody_again_who_was_paid_since_the_backup(tmp_path: Path) -> None:
    sheet, ledger = write_sheet(tmp_path / "salaries.csv", 20), tmp_path / "ledger.sqlite3"
    command = ["run", str(sheet), "--yes", "--ledger", str(ledger)]
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)
        finish(start(*command, environ=environ), [0])
        ledger.unlink()
        assert "restored from a backup" in finish(start(*command, environ=environ), [4])
        assert set(paid(emulator).values()) == {1}
