"""A ledger file that was deleted, copied, or put back as it was before is noticed in time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dgspay.emulator import Emulator
from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    ChunkRef,
    Evidence,
    Learned,
    LedgerError,
    Payout,
    State,
    Stop,
    Terms,
    WentBackError,
)
from dgspay.payouts.ledger.commit_notes import NoteFile, state_folder
from dgspay.payouts.ledger.sqlite import SqliteLedger
from dgspay.payouts.status import require_batch
from tests.support.crash_points import environ_of, finish, paid, start
from tests.support.sheet_factory import RICH, in_process, write_sheet

pytestmark = pytest.mark.acceptance(52, "killed-run", 57, "pause-and-full-disk", 99, "lost-history")

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1:1", account_number="ACC-1")

# Puts payouts in doubt, and dies before SQLite moves the commits out of its second file.
DIES = """
import os, sys
from dgspay.payouts import SqliteLedger
from dgspay.payouts.status import require_batch
ledger = SqliteLedger(sys.argv[1])
chunk = ledger.claim(require_batch(ledger, "b"), 0, 1, 3)
os._exit(ledger.take(chunk, after=0, limit=1)[0].number)
"""


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
        chunk = ledger.claim(require_batch(ledger, "b"), 0, 1, 3)
        (payout,) = ledger.take(chunk, after=0, limit=1)
        return payout.number


def take_one_up_and_die(place: Path) -> int:
    return subprocess.run([sys.executable, "-c", DIES, place], check=False, timeout=170).returncode


def settle_one(place: Path) -> int:
    """What a webhook or a person does: it pays nobody, and must not be forgotten either."""
    with SqliteLedger(place) as ledger:
        ledger.settle(require_batch(ledger, "b"), 3, Evidence(learned=Learned.NOT_PAID))
    return 0


def notes_of(place: Path) -> list[Path]:
    beside = place.with_name(f"{place.name}.note")
    noted = NoteFile(beside).read()
    folder = state_folder()
    assert noted is not None
    assert folder is not None
    return [beside, folder / "payouts" / f"{noted.ledger}.json"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A ledger of three payouts, of which one was taken up."""
    place = tmp_path / "ledger.sqlite3"
    load(place)
    assert take_one_up(place) == 1
    return place


def test_the_same_ledger_goes_on_wherever_it_was_moved(place: Path, tmp_path: Path) -> None:
    assert take_one_up(place) == 2
    elsewhere = tmp_path / "elsewhere" / "november.sqlite3"
    elsewhere.parent.mkdir()
    place.rename(elsewhere)
    assert take_one_up(elsewhere) == 3


@pytest.mark.parametrize("meanwhile", [take_one_up, take_one_up_and_die, settle_one])
@pytest.mark.parametrize("where", ["here", "renamed", "in another folder"])
def test_a_copy_of_before_is_refused_wherever_it_is_put(
    place: Path, tmp_path: Path, meanwhile: Callable[[Path], int], where: str
) -> None:
    backup = shutil.copy(place, tmp_path / "backup")
    meanwhile(place)
    for left in tmp_path.glob("ledger.sqlite3-*"):
        left.unlink()
    put = {
        "here": place,
        "renamed": tmp_path / "november.sqlite3",
        "in another folder": tmp_path / "other" / "ledger.sqlite3",
    }[where]
    put.parent.mkdir(exist_ok=True)
    shutil.copy(backup, put)
    with pytest.raises(LedgerError, match=r"lacks .*Nothing is sent.*restore --ledger"):
        take_one_up(put)


def test_a_folder_put_back_with_its_note_is_refused_by_the_note_of_the_user(
    place: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "payroll"
    folder.mkdir()
    for path in tmp_path.glob("ledger.sqlite3*"):
        path.rename(folder / path.name)
    shutil.copytree(folder, tmp_path / "backup")
    assert take_one_up(folder / place.name) == 2
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)
    with pytest.raises(LedgerError, match="lacks"):
        take_one_up(folder / place.name)


def test_without_the_users_folder_the_note_beside_the_file_counts(place: Path) -> None:
    """As in a container, of which only the folder with the ledger outlives the day."""
    backup = shutil.copy(place, place.with_name("backup"))
    assert take_one_up(place) == 2
    notes_of(place)[1].unlink()
    shutil.copy(backup, place)
    with pytest.raises(LedgerError, match="lacks"):
        take_one_up(place)


def test_two_copies_are_not_both_continued(place: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(place, tmp_path / "copy.sqlite3"))
    assert take_one_up(other) == 2
    with pytest.raises(LedgerError, match="another copy of it was used"):
        take_one_up(place)
    assert take_one_up(other) == 3


def test_two_copies_are_not_both_continued_at_the_same_time(place: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(place, tmp_path / "copy.sqlite3"))
    with SqliteLedger(place) as one, SqliteLedger(other) as two:
        chunk = one.claim(require_batch(one, "b"), 0, 1, 3)
        assert len(one.take(chunk, after=0, limit=1)) == 1
        with pytest.raises(WentBackError, match="another copy"):
            two.take(two.claim(require_batch(two, "b"), 0, 1, 3), after=0, limit=1)
    assert take_one_up(place) == 3


