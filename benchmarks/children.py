"""Programs of the benchmarks that run as processes of their own, asked line by line."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).resolve().parent.parent


@attrs.frozen
class Cores:
    """Which core the server is held on and which the clients; None where that cannot be."""

    server: int | None
    clients: int | None


def two_cores() -> Cores:
    """Pick a core for the server and another for the clients, if there are two."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return Cores(cores[0], cores[1]) if len(cores) > 1 else Cores(None, None)


class Child:
    """A process that answers each line of JSON with one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._to, self._from = process.stdin, process.stdout

    def listen(self) -> Any:
        """Return the next line.

        Raises:
            RuntimeError: the process has ended.
        """
        line = self._from.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait(10)}")
        return json.loads(line)

    def ask(self, question: object) -> Any:
        """Send a line and return the line that comes back."""
        self._to.write(json.dumps(question) + "\n")
        self._to.flush()
        return self.listen()


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of the benchmarks."""
    return [sys.executable, "-m", f"benchmarks.{module}", *arguments]


@contextlib.contextmanager
def child(argv: Sequence[str], *, core: int | None = None) -> Iterator[Child]:
    """Run a program until the block ends. The end of its input stops it."""
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    try:
        yield Child(process)
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
