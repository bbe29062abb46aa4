"""A disk that fills up in the middle of a run: nothing is sent that is not in the ledger."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgspay.emulator import Emulator
from dgspay.payouts import State

from .killing import environ_of, finish, paid, start, states
from .sheets import RICH, write_sheet

ROWS = 300
ENOUGH_TO_LOAD = 200_000  # bytes; the ledger needs more before the last payout is sent

_LIMITED = """
import resource, runpy, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
runpy.run_module("dgspay", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte, or a skip where nobody may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def check_after(emulator: Emulator, environ: dict[str, str], command: list[str]) -> None:
    """What was sent is not new on disk, and the same command goes on once there is room."""
    ledger = Path(command[-1])
    sent = paid(emulator)
    assert len(sent) < ROWS
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


@pytest.mark.acceptance(52, 57)
def test_a_disk_that_fills_up_while_paying_stops_the_run(tmp_path: Path, small_disk: Path) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", ROWS)
    command = ["run", str(sheet), "--yes", "--concurrency", "4", "--ledger"]
    command.append(str(small_disk / "ledger.sqlite3"))
    filler = small_disk / "filler"
    filler.write_bytes(b"\0" * (free_bytes(small_disk) - ENOUGH_TO_LOAD))
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)
        said = finish(start(*command, environ=environ), [4])
        assert "full" in said
        assert paid(emulator)
        filler.unlink()
        check_after(emulator, environ, command)


@pytest.mark.acceptance(52, 57)
@pytest.mark.skipif(sys.platform == "win32", reason="no limit for the size of a file there")
@pytest.mark.parametrize("limit", [ENOUGH_TO_LOAD, 20_000], ids=["while-paying", "before"])
def test_a_file_that_may_not_grow_any_more_stops_the_run(tmp_path: Path, limit: int) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", ROWS)
    command = ["run", str(sheet), "--yes", "--concurrency", "4", "--ledger"]
    command.append(str(tmp_path / "ledger.sqlite3"))
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)
        limited = subprocess.run(
            [sys.executable, "-c", _LIMITED, str(limit), "payouts", *command],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert limited.returncode == 4, (limited.stdout, limited.stderr)
        assert bool(paid(emulator)) == (limit == ENOUGH_TO_LOAD)
        if limit == ENOUGH_TO_LOAD:
            check_after(emulator, environ, command)
