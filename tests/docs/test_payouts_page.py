"""What docs/payouts.md shows is run: payroll, the rows in doubt, and other people's schedulers."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dgspay import DGSPay
from dgspay.cli.payouts.display import EXIT_CODES
from dgspay.emulator import Emulator
from dgspay.payouts import ChunkRef, Payouts, PostgresLedger, State
from tests.cli.terminal import CommandLine, variables
from tests.support.crash_points import paid
from tests.support.sheet_factory import RICH, write_sheet

PAGE = Path(__file__).parents[2] / "docs" / "payouts.md"
if not PAGE.exists():
    pytest.skip("docs/payouts.md is not part of this copy", allow_module_level=True)
TEXT = PAGE.read_text(encoding="utf-8")

_BLOCK = re.compile(r"^##+ (.+?)$|^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SAID = re.compile(r"^\s*print\(.*\)  # (.+)$", re.MULTILINE)


def block(title: str, kind: str = "python") -> str:
    under = ""
    for heading, language, code in _BLOCK.findall(TEXT):
        under = heading or under
        if (under, language) == (title, kind):
            return str(code)
    raise AssertionError(title)


def run(title: str) -> dict[str, Any]:
    """Run a block; it must print what its comments say, if they say anything."""
    names: dict[str, Any] = {"__name__": f"payouts.md {title}"}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block(title), f"payouts.md, {title}", "exec"), names)
    said = _SAID.findall(block(title))
    assert not said or printed.getvalue().splitlines() == said
    names["printed"] = printed.getvalue()
    return names


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DGSPAY_PAYOUTS_LEDGER", raising=False)
    write_sheet(tmp_path / "salaries.csv", 40)
    with Emulator(settle_after=0, balances=RICH, seed=3) as emulator, emulator.serve() as server:
        for name, value in variables(emulator, server.url).items():
            monkeypatch.setenv(name, value)
        yield emulator


def test_ten_lines_of_the_page_pay_forty_rows_and_write_a_report(emulator: Emulator) -> None:
    code = block("Ten lines on Friday")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    run("Ten lines on Friday")
    assert len(emulator.executed) == 40
    assert "<!doctype html>" in Path("salaries.html").read_text(encoding="utf-8")


def test_the_commands_of_the_page_pay_each_row_once(emulator: Emulator) -> None:
    dgspay = CommandLine({})
    for line in block("Ten lines on Friday", "sh").splitlines():
        said = dgspay(*shlex.split(line)[1:])
        assert said.code == 0, (line, said)
    assert set(paid(emulator).values()) == {1}


def test_what_is_in_doubt_is_settled_by_a_person(emulator: Emulator) -> None:
    emulator.faults.lose_answer("POST /disburse")
    with pytest.raises(AssertionError):  # it prints "0 1", and the block says "0 0"
        run("Ten lines on Friday")
    assert "a whole answer had come" in run("When the machine dies")["printed"]
    assert not run("When the machine dies")["printed"]


def test_the_page_has_the_exit_codes_of_the_help() -> None:
    told = dict(re.findall(r"^\| (\d+) \| (.+?) \|$", TEXT, re.MULTILINE))
    assert told == dict(re.findall(r"^  (\d+) +(.+)$", EXIT_CODES, re.MULTILINE))


# --- other people's schedulers ------------------------------------------------------------


@pytest.fixture
def ledger(
    emulator: Emulator, postgres_ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PostgresLedger]:
    monkeypatch.setenv("PAYROLL_LEDGER", postgres_ledger_url)
    write_sheet(Path("salaries.csv"), 600)
    with PostgresLedger(postgres_ledger_url) as ledger:
        yield ledger


def everybody_is_paid_once(emulator: Emulator, ledger: PostgresLedger) -> None:
    assert (len(emulator.executed), set(paid(emulator).values())) == (600, {1})
    assert ledger.counts("salaries").count(State.CONFIRMED, State.ACCEPTED) == 600


@pytest.mark.acceptance(53, "two-workers")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_celery_pays_chunks(
    emulator: Emulator, ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    testing = pytest.importorskip("celery.contrib.testing.worker", reason="celery is missing")
    monkeypatch.setenv("CELERY_BROKER", "memory://")
    monkeypatch.setenv("CELERY_BACKEND", "cache+memory://")
    names = run("Celery")
    worker = testing.start_worker(
        names["app"], pool="threads", concurrency=2, perform_ping_check=False, loglevel="ERROR"
    )
    printed = io.StringIO()
    with worker, contextlib.redirect_stdout(printed):
        names["pay_everybody"]("salaries.csv")
    assert printed.getvalue() == "0 0\n"
    everybody_is_paid_once(emulator, ledger)


@pytest.mark.acceptance(53, "two-workers")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_dbos_pays_chunks(emulator: Emulator, ledger: PostgresLedger, tmp_path: Path) -> None:
    dbos = pytest.importorskip("dbos", reason="dbos is not installed")
    dbos.DBOS(
        config={
            "name": "payroll",
            "system_database_url": f"sqlite:///{tmp_path / 'dbos.sqlite3'}",
            "run_admin_server": False,
        }
    )
    try:
        names = run("DBOS")
        dbos.DBOS.launch()
        with DGSPay.from_env() as dgs:
            summary = Payouts(dgs, ledger).run("salaries.csv", engine=names["DBOSEngine"]())
    finally:
        dbos.DBOS.destroy(destroy_registry=True)
    assert (summary.unsent, summary.in_doubt) == (0, 0)
    everybody_is_paid_once(emulator, ledger)


@pytest.mark.acceptance(53, "two-workers")
def test_an_activity_of_temporal_pays_a_chunk(emulator: Emulator, ledger: PostgresLedger) -> None:
    testing = pytest.importorskip("temporalio.testing", reason="temporalio is not installed")

    class TemporalEngine:
        """Runs the activity as a worker would, without the server that would send it there."""

        async def submit(self, chunks: Sequence[ChunkRef]) -> None:
            self.chunks = chunks

        async def work(self, pay: object, stop: object, *, until_idle: bool) -> None:
            for ref in self.chunks:
                await testing.ActivityEnvironment().run(
                    names["pay_chunk"], ref.batch, ref.index, ref.first, ref.last
                )

    names = run("Temporal")
    with DGSPay.from_env() as dgs:
        Payouts(dgs, ledger).run("salaries.csv", engine=TemporalEngine())
    everybody_is_paid_once(emulator, ledger)
