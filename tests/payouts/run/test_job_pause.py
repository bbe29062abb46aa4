"""A run in another process, or on another machine, stops once a person pauses its batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from dgspay.emulator import Emulator
from dgspay.emulator.faults.kinds import Fault
from dgspay.emulator.http import Drop, Response
from dgspay.payouts import SqliteLedger
from tests.support.crash_points import environ_of, finish, paid, start, strike_at
from tests.support.sheet_factory import RICH, write_sheet

ROWS = 200


@attrs.define
class Act(Fault):
    """Calls a function when a request comes."""

    act: Callable[[], None]

    def instead(self) -> Response | Drop | None:
        self.act()
        return None


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_run_in_another_process_stops_at_once_and_goes_on_once_it_is_resumed(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    def opened() -> Any:
        if kind == "sqlite":
            return SqliteLedger(place)
        from dgspay.payouts import PostgresLedger

        return PostgresLedger(place)

    def pause() -> None:
        with opened() as ledger:
            ledger.pause_batch(ledger.batch("pay"), "the month is wrong")

    place = str(tmp_path / "ledger.sqlite3")
    if kind == "postgres":
        place = request.getfixturevalue("postgres_ledger_url")
    sheet = write_sheet(tmp_path / "pay.csv", ROWS)
    command = ["run", str(sheet), "--yes", "--concurrency", "4", "--ledger", place]
    with Emulator(settle_after=0, seed=1, balances=RICH) as emulator, emulator.serve() as server:
        environ = environ_of(emulator, server.url)
        strike_at(emulator, "POST /disburse", 9, Act(pause))
        said = finish(start(*command, environ=environ), [4])
        assert "Paused by a person: the month is wrong (" in said
        assert "dgspay payouts resume pay --ledger " in said
        with opened() as ledger:
            (line,) = [line for line in ledger.audit_log("pay") if line.action == "pause"]
            sent = [r.sent_at for r in ledger.page("pay", limit=ROWS) if r.sent_at is not None]
        # What the server's clock says of the row taken up last, and of the pause.
        assert max(sent) <= dt.datetime.fromisoformat(line.at).timestamp() + 0.001
        assert 9 <= len(paid(emulator)) == len(sent) < ROWS
        shown = finish(start("status", "pay", "--ledger", place, environ=environ), [4])
        assert "Paused by a person: the month" in shown
        refused = finish(start(*command, environ=environ), [4])
        assert "was paused by a person: the month is wrong" in refused
        resume = ["resume", "pay", "--note", "it is right", "--ledger", place]
        finish(start(*resume, environ=environ), [0])
        finish(start(*command, environ=environ), [0])
        assert (len(paid(emulator)), set(paid(emulator).values())) == (ROWS, {1})
        log = finish(start("log", "pay", "--ledger", place, environ=environ), [0])
        assert "it is right" in log
