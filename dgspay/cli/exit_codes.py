"""Exit codes, and errors printed as sentences instead of tracebacks."""

from __future__ import annotations

import enum
import shlex
from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn, Self

import typer
from rich.text import Text

from dgspay import Outcome, errors
from dgspay.checkout.errors import CheckoutError, OrdersError, UnknownOrderError
from dgspay.cli.streams import effect
from dgspay.cli.terminal import console, visible
from dgspay.payouts import HeadingsError


class ExitCode(enum.IntEnum):
    """Exit codes of `dgspay`; the help of the command is made from these."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> Self:
        """Keep the meaning with the number."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    OK = 0, "it worked"
    NO = 1, "the answer is no: declined, a check failed, a bad signature, or you said no"
    USAGE = 2, "wrong options or settings; nothing was sent"
    REFUSED = 3, "DGS-Pay refused the call; it did not act"
    NOT_SENT = 4, "DGS-Pay was not reached, or a read got no answer; nothing changed"
    UNKNOWN = 5, "it is not known whether money moved: check before you act"
    PAID_BEFORE = 6, "of payouts: it was sent before, or by another batch, and is not sent again"
    UNSENT_AND_UNKNOWN = 9, "both 4 and 5, of payouts: some are unsent, and some are in doubt"
    OUTPUT_LOST = 74, "the result could not be written to stdout; nothing was changed"
    INTERRUPTED = 130, "stopped with Ctrl-C"


def code_for(error: errors.DGSPayError) -> ExitCode:
    """Return the exit code an error of the library ends a command with."""
    match error:
        case errors.OutcomeUnknownError() | errors.WaitTimeoutError():
            return ExitCode.UNKNOWN
        case errors.ConfigError() | UnknownOrderError():
            return ExitCode.USAGE
        case OrdersError():
            return ExitCode.NOT_SENT
        case errors.SignatureError() | CheckoutError():
            return ExitCode.NO
        case errors.IdempotencyError() if error.outcome is not Outcome.NOT_SENT:
            # What uses the key may be this very call, sent on twice, or the same one made before.
            return ExitCode.UNKNOWN
        case errors.APIError() if error.outcome is Outcome.REJECTED:
            return ExitCode.REFUSED
        case _:
            return ExitCode.NOT_SENT


def tell_error(error: errors.DGSPayError) -> None:
    """Write an error to stderr: its message, and what support would ask for."""
    _tell(str(error))
    if isinstance(error, HeadingsError) and error.proposed:
        options = (f"--map {shlex.quote(f'{a}={b}')}" for a, b in error.proposed.items())
        err = console(stderr=True)
        err.print("If that is what they mean, give the same command with:")
        # In a line of its own and in one piece, to be copied.
        err.print(f"  {visible(' '.join(options))}", soft_wrap=True)
    if error.operation is None:
        return
    details = {
        "outcome": error.outcome.value.replace("_", " "),
        "error code": getattr(error, "error_code", None),
        "idempotency key": error.idempotency_key,
    }
    for name, value in details.items():
        if value is not None:
            console(stderr=True).print(f"  {name}: {visible(str(value))}", style="dim")


def tell_lost(error: OSError) -> None:
    """Write to stderr that the result could not be written, and what that means."""
    _tell(f"The result could not be written to stdout: {error.strerror}. Nothing was changed.")


def tell_effect(trouble: str) -> None:
    """Write to stderr what a command has done, where it could not be shown otherwise.

    Args:
        trouble: Why it could not.
    """
    done = effect()
    if done.code is None:
        _tell(f"{trouble}: it is not known whether money moved. Check before you repeat it.")
    else:
        _tell(f"{trouble}. What was done stands, and the exit code says how it ended.")
    for name, value in done.facts.items():
        console(stderr=True).print(
            f"  {name.replace('_', ' ')}: {visible(value)}", style="dim", soft_wrap=True
        )


def fail(message: str, code: ExitCode = ExitCode.USAGE) -> NoReturn:
    """Write one message to stderr and end the command."""
    _tell(message)
    raise typer.Exit(code)


@contextmanager
def interruption_is(words: str) -> Generator[None]:
    """Report on Ctrl-C that the outcome of a request in flight is unknown.

    Args:
        words: What may have happened, and where to check before it is repeated.
    """
    try:
        yield
    except KeyboardInterrupt:
        pass
    else:
        return
    fail(f"Stopped while the request was on its way: {words}", ExitCode.UNKNOWN)


def _tell(message: str) -> None:
    err = console(stderr=True)
    text = Text.assemble(("Error: ", "bold red"), visible(message))
    # Wrapped for a reader, and in one piece for a log.
    err.print(text, soft_wrap=not err.is_terminal)


@contextmanager
def usage_errors() -> Generator[None]:
    """Turn an argument that the library rejected, before anything was sent, into a usage error.

    Put only the call that takes the arguments inside.
    """
    try:
        yield
    except errors.DGSPayError:
        raise
    except ValueError as error:
        reason = str(error)
    else:
        return
    fail(f"{reason}. Nothing was sent.")
