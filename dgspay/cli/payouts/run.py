"""`dgspay payouts run`: pay a sheet; after any interruption the same command goes on."""

from __future__ import annotations

import re
import shlex
import sys
from typing import Annotated

import anyio
import attrs
import typer

from dgspay.cli.exit_codes import ExitCode, tell_error
from dgspay.cli.options import NOTHING_SENT, BaseUrlOption, EnvironmentOption, ask
from dgspay.cli.payouts.display import (
    exit_code,
    summary_of,
    tell_faults,
    tell_preflight,
    tell_sheet,
    tell_summary,
)
from dgspay.cli.payouts.ledgers import (
    AnyLedger,
    NewLedger,
    is_server,
    opened_ledger,
    place_words,
)
from dgspay.cli.payouts.options import (
    AllowOption,
    AmountLimitsOption,
    BankOption,
    BatchOption,
    ConcurrencyOption,
    FeeOption,
    LedgerOption,
    MapOption,
    NewLedgerOption,
    PeriodOption,
    RateOption,
    RepeatDaysOption,
    SheetArgument,
    SheetOption,
    TransportOption,
    TrustOption,
    limits_of,
    mapping_of,
    source_of,
)
from dgspay.cli.payouts.progress import Progress, shown, telling
from dgspay.cli.payouts.setup import ClientOptions
from dgspay.cli.signals import stop_signals
from dgspay.cli.streams import begin_effect, note_effect
from dgspay.cli.terminal import console, visible
from dgspay.errors import DGSPayError
from dgspay.payouts import (
    REPEAT_DAYS,
    AmountLimits,
    AsyncPayouts,
    Counts,
    Engine,
    Job,
    JobOptions,
    Pace,
    Payouts,
    RowsInvalidError,
    SheetFile,
    State,
    Stop,
    Summary,
)

_PASSWORD = re.compile(r"(postgres(?:ql)?://[^:/@]*:)[^@]*@")


@attrs.frozen(kw_only=True)
class RunOptions:
    """Options of one run.

    Attributes:
        source: The sheet.
        yes: Whether to pay without asking.
        dry_run: Whether to stop after the checks.
        fee: The fee of one payout in RWF, where it is known.
        amount_limits: Limits of networks and banks to warn of.
        settle_within: Seconds to look up how the payouts ended.
        account: The account, and how its requests are sent.
        job: What the batch begins with.
        skip: Rows that are not to be paid.
        only: The only rows that are to be paid, if any.
        server: The ledger where it is one for many machines.
    """

    source: SheetFile
    yes: bool
    dry_run: bool
    fee: str | None
    amount_limits: AmountLimits | None
    settle_within: float
    account: ClientOptions
    job: JobOptions
    skip: list[str]
    only: list[str]
    server: str | None

    def engine(self) -> Engine | None:
        """Return what shares the batch out, where the ledger is one for many machines."""
        if self.server is None:
            return None
        from dgspay.payouts import PgQueuerEngine  # noqa: PLC0415 - it imports the extra

        return PgQueuerEngine(self.server)


def run(
    file: SheetArgument,
    *,
    sheet: SheetOption = None,
    batch: BatchOption = None,
    ledger: LedgerOption = None,
    new_ledger: NewLedgerOption = False,
    mapping: MapOption = None,
    bank: BankOption = None,
    callback_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Where `dgspay payouts listen` is reached; a token is added."
        ),
    ] = None,
    fee: FeeOption = None,
    amount_limits: AmountLimitsOption = None,
    period: PeriodOption = None,
    allow_duplicate: AllowOption = None,
    repeat_days: RepeatDaysOption = REPEAT_DAYS,
    skip: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REFERENCE", help="Do not pay this row; it is cancelled. May be repeated."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REFERENCE",
            help="Pay this row and no others, which are cancelled; may be repeated. `dgspay "
            "payouts cancel --undo` takes that back.",
        ),
    ] = None,
    trust_idempotency: TrustOption = False,
    concurrency: ConcurrencyOption = 32,
    rate: RateOption = None,
    settle_within: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long to look up how they ended.")
    ] = 60.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Stop after the checks; nothing is sent.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before paying; for jobs.")
    ] = False,
    transport: TransportOption = None,
    environment: EnvironmentOption = None,
    base_url: BaseUrlOption = None,
) -> None:
    """Pay each row of FILE once.

    Each row is on disk before it is sent. Ctrl-C and SIGTERM finish what is in flight; after
    them, after a crash and after a pause the same command goes on. A row whose answer was lost
    is held, not sent again: see `dgspay payouts listen` and `dgspay payouts resolve`.
    """
    options = RunOptions(
        source=source_of(file, sheet, bank),
        yes=yes,
        dry_run=dry_run,
        fee=fee,
        amount_limits=limits_of(amount_limits),
        settle_within=settle_within,
        account=ClientOptions(
            environment=environment,
            base_url=base_url,
            transport=transport,
            trust_idempotency=trust_idempotency,
        ),
        server=ledger if is_server(ledger) else None,
        skip=skip or [],
        only=only or [],
        job={
            "batch": batch,
            "mapping": mapping_of(mapping),
            "period": period,
            "allow_duplicates": allow_duplicate or (),
            "repeat_days": repeat_days,
            "callback_url": callback_url,
            "pace": Pace(concurrency=concurrency, per_second=rate),
        },
    )
    new = NewLedger(wanted=new_ledger, may_ask=not yes)
    opening = opened_ledger(
        ledger, beside=file, new=new, environment=environment, base_url=base_url
    )
    with opening as opened, stop_signals() as stopped:
        try:
            summary = anyio.run(_run, options, opened, Stop(stopped))
        except RowsInvalidError as error:
            faults, count, remarks = error.faults, error.count, error.remarks
        else:
            if summary is None:
                return
            again = shlex.join(["dgspay", *_shown(sys.argv[1:])])
            note_effect(
                exit_code(summary), batch=summary.batch, ledger=place_words(opened), go_on=again
            )
            named = summary.counts.count(State.BLOCKED, State.FAILED)
            status = Payouts(ledger=opened).status(summary.batch) if named else None
            tell_summary(summary, again, place_words(opened), status)
            raise typer.Exit(exit_code(summary))
    tell_faults(faults, count, remarks)
    raise typer.Exit(ExitCode.USAGE)


