"""A batch from its rows to the last confirmed payout, for `await` and without."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import TypedDict, TypeVar

import attrs

from dgspay import AsyncDGSPay
from dgspay.money import AmountInput
from dgspay.payouts.amount_limits import AmountLimits, warnings_of
from dgspay.payouts.approval.signing import Signer
from dgspay.payouts.ledger import Counts, Ledger
from dgspay.payouts.model.allowances import Allowances, Allowed
from dgspay.payouts.model.batch import (
    PAUSED_BY_A_PERSON,
    REPEAT_DAYS,
    Batch,
    Terms,
    check_days,
    check_name,
    check_period,
    chunk_ranges,
    closed_words,
    name_from,
    paused_words,
)
from dgspay.payouts.model.changes import change_words, newcomer_words
from dgspay.payouts.model.payout import OPEN, State
from dgspay.payouts.model.repeats import left_out_words, words_of
from dgspay.payouts.preflight import Preflight, balance_problems, parse_fee, preflight
from dgspay.payouts.report.summary import all_records
from dgspay.payouts.run.chunk_payer import ChunkPayer
from dgspay.payouts.run.chunk_runner import OnResult, Stop
from dgspay.payouts.run.engines import ChunkRef, Engine
from dgspay.payouts.run.engines.local import LocalEngine
from dgspay.payouts.run.held_lock import held
from dgspay.payouts.run.limits import Limits
from dgspay.payouts.run.loading import given_again, load_rows
from dgspay.payouts.run.pacing import Pace
from dgspay.payouts.settle.cancellation import leave_out
from dgspay.payouts.settle.look_ups import LookUps, Settler
from dgspay.payouts.sheet.reader import RowSource
from dgspay.payouts.sheet.summary import SheetSummary
from dgspay.payouts.threads import in_thread

T = TypeVar("T")

# How often chunks are put out again whose worker could not finish them.
_ROUNDS = 3


@attrs.frozen(kw_only=True)
class Summary:
    """Status of a batch after a run.

    Attributes:
        batch: Its name.
        counts: How many payouts are in each state.
        paused: Why the run stopped, by itself or because a person has paused the batch; or None.
        stopped: Whether its `stop` was set.
        look_ups: What the look-ups left open; None where there were none.
        sent_before: Whether nothing was left to send when it began, and nothing in doubt: a batch
            that was given again.
    """

    batch: str
    counts: Counts
    paused: str | None = None
    stopped: bool = False
    look_ups: LookUps | None = None
    sent_before: bool = False

    @property
    def is_paused_by_a_person(self) -> bool:
        """Whether it goes on only once a person resumes it."""
        return self.paused is not None and self.paused.startswith(PAUSED_BY_A_PERSON)

    @property
    def unsent(self) -> int:
        """Payouts that are still to be sent."""
        return self.counts.count(State.NEW)

    @property
    def in_doubt(self) -> int:
        """Payouts of which it is not known whether they were made."""
        return self.counts.count(State.IN_DOUBT, State.HELD)


class Job:
    """One batch that this process has for itself. `open_job` gives it."""

    def __init__(
        self,
        client: AsyncDGSPay,
        ledger: Ledger,
        batch: Batch,
        sheet: SheetSummary | None,
        *,
        allowances: Allowances | None = None,
        pace: Pace | None = None,
        limits: Limits | None = None,
        stop: Stop | None = None,
    ) -> None:
        self.batch = batch
        self.sheet = sheet
        self._allowances = Allowances(()) if allowances is None else allowances
        self._client = client
        self._ledger = ledger
        self._pace = pace or Pace()
        self._limits = limits or Limits()
        self._stop = Stop() if stop is None else stop
        self._payer: ChunkPayer | None = None

    @property
    def taken_up(self) -> int:
        """Payouts that `run` has taken up to be sent, also where it has ended with an error."""
        return 0 if self._payer is None else self._payer.taken_up

    @property
    def resumed(self) -> bool:
        """Return whether the batch had begun before."""
        return self.batch.started

    async def preflight(
        self,
        *,
        fee: AmountInput | None = None,
        amount_limits: AmountLimits | None = None,
        approved: bool = True,
    ) -> Preflight:
        """Look before paying; see `preflight`. Of a batch that has begun, what is left counts.

        It says as well what other batches have paid of this one. Where that is one that has begun,
        these rows are left out of it, and the others may be paid.

        Args:
            fee: As for `preflight`.
            amount_limits: Limits of networks and banks, to warn of rows beyond them.
            approved: Whether an approval that the ledger's policy asks for must be there already.

        Raises:
            DGSPayError: a look-up failed.
        """
        paid = await in_thread(self._ledger.overlaps, self.batch, allowed=self._allowances.numbers)
        permitted = await in_thread(
            self._ledger.permitted, self.batch, allowed=self._allowances.numbers
        )
        unapproved = await in_thread(self._ledger.approval_problem, self.batch)
        lacking = [unapproved] if approved and unapproved is not None else []
        messages = [words_of(overlap, self.batch, time.time()) for overlap in paid]
        if self.batch.closed is not None:
            lacking.append(closed_words(self.batch))
        if self.batch.is_paused_by_a_person:
            lacking.append(paused_words(self.batch))
        earlier = [] if self.resumed else await in_thread(self._ledger.earlier_pay, self.batch)
        beyond = await in_thread(self._limit_warnings, amount_limits)
        warnings = (*change_words(earlier), *beyond)
        counts = await in_thread(self._ledger.counts, self.batch.name)
        if self.sheet is not None:
            sheet = attrs.evolve(
                self.sheet,
                count=self.sheet.count - counts.count(State.CANCELLED),
                total=self.sheet.total - counts.amount(State.CANCELLED),
            )
            found = await preflight(self._client, sheet, fee=fee)
            return attrs.evolve(
                found,
                problems=(*lacking, *found.problems, *messages),
                remarks=(*found.remarks, *map(str, permitted), *newcomer_words(earlier)),
                warnings=warnings,
            )
        count, amount = await in_thread(
            self._ledger.left_out, self.batch, allowed=self._allowances.numbers
        )
        left = counts.count(State.NEW, State.BLOCKED) - count
        total = counts.amount(State.NEW, State.BLOCKED) - amount
        found = await preflight(self._client, SheetSummary(count=left, total=total), fee=fee)
        too_small = [] if self.resumed else await in_thread(self._fee_problems, fee)
        return attrs.evolve(
            found,
            problems=(
                *lacking,
                *balance_problems(total, found.available),
                *too_small,
                *([] if self.resumed else messages),
            ),
            sheet=None,
            warnings=warnings,
            remarks=(
                *found.remarks,
                *map(str, permitted),
                *newcomer_words(earlier),
                *(map(left_out_words, messages) if self.resumed else ()),
            ),
        )

    def _fee_problems(self, fee: AmountInput | None) -> list[str]:
        """Compare the smallest row of a batch that was prepared with the fee."""
        if fee is None:
            return []
        left = all_records(self._ledger, self.batch.name, (State.NEW, State.BLOCKED))
        payouts = (record.payout for record in left)
        smallest = min(payouts, key=lambda payout: payout.amount, default=None)
        if smallest is None or smallest.amount > parse_fee(fee):
            return []
        words = f"{smallest.amount:,} RWF is not above the fee of {parse_fee(fee):,f} RWF"
        return [f"{smallest.reference}: {words}"]

    def _limit_warnings(self, limits: AmountLimits | None) -> tuple[str, ...]:
        """Return which of the rows that are left are beyond a limit."""
        if limits is None:
            return ()
        left = all_records(self._ledger, self.batch.name, (State.NEW, State.BLOCKED))
        return warnings_of((record.payout for record in left), limits)

    async def given_again(self) -> str | None:
        """Return when a batch was sent of which nothing is left to send; None of any other.

        It is given again: by mistake, or for the pay of another month.
        """
        if not self.resumed:
            return None
        return await in_thread(given_again, self._ledger, self.batch)

    async def run(
        self,
        *,
        settle_within: float = 60.0,
        on_result: OnResult | None = None,
        engine: Engine | None = None,
    ) -> Summary:
        """Pay what is left, then look up how it ended.

        Args:
            engine: Shares the batch out to other processes too; this one alone if left out.
            settle_within: Seconds to spend on look-ups at most; 0 for none.
            on_result: Called with each payout, in the event loop.

        Raises:
            LedgerError: the ledger cannot be written; nothing was sent that is not in it.
        """
        sent_before = await self.given_again() is not None
        await self.start()
        payer = self._payer = ChunkPayer(
            self._client,
            self._ledger,
            pace=self._pace,
            limits=self._limits,
            stop=self._stop,
            on_result=on_result,
        )
        if engine is None:
            await self._share_out(LocalEngine(), payer, [(1, self.batch.count)])
        else:
            await self._share_out(engine, payer, chunk_ranges(self.batch.count))
        look_ups = None
        if settle_within > 0 and not self._stop:
            # A reason not to pay more is no reason not to ask how the others ended.
            look_ups = await self.settle(within=settle_within if payer.paused is None else 0)
        counts = await in_thread(self._ledger.counts, self.batch.name)
        return Summary(
            batch=self.batch.name,
            counts=counts,
            paused=payer.paused,
            stopped=bool(self._stop),
            look_ups=look_ups,
            sent_before=sent_before,
        )

    async def _share_out(
        self, engine: Engine, payer: ChunkPayer, ranges: list[tuple[int, int]]
    ) -> None:
        """Submit what has work left, work on it, and check that no worker left anything behind."""
        batch = self.batch
        chunks = [
            ChunkRef(batch=batch.name, index=index, first=first, last=last)
            for index, (first, last) in enumerate(ranges)
        ]
        for _ in range(_ROUNDS):
            await engine.submit(chunks)
            await engine.work(payer, self._stop, until_idle=True)
            if self._stop or payer.paused is not None:
                return
            found = await in_thread(self._ledger.batch, batch.name)
            if found is None or found.paused is not None:
                payer.paused = None if found is None else found.paused
                return
            left = await in_thread(self._ledger.counts, batch.name)
            if not left.count(*OPEN):
                return
            chunks = [ref for ref in chunks if await self._has_work(ref)]

    async def _has_work(self, ref: ChunkRef) -> bool:
        page = await in_thread(
            self._ledger.page,
            ref.batch,
            after=ref.first - 1,
            last=ref.last,
            limit=1,
            states=OPEN,
        )
        return bool(page)

    async def start(self) -> None:
        """Note on disk that the batch was confirmed, or that it goes on."""
        # By its id: a run that lost its lock, with the server that kept it, may have confirmed
        # rows that another run has read anew since.
        await in_thread(
            self._ledger.start,
            self.batch.name,
            batch_id=self.batch.id,
            allowed=self._allowances.numbers,
        )

    async def leave_out(self, *, skip: Collection[str] = (), only: Collection[str] = ()) -> None:
        """Cancel rows before any of them is sent.

        Args:
            skip: References of the rows that are not to be paid.
            only: References of the only rows that are to be paid; all where it is empty.

        Raises:
            UnknownBatchError: no row has such a reference; nothing was cancelled.
            NotCancelledError: one that is to be skipped had left.
        """
        await leave_out(self._ledger, self.batch, skip=skip, only=only)

    async def prepare(self, *, signer: Signer | None = None) -> Batch:
        """Fix the rows as they are, to be approved; a run pays these and no others.

        Args:
            signer: The key of who prepares them.

        Raises:
            BatchChangedError: they were prepared, or have begun, already.
            NotApprovedError: the ledger's policy asks for a registered key, and this is none.
        """
        return await in_thread(
            self._ledger.prepare, self.batch, allowed=self._allowances.numbers, signer=signer
        )

    async def require_good(self, found: Preflight, *, settle_within: float) -> None:
        """Refuse to pay with problems; what was sent before is looked up all the same.

        Raises:
            PreflightError: with all of the problems.
        """
        if found.problems and self.resumed and settle_within > 0:
            await self.settle(within=settle_within)
        found.require_good()

    async def settle(self, *, within: float) -> LookUps:
        """Look up what is not settled, for so many seconds; see `Settler.settle`."""
        settler = Settler(self._client, self._ledger, pace=self._pace, stop=self._stop)
        return await settler.settle(self.batch, within=within)


class JobOptions(TypedDict, total=False):
    """What a batch begins with and how it runs, as keywords of `open_job`, which explains them."""

    batch: str | None
    mapping: Mapping[str, str] | None
    period: str | None
    allow_duplicates: Allowed
    repeat_days: float
    callback_url: str | None
    pace: Pace | None
    limits: Limits | None
    stop: Stop | None


@asynccontextmanager
async def open_job(
    client: AsyncDGSPay,
    ledger: Ledger,
    source: RowSource,
    *,
    batch: str | None = None,
    mapping: Mapping[str, str] | None = None,
    period: str | None = None,
    allow_duplicates: Allowed = (),
    repeat_days: float = REPEAT_DAYS,
    callback_url: str | None = None,
    pace: Pace | None = None,
    limits: Limits | None = None,
    stop: Stop | None = None,
    anew: bool = False,
) -> AsyncGenerator[Job]:
    """Read rows into the ledger, or find the batch they began, and have it for oneself.

    Args:
        client: Pays.
        ledger: Remembers.
        source: A CSV file, an iterable of mappings, or a frame.
        batch: Its name; that of the file if left out.
        mapping: Other headings and what they mean.
        period: What is paid for, such as `2026-12`: a reference is paid once within it, and the
            name of the batch ends with it. Batches without one share one period.
        allow_duplicates: References of rows that may be paid although the ledger knows, or the
            sheet shows, that they look paid; a mapping gives each a reason to be noted.
        repeat_days: Days within which the same sum to the same account is not sent again.
        callback_url: Where webhooks go; each payout adds a path that cannot be guessed.
        pace: How fast.
        limits: When to stop by oneself.
        stop: Finishes what is in flight once it is set.
        anew: Whether to read them once more though the batch was prepared; its approvals go.

    Raises:
        RowsInvalidError: rows are wrong; all of them are listed.
        BatchChangedError: the batch began with other rows or settings.
        BatchBusyError: another process runs it.
        BatchPausedError: a person has paused it before it began.
        ConfigError: a row is allowed by name that is not there.
        TypeError: `allow_duplicates` names no rows.
        LedgerError: the ledger cannot be written.
    """
    allowances = Allowances(allow_duplicates)
    period = check_period(period)
    asked = Batch(
        name=name_from(source, period) if batch is None else check_name(batch),
        digest="",
        terms=Terms.of(client, callback_url),
        period=period,
        repeat_days=check_days(repeat_days),
    )
    async with held(ledger.only_run(asked.name)):
        loaded, sheet = await in_thread(
            load_rows, ledger, source, asked, mapping, allowances, anew=anew
        )
        yield Job(
            client,
            ledger,
            loaded,
            sheet,
            allowances=allowances,
            pace=pace,
            limits=limits,
            stop=stop,
        )
