"""PostgreSQL servers of the tests' own that can be reached over TCP, with standbys."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.support.real_servers import cleared, postgres_binaries


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@attrs.frozen
class Cluster:
    """A server in a folder."""

    binaries: Path
    folder: Path
    port: int

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as who owns the folder."""
        subprocess.run(
            [self.binaries / program, *arguments],
            check=True,
            user=pwd.getpwuid(self.folder.stat().st_uid).pw_name if os.geteuid() == 0 else None,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self.folder)},
        )

    @property
    def stopping(self) -> tuple[str, ...]:
        """The command that ends it."""
        return (str(self.binaries / "pg_ctl"), "-D", self.data, "-w", "-m", "immediate", "stop")

    @property
    def data(self) -> str:
        return str(self.folder / "cluster")

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder}"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", self.data, "-w", "-l", log, "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self.run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def reload(self) -> None:
        self.run("pg_ctl", "-D", self.data, "reload")

    def promote(self) -> None:
        self.run("pg_ctl", "-D", self.data, "-w", "promote")

    def allow(self, *lines: str) -> None:
        """Say who may connect."""
        Path(self.data, "pg_hba.conf").write_text("\n".join(lines) + "\n")
        self.reload()

    def url(self, user: str = "shop", database: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        import psycopg

        address = f"host={self.folder} port={self.port} user=shop dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@contextlib.contextmanager
def cluster(*, standby_of: Cluster | None = None, settings: str = "") -> Iterator[Cluster]:
    """Start a server, or a standby that follows one without its commits waiting for it."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL: install postgresql")
    # Short, for the name of a socket has a limit.
    with tempfile.TemporaryDirectory(prefix="dgspay-pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        server = Cluster(binaries, folder, free_port())
        if standby_of is None:
            initial = ("--username=shop", "--auth=trust", "--no-sync", "--encoding=UTF8")
            server.run("initdb", "-D", server.data, *initial)
            given = (
                f"{settings}\nfsync = off\nshared_buffers = 16MB\nlisten_addresses = '127.0.0.1'\n"
            )
            with Path(server.data, "postgresql.conf").open("a") as file:
                file.write(f"{given}wal_keep_size = 64MB\n")
        else:
            source = ("-h", "127.0.0.1", "-p", str(standby_of.port), "-U", "shop")
            server.run("pg_basebackup", *source, "-D", server.data, "-R", "-c", "fast", "--no-sync")
        user = "nobody" if os.geteuid() == 0 else None
        with cleared(name, *server.stopping, user=user):
            server.start()
            yield server
