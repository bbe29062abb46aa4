"""Processes that receive webhooks, told line by line what to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Seconds no run takes; a worker that hangs is killed then.
ENOUGH = 300

KINDS = ["sqlite", "postgres", "async_postgres", "redis", "async_redis"]


def address_of(kind: str, request: pytest.FixtureRequest) -> str:
    server = kind.removeprefix("async_")
    fixture = "sqlite_path" if server == "sqlite" else f"{server}_url"
    return str(request.getfixturevalue(fixture))


@contextmanager
def worker(module: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process that has its inbox open and waits for the word to begin."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            assert hear(process) == "ready"
            yield process
        finally:
            process.kill()


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()
