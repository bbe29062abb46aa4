"""A PgBouncer of the tests' own, in transaction mode, before one of their servers."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.postgres_clusters import free_port

_SETTINGS = """
[databases]
{database} = host={server} port={behind} user=shop dbname={database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
auth_file = {users}
pool_mode = transaction
default_pool_size = {size}
"""


@contextlib.contextmanager
def poolers(server: Path, behind: int = 5432) -> Iterator[Callable[..., str]]:
    """Yield what starts one with so many connections, and returns the URL of a database behind it.

    Args:
        server: The folder of the server's socket.
        behind: The server's port.
    """
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("no PgBouncer: install pgbouncer")
    owner = pwd.getpwuid(server.stat().st_uid).pw_name
    running: list[subprocess.Popen[bytes]] = []

    def start(size: int, database: str = "postgres") -> str:
        port = free_port()
        # Beside the server, where its owner may read it: our own folder is private.
        folder = server / f"pooler-{port}"
        folder.mkdir()
        folder.chmod(0o755)
        users, settings = folder / "users.txt", folder / "pooler.ini"
        users.write_text('"shop" ""\n')
        settings.write_text(
            _SETTINGS.format(
                server=server,
                behind=behind,
                database=database,
                port=port,
                users=users,
                size=size,
            )
        )
        as_owner = ["-u", owner] if os.geteuid() == 0 else []
        running.append(
            subprocess.Popen(
                [program, *as_owner, settings],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        url = f"postgresql://shop@127.0.0.1:{port}/{database}"
        _wait_for(url)
        return url

    try:
        yield start
    finally:
        for process in running:
            process.kill()
            process.wait()


def _wait_for(url: str) -> None:
    import psycopg

    until = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url, connect_timeout=10).close()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
        else:
            return