@pytest.mark.parametrize("move", ["renamed", "moved", "copied while in use"])
def test_a_file_that_lost_its_log_is_refused_and_found_whole_with_it(
    place: Path, tmp_path: Path, move: str
) -> None:
    assert take_one_up_and_die(place) == 2
    log = place.with_name("ledger.sqlite3-wal")
    moved = tmp_path / ("november.sqlite3" if move == "renamed" else "machine/ledger.sqlite3")
    moved.parent.mkdir(exist_ok=True)
    for note in notes_of(place):
        note.unlink()  # another machine
    shutil.copy(place, moved)
    for _ in range(2):
        with pytest.raises(LedgerError, match=r"not closed in order.*-wal.*restore --ledger"):
            take_one_up(moved)
    shutil.copy(log, moved.with_name(f"{moved.name}-wal"))
    assert take_one_up(moved) == 3


def test_a_new_ledger_that_loses_its_log_is_no_empty_one(tmp_path: Path) -> None:
    """Until SQLite moves them, even the tables are in the log alone."""
    place = tmp_path / "ledger.sqlite3"
    load(place)
    place.unlink()
    script = DIES.replace("ledger.claim", "os._exit(0) or ledger.claim")
    subprocess.run([sys.executable, "-c", script, place], check=True, timeout=170)
    place.with_name("ledger.sqlite3-wal").unlink()
    with pytest.raises(LedgerError, match="not closed in order"):
        take_one_up(place)


def test_a_file_whose_log_had_nothing_more_goes_on_by_its_note(place: Path) -> None:
    """Other programs than ours take the log away when they close the file."""
    import sqlite3

    with SqliteLedger(place) as ledger:
        chunk = ledger.claim(require_batch(ledger, "b"), 0, 1, 3)
        assert len(ledger.take(chunk, after=0, limit=1)) == 1
        ledger._writer.run(lambda connection: None)
        copied = place.with_name("copied")
        for end in ("", "-wal", "-shm"):
            shutil.copy(f"{place}{end}", f"{copied}{end}")
    sqlite3.connect(copied).execute("SELECT count(*) FROM dgspay_payouts").connection.close()
    assert not copied.with_name("copied-wal").exists()
    shutil.copy(copied, place)
    assert take_one_up(place) == 3


def test_a_ledger_that_begins_anew_is_refused_until_a_person_says_nobody_was_paid(
    place: Path,
) -> None:
    notes = notes_of(place)
    place.unlink()
    for _ in range(2):
        with pytest.raises(LedgerError, match="Nothing was sent") as refused:
            load(place)
        assert not place.exists()
        assert all(str(note) in str(refused.value) for note in notes)
    for note in notes:
        note.unlink()
    load(place)
    assert take_one_up(place) == 1


def test_another_ledger_in_the_place_of_one_that_paid_is_refused(
    place: Path, tmp_path: Path
) -> None:
    load(tmp_path / "other.sqlite3")
    (tmp_path / "other.sqlite3").replace(place)
    with pytest.raises(LedgerError, match="now there is another one"):
        take_one_up(place)


@pytest.mark.parametrize("noted", [b"", b"?", b"-1", b"[]", b'{"ledger": 1}', "٣".encode()])
def test_a_note_that_is_none_says_nothing(place: Path, noted: bytes) -> None:
    for note in notes_of(place):
        note.write_bytes(noted)
    assert take_one_up(place) == 2


@pytest.mark.anyio
async def test_a_program_that_pays_chunks_by_itself_is_refused_with_the_reason(
    tmp_path: Path,
) -> None:
    place, sheet = tmp_path / "ledger.sqlite3", write_sheet(tmp_path / "b.csv", 5)
    everybody = ChunkRef(batch="b", index=0, first=1, last=5)
    stop = Stop()
    stop.set()
    with in_process() as (emulator, dgs):
        with SqliteLedger(place) as ledger:
            await AsyncPayouts(dgs, ledger).run(sheet, stop=stop, settle_within=0)
        backup = shutil.copy(place, tmp_path / "backup")
        with SqliteLedger(place) as ledger:
            assert await AsyncPayouts(dgs, ledger).pay_chunk(everybody) is None
        shutil.copy(backup, place)
        with SqliteLedger(place) as ledger:
            payouts = AsyncPayouts(dgs, ledger)
            assert "lacks" in str(await payouts.pay_chunk(everybody))
            assert (await payouts.status("b")).counts.count(State.NEW) == 5
        assert list(paid(emulator).values()) == [1] * 5


def test_the_command_pays_nobody_again_who_was_paid_since_the_backup(tmp_path: Path) -> None:
    sheet, ledger = write_sheet(tmp_path / "salaries.csv", 20), tmp_path / "ledger.sqlite3"
    command = ["run", str(sheet), "--yes", "--ledger", str(ledger)]
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)
        emulator.faults.fail_next("POST /disburse", error_code="91", times=1000)
        finish(start(*command, environ=environ), [4])  # nobody is paid, and a backup is made
        emulator.faults.clear()
        shutil.copy(ledger, tmp_path / "backup")
        finish(start(*command, environ=environ), [0])
        shutil.copy(tmp_path / "backup", ledger)
        assert "restored from a backup" in finish(start(*command, environ=environ), [4])
        ledger.unlink()
        assert "deleted, moved or replaced" in finish(start(*command, environ=environ), [4])
        assert set(paid(emulator).values()) == {1}
