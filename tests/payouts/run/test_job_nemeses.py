"""Whole machines in trouble, at full size: nobody is paid twice, and nobody is forgotten.

`nox -s durability` runs them. What each of them is about has a quick test beside its source.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.emulator import Emulator
from dgspay.payouts import State
from tests.payouts.ledger.test_sqlite_full_disk import fill
from tests.payouts.run.test_job_machines import workers
from tests.support.crash_points import environ_of, finish, paid, start
from tests.support.cut_proxy import CutWire
from tests.support.postgres_clusters import Cluster, cluster
from tests.support.sheet_factory import RICH, write_sheet

pytestmark = [
    pytest.mark.skipif(not os.environ.get("DGSPAY_TEST_FULL"), reason="takes minutes"),
    pytest.mark.acceptance(52, "killed-run", 99, "lost-history", 101, "database-trouble"),
]

ROWS = 1500

# How a run may end where some answers are lost, some rows are left, or nothing is left to do.
ENDS = (0, 4, 5, 6, 9)


@contextlib.contextmanager
def dgs_pay(**options: Any) -> Iterator[tuple[Emulator, dict[str, str]]]:
    """A DGS-Pay that takes its time, so that there is a middle of a run."""
    settings = {"settle_after": 0, "seed": 1, "balances": RICH, "latency": 0.05, **options}
    with Emulator(**settings) as emulator, emulator.serve() as server:
        yield emulator, environ_of(emulator, server.url)


def wait_for(reached: Callable[[], bool], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.01)


def run_of(sheet: Path, url: str) -> list[str]:
    options = ("--yes", "--settle-within", "0", "--concurrency", "8")
    return ["run", str(sheet), "--ledger", url, *options]


def standing(url: str, batch: str = "salaries") -> dict[str, State]:
    from dgspay.payouts import PostgresLedger

    with PostgresLedger(url) as ledger:
        return {r.payout.account: r.state for r in ledger.page(batch, limit=ROWS)}


def check(emulator: Emulator, stands: dict[str, State]) -> None:
    """Nobody was paid twice, nobody is new who was paid, nobody is called paid who was not."""
    times = paid(emulator)
    assert set(times.values()) == {1}
    assert len(stands) == ROWS
    assert all(stands[who] is not State.NEW for who in times)
    assert all(who in times for who, state in stands.items() if state is State.ACCEPTED)


@contextlib.contextmanager
def pair(settings: str = "") -> Iterator[tuple[Cluster, Cluster, str]]:
    with cluster(settings=settings) as primary, cluster(standby_of=primary) as standby:
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
        yield primary, standby, f"postgresql://shop@{hosts}/postgres"


@pytest.mark.parametrize("with_workers", [0, 2])
def test_failover_to_a_standby_that_lags(tmp_path: Path, with_workers: int) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", ROWS)
    with dgs_pay() as (emulator, environ), pair() as (primary, standby, url):
        with workers(with_workers, url, environ):
            running = start(*run_of(sheet, url), environ=environ)
            wait_for(lambda: len(paid(emulator)) > ROWS // 10)
            standby.stop("fast")  # from here on it lags
            wait_for(lambda: len(paid(emulator)) > ROWS // 2)
            primary.stop()
            standby.start()
            standby.promote()
            finish(running, ENDS)
            finish(start(*run_of(sheet, url), environ=environ), ENDS)
        stands = standing(url)
        check(emulator, stands)
        assert sum(state is State.HELD for state in stands.values()) >= ROWS // 4


def test_failover_to_a_standby_that_has_every_commit(tmp_path: Path) -> None:
    sheet = write_sheet(tmp_path / "salaries.csv", ROWS)
    with dgs_pay() as (emulator, environ), pair() as (primary, standby, url):
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.reload()
        wait_for(lambda: primary.sql("SHOW synchronous_standby_names") == [("*",)])
        running = start(*run_of(sheet, url), environ=environ)
        wait_for(lambda: len(paid(emulator)) > ROWS // 3)
        primary.stop()
        standby.promote()
        finish(running, [0, 5])
        stands = standing(url)
        check(emulator, stands)
        assert sum(state is State.ACCEPTED for state in stands.values()) > ROWS * 0.9


def test_the_disk_of_the_server_fills_up(tmp_path: Path) -> None:
    """PostgreSQL itself gives up then, until a person makes room and starts it again."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    sheet = write_sheet(tmp_path / "salaries.csv", ROWS)
    with dgs_pay() as (emulator, environ), cluster() as server:
        server.stop("fast")
        small = server.folder / "small"
        small.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(small)]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("no small disk can be mounted here")
        try:
            shutil.chown(small, "nobody")
            shutil.move(server.data, small / "cluster")
            Path(server.data).symlink_to(small / "cluster")
            subprocess.run(["chown", "-R", "nobody", small], check=True)
            server.start()
            running = start(*run_of(sheet, server.url()), environ=environ)
            wait_for(lambda: len(paid(emulator)) > ROWS // 10)
            filler = fill(small)
            time.sleep(3)
            filler.unlink()
            with contextlib.suppress(subprocess.CalledProcessError):
                server.stop()
            server.start()
            finish(running, ENDS)
            finish(start(*run_of(sheet, server.url()), environ=environ), ENDS)
            check(emulator, standing(server.url()))
            server.stop()
        finally:
            subprocess.run(["umount", "--lazy", small], check=True)


def test_a_run_that_is_stopped_past_its_lease_and_wakes_up(
    tmp_path: Path, postgres_ledger_url: str
) -> None:
    sheet, url = write_sheet(tmp_path / "salaries.csv", ROWS), postgres_ledger_url
    with dgs_pay() as (emulator, environ):
        asleep = start(*run_of(sheet, url), environ=environ)
        wait_for(lambda: len(paid(emulator)) > ROWS // 10)
        asleep.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        while True:
            other = start(*run_of(sheet, url), environ=environ)
            out, err = other.communicate()
            if other.returncode != 2:
                break
            assert "is being run by another process" in out + err
            assert time.monotonic() - began < 60
        asleep.send_signal(signal.SIGCONT)
        finish(asleep, ENDS)
        check(emulator, standing(url))


def test_a_machine_that_loses_power_gives_its_batch_back_within_a_minute(
    tmp_path: Path, postgres_ledger_url: str
) -> None:
    """The server does not notice that the machine is gone: no connection is closed."""
    sheet, url = write_sheet(tmp_path / "salaries.csv", ROWS), postgres_ledger_url
    with dgs_pay() as (emulator, environ), CutWire(url, tmp_path) as wire:
        dying = start(*run_of(sheet, wire.url), environ=environ)
        wait_for(lambda: len(paid(emulator)) > ROWS // 10)
        wire.fall_silent()
        dying.kill()
        dying.communicate()
        began = time.monotonic()
        while True:
            other = start(*run_of(sheet, url), environ=environ)
            out, err = other.communicate()
            if other.returncode != 2:
                break
            assert "is being run by another process" in out + err
        assert time.monotonic() - began < 150  # a minute, and what it took to pay
        assert other.returncode == 5
        check(emulator, standing(url))


def test_workers_that_are_cut_off_from_the_database_and_come_back(
    tmp_path: Path, postgres_ledger_url: str
) -> None:
    sheet, url = write_sheet(tmp_path / "salaries.csv", ROWS), postgres_ledger_url
    with dgs_pay() as (emulator, environ), CutWire(url, tmp_path) as wire:
        with workers(1, wire.url, environ), workers(1, url, environ):
            running = start(*run_of(sheet, url), environ=environ)
            for share in (10, 5, 3):
                wait_for(lambda share=share: len(paid(emulator)) > ROWS // share)  # type: ignore[misc]
                wire.fall_silent()
                time.sleep(6)
                wire.flow_again()
            finish(running, ENDS)
            finish(start(*run_of(sheet, url), environ=environ), ENDS)
        stands = standing(url)
        check(emulator, stands)
        assert State.NEW not in stands.values()


def test_a_worker_that_is_cut_off_from_dgs_pay(tmp_path: Path, postgres_ledger_url: str) -> None:
    sheet, url = write_sheet(tmp_path / "salaries.csv", ROWS), postgres_ledger_url
    with dgs_pay() as (emulator, environ), CutWire(environ["DGSPAY_BASE_URL"]) as wire:
        behind = {**environ, "DGSPAY_BASE_URL": wire.url}
        running = start(*run_of(sheet, url), environ=behind)
        wait_for(lambda: len(paid(emulator)) > ROWS // 10)
        wire.fall_silent()
        finish(running, ENDS)  # many unknown answers in a row pause it
        wire.flow_again()
        finish(start(*run_of(sheet, url), environ=behind), ENDS)
        check(emulator, standing(url))
