"""The `dgspay` command: see `dgspay --help`. It needs the extra `cli`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from dgspay._version import __version__

__all__ = ["main"]

HELP = Path(__file__).with_name("help.txt")
"""The help of the whole, as `dgspay --help` prints it in a terminal with room for it."""

_USAGE = 2
_WIDTH = 80


def main() -> None:
    """Run the command line and exit with one of the codes that `dgspay --help` lists."""
    text = _prepared(sys.argv[1:])
    if text is not None:
        _write(text)
    if any(importlib.util.find_spec(name) is None for name in ("typer", "rich")):
        print(
            "The dgspay command needs typer and rich. Install them with:\n"
            "    pip install 'dgspay[cli]'",
            file=sys.stderr,
        )
        raise SystemExit(_USAGE)
    from dgspay.cli.app import run  # noqa: PLC0415 - it imports the extra

    run()


def _prepared(arguments: list[str]) -> str | None:
    """Return the text that answers without any command being imported, or None.

    The help of the whole is prepared, for terminals with room for it as it was made.
    """
    if arguments == ["--version"]:
        return f"dgspay {__version__}\n"
    if arguments != ["--help"] or shutil.get_terminal_size().columns < _WIDTH:
        return None
    try:
        return HELP.read_text(encoding="utf-8")
    except OSError:
        return None


def _write(text: str) -> None:
    """Write a text and end; return where it cannot be written, for the guard of the streams."""
    try:
        # Without a buffer: what is left in one would be tried again when the program ends.
        descriptor = sys.stdout.fileno()
        left = text.encode(sys.stdout.encoding, "replace")
        while left:
            left = left[os.write(descriptor, left) :]
    except (AttributeError, OSError, ValueError):
        return
    raise SystemExit(0)
