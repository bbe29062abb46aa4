"""A PostgreSQL and a Redis of the tests' own, on unix sockets in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


def postgres_binaries() -> Path | None:
    """Where Debian or the PATH keeps initdb and pg_ctl, the newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    if found:
        return found[0].parent
    return None if on_path is None else Path(on_path).resolve().parent


@contextlib.contextmanager
def cleared(folder: str, *stop: str, user: str | None = None) -> Iterator[None]:
    """Stop a server and empty its folder when the block ends, and when the tests are killed.

    A shell waits for a line, or for the end of the process that could have written it.
    """
    command = ["sh", "-c", 'read -r _; "$@"; rm -rf "$0"', folder, *stop]
    with subprocess.Popen(
        command,
        user=user,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C goes to all that a terminal runs: the shell has its work to do then.
        start_new_session=True,
    ) as shell:
        assert shell.stdin is not None
        try:
            yield
        finally:
            shell.stdin.write(b"\n")


@dataclass(frozen=True)
class Postgres:
    """A server of a test's own."""

    url: str
    restart: Callable[[str], None]
    """Stop it in a mode of pg_ctl's, such as `immediate` for a crash, and start it again."""


@contextlib.contextmanager
def running_postgres(binaries: Path) -> Iterator[str]:
    """Start a private server on this machine; yield its connection string."""
    with postgres_server(binaries) as server:
        yield server.url


@contextlib.contextmanager
def postgres_server(binaries: Path, *options: str) -> Iterator[Postgres]:
    """Start a private server on this machine, with options of its own."""
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="dgspay-pg-") as folder:
        if user is not None:
            owner = pwd.getpwnam(user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        cluster = f"{folder}/cluster"

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [str(binaries / program), "-D", cluster, *arguments],
                check=True,
                user=user,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": folder},
            )

        run("initdb", "--username=shop", "--auth=trust", "--no-sync", "--encoding=UTF8")
        every = ("listen_addresses=''", "fsync=off", "shared_buffers=16MB", *options)
        started = f"-k {folder} " + " ".join(f"-c {option}" for option in every)
        stop = (str(binaries / "pg_ctl"), "-D", cluster, "-w", "-m", "immediate", "stop")
        with cleared(folder, *stop, user=user):
            start = ("-w", "-l", f"{folder}/log", "-o", started)
            run("pg_ctl", *start, "start")
            yield Postgres(
                f"host={folder} user=shop dbname=postgres",
                lambda mode: run("pg_ctl", *start, "-m", mode, "restart"),
            )


@contextlib.contextmanager
def running_redis(binary: str) -> Iterator[str]:
    """Start a private server on this machine; yield its URL."""
    with tempfile.TemporaryDirectory(prefix="dgspay-redis-") as folder:
        socket = f"{folder}/redis.sock"
        command = [binary, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
            cleared(folder, "kill", str(server.pid)),
        ):
            assert server.stdout is not None
            for line in server.stdout:
                if "eady to accept connections" in line:
                    break
            else:
                raise RuntimeError("redis-server did not start")
            yield f"unix://{socket}"


def run_beside_servers(command: Sequence[str]) -> int:
    """Run a command whose tests share one PostgreSQL and one Redis, where they are installed."""
    environment = dict(os.environ)
    with contextlib.ExitStack() as servers:
        if (binaries := postgres_binaries()) is not None:
            url = servers.enter_context(running_postgres(binaries))
            environment["DGSPAY_TEST_POSTGRES_URL"] = url
        if (redis := shutil.which("redis-server")) is not None:
            environment["DGSPAY_TEST_REDIS_URL"] = servers.enter_context(running_redis(redis))
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(run_beside_servers(sys.argv[1:]))
