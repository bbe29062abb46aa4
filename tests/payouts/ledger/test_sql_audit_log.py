"""The audit log in both databases: a line for everything that a person or a run decides."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import (
    Batch,
    Evidence,
    FaultKind,
    Learned,
    LedgerError,
    Payout,
    Payouts,
    Source,
    SqliteLedger,
    Terms,
    backup_ledger,
    confirm_compared,
    hold_ledger,
    restore_ledger,
)
from dgspay.payouts.ledger import sql_audit_log
from dgspay.payouts.model.audit_log import Action

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1", account_number="ACC")


def started(ledger: Any, name: str = "b") -> Batch:
    rows = [
        Payout(number=number, reference=f"{name}{number}", amount=1000, account=f"{name}{number}")
        for number in (1, 2, 3)
    ]
    batch: Batch = ledger.load(Batch(name=name, digest="d", terms=TERMS), rows)
    ledger.start(name)
    return batch


def actions(ledger: Any, batch: str | None = None) -> list[str]:
    return [line.action for line in ledger.audit_log(batch)]


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Any]:
    """Opens each kind of ledger, always the same one."""
    if request.param == "sqlite":
        return lambda: SqliteLedger(tmp_path / "ledger.sqlite3")
    from dgspay.payouts import PostgresLedger

    url = request.getfixturevalue("postgres_ledger_url")
    return lambda: PostgresLedger(url)


@pytest.fixture
def ledger(opened: Callable[[], Any]) -> Iterator[Any]:
    with opened() as ledger:
        yield ledger


def test_each_decision_has_a_line_with_who_and_why(ledger: Any) -> None:
    batch = started(ledger)
    ledger.start("b", allowed={2: "it was allowed by its reference"})
    ledger.pause("b", "the wallet is empty")
    ledger.pause("b", "once more")
    chunk = ledger.claim(batch, 0, 1, 3)
    ledger.start("b")
    ledger.take(chunk, after=0, limit=1)
    ledger.settle(batch, 1, Evidence(learned=Learned.LOST))
    said = Evidence(learned=Learned.PAID, source=Source.PERSON, reason="a person says so: portal")
    ledger.settle(batch, 1, said)
    ledger.settle(batch, 1, said)
    ledger.settle(batch, 1, Evidence(learned=Learned.WITHDRAWN, source=Source.PERSON, reason="no"))
    lines = ledger.audit_log("b")
    assert [(line.action, line.reason) for line in lines] == [
        ("confirm", None),
        ("resume", None),
        ("pause", "the wallet is empty"),
        ("resume", None),
        ("resolve", "a person says so: portal"),
        ("withdraw", "no"),
    ]
    first, allowed, *_, resolved, _ = lines
    assert first.what == "digest d, count 3, total 3000, account ACC, environment emulator"
    assert allowed.what.endswith("rows allowed by name 2")
    assert resolved.what == "row b1, amount 1000, from held, to confirmed"
    assert (first.role is None) is isinstance(ledger, SqliteLedger)
    assert Payouts(ledger=ledger).audit_log("b") == lines
    assert ledger.verify_audit_log() == []


def test_what_is_undone_leaves_no_line_and_no_note(ledger: Any) -> None:
    started(ledger)

    def fails(connection: Any) -> None:
        sql_audit_log.append(connection, Action.PAUSE, 0.0)
        raise ConfigError("no")

    with pytest.raises(ConfigError, match="no"):
        ledger.transact(fails)
    ledger.pause("b", "because")
    assert actions(ledger) == ["confirm", "pause"]
    assert ledger.verify_audit_log() == []


def test_two_who_write_at_once_write_one_chain(ledger: Any, opened: Callable[[], Any]) -> None:
    for name in ("b", "c"):
        started(ledger, name)

    def restart(by: Any, name: str) -> None:
        for _ in range(20):
            by.start(name)

    with opened() as other:
        threads = [
            threading.Thread(target=restart, args=(ledger, "b")),
            threading.Thread(target=restart, args=(other, "c")),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert other.verify_audit_log() == []
    assert [line.number for line in ledger.audit_log()] == [*range(1, 43)]


@pytest.mark.acceptance(108, "log-tampered")
def test_the_database_refuses_to_change_a_line(ledger: Any) -> None:
    started(ledger)
    for statement in (
        "UPDATE dgspay_payout_audit_log SET reason = 'x'",
        "DELETE FROM dgspay_payout_audit_log",
    ):
        with pytest.raises(LedgerError):
            ledger.transact(lambda connection, say=statement: connection.change(say, ()))
    assert actions(ledger) == ["confirm"]


def tamper(place: Path, *statements: str) -> None:
    with sqlite3.connect(place) as connection:
        for change in ("update", "delete"):
            connection.execute(f"DROP TRIGGER dgspay_payout_audit_log_{change}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


CUT: dict[str, tuple[str, int, FaultKind]] = {
    "changed": (
        "UPDATE dgspay_payout_audit_log SET os_user = 'eve' WHERE number = 2",
        2,
        FaultKind.CHANGED,
    ),
    "removed": ("DELETE FROM dgspay_payout_audit_log WHERE number = 2", 2, FaultKind.REMOVED),
    "cut off": ("DELETE FROM dgspay_payout_audit_log WHERE number > 2", 3, FaultKind.REMOVED),
    "emptied": ("DELETE FROM dgspay_payout_audit_log", 1, FaultKind.REMOVED),
}


@pytest.mark.acceptance(108, "log-tampered")
@pytest.mark.parametrize("case", CUT)
def test_a_file_edited_by_hand_is_noticed(tmp_path: Path, case: str) -> None:
    statement, number, kind = CUT[case]
    place = tmp_path / "ledger.sqlite3"
    with SqliteLedger(place) as ledger:
        started(ledger)
        ledger.pause("b", "one")
        ledger.start("b")
    tamper(place, statement)
    with SqliteLedger(place) as ledger:
        (fault,) = ledger.verify_audit_log()
    assert (fault.number, fault.kind) == (number, kind)


@pytest.mark.acceptance(108, "log-tampered")
def test_a_log_cut_off_is_noticed_after_it_has_grown_again(tmp_path: Path) -> None:
    place = tmp_path / "ledger.sqlite3"
    with SqliteLedger(place) as ledger:
        started(ledger)
        ledger.pause("b", "one")
        ledger.start("b")
    tamper(place, "DELETE FROM dgspay_payout_audit_log WHERE number > 1")
    with SqliteLedger(place) as ledger:
        ledger.pause("b", "two")
        (fault,) = ledger.verify_audit_log()
    assert (fault.number, fault.kind) == (3, FaultKind.REMOVED)


def test_a_backup_and_the_way_back_from_it_are_in_the_log(tmp_path: Path) -> None:
    place, copy = tmp_path / "ledger.sqlite3", tmp_path / "copy.sqlite3"
    with SqliteLedger(place) as ledger:
        started(ledger)
        backup_ledger(ledger, copy)
        ledger.pause("b", "because")
    restore_ledger(place, copy)
    with SqliteLedger(place) as ledger:
        confirm_compared(ledger)
        lines = ledger.audit_log()
        assert [line.action for line in lines] == ["confirm", "backup", "restore", "compare"]
        assert "audit log noted up to line 3" in lines[2].what
        assert ledger.verify_audit_log() == []


def test_a_server_that_was_restored_says_so_in_its_log(
    postgres_ledger_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from dgspay.payouts import PostgresLedger

    monkeypatch.setenv("DGSPAY_STATE_FOLDER", str(tmp_path))
    with PostgresLedger(postgres_ledger_url) as ledger:
        started(ledger)
        hold_ledger(ledger)
        assert actions(ledger) == ["confirm", "restore"]


def as_version_3(change: Callable[[str], Any]) -> None:
    """Take from a ledger what came with version 4."""
    for table in ("audit_log", "policies", "signatures", "prepared"):
        change(f"DROP TABLE dgspay_payout_{table}")
    for column in ("prepared_at", "exempt_at", "closed"):
        change(f"ALTER TABLE dgspay_payout_batches DROP COLUMN {column}")


def test_a_ledger_of_version_3_goes_on_with_a_log(tmp_path: Path) -> None:
    place = tmp_path / "ledger.sqlite3"
    with SqliteLedger(place) as ledger:
        batch = started(ledger)
    with sqlite3.connect(place) as connection:
        as_version_3(connection.execute)
        connection.execute("PRAGMA user_version = 3")
    connection.close()
    with SqliteLedger(place) as ledger:
        ledger.start("b")
        assert next((line.action, line.what) for line in ledger.audit_log()) == (
            "upgrade",
            "from version 3",
        )
        assert len(ledger.take(ledger.claim(batch, 0, 1, 3), after=0, limit=9)) == 3


def test_a_server_of_version_3_goes_on_and_older_workers_fail(postgres_ledger_url: str) -> None:
    import psycopg

    from dgspay.payouts import PostgresLedger

    with PostgresLedger(postgres_ledger_url) as ledger:
        batch = started(ledger)
    with psycopg.connect(postgres_ledger_url, autocommit=True) as connection:
        as_version_3(connection.execute)
        rename = "ALTER TABLE dgspay_payout_chunk_epochs RENAME TO dgspay_payout_worked_chunks"
        connection.execute(rename)
        connection.execute("COMMENT ON TABLE dgspay_payout_states IS 'dgspay payout ledger 3'")
    with PostgresLedger(postgres_ledger_url) as ledger:
        ledger.start("b")
        assert actions(ledger) == ["upgrade", "resume"]
        assert len(ledger.take(ledger.claim(batch, 0, 1, 3), after=0, limit=9)) == 3
    with (
        psycopg.connect(postgres_ledger_url) as connection,
        pytest.raises(psycopg.errors.UndefinedTable),
    ):
        connection.execute("SELECT epoch FROM dgspay_payout_worked_chunks")
