"""The SQLite inbox beside others that write: how long it waits, what it leaves alone; row 43."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dgspay.webhooks import SQLiteInbox
from dgspay.webhooks.inbox import Claim, Refusal, sqlite

pytestmark = pytest.mark.acceptance(43, "handled-once")

KEY = "payment.success:dgs_123456789"


class Time:
    """Moved by each sleep, in steps that a float holds exactly."""

    def __init__(self, step: float) -> None:
        self.now = 0.0
        self.step = step
        self.asked_for: list[float] = []
        self.after_three: Callable[[], object] | None = None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.asked_for.append(seconds)
        assert len(self.asked_for) < 100, "it waits for ever"
        self.now += self.step
        if len(self.asked_for) == 3 and self.after_three is not None:
            self.after_three()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    moved = Time(step=1.0)
    fake = SimpleNamespace(monotonic=moved.monotonic, sleep=moved.sleep, time=lambda: 1e9)
    monkeypatch.setattr(sqlite, "time", fake)
    return moved


@pytest.fixture
def writer(sqlite_path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who is writing, and whose lock nothing but the test gives up."""
    SQLiteInbox(sqlite_path).forget(older_than=0)  # makes the file
    with contextlib.closing(sqlite3.connect(sqlite_path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


@pytest.mark.parametrize(
    ("options", "waits"),
    # At the very moment at which its time is up it tries once more.
    [({}, 11), ({"busy_timeout": 5.0}, 6), ({"busy_timeout": 0.0}, 1)],
)
def test_it_waits_for_a_writer_ten_seconds_or_its_timeout(
    options: dict[str, Any],
    waits: int,
    sqlite_path: Path,
    time: Time,
    writer: sqlite3.Connection,
) -> None:
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        SQLiteInbox(sqlite_path, **options).claim(KEY, lease=60)
    assert len(time.asked_for) == waits
    # Short ones, or next to a busy process it would hardly ever get a turn.
    assert all(0.0005 <= seconds <= 0.003 for seconds in time.asked_for)


def test_it_takes_its_turn_as_soon_as_there_is_one(
    sqlite_path: Path, time: Time, writer: sqlite3.Connection
) -> None:
    time.after_three = lambda: writer.execute("ROLLBACK")
    assert isinstance(SQLiteInbox(sqlite_path).claim(KEY, lease=60), Claim)
    assert len(time.asked_for) == 3


def test_what_no_waiting_helps_against_is_raised_at_once(tmp_path: Path, time: Time) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        SQLiteInbox(tmp_path).claim(KEY, lease=60)
    assert time.asked_for == []


def test_an_event_that_is_done_while_its_claim_waits_is_done(sqlite_path: Path) -> None:
    class Overtaken(SQLiteInbox):
        """Somebody handles the event between its first look and its turn to write."""

        @contextlib.contextmanager
        def _transaction(self) -> Iterator[sqlite3.Connection]:
            elsewhere = SQLiteInbox(sqlite_path)
            claim = elsewhere.claim(KEY, lease=60)
            assert isinstance(claim, Claim)
            elsewhere.done(claim)
            with super()._transaction() as connection:
                yield connection

    assert Overtaken(sqlite_path).claim(KEY, lease=60) is Refusal.DONE


WRITES_TOO = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
try:
    connection.execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print(error)
else:
    print("nobody holds the lock")
connection.close()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps its locks by the handle")
def test_a_look_at_the_inbox_lets_go_of_no_lock_that_is_held(
    sqlite_path: Path, writer: sqlite3.Connection
) -> None:
    # POSIX lets go of all a process's locks on a file when it closes the file, in any way.
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        SQLiteInbox(sqlite_path, busy_timeout=0).claim(KEY, lease=60)
    command = [sys.executable, "-c", WRITES_TOO, str(sqlite_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "database is locked\n"
