"""The command line as a whole: its commands, its help, and its handling of errors."""

from __future__ import annotations

import errno
import logging
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from dgspay import __version__, errors
from dgspay.cli.balance import balance
from dgspay.cli.banks import banks
from dgspay.cli.books import EXIT_CODES, books
from dgspay.cli.charge import charge
from dgspay.cli.demo import demo
from dgspay.cli.disburse import disburse
from dgspay.cli.doctor import doctor
from dgspay.cli.emulator import emulator
from dgspay.cli.exit_codes import ExitCode, code_for, tell_effect, tell_error, tell_lost
from dgspay.cli.links import links
from dgspay.cli.orders import orders
from dgspay.cli.payouts import payouts
from dgspay.cli.shop import shop
from dgspay.cli.streams import OutputLostError, effect, forget_effect, guarded_streams
from dgspay.cli.terminal import console
from dgspay.cli.transactions import transactions
from dgspay.cli.webhooks import webhooks


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

app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=_EPILOG,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"dgspay {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """The command line of dgspay, the Python SDK for DGS-Pay."""
    # The commands print errors themselves; log lines would only repeat them.
    logging.getLogger("dgspay").addHandler(logging.NullHandler())


for command in (demo, shop, emulator, doctor, balance, banks, charge, disburse):
    app.command()(command)
app.command(epilog=EXIT_CODES)(books)
app.add_typer(transactions, name="transactions")
app.add_typer(links, name="links")
app.add_typer(webhooks, name="webhooks")
app.add_typer(payouts, name="payouts")
app.add_typer(orders, name="orders")


def run() -> NoReturn:
    """Run the command line, and exit with the code of what was done."""
    code: Any = ExitCode.OK
    with guarded_streams() as output:
        try:
            app()
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
