"""The command line as a whole: its commands, its help, and its handling of errors."""

from __future__ import annotations

import errno
import importlib
import logging
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from dgspay import __version__, errors
from dgspay.cli.env_file import read_env_file
from dgspay.cli.exit_codes import ExitCode, code_for, tell_effect, tell_error, tell_lost
from dgspay.cli.prepared_help import HELP
from dgspay.cli.streams import OutputLostError, effect, forget_effect, guarded_streams
from dgspay.cli.terminal import console

_COMMANDS = {
    "demo": "demo",
    "shop": "shop",
    "emulator": "emulator",
    "doctor": "doctor",
    "balance": "balance",
    "banks": "banks",
    "charge": "charge",
    "disburse": "disburse",
    "books": "books",
    "transactions": "transactions",
    "links": "links",
    "webhooks": "webhooks",
    "payouts": "payouts",
    "orders": "orders",
}
"""Each command and the module of `dgspay.cli` that has it under the same name. A module is loaded
when its command is asked for: all of them together take longer than most commands."""


class _Commands(TyperGroup):
    """Commands whose errors are printed as sentences, with an exit code that scripts can use."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; see `ExitCode`."""
        forget_effect()
        try:
            return super().invoke(ctx)
        except errors.DGSPayError as error:
            tell_error(error)
            code: int = code_for(error)
        except KeyboardInterrupt:
            console(stderr=True).print("Stopped.")
            code = ExitCode.INTERRUPTED
        except OutputLostError:
            code = ExitCode.OUTPUT_LOST
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if not effect().begun:
                raise
            # An error after the request must not end the command as one before it.
            tell_effect(f"{type(error).__name__} after the request")
            done = effect().code
            code = ExitCode.UNKNOWN if done is None else done
        raise typer.Exit(code)


# The mark keeps the lines below it as they are.
_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code.value:<3}  {code.meaning}" for code in ExitCode)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"dgspay {__version__}")
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and exit."
        ),
    ] = False,
    env_file: Annotated[
        Path | None,
        typer.Option(
            "--env-file",
            metavar="FILE",
            help="Read DGSPAY_ variables that are not set from this file; .env if there is one.",
        ),
    ] = None,
) -> None:
    """The command line of dgspay, the Python SDK for DGS-Pay."""
    read_env_file(env_file)
    # The commands print errors themselves; log lines would only repeat them.
    logging.getLogger("dgspay").addHandler(logging.NullHandler())


def _without_commands() -> typer.Typer:
    made = typer.Typer(
        cls=_Commands,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        epilog=_EPILOG,
    )
    made.callback()(_options)
    return made


def _names_only() -> typer.Typer:
    """Make a command line whose commands have a name and a summary: a shell completes a name."""
    made = _without_commands()
    summaries = dict(_SUMMARY.findall(HELP.read_text(encoding="utf-8")))
    for name in _COMMANDS:
        made.command(name, help=summaries.get(name))(_nothing)
    return made


def _nothing() -> None:
    """Stand for a command."""


_SUMMARY = re.compile(r"^  ([a-z]+)  +(\S.*)$", re.MULTILINE)


def build(names: Iterable[str] = _COMMANDS) -> typer.Typer:
    """Make the command line with these commands."""
    made = _without_commands()
    for name in names:
        module = importlib.import_module(f"dgspay.cli.{_COMMANDS[name]}")
        found = getattr(module, name)
        if isinstance(found, typer.Typer):
            made.add_typer(found, name=name)
        else:
            made.command(epilog=getattr(module, "EXIT_CODES", None))(found)
    return made


def asked_for(arguments: Sequence[str]) -> Iterable[str]:
    """Return the command that is asked for; all of them where that is not plain to see."""
    left = iter(arguments)
    for argument in left:
        if argument == "--env-file":
            next(left, None)
        elif not argument.startswith("--env-file="):
            return (argument,) if argument in _COMMANDS else _COMMANDS
    return _COMMANDS


def _asked_to_complete() -> Sequence[str] | None:
    """Return the words that a shell wants completed; None where it is a command that is given."""
    if "_DGSPAY_COMPLETE" not in os.environ:
        return None
    words = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")
    return words.split()[1:]


def command_line() -> typer.Typer:
    """Make as much of the command line as the words that it was started with need."""
    words = _asked_to_complete()
    names = asked_for(sys.argv[1:] if words is None else words)
    return _names_only() if words is not None and names is _COMMANDS else build(names)


def run(made: typer.Typer) -> NoReturn:
    """Run a command line, and exit with the code of what was done."""
    code: Any = ExitCode.OK
    with guarded_streams() as output:
        try:
            made(prog_name="dgspay")
        except SystemExit as ended:
            code = ended.code
        except OutputLostError:
            code = ExitCode.OUTPUT_LOST
        lost = None if output is None else output.lost()
        if lost is not None and effect().begun:
            tell_effect(f"stdout could not be written ({lost.strerror})")
        elif lost is not None:
            code = ExitCode.OUTPUT_LOST
            if lost.errno != errno.EPIPE:
                tell_lost(lost)
    raise SystemExit(code)
