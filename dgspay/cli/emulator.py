"""`dgspay emulator`: a local DGS-Pay to build against, until Ctrl-C."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dgspay.cli.exit_codes import fail
from dgspay.cli.signals import stop_signals, wait_until
from dgspay.cli.terminal import console
from dgspay.settings import EMULATOR_PORT, is_loopback

if TYPE_CHECKING:
    from dgspay.emulator import Emulator, Served


def require_emulator() -> None:
    """End the command with advice where the emulator's extra is not installed."""
    try:
        importlib.import_module("dgspay.emulator")
    except ImportError as error:
        if error.name is not None and error.name.startswith("dgspay"):
            raise
    else:
        return
    fail("This needs the emulator's packages. Install them with: pip install 'dgspay[emulator]'")


def emulator(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = EMULATOR_PORT,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    allow_public: Annotated[
        bool,
        typer.Option(
            "--allow-public", help="Allow an address that others can reach; its keys are public."
        ),
    ] = False,
    settle_after: Annotated[
        float,
        typer.Option(min=0, help="Seconds until a payment or payout settles; 0: next look-up."),
    ] = 2.0,
    never_settle: Annotated[
        bool, typer.Option("--never-settle", help="Leave everything pending.")
    ] = False,
    webhook_url: Annotated[
        str | None, typer.Option(help="Where webhooks go, e.g. http://127.0.0.1:8251.")
    ] = None,
    latency: Annotated[float, typer.Option(min=0, help="Seconds each answer takes.")] = 0.0,
    seed: Annotated[str | None, typer.Option(help="The same seed makes the same ids.")] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="A SQLite file that keeps everything from one run to the next."),
    ] = None,
    guide_credentials: Annotated[
        bool,
        typer.Option(
            "--guide-credentials",
            help="Take the placeholders of the guide's examples for keys, so that they run as "
            "they stand.",
        ),
    ] = False,
    faults: Annotated[
        Path | None,
        typer.Option(
            help="A TOML file of what goes wrong on purpose: see below.",
        ),
    ] = None,
    merchant: Annotated[
        list[str] | None, typer.Option(help="A further merchant, such as shop-2; repeatable.")
    ] = None,
    balance: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CURRENCY=AMOUNT",
            help="What the wallet holds at the start, such as RWF=500000000; repeatable, and in "
            "place of RWF=1000000 and USD=1000.",
        ),
    ] = None,
    transactions: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Start with a history of so many payments.")
    ] = 0,
) -> None:
    """Run a local DGS-Pay with simulated money until Ctrl-C.

    Prints its URL, test credentials as lines for your shell, and phone numbers and cards to pay
    with.

    A file for --faults has tables such as these, one for each fault and one for each way in which
    webhooks arrive wrongly:

    \b
      [[faults]]
      route = "POST /charges"
      fault = "lose_answer"
      times = 1               # or probability = 0.1
    \b
      [[webhooks]]
      mode = "duplicate"      # drop, delay, reorder, wrong_signature
      times = 3

    A route may be "*", for all. Faults: lose_answer, lose_request, hang_up, send_on_twice,
    delay (seconds), drip (seconds_per_byte), cut_answer, truncate, bad_gateway (after_work),
    repeat_rows, too_many (retry_after), redirect (location, status), fail_next (error_code).
    """  # noqa: D301 - click takes the character itself
    require_emulator()
    from dgspay.emulator import Emulator  # noqa: PLC0415 - it imports the extra

    if not allow_public and not is_loopback(host):
        fail(
            f"It listens on loopback only, which {host} is not: its keys are public. "
            "Add --allow-public if others may really reach it."
        )
    try:
        local = Emulator(
            settle_after=None if never_settle else settle_after,
            webhook_url=webhook_url,
            latency=latency,
            seed=seed,
            merchants=merchant or (),
            state=state,
            guide_credentials=guide_credentials,
            balances=_balances(balance),
        )
        with local, stop_signals() as stopped:
            if faults is not None:
                # In place of those a state file remembers, or each start would add them again.
                local.faults.clear()
                local.webhooks.behave()
                local.load_faults(faults)
            if transactions and not local.transactions:
                local.generate(transactions, seed=seed or 0)
            with local.serve(port, host, allow_public=allow_public) as server:
                _introduce(local, server, state)
                wait_until(stopped)
            console().print("Stopped.")
    except ValueError as error:
        reason = f"{error}."
    except OSError as error:
        reason = _why(error, host, port)
    else:
        return
    fail(reason)


def _balances(pairs: Sequence[str] | None) -> dict[str, str] | None:
    """Read the pairs of --balance; the emulator checks currencies and amounts."""
    if not pairs:
        return None
    balances = {}
    for pair in pairs:
        currency, equals, amount = pair.partition("=")
        if not equals or currency.upper() in balances:
            fail(f"--balance must look like RWF=500000000, once for a currency, not {pair!r}.")
        balances[currency.upper()] = amount
    return balances


def _why(error: OSError, host: str, port: int) -> str:
    """Return a sentence about an error of the system: with a file, or with the port."""
    if error.filename is not None:
        return f"{error.strerror}: {error.filename}."
    return f"Cannot listen on {host}, port {port}: {error.strerror}. Try --port 0."


def exports(local: Emulator, url: str) -> dict[str, str]:
    """Return the environment variables that point dgspay at an emulator.

    Its keys are published with the package and worth nothing, so they may be shown.
    """
    return {
        "DGSPAY_ENVIRONMENT": "emulator",
        "DGSPAY_BASE_URL": url,
        "DGSPAY_API_KEY": local.api_key,
        "DGSPAY_ACCOUNT_NUMBER": local.account_number,
        "DGSPAY_WEBHOOK_SECRET": local.webhook_secret,
        "DGSPAY_ENCRYPTION_KEY": local.encryption_key,
    }


def _introduce(local: Emulator, server: Served, state: Path | None) -> None:
    out = console()
    out.print(f"A local DGS-Pay listens on {server.url}", soft_wrap=True)
    out.print(f"To watch it and pay by hand, open {server.origin}", soft_wrap=True)
    out.print("Its money is simulated. In another terminal:", end="\n\n")
    for name, value in exports(local, server.url).items():
        # Not wrapped at the terminal's width: these lines are there to be copied.
        out.print(f"export {name}={shlex.quote(value)}", soft_wrap=True)
    from dgspay.cli.payers import lines  # noqa: PLC0415 - it imports the extra

    out.print("\nTo pay with; any other phone number approves:\n")
    for line in lines():
        out.print(line)
    out.print("\nThen try:  dgspay doctor")
    if state is None:
        out.print("Ctrl-C stops it, and forgets everything.")
    else:
        out.print(f"Ctrl-C stops it; {state} remembers everything.", soft_wrap=True)
