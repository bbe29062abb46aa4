"""A disk that fills up in the middle of a run: nothing is sent that is not in the ledger."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import attrs
import pytest

from dgspay.emulator import Emulator
from dgspay.emulator.faults.kinds import Fault
from dgspay.emulator.http import Effect, Response
from dgspay.payouts import State
from tests.support.crash_points import ENOUGH, environ_of, finish, paid, start, states, strike_at
from tests.support.sheet_factory import RICH, write_sheet

# Hardly one is taken up before it is sent, so when so many were sent most are not taken up yet.
ROWS, SENT_BEFORE = 150, 20
TOO_SMALL = 20_000  # bytes; the rows alone need more

_LIMITED = """
import resource, runpy, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
runpy.run_module("dgspay", run_name="__main__", alter_sys=True)
"""


@attrs.frozen
class Befall(Fault):
    """Does something to the machine of the run once a request was carried out."""

    blow: Callable[[], object]

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        self.blow()
        return super().afterwards(answer)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that no log of this batch fills by itself, or a skip where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    """Leave no room on a disk; return the file that has it all."""
    found = os.statvfs(folder)
    filler = folder / "filler"
    # Somebody else may have had some of it first.
    with suppress(OSError):
        filler.write_bytes(b"\0" * (found.f_bavail * found.f_frsize))
    return filler


def check_after(emulator: Emulator, environ: dict[str, str], command: list[str]) -> None:
    """What was sent is not new on disk, and the same command goes on once there is room."""
    ledger = Path(command[-1])
    sent = paid(emulator)
    assert SENT_BEFORE <= len(sent) < ROWS
    assert set(sent.values()) <= {1}
    stands = states(ledger, "salaries")
    assert len(stands) == ROWS
    assert all(stands[who] is not State.NEW for who in sent)
    finish(start(*command, environ=environ), [0, 5])
    times = paid(emulator)
    stands = states(ledger, "salaries")
    assert set(times.values()) == {1}
    assert set(stands.values()) <= {State.CONFIRMED, State.HELD}
    assert stands.keys() - times.keys() <= {w for w, s in stands.items() if s is State.HELD}


def command_of(folder: Path, ledger: Path) -> list[str]:
    sheet = write_sheet(folder / "salaries.csv", ROWS)
    return ["run", str(sheet), "--yes", "--concurrency", "4", "--ledger", str(ledger)]


@pytest.mark.acceptance(52, "killed-run", 57, "pause-and-full-disk", 102, "payroll-exit-codes")
def test_a_disk_that_fills_up_while_paying_stops_the_run(tmp_path: Path, small_disk: Path) -> None:
    command = command_of(tmp_path, small_disk / "ledger.sqlite3")
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)
        full = Befall(lambda: fill(small_disk))
        strike_at(emulator, "POST /disburse", SENT_BEFORE, full)
        said = finish(start(*command, environ=environ), [9])
        assert "full" in said
        (small_disk / "filler").unlink()
        check_after(emulator, environ, command)


@pytest.mark.acceptance(52, "killed-run", 57, "pause-and-full-disk", 102, "payroll-exit-codes")
def test_a_file_that_may_not_grow_any_more_stops_the_run(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="no limit for the size of a file here")
    if not hasattr(resource, "prlimit"):
        pytest.skip("no limit for another process here")
    ledger = tmp_path / "ledger.sqlite3"
    command = command_of(tmp_path, ledger)
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)
        process = start(*command, environ=environ)

        def forbid_to_grow() -> None:
            # What is written goes to the end of the log first.
            size = Path(f"{ledger}-wal").stat().st_size
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, size))

        strike_at(emulator, "POST /disburse", SENT_BEFORE, Befall(forbid_to_grow))
        finish(process, [9])
        check_after(emulator, environ, command)


@pytest.mark.acceptance(52, "killed-run", 57, "pause-and-full-disk")
@pytest.mark.skipif(sys.platform == "win32", reason="no limit for the size of a file there")
def test_a_file_that_may_not_grow_from_the_start_sends_nothing(tmp_path: Path) -> None:
    command = command_of(tmp_path, tmp_path / "ledger.sqlite3")
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        limited = subprocess.run(
            [sys.executable, "-c", _LIMITED, str(TOO_SMALL), "payouts", *command],
            env=environ_of(emulator, server.url),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ENOUGH,
            check=False,
        )
        assert limited.returncode == 4, (limited.stdout, limited.stderr)
        assert not emulator.executed
