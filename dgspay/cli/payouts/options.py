"""What the payout commands share: options, the ledger, and a client that pays."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import anyio
import typer

from dgspay import AsyncDGSPay, RetryPolicy
from dgspay.cli.exit_codes import fail
from dgspay.cli.options import client_options
from dgspay.cli.payouts.ledgers import AnyLedger
from dgspay.payouts import AsyncPayouts, parse_fee

T = TypeVar("T")

TRANSPORTS = ("aiohttp", "httpx")

if TYPE_CHECKING:
    from dgspay.transports.base import AsyncTransport

SheetArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV in UTF-8, with a heading line.")
]
BatchArgument = Annotated[str, typer.Argument(metavar="BATCH", help="Name of the batch.")]
BatchOption = Annotated[
    str | None, typer.Option("--batch", metavar="NAME", help="Its name; the file's if left out.")
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        "--map", metavar="HEADING=COLUMN", help="What another heading means; may be repeated."
    ),
]
LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        envvar="DGSPAY_PAYOUTS_LEDGER",
        metavar="PATH|URL",
        help="Who remembers: a SQLite file, or postgresql://... for several machines. If left out, "
        "one file for the account, in the folder where programs of this user keep their data.",
    ),
]
NewLedgerOption = Annotated[
    bool,
    typer.Option(
        "--new-ledger",
        help="Begin a ledger where there is none yet, without asking, in production too. One that "
        "does not know who was paid before would pay them again.",
    ),
]


def _checked_fee(fee: str | None) -> str | None:
    """Refuse a fee that is no amount before a file is opened."""
    if fee is not None:
        parse_fee(fee)
    return fee


FeeOption = Annotated[
    str | None,
    typer.Option(
        metavar="RWF",
        callback=_checked_fee,
        help="The fee of one payout, such as 100; amounts must be above it.",
    ),
]
AllowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-duplicate",
        metavar="REFERENCE",
        help="Pay this one row although it looks as if it had been paid before; may be repeated. "
        "A column pay_again in the sheet does the same, with a reason.",
    ),
]
PeriodOption = Annotated[
    str | None,
    typer.Option(
        "--period",
        metavar="2026-12",
        help="What is paid for: a reference is paid once within it. The batch's name ends with it.",
    ),
]
RepeatDaysOption = Annotated[
    float,
    typer.Option(
        "--repeat-days",
        min=0,
        max=366,
        metavar="DAYS",
        help="So long after it was sent, the same sum is not sent to the same account again.",
    ),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust-idempotency",
        help="Send again, with its key, what got no answer. Only where DGS-Pay has confirmed "
        "to you that it honours idempotency keys: if it does not, this can pay twice.",
    ),
]
ConcurrencyOption = Annotated[int, typer.Option(min=1, max=1000, help="Payouts in flight at once.")]
RateOption = Annotated[
    float | None, typer.Option(min=0.001, metavar="N", help="Payouts in a second at most.")
]
TransportOption = Annotated[
    str | None,
    typer.Option(
        "--transport",
        metavar="NAME",
        help="aiohttp or httpx; aiohttp where it is installed, as it is faster with many at once.",
    ),
]


def mapping_of(pairs: Sequence[str] | None) -> dict[str, str]:
    """Read the pairs of --map."""
    mapping = {}
    for pair in pairs or ():
        heading, equals, column = pair.rpartition("=")
        if not equals or not heading:
            fail(f"--map must look like 'Net pay=amount', not {pair!r}.")
        mapping[heading.strip()] = column.strip()
    return mapping


def client(
    environment: str | None,
    base_url: str | None,
    *,
    transport: str | None = None,
    trust_idempotency: bool = False,
) -> AsyncDGSPay:
    """Make the client for the chosen account.

    Raises:
        ConfigError: a variable is missing, or something does not fit together.
    """
    return AsyncDGSPay(
        retry=RetryPolicy(trust_idempotency=trust_idempotency),
        transport=_transport(transport),
        **client_options(environment, base_url),
    )


def _transport(name: str | None) -> AsyncTransport | None:
    """Return what sends the requests; None stands for httpx."""
    if name is not None and name not in TRANSPORTS:
        fail(f"--transport must be one of {', '.join(TRANSPORTS)}.")
    if name == "httpx":
        return None
    try:
        from dgspay.transports.aiohttp import AiohttpTransport  # noqa: PLC0415 - an extra
    except ImportError:
        if name is not None:
            fail("This needs aiohttp. Install it with: pip install 'dgspay[aiohttp]'")
        return None
    return AiohttpTransport()


def asking(
    work: Callable[[AsyncPayouts], Coroutine[Any, Any, T]],
    environment: str | None,
    base_url: str | None,
    *,
    ledger: AnyLedger | None = None,
    transport: str | None = None,
) -> T:
    """Do something about payouts with a client of the chosen account."""

    async def run() -> T:
        async with client(environment, base_url, transport=transport) as dgs:
            return await work(AsyncPayouts(dgs, ledger))

    return anyio.run(run)
