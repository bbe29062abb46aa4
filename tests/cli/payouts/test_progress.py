"""The progress of a run, and a status that is followed, on a real terminal and off it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping
from pathlib import Path

import anyio
import anyio.lowlevel
import attrs
import pytest

from dgspay.cli.payouts.progress import Progress, span, telling
from dgspay.emulator import Emulator
from dgspay.payouts import (
    Counts,
    Evidence,
    Learned,
    LedgerError,
    Payout,
    Payouts,
    SqliteLedger,
    State,
)
from tests.cli.terminal import CommandLine
from tests.support.crash_points import ENOUGH, environ_of, ledger_of
from tests.support.sheet_factory import RICH, write_sheet

COLUMNS, LINES = 80, 24
_STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@attrs.define
class Terminal:
    """A program on a terminal of 80 columns, and every byte it writes."""

    process: subprocess.Popen[bytes]
    ours: int
    written: bytes = b""

    @classmethod
    def start(cls, *arguments: str, environ: Mapping[str, str]) -> Terminal:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        settings = {k: v for k, v in environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
        process = subprocess.Popen(
            [sys.executable, "-m", "dgspay", "payouts", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**settings, "TERM": "xterm-256color"},
        )
        os.close(theirs)
        return cls(process, ours)

    def read_until(self, words: str | None = None) -> None:
        """Read until the program has written something, or until its end."""
        while words is None or words not in self.plain:
            try:
                piece = os.read(self.ours, 65536)
            except OSError:  # how Linux says that the other side has closed
                piece = b""
            if not piece:
                assert words is None, self.plain
                return
            self.written += piece

    def end(self) -> int:
        self.read_until()
        os.close(self.ours)
        return self.process.wait(ENOUGH)

    @property
    def plain(self) -> str:
        return _STEERING.sub("", self.written.decode(errors="replace"))

    @property
    def lines(self) -> list[str]:
        return [line for line in re.split(r"[\r\n]+", self.plain) if line]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DGSPAY_PAYOUTS_LEDGER", raising=False)
    return tmp_path


def test_a_terminal_of_80_columns_shows_bar_rate_time_left_and_counts(folder: Path) -> None:
    write_sheet(folder / "salaries.csv", 100)
    with Emulator(settle_after=0, balances=RICH, seed=3) as emulator, emulator.serve() as server:
        emulator.faults.lose_answer("POST /disburse", times=2)
        command = ["run", "salaries.csv", "--yes", "--rate", "100", "--concurrency", "4"]
        terminal = Terminal.start(*command, environ=environ_of(emulator, server.url))
        assert terminal.end() == 5, terminal.plain
    bars = [line for line in terminal.lines if line.startswith("Paying")]
    assert re.fullmatch(r"Paying +[━╸╺]+ +\d+ of 100", bars[-1])
    counts = [int(re.findall(r"(\d+) of", bar)[0]) for bar in bars]
    assert counts == sorted(counts)
    assert any(0 < count < 100 for count in counts)
    figures = [line for line in terminal.lines if "/s  " in line]
    assert max(map(len, bars + figures)) <= COLUMNS
    assert re.fullmatch(r"\d+/s  \d+:\d\d left  accepted \d+  failed 0  in doubt 2", figures[-1])
    assert re.search(r"Settling +[━╸╺]+ +98 of 100", terminal.plain)
    assert "accepted 0  confirmed 98  failed 0  in doubt 2" in terminal.plain
    # The command to give is in one piece, to be copied.
    assert f"status salaries --ledger {ledger_of(folder)}" in re.sub(r"\r?\n", "", terminal.plain)
    # In colour, and with nothing left hidden.
    assert b"\x1b[33min doubt 2" in terminal.written
    assert terminal.written.rindex(b"\x1b[?25h") > terminal.written.rindex(b"\x1b[?25l")


def test_a_followed_status_stays_in_place_until_all_is_settled(folder: Path) -> None:
    write_sheet(folder / "s.csv", 3)
    with Emulator(settle_after=0, balances=RICH, seed=3) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)
        emulator.faults.lose_answer("POST /disburse")
        run = ("payouts", "run", "s.csv", "--yes", "--concurrency", "1")
        assert CommandLine(environ)(*run).code == 5
        status = Terminal.start("status", "s", "--follow", "--every", "0.1", environ=environ)
        reader = threading.Thread(target=status.read_until, args=("salary-1",))
        reader.start()
        reader.join(ENOUGH)
        assert "held" in status.plain
        with SqliteLedger(ledger_of(folder)) as ledger:
            Payouts(ledger=ledger).resolve("s", "salary-1", paid=True)
        assert status.end() == 0
    # The later picture was written over the earlier one.
    assert b"\x1b[1A\x1b[2K" in status.written
    assert status.plain.rstrip().splitlines()[-1].split() == ["confirmed", "3", "3,006"]


# --- the same figures, without waiting ----------------------------------------------------

PAYOUT = Payout(number=1, reference="r1", amount=1000, account="+250788123456", network="MTN")


@attrs.define
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_rate_and_time_left_follow_from_what_is_done() -> None:
    clock = Clock()
    progress = Progress(1000, clock)
    assert progress.line() == (
        "Paying: 0 of 1,000  0/s  -:-- left  accepted 0  failed 0  in doubt 0"
    )
    for learned in [Learned.ACCEPTED] * 90 + [Learned.REFUSED] * 6 + [Learned.LOST] * 4:
        progress.on_result(PAYOUT, Evidence(learned=learned))
    clock.now = 2.0
    assert progress.line() == (
        "Paying: 100 of 1,000  50/s  0:18 left  accepted 90  failed 6  in doubt 4"
    )
    progress.on_result(PAYOUT, Evidence(learned=Learned.NOT_SENT))
    assert progress.line().endswith("in doubt 4  not sent 1")


def test_what_other_machines_pay_is_counted_by_the_ledger() -> None:
    clock = Clock()
    progress = Progress(100, clock)
    progress.on_counts(Counts({State.NEW: (80, 80), State.ACCEPTED: (20, 20)}))
    clock.now = 4.0
    progress.on_counts(
        Counts(
            {
                State.NEW: (38, 38),
                State.IN_DOUBT: (2, 2),
                State.ACCEPTED: (59, 59),
                State.HELD: (1, 1),
            }
        )
    )
    assert progress.line() == (
        "Paying: 40 of 80  10/s  0:04 left  accepted 59  failed 0  in doubt 1"
    )


def test_settling_counts_what_is_settled_and_says_how_long_it_may_take() -> None:
    clock = Clock(100.0)
    progress = Progress(10, clock)
    progress.settle(60)
    counts = Counts({State.ACCEPTED: (4, 4), State.CONFIRMED: (5, 5), State.HELD: (1, 1)})
    progress.on_counts(counts)
    clock.now = 115.0
    assert progress.line() == (
        "Settling: 5 of 10  up to 0:45 more  accepted 4  confirmed 5  failed 0  in doubt 1"
    )
    progress.end(counts)
    assert "more" not in progress.line()


def test_a_worker_shows_what_it_pays_though_the_total_is_unknown() -> None:
    clock = Clock()
    progress = Progress(None, clock)
    for learned in [Learned.ACCEPTED] * 9 + [Learned.LOST]:
        progress.on_result(PAYOUT, Evidence(learned=learned))
    clock.now = 2.0
    assert progress.line() == "Paying: 10  5/s  accepted 9  failed 0  in doubt 1"
    assert "Paying 10  5/s  accepted 9" in str(progress.frame())


@pytest.mark.anyio
async def test_an_error_of_the_run_comes_out_as_it_is_and_one_of_counting_not_at_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    counted = 0

    async def count() -> Counts:
        nonlocal counted
        counted += 1
        raise LedgerError("no space left")

    with pytest.raises(LedgerError, match="the disk is full"):
        async with telling(Progress(3), count):
            while not counted:
                await anyio.lowlevel.checkpoint()
            raise LedgerError("the disk is full")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0:00"), (7.4, "0:07"), (725, "12:05"), (3723, "1:02:03")]
)
def test_a_span_of_time_is_written_in_words(seconds: float, words: str) -> None:
    assert span(seconds) == words
