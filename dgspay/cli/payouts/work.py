"""`dgspay payouts work`: one of many machines that pay the batches of a PostgreSQL ledger."""

from __future__ import annotations

import logging
from typing import Annotated

import anyio
import attrs
import typer

from dgspay.cli.exit_codes import ExitCode, fail
from dgspay.cli.options import BaseUrlOption, EnvironmentOption
from dgspay.cli.payouts.ledgers import AnyLedger, is_server, opened_ledger, require_postgres
from dgspay.cli.payouts.options import (
    ConcurrencyOption,
    LedgerOption,
    RateOption,
    TransportOption,
    TrustOption,
)
from dgspay.cli.payouts.progress import Progress, shown, telling
from dgspay.cli.payouts.setup import client
from dgspay.cli.signals import stop_signals
from dgspay.cli.streams import begin_effect
from dgspay.cli.terminal import console, visible
from dgspay.payouts import ChunkPayer, Pace, Stop


@attrs.frozen(kw_only=True)
class _Wish:
    """What the command was told."""

    server: str
    pace: Pace
    at_once: int
    everywhere: int
    lease: float
    until_idle: bool
    trust_idempotency: bool
    transport: str | None
    environment: str | None
    base_url: str | None


def work(
    *,
    ledger: LedgerOption = None,
    concurrency: ConcurrencyOption = 16,
    rate: RateOption = None,
    at_once: Annotated[
        int, typer.Option(min=1, max=100, help="Chunks this process works on at once.")
    ] = 2,
    everywhere: Annotated[
        int,
        typer.Option(
            min=0,
            help="Chunks all machines work on at once, kept by the database; 0: no limit. Times "
            "--concurrency and --rate, which are those of a chunk, it limits the whole batch.",
        ),
    ] = 0,
    lease: Annotated[
        float,
        typer.Option(min=1, help="Seconds after which another worker takes over from a dead one."),
    ] = 30.0,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when there is nothing left to do.")
    ] = False,
    trust_idempotency: TrustOption = False,
    transport: TransportOption = None,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Pay chunks of whatever batch is run, until Ctrl-C or SIGTERM.

    `dgspay payouts run FILE --ledger postgresql://...` submits a batch and settles it.
    """
    if ledger is None or not is_server(ledger):
        fail("--ledger must be a postgresql:// URL: a SQLite file is for one machine.")
    wish = _Wish(
        server=ledger,
        pace=Pace(concurrency=concurrency, per_second=rate),
        at_once=at_once,
        everywhere=everywhere,
        lease=lease,
        until_idle=until_idle,
        trust_idempotency=trust_idempotency,
        transport=transport,
        environment=environment,
        base_url=base_url,
    )
    require_postgres()
    with opened_ledger(ledger) as opened, stop_signals() as stopped:
        begin_effect()
        console(stderr=True).print("Working  (Ctrl-C finishes what is in flight)")
        logging.getLogger("dgspay.payouts").addHandler(_Words(logging.WARNING))
        paused = anyio.run(_work, wish, opened, Stop(stopped))
    if paused is not None:
        console(stderr=True).print(f"Paused: {visible(paused)}.", style="yellow")
        raise typer.Exit(ExitCode.NOT_SENT)


class _Words(logging.Handler):
    """Shows what the worker waits for, which may take hours."""

    def emit(self, record: logging.LogRecord) -> None:
        console(stderr=True).print(visible(record.getMessage()), style="yellow", soft_wrap=True)


async def _work(wish: _Wish, ledger: AnyLedger, stop: Stop) -> str | None:
    from dgspay.payouts import PgQueuerEngine  # noqa: PLC0415 - it imports the extra

    engine = PgQueuerEngine(
        wish.server, at_once=wish.at_once, everywhere=wish.everywhere, lease=wish.lease
    )
    async with client(
        wish.environment,
        wish.base_url,
        transport=wish.transport,
        trust_idempotency=wish.trust_idempotency,
    ) as dgs:
        progress = Progress(None)
        payer = ChunkPayer(dgs, ledger, pace=wish.pace, stop=stop, on_result=progress.on_result)
        with shown(progress):
            async with telling(progress):
                await engine.work(payer, stop, until_idle=wish.until_idle)
    return payer.paused
