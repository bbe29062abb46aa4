"""Backups of a ledger, and the way back from one: nobody is paid twice, and nobody forgotten."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from dgspay.emulator import Emulator
from dgspay.errors import ConfigError
from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    LedgerError,
    Payout,
    PreflightError,
    SqliteLedger,
    State,
    Terms,
)
from dgspay.payouts.ledger import PausedError
from dgspay.payouts.ledger.backups import (
    backup_ledger,
    confirm_compared,
    hold_ledger,
    restore_ledger,
)
from dgspay.payouts.status import require_batch
from tests.support.crash_points import environ_of, finish, paid, start
from tests.support.sheet_factory import RICH, in_process, payments, write_sheet

pytestmark = [pytest.mark.acceptance(99, "lost-history"), pytest.mark.anyio]

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1:1", account_number="ACC-1")


def load(place: Path, name: str = "b", count: int = 10) -> None:
    payouts = [
        Payout(
            number=number,
            reference=f"{name}{number}",
            amount=1000,
            account=f"{ord(name)}{number:04}",
        )
        for number in range(1, count + 1)
    ]
    with SqliteLedger(place) as ledger:
        ledger.load(Batch(name=name, digest="d", terms=TERMS), payouts)
        ledger.start(name)


def take(place: Path, limit: int, name: str = "b") -> list[int]:
    with SqliteLedger(place) as ledger:
        chunk = ledger.claim(require_batch(ledger, name), 0, 1, 10)
        return [payout.number for payout in ledger.take(chunk, after=0, limit=limit)]


def states(place: Path, name: str = "b") -> dict[int, State]:
    with SqliteLedger(place) as ledger:
        return {record.payout.number: record.state for record in ledger.page(name)}


def forget(monkeypatch: pytest.MonkeyPatch, place: Path, folder: Path) -> None:
    """Another machine: nothing is noted there."""
    monkeypatch.setenv("DGSPAY_STATE_FOLDER", str(folder))
    place.with_name(f"{place.name}.note").unlink(missing_ok=True)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    load(tmp_path / "ledger.sqlite3")
    return tmp_path / "ledger.sqlite3"


def backup_of(place: Path, to: Path) -> Path:
    with SqliteLedger(place) as ledger:
        backup_ledger(ledger, to)
    return to


def test_a_backup_of_a_ledger_in_use_is_whole_and_private(place: Path, tmp_path: Path) -> None:
    with SqliteLedger(place) as ledger:
        chunk = ledger.claim(require_batch(ledger, "b"), 0, 1, 10)
        assert len(ledger.take(chunk, after=0, limit=3)) == 3  # in the log, not in the file
        backup_ledger(ledger, tmp_path / "backup")
        with pytest.raises(ConfigError, match="there already"):
            backup_ledger(ledger, tmp_path / "backup")
        with pytest.raises(LedgerError, match="cannot be written"):
            backup_ledger(ledger, tmp_path / "nowhere" / "backup")
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600
    assert not [*tmp_path.glob("backup-*"), *tmp_path.glob("*.unfinished")]
    assert restore_ledger(tmp_path / "back.sqlite3", tmp_path / "backup").held == 0
    assert states(tmp_path / "back.sqlite3")[3] is State.IN_DOUBT


def test_nothing_is_paid_from_a_backup_wherever_it_is_put(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = backup_of(place, tmp_path / "backup")
    forget(monkeypatch, place, tmp_path / "elsewhere")
    shutil.copy(backup, tmp_path / "copied.sqlite3")
    for put in (backup, tmp_path / "copied.sqlite3"):
        with pytest.raises(LedgerError, match=r"is the backup of .* payouts restore"):
            SqliteLedger(put)


def test_where_nothing_was_sent_since_nothing_is_held(place: Path, tmp_path: Path) -> None:
    assert take(place, 3) == [1, 2, 3]
    backup = backup_of(place, tmp_path / "backup")
    restored = restore_ledger(place, backup)
    assert (restored.held, restored.lost) == (0, {})
    assert restored.aside is not None
    assert restored.aside.exists()
    assert take(place, 3) == [4, 5, 6]
    load(place, "c")


def test_what_this_machine_may_have_sent_since_is_held_and_the_rest_is_new(
    place: Path, tmp_path: Path
) -> None:
    assert take(place, 3) == [1, 2, 3]
    backup = backup_of(place, tmp_path / "backup")
    assert take(place, 4) == [4, 5, 6, 7]
    load(place, "c")
    assert take(place, 2, "c") == [1, 2]
    restored = restore_ledger(place, backup)
    assert (restored.held, restored.lost) == (7, {"c": 2})
    found = states(place)
    assert {number for number, state in found.items() if state is State.HELD} == {*range(1, 8)}
    with SqliteLedger(place) as ledger:
        assert "this may have been sent" in str(require_batch(ledger, "b").paused)
        ledger.start("b")  # by a person who has seen it
    assert take(place, 9) == [8, 9, 10]
    # The one that was put aside would pay again what was sent from this one.
    assert restored.aside is not None
    restored.aside.replace(tmp_path / "aside.sqlite3")
    with pytest.raises(LedgerError, match="lacks"):
        take(tmp_path / "aside.sqlite3", 1)


def test_on_another_machine_everything_is_held(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = backup_of(place, tmp_path / "backup")
    forget(monkeypatch, place, tmp_path / "elsewhere")
    there = tmp_path / "there.sqlite3"
    assert restore_ledger(there, backup).held == 10
    assert set(states(there).values()) == {State.HELD}


def test_a_batch_that_may_be_a_lost_one_begins_after_a_person_has_compared(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = backup_of(place, tmp_path / "backup")
    load(place, "c")
    assert take(place, 2, "c") == [1, 2]
    restore_ledger(place, backup)
    with pytest.raises(PreflightError, match=r"'c' may have been paid.*--compared"):
        load(place, "c")
    with SqliteLedger(place) as ledger:
        ledger.start("b")  # what has begun goes on: what may have been sent of it is held
        confirm_compared(ledger)
        ledger.start("c")


def test_a_file_without_its_log_goes_on_with_all_of_it_held(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqliteLedger(place):
        # As it is copied by hand, while it is in use.
        shutil.copy(place, tmp_path / "copied.sqlite3")
    forget(monkeypatch, place, tmp_path / "elsewhere")
    copied = tmp_path / "copied.sqlite3"
    with pytest.raises(LedgerError, match="not closed in order"):
        SqliteLedger(copied)
    assert restore_ledger(copied).held == 10
    assert set(states(copied).values()) == {State.HELD}


@pytest.mark.parametrize("text", ["", "no ledger at all" * 40])
def test_what_is_no_ledger_replaces_none(place: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "backup").write_text(text)
    with pytest.raises(LedgerError, match="no ledger"):
        restore_ledger(place, tmp_path / "backup")
    with pytest.raises(ConfigError, match="there is no ledger"):
        restore_ledger(place, tmp_path / "nowhere")
    assert take(place, 3) == [1, 2, 3]


def test_a_server_restored_by_its_own_means_is_held_on_demand(postgres_ledger_url: str) -> None:
    from dgspay.payouts import PostgresLedger

    with PostgresLedger(postgres_ledger_url) as ledger:
        payouts = [
            Payout(number=number, reference=f"r{number}", amount=1000, account=str(number))
            for number in range(1, 11)
        ]
        batch = ledger.load(Batch(name="b", digest="d", terms=TERMS), payouts)
        ledger.start("b")
        assert hold_ledger(ledger).held == 10
        with pytest.raises(PausedError):
            ledger.take(ledger.claim(batch, 0, 1, 10), after=0, limit=9)
        ledger.start("b")  # by a person who has seen it
        assert ledger.take(ledger.claim(batch, 0, 1, 10), after=0, limit=9) == []


async def test_a_payee_paid_since_the_backup_is_not_paid_again(tmp_path: Path) -> None:
    place = tmp_path / "ledger.sqlite3"
    sheet = write_sheet(tmp_path / "salaries.csv", 12)

    async def run(dgs: Any, **options: Any) -> Any:
        with SqliteLedger(place) as ledger:
            return await AsyncPayouts(dgs, ledger).run(sheet, settle_within=0, **options)

    with in_process() as (emulator, dgs):
        emulator.faults.fail_next("POST /disburse", error_code="91", times=1000)
        assert (await run(dgs)).unsent == 12
        emulator.faults.clear()
        backup = backup_of(place, tmp_path / "backup")
        assert (await run(dgs)).unsent == 0
        restore_ledger(place, backup)
        summary = await run(dgs)
        assert (summary.unsent, summary.in_doubt) == (0, 12)
        assert list(paid(emulator).values()) == [1] * 12


def test_the_commands_say_what_they_did_and_what_is_next(tmp_path: Path) -> None:
    ledger, backup = tmp_path / "ledger.sqlite3", tmp_path / "backup"
    place = ["--ledger", str(ledger)]
    first = write_sheet(tmp_path / "nov.csv", 5)
    later = [
        {**row, "reference": f"dec-{number}", "amount": str(7000 + number)}
        for number, row in enumerate(payments(5))
    ]
    second = write_sheet(tmp_path / "dec.csv", later)
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)

        def say(*arguments: str, code: int) -> str:
            return finish(start(*arguments, environ=environ), [code])

        pay = ["run", str(first), "--yes", "--settle-within", "0", *place]
        say(*pay, code=0)
        assert "Written to" in say("backup", str(backup), *place, code=0)
        say("run", str(second), "--yes", "--settle-within", "0", *place, code=0)
        assert "Hold everything" in say("restore", str(backup), *place, code=1)
        said = say("restore", str(backup), "--yes", *place, code=5)
        assert "'dec' was begun since and is not in it: up to row 5 was sent" in said
        assert f"restore --compared --ledger {ledger}" in said
        assert "may have been paid already" in say("run", str(second), "--yes", *place, code=2)
        assert "own means" in say("backup", "x", "--ledger", "postgresql://nowhere/x", code=2)
        assert "Recorded" in say("restore", "--compared", "--yes", *place, code=0)
        assert list(paid(emulator).values()) == [2] * 5  # November and December
