"""The `dgspay` command: see `dgspay --help`. It needs the extra `cli`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys

from dgspay._version import __version__
from dgspay.cli.prepared_help import HELP
from dgspay.cli.signals import quiet_interruption

__all__ = ["main"]

_PACKAGES = ("typer", "rich", "dotenv", "platformdirs")
"""The packages of the extra, as they are imported."""

_USAGE = 2
_WIDTH = 80


def main() -> None:
    """Run the command line and exit with one of the codes that `dgspay --help` lists."""
    with quiet_interruption():
        text = _prepared(sys.argv[1:])
        if text is not None:
            _write(text)
        if any(importlib.util.find_spec(name) is None for name in _PACKAGES):
            print(
                f"The dgspay command needs {', '.join(_PACKAGES)}. Install them with:\n"
                "    pip install 'dgspay[cli]'",
                file=sys.stderr,
            )
            raise SystemExit(_USAGE)
        from dgspay.cli.app import command_line, run  # noqa: PLC0415 - it imports the extra

        made = command_line()
    run(made)


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
