"""An export of the portal settles what is held, and nothing that it leaves open or contradicts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import (
    Batch,
    Evidence,
    ExportedEnds,
    Learned,
    Payout,
    Payouts,
    Source,
    SqliteLedger,
    Terms,
)
from tests.cli.terminal import CommandLine

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1:1", account_number="ACC")
COUNT = 7


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    rows = [
        Payout(number, f"r{number}", 1000 * number, f"1{number}") for number in range(1, COUNT + 1)
    ]
    with SqliteLedger(tmp_path / "ledger.sqlite3") as ledger:
        batch = ledger.load(Batch(name="b", digest="d", terms=TERMS), rows)
        ledger.start("b")
        ledger.take(ledger.claim(batch, 0, 1, COUNT), after=0, limit=COUNT)
        for number in range(1, COUNT + 1):
            ledger.settle(batch, number, Evidence(learned=Learned.LOST))
        ledger.settle(batch, 7, Evidence(learned=Learned.ACCEPTED, dgs_reference="D7"))
        yield ledger


EXPORT = """\
Txn;Ref;Status;Amount;Note
;r1;Successful;1000;
;r2;FAILED;;
;r3;pending;3000;
;r4;successful;4001;
;r5;successful;5000;
;r5;failed;5000;
;r5;successful;5000;
;r6;failed;6000;
;r99;successful;1;
D7;;successful;7000.00;
"""
MAPPING = {"Txn": "dgs_reference", "Ref": "reference"}


def ends(ledger: SqliteLedger, path: Path, text: str) -> ExportedEnds:
    path.write_text(text, encoding="utf-8")
    return Payouts(ledger=ledger).read_ends("b", path, mapping=MAPPING)


def test_an_export_is_compared_line_by_line(ledger: SqliteLedger, tmp_path: Path) -> None:
    batch = ledger.batch("b")
    assert batch is not None
    ledger.settle(batch, 6, Evidence(learned=Learned.PAID, source=Source.WEBHOOK))
    found = ends(ledger, tmp_path / "portal.csv", EXPORT)
    assert [(end.line, end.record.payout.reference, end.paid) for end in found.ends] == [
        (2, "r1", True),
        (3, "r2", False),
        (11, "r7", True),
    ]
    assert [words.partition(": ")[0] for words in found.left] == [
        "line 4, r3",
        "line 5, r4",
        "line 7, r5",
        "line 9, r6",
    ]
    assert "it says failed, and the payout is confirmed" in found.left[3]
    assert "of another amount" in found.left[1]
    assert found.others == 1


def test_the_command_settles_what_is_certain_and_names_the_rest(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    path = tmp_path / "portal.csv"
    path.write_text("reference,status\nr1,successful\nr2,failed\nr3,pending\n", encoding="utf-8")
    dgspay = CommandLine({"DGSPAY_PAYOUTS_LEDGER": str(ledger.path)})
    said = dgspay("payouts", "resolve", "b", "--from", str(path), "--yes")
    assert said.code == 1
    assert "2 were settled" in said.out
    assert "Not settled: line 4, r3: pending" in said.err
    states = [record.state.value for record in ledger.page("b", limit=3)]
    assert states == ["confirmed", "failed", "held"]
    assert [line.reason for line in ledger.audit_log("b")][-1] == (
        "a person says so: portal export portal.csv, line 3"
    )
    again = dgspay("payouts", "resolve", "b", "--from", str(path), "--yes")
    assert "0 were settled; 2 lines" in again.out
    assert dgspay("payouts", "resolve", "b", "r1", "--from", str(path)).code == 2
    assert dgspay("payouts", "resolve", "b").code == 2


@pytest.mark.parametrize(
    "text",
    ["", "reference\nr1\n", "status\nfailed\n", "status,reference,Reference\nfailed,r1,r2\n"],
)
def test_a_file_that_lacks_a_column_is_refused(
    ledger: SqliteLedger, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "portal.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="column"):
        Payouts(ledger=ledger).read_ends("b", path)
    with pytest.raises(ConfigError, match="must have that heading"):
        Payouts(ledger=ledger).read_ends("b", path, mapping={"Txn": "dgs_reference"})
    with pytest.raises(ConfigError, match="cannot be read"):
        Payouts(ledger=ledger).read_ends("b", tmp_path / "nothing.csv")
    path.write_bytes("status,reference\nsuccessful,José\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="UTF-8"):
        Payouts(ledger=ledger).read_ends("b", path)