async def _run(options: RunOptions, ledger: AnyLedger, stop: Stop) -> Summary | None:
    async with options.account.client() as dgs:
        payouts = AsyncPayouts(dgs, ledger)
        settings: JobOptions = {**options.job, "stop": stop}
        async with payouts.open(options.source, **settings) as job:
            await job.leave_out(skip=options.skip, only=options.only)
            left = await _look(job, options, payouts)
            if options.dry_run:
                console().print("Dry run: nothing was sent.")
                return None
            return await _pay(job, options, payouts, left, stop)


async def _look(job: Job, options: RunOptions, payouts: AsyncPayouts) -> int | None:
    """Show what is going to be paid and ask; return how many payouts are left.

    None where no more may be sent as things stand, and what was sent before is looked up.
    """
    counts = (await payouts.status(job.batch.name)).counts
    left = counts.count(State.NEW, State.BLOCKED)
    if job.resumed:
        again = await job.given_again()
        if again is not None:
            words = visible(f"{again[0].upper()}{again[1:]}.")
            console(stderr=True).print(words, style="bold yellow", soft_wrap=True)
            return 0
        console().print(
            f"Going on with batch {job.batch.name}: {left:,} of {job.batch.count:,} to be sent"
        )
        if not left:
            return 0
    elif job.sheet is not None:
        tell_sheet(job.sheet)
    else:
        console().print(f"Batch {job.batch.name} as it was prepared: {left:,} payouts")
    found = await job.preflight(fee=options.fee, amount_limits=options.amount_limits)
    tell_preflight(found)
    if found.problems and job.resumed:
        console(stderr=True).print("This run sends nothing.", style="bold red")
        return None
    if found.problems:
        console(stderr=True).print(NOTHING_SENT, style="bold red")
        raise typer.Exit(ExitCode.NO)
    if found.count and not options.yes and not options.dry_run:
        ask(found.question, declined="This run sends nothing." if job.resumed else NOTHING_SENT)
    return found.count


async def _pay(
    job: Job, options: RunOptions, payouts: AsyncPayouts, left: int | None, stop: Stop
) -> Summary:
    """Pay, then look up how it ended, and show both."""
    name = job.batch.name
    progress = Progress(left or 0)
    settling = False

    async def count() -> Counts | None:
        # What other machines pay, and how it ends, is known from the ledger alone.
        if settling or options.server is not None:
            return (await payouts.status(name)).counts
        return None

    with shown(progress):
        async with telling(progress, count):
            summary = await _send(job, options, payouts, progress, nothing=left is None)
            if not options.settle_within or stop:
                return summary
            settling = True
            within = options.settle_within if summary.paused is None else 0
            progress.settle(within)
            look_ups = await job.settle(within=within)
            counts = (await payouts.status(name)).counts
            progress.end(counts)
    return attrs.evolve(summary, counts=counts, stopped=bool(stop), look_ups=look_ups)


async def _send(
    job: Job, options: RunOptions, payouts: AsyncPayouts, progress: Progress, *, nothing: bool
) -> Summary:
    """Send what is left, or nothing; an error after that must not end as one before it."""
    if nothing:
        return summary_of(await payouts.status(job.batch.name))
    begin_effect()
    try:
        return await job.run(settle_within=0, on_result=progress.on_result, engine=options.engine())
    except DGSPayError as error:
        if not job.taken_up:
            raise
        fault = error
    tell_error(fault)
    try:
        code = exit_code(summary_of(await payouts.status(job.batch.name)))
    except DGSPayError:
        # The ledger cannot be asked: something was sent, and something may be left.
        code = ExitCode.UNSENT_AND_UNKNOWN
    console(stderr=True).print(
        f"{job.taken_up:,} payouts were taken up to be sent before that. The same command goes on, "
        "and holds those whose answers are not in the ledger."
    )
    raise typer.Exit(code)


def _shown(arguments: list[str]) -> list[str]:
    """Return a command's arguments, without the password a connection string may hold."""
    return [_PASSWORD.sub(r"\1***@", argument) for argument in arguments]
