"""The public classes of bulk payouts; the command line calls nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from pathlib import Path
from typing import TextIO, Unpack

import attrs

from dgspay import AsyncDGSPay, DGSPay
from dgspay.errors import ConfigError
from dgspay.money import AmountInput
from dgspay.payouts import status
from dgspay.payouts.amount_limits import AmountLimits, LimitWatch
from dgspay.payouts.approval.approving import APPROVAL_DAYS, approve
from dgspay.payouts.approval.judgement import Approvals
from dgspay.payouts.approval.policy import Policy, PolicyState
from dgspay.payouts.approval.signing import Signer
from dgspay.payouts.errors import BatchChangedError
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.ledger.protocol import check_ledger
from dgspay.payouts.model.allowances import Allowances, Allowed
from dgspay.payouts.model.audit_log import AuditLine, LogFault
from dgspay.payouts.model.batch import (
    CHUNK_ROWS,
    REPEAT_DAYS,
    Batch,
    Terms,
    check_days,
    check_period,
    name_from,
)
from dgspay.payouts.model.changes import change_words, newcomer_words
from dgspay.payouts.model.payout import Record
from dgspay.payouts.preflight import Preflight, preflight
from dgspay.payouts.report.marked_sheet import mark_results
from dgspay.payouts.report.summary import Report
from dgspay.payouts.run.chunk_payer import ChunkPayer
from dgspay.payouts.run.chunk_runner import OnResult, Stop
from dgspay.payouts.run.engines import ChunkRef, Engine
from dgspay.payouts.run.held_lock import held
from dgspay.payouts.run.job import Job, JobOptions, Summary, open_job
from dgspay.payouts.run.limits import Limits
from dgspay.payouts.run.loading import check_rows, compare_rows
from dgspay.payouts.run.pacing import Pace
from dgspay.payouts.settle.cancellation import cancel, close_batch, pause, reinstate, resume
from dgspay.payouts.settle.portal_export import ExportedEnds, read_ends
from dgspay.payouts.settle.reconciliation import Difference, reconcile
from dgspay.payouts.settle.resolution import IN_FLIGHT_SECONDS, resolve, withdraw
from dgspay.payouts.sheet.file import SheetFile, file_of
from dgspay.payouts.sheet.reader import RowSource
from dgspay.payouts.sheet.summary import SheetSummary
from dgspay.payouts.status import Status
from dgspay.payouts.threads import in_thread


class AsyncPayouts:
    """Batches of payouts, for `await`: check, run, status, report, reconcile, resolve.

        async with AsyncDGSPay.from_env() as dgs:
            with SqliteLedger("payouts.sqlite3") as ledger:
                payouts = AsyncPayouts(dgs, ledger)
                summary = await payouts.run("salaries.csv", fee=100)
                await payouts.report("salaries", "salaries.html")

    Args:
        client: Pays, and asks DGS-Pay. `status`, `report` and `resolve` need none.
        ledger: Remembers. `check` needs none.
    """

    def __init__(self, client: AsyncDGSPay | None = None, ledger: Ledger | None = None) -> None:
        if isinstance(client, DGSPay):
            raise ConfigError("AsyncPayouts needs an AsyncDGSPay; Payouts takes a DGSPay")
        check_ledger(ledger)
        self._client = client
        self._ledger = ledger

    async def check(
        self,
        source: RowSource | SheetSummary,
        *,
        mapping: Mapping[str, str] | None = None,
        fee: AmountInput | None = None,
        amount_limits: AmountLimits | None = None,
        batch: str | None = None,
        period: str | None = None,
        allow_duplicates: Allowed = (),
        repeat_days: float = REPEAT_DAYS,
    ) -> Preflight:
        """Read rows, and hold them against the wallet, the bank list and the ledger. It only reads.

            found = await AsyncPayouts(dgs).check("salaries.csv", fee=100)
            found.require_good()

        Args:
            source: A CSV file, an iterable of mappings, a frame, or what `check_rows` returned,
                which is not held against the ledger.
            mapping: Other headings and what they mean, such as `{"Net pay": "amount"}`.
            fee: The fee of one disbursement in RWF, where you know it; amounts must be above it
                (guide, "Disburse Funds").
            batch: As for `run`; what it began with is compared where the ledger has it.
            amount_limits: As for `run`.
            period: As for `run`.
            allow_duplicates: As for `run`.
            repeat_days: As for `run`.

        Raises:
            RowsInvalidError: rows are wrong; all of them are listed.
            BatchBusyError, LedgerError: see `open_job`.
            DGSPayError: a look-up failed.
        """
        client = self._needed_client()
        if isinstance(source, SheetSummary):
            source.require_good()
            return await preflight(client, source, fee=fee)
        watch = LimitWatch(amount_limits or {})
        if self._ledger is None:
            sheet = await in_thread(
                check_rows, source, mapping, allow_duplicates=allow_duplicates, watch=watch.look
            )
            sheet.require_good()
            found = await preflight(client, sheet, fee=fee)
            return attrs.evolve(found, warnings=watch.warnings)
        is_nameless = batch is None and file_of(source) is None
        period = check_period(period)
        asked = Batch(
            # Rows that come from no file may have no name yet; no batch is called so.
            name="" if is_nameless else batch or name_from(source, period),
            digest="",
            terms=Terms.of(client),
            period=period,
            repeat_days=check_days(repeat_days),
        )
        allowances = Allowances(allow_duplicates)
        # What keeps a run from beginning keeps a check from approving it.
        async with held(nullcontext() if is_nameless else self._ledger.only_run(asked.name)):
            seen = await in_thread(
                compare_rows,
                self._ledger,
                source,
                asked,
                mapping,
                allowances,
                watch=watch.look,
            )
            if seen.begun is None:
                found = await preflight(client, seen.sheet, fee=fee)
                found = attrs.evolve(
                    found,
                    warnings=(*change_words(seen.earlier_pay), *watch.warnings),
                    remarks=(
                        *found.remarks,
                        *map(str, seen.permitted),
                        *newcomer_words(seen.earlier_pay),
                    ),
                )
            else:
                job = Job(client, self._ledger, seen.begun, None, allowances=allowances)
                found = await job.preflight(fee=fee, amount_limits=amount_limits)
                begun = (
                    f"batch {seen.begun.name} has begun, and a run goes on with what is left of "
                    f"it: {found.count:,} of {seen.begun.count:,}"
                )
                found = attrs.evolve(found, remarks=(begun, *found.remarks))
        return attrs.evolve(found, problems=(*seen.problems, *found.problems), sheet=seen.sheet)

    def open(
        self, source: RowSource, **options: Unpack[JobOptions]
    ) -> AbstractAsyncContextManager[Job]:
        """Read rows into the ledger, or find the batch they began, to pay it step by step.

            async with payouts.open("salaries.csv") as job:
                (await job.preflight(fee=100)).require_good()
                summary = await job.run()

        Arguments and errors are those of `open_job`.
        """
        return open_job(self._needed_client(), self._needed_ledger(), source, **options)

    async def run(
        self,
        source: RowSource,
        *,
        batch: str | None = None,
        mapping: Mapping[str, str] | None = None,
        fee: AmountInput | None = None,
        amount_limits: AmountLimits | None = None,
        period: str | None = None,
        allow_duplicates: Allowed = (),
        repeat_days: float = REPEAT_DAYS,
        skip: Collection[str] = (),
        only: Collection[str] = (),
        confirm: Callable[[Preflight], bool] | None = None,
        callback_url: str | None = None,
        pace: Pace | None = None,
        limits: Limits | None = None,
        stop: Stop | None = None,
        settle_within: float = 60.0,
        on_result: OnResult | None = None,
        engine: Engine | None = None,
    ) -> Summary:
        """Pay every row of the source once. After any failure, call it again.

            summary = await payouts.run("salaries.csv", fee=100)
            print(summary.unsent, summary.in_doubt)

        Args:
            source: A CSV file, an iterable of mappings, or a frame of pandas or polars.
            batch: Name of the batch; that of the file, and of the period, if left out.
            mapping: Other headings and what they mean.
            fee: The fee of one disbursement in RWF, where you know it.
            amount_limits: Limits of networks and banks, to warn of rows beyond them; see
                `read_amount_limits`.
            period: What is paid for, such as `2026-12`: a reference is paid once within it.
            allow_duplicates: References of rows that may be paid although they look as if they had
                been paid before; a mapping gives each a reason to be noted.
            repeat_days: Days within which the same sum to the same account is not sent again.
            skip: References of rows that are not to be paid; they are cancelled.
            only: References of the only rows that are to be paid; the others are cancelled, and
                `reinstate` takes that back.
            confirm: Shown what was found; nothing is sent unless it says yes.
            callback_url: Where `PayoutWebhooks` is reached; each payout adds a path of its own.
            pace: How fast.
            limits: When to stop by oneself.
            stop: Finishes what is in flight once it is set.
            settle_within: Seconds to look up how the payouts ended; 0 for not at all.
            on_result: Called with each payout that was sent here.
            engine: Shares the batch out to other machines too.

        Raises:
            PreflightError: it must not be paid as things stand, or it was not approved.
            ConfigError: `confirm` said no.
            RowsInvalidError, BatchChangedError, BatchBusyError, LedgerError: see `open_job`.
        """
        async with self.open(
            source,
            batch=batch,
            mapping=mapping,
            period=period,
            allow_duplicates=allow_duplicates,
            repeat_days=repeat_days,
            callback_url=callback_url,
            pace=pace,
            limits=limits,
            stop=stop,
        ) as job:
            await job.leave_out(skip=skip, only=only)
            found = await job.preflight(fee=fee, amount_limits=amount_limits)
            await job.require_good(found, settle_within=settle_within)
            if confirm is not None and not confirm(found):
                raise ConfigError("nothing was sent: it was not confirmed")
            return await job.run(settle_within=settle_within, on_result=on_result, engine=engine)

    async def prepare(
        self,
        source: RowSource,
        *,
        batch: str | None = None,
        mapping: Mapping[str, str] | None = None,
        fee: AmountInput | None = None,
        amount_limits: AmountLimits | None = None,
        period: str | None = None,
        allow_duplicates: Allowed = (),
        repeat_days: float = REPEAT_DAYS,
        callback_url: str | None = None,
        confirm: Callable[[Preflight], bool] | None = None,
        signer: Signer | None = None,
    ) -> Batch:
        """Check rows and fix them in the ledger, to be approved by another person. Nothing is sent.

            batch = await payouts.prepare("salaries.csv", fee=100, signer=signer)
            print(batch.digest, batch.count, batch.total)

        `run` with the same source and options pays it then, and nothing else. Given again, it reads
        the rows anew, and what was approved before counts no more.

        Args:
            source: As for `run`, and so are the options that are not explained here.
            batch: As for `run`.
            mapping: As for `run`.
            fee: As for `run`.
            amount_limits: As for `run`.
            period: As for `run`.
            allow_duplicates: As for `run`; none can be added after the approval.
            repeat_days: As for `run`.
            callback_url: As for `run`.
            confirm: Shown what was found; nothing is fixed unless it says yes.
            signer: The key of who prepares it, where the policy asks for one; see `load_key`.

        Raises:
            PreflightError: it must not be paid as things stand.
            ConfigError: `confirm` said no.
            NotApprovedError: the ledger's policy asks for a registered key, and this is none.
            RowsInvalidError, BatchChangedError, BatchBusyError, LedgerError: see `open_job`.
        """
        opening = open_job(
            self._needed_client(),
            self._needed_ledger(),
            source,
            batch=batch,
            mapping=mapping,
            period=period,
            allow_duplicates=allow_duplicates,
            repeat_days=repeat_days,
            callback_url=callback_url,
            anew=True,
        )
        async with opening as job:
            if job.resumed:
                raise BatchChangedError(f"batch {job.batch.name!r} has begun already")
            found = await job.preflight(fee=fee, amount_limits=amount_limits, approved=False)
            found.require_good()
            if confirm is not None and not confirm(found):
                raise ConfigError("nothing was prepared: it was not confirmed")
            return await job.prepare(signer=signer)

    async def approve(
        self,
        batch: str,
        signer: Signer,
        *,
        days: float = APPROVAL_DAYS,
        source: str | Path | None = None,
        seen: Batch | None = None,
    ) -> Approvals:
        """Sign a batch that another person has prepared: its rows, count, sum, account and terms.

            approvals = await payouts.approve("salaries", load_key(path, passphrase))
            print(approvals.are_enough)

        Args:
            batch: Name of the batch.
            signer: The key of who approves it; see `load_key`.
            days: How long the approval counts; 31 at most.
            source: The sheet, to see that the batch was read from these very bytes.
            seen: The batch as the person has seen it; as it is now if left out.

        Returns:
            Who has approved it now.

        Raises:
            UnknownBatchError: the ledger has no such batch.
            BatchChangedError: it is not what was seen, or not what the sheet says.
            NotApprovedError: it was not prepared, or this approval would not count.
            ConfigError: `days` is no such number.
        """
        ledger = self._needed_ledger()
        found = await in_thread(status.require_batch, ledger, batch) if seen is None else seen
        return await in_thread(approve, ledger, found, signer, days=days, source=source)

    async def approvals(self, batch: str) -> Approvals | None:
        """Return who has approved a batch as it is now; None where it was not prepared.

        Raises:
            UnknownBatchError: the ledger has no such batch.
        """
        ledger = self._needed_ledger()
        found = await in_thread(status.require_batch, ledger, batch)
        return await in_thread(ledger.approvals, found)

    async def policy(self) -> PolicyState:
        """Return the ledger's policy, and a change of it that waits for signatures."""
        return await in_thread(self._needed_ledger().policy)

    async def change_policy(
        self, change: Callable[[Policy], Policy], *, signer: Signer | None = None
    ) -> PolicyState:
        """Propose a change of the ledger's policy; it is in force once enough have signed it.

            await payouts.change_policy(lambda policy: attrs.evolve(policy, approvals=1))

        Args:
            change: Returns the policy as it is to be.
            signer: The key of who proposes it, where the policy in force asks for approvals.

        Raises:
            ConfigError: such a policy could not be kept.
            NotApprovedError: the policy in force asks for a registered key, and this is none.
        """
        return await in_thread(self._needed_ledger().change_policy, change, signer=signer)

    async def sign_policy(self, signer: Signer) -> PolicyState:
        """Sign the change of the policy that waits for signatures.

        Raises:
            NotApprovedError: none waits, or the key is not registered.
        """
        return await in_thread(self._needed_ledger().sign_policy, signer)

    async def pay_chunk(
        self, ref: ChunkRef, *, pace: Pace | None = None, stop: Stop | None = None
    ) -> str | None:
        """Pay one chunk of a batch that has begun; for tasks of Celery, Temporal or DBOS.

        It may be called again after a crash, and by two machines at once: a row is sent by one
        of them. Between machines the ledger must be a `PostgresLedger`.

        Returns:
            Why the batch was paused, or None.

        Raises:
            ConfigError: the ledger has no such batch, or it was not confirmed.
            LedgerError: the ledger cannot be written.
        """
        found = await in_thread(status.require_batch, self._needed_ledger(), ref.batch)
        if not found.started:
            raise ConfigError(f"batch {ref.batch!r} was not confirmed. Nothing was sent")
        payer = ChunkPayer(self._needed_client(), self._needed_ledger(), pace=pace, stop=stop)
        return await payer(ref)

    async def chunks(self, batch: str, size: int = CHUNK_ROWS) -> list[ChunkRef]:
        """Cut a batch into chunks for `pay_chunk`, always the same ones for the same size.

        Raises:
            UnknownBatchError: the ledger has no such batch.
        """
        return await in_thread(status.chunks_of, self._needed_ledger(), batch, size)

    async def status(self, batch: str) -> Status:
        """Return the status of a batch.

            status = await payouts.status("salaries")
            print(status.counts.count(State.CONFIRMED), status.in_doubt)

        Raises:
            UnknownBatchError: the ledger has no such batch.
        """
        return await in_thread(status.status_of, self._needed_ledger(), batch)

    async def row(self, batch: str, reference: str) -> Record:
        """Return what is known of one payout, by its own reference.

        Raises:
            UnknownBatchError: the ledger has no such batch, or the batch no such row.
        """
        return await in_thread(status.find_row, self._needed_ledger(), batch, reference)

    async def report(
        self, batch: str, to: str | Path | TextIO | None = None, *, form: str | None = None
    ) -> Report:
        """Add a batch up, and write every payout of it to a file.

            await payouts.report("salaries", "salaries.html")

        Args:
            batch: Name of the batch.
            to: A path, or a file opened with `newline=""`; nothing is written if left out. A file
                that is there is replaced where it is a report of the batch, and nothing else is.
            form: `"html"`, `"csv"`, `"json"`, or `"payslips"` for a CSV with a line for each payout
                that was paid; the suffix of the path if left out.

        Raises:
            UnknownBatchError: the ledger has no such batch.
            ConfigError: there is no such form, or the path has something else than a report.
            OSError: the file cannot be written.
        """
        return await in_thread(status.report_of, self._needed_ledger(), batch, to, form)

    async def audit_log(self, batch: str | None = None) -> list[AuditLine]:
        """Return who did what and when, oldest first; of one batch, or of the whole ledger.

        for line in await payouts.audit_log("salaries"):
            print(line.at, line.who, line.action, line.what)

        Args:
            batch: Name of the batch; one that was never in the ledger has no lines.
        """
        return await in_thread(status.audit_log_of, self._needed_ledger(), batch)

    async def verify_audit_log(self) -> list[LogFault]:
        """Return each line of the audit log that was changed, removed or added by other means.

        faults = await payouts.verify_audit_log()
        """
        return await in_thread(self._needed_ledger().verify_audit_log)

    async def results(
        self,
        source: str | Path | SheetFile,
        to: str | Path,
        *,
        batch: str | None = None,
        period: str | None = None,
        mapping: Mapping[str, str] | None = None,
        only_failed: bool = False,
    ) -> int:
        """Write a sheet once more as a workbook, with columns that say what became of each row.

            await payouts.results("salaries.xlsx", "salaries-results.xlsx")

        Args:
            source: The sheet that the batch was read from, unchanged.
            to: The workbook to write (.xlsx), which must not be there.
            batch: Name of the batch; as for `run` if left out.
            period: As for `run`.
            mapping: As for `run`.
            only_failed: Write only the rows that failed, to be corrected and paid as a batch of
                another name; nothing is written where none has.

        Returns:
            The rows that are in it with what became of them.

        Raises:
            UnknownBatchError: the ledger has no such batch.
            BatchChangedError: it was read from another sheet, or with another mapping.
            ConfigError: the workbook is there, or the extra `excel` is not installed.
            OSError: it cannot be written.
        """
        file = source if isinstance(source, SheetFile) else SheetFile(source)
        name = batch or name_from(file, check_period(period))
        ledger = self._needed_ledger()
        found = await in_thread(status.require_batch, ledger, name)
        return await in_thread(
            mark_results, ledger, found, file, Path(to), mapping, only_failed=only_failed
        )

    async def reconcile(
        self, batch: str, *, pace: Pace | None = None
    ) -> AsyncGenerator[Difference]:
        """Compare a batch with DGS-Pay's transactions, and yield each difference. It only reads.

            async for difference in payouts.reconcile("salaries"):
                print(difference.reference, difference.kind, difference.what)

        Args:
            batch: Name of the batch.
            pace: How fast to look up what the transaction list does not hold.

        Raises:
            UnknownBatchError: the ledger has no such batch.
            DGSPayError: the list cannot be read.
        """
        ledger = self._needed_ledger()
        found = await in_thread(status.require_batch, ledger, batch)
        async with aclosing(
            reconcile(self._needed_client(), ledger, found, pace=pace)
        ) as differences:
            async for difference in differences:
                yield difference

    async def resolve(
        self,
        batch: str,
        reference: str,
        *,
        paid: bool,
        note: str | None = None,
        wait: float = IN_FLIGHT_SECONDS,
    ) -> Record:
        """Settle a payout in doubt as a person found it to be, in the merchant portal say.

        One that is being sent is waited for. One that DGS-Pay has a name for is looked up first,
        and its word counts. One that was not paid becomes failed, and is not sent again.

            await payouts.resolve("salaries", "2026-11-jane", paid=True, note="portal")

        Args:
            batch: Name of the batch.
            reference: The row's own reference.
            paid: Whether the recipient was paid.
            note: Where you know it from; it stays in the report.
            wait: Seconds to wait for the answer of one that is being sent.

        Returns:
            What is known of the payout now.

        Raises:
            UnknownBatchError: the ledger has no such batch, or the batch no such row.
            NotInDoubtError: it is settled, was never sent, or is being sent; or DGS-Pay says
                otherwise, or that it is under way. Nothing that you say was noted.
            ConfigError: DGS-Pay has accepted it, and there is no client to ask with.
            DGSPayError: the look-up failed.
        """
        return await resolve(
            self._client, self._needed_ledger(), batch, reference, paid=paid, note=note, wait=wait
        )

    async def cancel(
        self,
        batch: str,
        reference: str,
        *,
        note: str | None = None,
        wait: float = IN_FLIGHT_SECONDS,
    ) -> Record:
        """Cancel a payout before it is sent, also while the batch is being paid.

            await payouts.cancel("salaries", "2026-11-jane", note="has left the company")

        Args:
            batch: Name of the batch.
            reference: The row's own reference.
            note: Why; it stays in the report.
            wait: Seconds to wait for one that is being sent at this moment.

        Returns:
            What is known of the payout now: it is cancelled, and is never sent.

        Raises:
            NotCancelledError: it had left, or may have. Nothing was changed.
            UnknownBatchError: the ledger has no such batch, or the batch no such row.
        """
        return await cancel(self._needed_ledger(), batch, reference, note=note, wait=wait)

    async def reinstate(self, batch: str, reference: str, *, note: str | None = None) -> Record:
        """Take back that a payout was cancelled; the next run sends it.

        Args:
            batch: Name of the batch.
            reference: The row's own reference.
            note: Why; it stays in the audit log.

        Raises:
            BatchClosedError: the batch was closed.
            UnknownBatchError: the ledger has no such batch, or the batch no such row.
        """
        return await reinstate(self._needed_ledger(), batch, reference, note=note)

    async def pause(self, batch: str, *, note: str) -> None:
        """Stop a batch, also while it is being paid here, in another process or on other machines.

            await payouts.pause("salaries", note="the month is wrong")

        Once this returns no row is taken up any more. One that was taken up before leaves within
        ten seconds or not at all, and what is in flight is finished. A run sends nothing before
        `resume`.

        Args:
            batch: Name of the batch.
            note: Why; who runs it next is shown that, and it stays in the audit log.

        Raises:
            BatchPausedError: a person has paused it already.
            BatchClosedError: it is closed.
            UnknownBatchError: the ledger has no such batch.
        """
        await in_thread(pause, self._needed_ledger(), batch, note)

    async def resume(self, batch: str, *, note: str | None = None) -> None:
        """Let a batch go on that a person has paused. Nothing is sent before the next `run`.

        Args:
            batch: Name of the batch.
            note: Why; it stays in the audit log.

        Raises:
            ConfigError: no person has paused it.
            BatchClosedError: it is closed.
            UnknownBatchError: the ledger has no such batch.
        """
        await in_thread(resume, self._needed_ledger(), batch, note)

    async def close_batch(self, batch: str, *, note: str) -> int:
        """Cancel everything of a batch that was not sent, for good; return how many it was.

        What was sent is settled as before.

        Args:
            batch: Name of the batch.
            note: Why; it stays in the report.

        Raises:
            BatchClosedError: it is closed.
            UnknownBatchError: the ledger has no such batch.
        """
        return await in_thread(close_batch, self._needed_ledger(), batch, note)

    async def batches(self) -> list[Status]:
        """Return where each batch of the ledger stands, oldest first."""
        return await in_thread(status.all_batches, self._needed_ledger())

    async def read_ends(
        self, batch: str, path: str | Path, *, mapping: Mapping[str, str] | None = None
    ) -> ExportedEnds:
        """Compare an export of the merchant portal with a batch; nothing is changed.

            for end in (await payouts.read_ends("salaries", "portal.csv")).ends:
                await payouts.resolve("salaries", end.record.payout.reference, paid=end.paid)

        Args:
            batch: Name of the batch.
            path: A CSV file in UTF-8.
            mapping: Other headings and which of `EXPORT_COLUMNS` they mean.

        Raises:
            UnknownBatchError: the ledger has no such batch.
            ConfigError: the file cannot be read, or lacks a column.
        """
        return await in_thread(read_ends, self._needed_ledger(), batch, Path(path), mapping)

    async def withdraw(self, batch: str, reference: str, *, note: str | None = None) -> Record:
        """Revoke a person's resolution of a payout (`resolve`); it is held again.

        Once DGS-Pay has said the same, by a webhook or a look-up, that counts.

            await payouts.withdraw("salaries", "2026-11-jane", note="it was another Jane")

        Args:
            batch: Name of the batch.
            reference: The row's own reference.
            note: Why; it stays in the report.

        Returns:
            What is known of the payout now.

        Raises:
            UnknownBatchError: the ledger has no such batch, or the batch no such row.
            NotInDoubtError: it is not settled, or not by a person.
        """
        return await withdraw(self._needed_ledger(), batch, reference, note=note)

    def _needed_client(self) -> AsyncDGSPay:
        if self._client is None:
            raise ConfigError("this method needs a client: Payouts(client, ...)")
        return self._client

    def _needed_ledger(self) -> Ledger:
        if self._ledger is None:
            raise ConfigError("this method needs a ledger: Payouts(..., ledger)")
        return self._ledger
