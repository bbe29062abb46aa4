"""`dgspay payouts work`: one of many machines that pay the batches of a PostgreSQL ledger."""

from __future__ import annotations

import logging
from typing import Annotated

import anyio
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
from dgspay.cli.payouts.setup import ClientOptions
from dgspay.cli.signals import stop_signals
from dgspay.cli.streams import begin_effect
from dgspay.cli.terminal import console, visible
from dgspay.payouts import ChunkPayer, Pace, Stop


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
    """Pay chunks of every submitted batch, until Ctrl-C or SIGTERM.

    `dgspay payouts run FILE --ledger postgresql://...` submits a batch and settles it.
    """
    if ledger is None or not is_server(ledger):
        fail("--ledger must be a postgresql:// URL: a SQLite file is for one machine.")
    require_postgres()
    from dgspay.payouts import PgQueuerEngine  # noqa: PLC0415 - it imports the extra

    engine = PgQueuerEngine(ledger, at_once=at_once, everywhere=everywhere, lease=lease)
    account = ClientOptions(
        environment=environment,
        base_url=base_url,
        transport=transport,
        trust_idempotency=trust_idempotency,
    )
    pace = Pace(concurrency=concurrency, per_second=rate)

    async def pay(opened: AnyLedger, stop: Stop) -> str | None:
        async with account.client() as dgs:
            progress = Progress(None)
            payer = ChunkPayer(dgs, opened, pace=pace, stop=stop, on_result=progress.on_result)
            with shown(progress):
                async with telling(progress):
                    await engine.work(payer, stop, until_idle=until_idle)
        return payer.paused

    with opened_ledger(ledger) as opened, stop_signals() as stopped:
        begin_effect()
        console(stderr=True).print("Working  (Ctrl-C finishes what is in flight)")
        logging.getLogger("dgspay.payouts").addHandler(_Words(logging.WARNING))
        paused = anyio.run(pay, opened, Stop(stopped))
    if paused is not None:
        console(stderr=True).print(f"Paused: {visible(paused)}.", style="yellow")
        raise typer.Exit(ExitCode.NOT_SENT)


class _Words(logging.Handler):
    """Print what the worker waits for, which may take hours."""

    def emit(self, record: logging.LogRecord) -> None:
        console(stderr=True).print(visible(record.getMessage()), style="yellow", soft_wrap=True)
