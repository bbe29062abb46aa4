"""Options that choose an account, the client made from them, and the confirmation prompt."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any, Protocol

import typer

from dgspay import DGSPay
from dgspay.cli.exit_codes import ExitCode
from dgspay.cli.terminal import console, visible
from dgspay.secret import Secret
from dgspay.settings import Settings, from_env

EnvironmentOption = Annotated[
    str | None,
    typer.Option(
        "--environment",
        "-e",
        metavar="NAME",
        help="sandbox, production or emulator; instead of DGSPAY_ENVIRONMENT.",
    ),
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help="Instead of DGSPAY_BASE_URL."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Write JSON; amounts are exact JSON numbers.")
]
CsvOption = Annotated[
    bool, typer.Option("--csv", help="Write CSV; no cell of it can act as a formula.")
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask before real money is involved.")
]


def client_options(environment: str | None, base_url: str | None) -> dict[str, Any]:
    """Read the account from the environment variables, and let the options override them.

    DGSPAY_BASE_URL belongs to DGSPAY_ENVIRONMENT: it does not follow into another one.

    Raises:
        ConfigError: a variable is missing.
    """
    return _overridden(from_env(), environment, base_url)


def account_options(environment: str | None, base_url: str | None) -> dict[str, Any]:
    """Return the same without requiring a key: reading a ledger needs none."""
    options = from_env(given=("api_key", "account_number"))
    return _overridden(options, environment, base_url)


def _overridden(
    options: dict[str, Any], environment: str | None, base_url: str | None
) -> dict[str, Any]:
    if environment is not None and environment != options["environment"]:
        options |= {"environment": environment, "base_url": None}
    if base_url is not None:
        options["base_url"] = base_url
    return options


@contextmanager
def connected(environment: str | None, base_url: str | None) -> Generator[DGSPay]:
    """Yield a client for the chosen account, and close it.

    Raises:
        ConfigError: a variable is missing, or something does not fit together.
    """
    with DGSPay(**client_options(environment, base_url)) as dgs:
        yield dgs


def webhook_secret() -> Secret | None:
    """Read the webhook secret; None where DGSPAY_WEBHOOK_SECRET is not set."""
    text = os.environ.get("DGSPAY_WEBHOOK_SECRET")
    return Secret(text) if text else None


NOTHING_SENT = "Nothing was sent."


class OfAnAccount(Protocol):
    """What belongs to one account, such as a client or a checkout's shop."""

    @property
    def settings(self) -> Settings:
        """Its settings, with the environment it is in."""
        ...


def ask_in_production(of: OfAnAccount, question: str, *, yes: bool) -> None:
    """Ask before something irreversible in production; end the command unless the answer is yes."""
    if yes or of.settings.environment != "production":
        return
    ask(f"This is production. {question}")


def ask(question: str, *, declined: str = NOTHING_SENT) -> None:
    """Ask on stderr; end the command unless the answer is yes. No answer at all is a no.

    Args:
        question: What is asked.
        declined: What a no means for the money.
    """
    try:
        agreed = typer.confirm(visible(question), err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        console(stderr=True).print(f"{declined} (--yes goes on without asking.)")
        raise typer.Exit(ExitCode.NO)
