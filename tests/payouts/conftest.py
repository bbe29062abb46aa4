"""A PostgreSQL of the payout tests' own, that they may restart."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.real_servers import postgres_binaries, running_postgres


@pytest.fixture(scope="session")
def payout_postgres() -> Iterator[tuple[str, Callable[[], None]]]:
    """A real PostgreSQL and what restarts it, or a skip that says what is missing."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    pytest.importorskip("pgqueuer", reason="pgqueuer is not installed")
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL: install postgresql")
    with running_postgres(binaries) as conninfo:
        folder = Path(conninfo.split()[0].removeprefix("host="))

        def restart() -> None:
            subprocess.run(
                [binaries / "pg_ctl", "-D", folder / "cluster", "-w", "-m", "fast", "restart"],
                check=True,
                user=pwd.getpwuid(folder.stat().st_uid).pw_name if os.geteuid() == 0 else None,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

        yield f"postgresql://shop@/postgres?host={folder}", restart


@pytest.fixture
def postgres_ledger_url(payout_postgres: tuple[str, Callable[[], None]]) -> str:
    """The same server with nothing in the ledger and nothing queued."""
    import psycopg

    url, _ = payout_postgres
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND "
            "(tablename LIKE 'dgspay_payout%' OR tablename = 'pgqueuer')"
        )
        for (table,) in tables.fetchall():
            connection.execute(f"TRUNCATE {table}")
    return url


@pytest.fixture(autouse=True)
def folder_of_ledgers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands of the test make their ledgers: none finds that of another test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "dgspay" / "payouts"
