"""The command line as tests use it, in this process and in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs
from typer.testing import CliRunner

from dgspay.cli.app import build
from dgspay.emulator import Emulator

PATIENCE = 170.0


@attrs.frozen
class Said:
    """What a command wrote and how it ended."""

    out: str
    err: str
    code: int


@attrs.define
class CommandLine:
    """`dgspay` with the variables of an account."""

    environ: dict[str, str]

    def __call__(self, *arguments: str, answers: str | None = None) -> Said:
        result = CliRunner().invoke(
            build(), arguments, env=dict(self.environ), input=answers, catch_exceptions=False
        )
        return Said(result.stdout, result.stderr, result.exit_code)

    def without(self, *names: str) -> CommandLine:
        return CommandLine({k: v for k, v in self.environ.items() if k not in names})

    def having(self, **variables: str) -> CommandLine:
        return CommandLine({**self.environ, **variables})


def variables(emulator: Emulator, base_url: str) -> dict[str, str]:
    return {
        "DGSPAY_ENVIRONMENT": "emulator",
        "DGSPAY_BASE_URL": base_url,
        "DGSPAY_API_KEY": emulator.api_key,
        "DGSPAY_ACCOUNT_NUMBER": emulator.account_number,
        "DGSPAY_WEBHOOK_SECRET": emulator.webhook_secret,
    }


@contextmanager
def process(
    *arguments: str, environ: Mapping[str, str] = {}, folder: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m dgspay` until the block is left, in this folder where one is given."""
    running = subprocess.Popen(
        [sys.executable, "-m", "dgspay", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env={**os.environ, **environ},
    )
    with running:
        try:
            yield running
        finally:
            if running.poll() is None:
                running.kill()
