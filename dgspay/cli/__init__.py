"""The `dgspay` command: see `dgspay --help`. It needs the extra `cli`."""

from __future__ import annotations

import importlib.util
import sys

__all__ = ["main"]

_USAGE = 2


def main() -> None:
    """Run the command line and exit with one of the codes that `dgspay --help` lists."""
    if any(importlib.util.find_spec(name) is None for name in ("typer", "rich")):
        print(
            "The dgspay command needs typer and rich. Install them with:\n"
            "    pip install 'dgspay[cli]'",
            file=sys.stderr,
        )
        raise SystemExit(_USAGE)
    from dgspay.cli.app import run  # noqa: PLC0415 - it imports the extra

    run()
