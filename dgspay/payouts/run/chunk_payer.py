"""Pays one chunk for its caller: an engine, or a task of another queue."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

import anyio

from dgspay import AsyncDGSPay
from dgspay.errors import ConfigError
from dgspay.payouts.errors import WentBackError
from dgspay.payouts.ledger import FencedError, Ledger
from dgspay.payouts.model.batch import Chunk, Terms
from dgspay.payouts.model.payout import State
from dgspay.payouts.run.chunk_runner import OnResult, Runner, Stop
from dgspay.payouts.run.engines import ChunkRef
from dgspay.payouts.run.limits import Limits
from dgspay.payouts.run.pacing import Pace
from dgspay.payouts.threads import in_thread

T = TypeVar("T")

# With trusted keys: how often lost answers are asked for again, and the pause before, growing.
_TRUSTED_PASSES = 6
_TRUSTED_PAUSE = 0.2


class ChunkPayer:
    """Pays chunks: what an engine, or a task of Celery, Temporal or DBOS, calls.

        await ChunkPayer(dgs, ledger)(ChunkRef(batch="2026-11", index=0, first=1, last=250))

    Args:
        client: Pays; with `RetryPolicy(trust_idempotency=True)` it also sends those again whose
            answer was lost.
        ledger: Remembers.
        pace: How fast each chunk is paid.
        limits: When to stop by oneself.
        stop: Finishes what is in flight once it is set.
        on_result: Called with each payout, in the event loop.
    """

    def __init__(
        self,
        client: AsyncDGSPay,
        ledger: Ledger,
        *,
        pace: Pace | None = None,
        limits: Limits | None = None,
        stop: Stop | None = None,
        on_result: OnResult | None = None,
    ) -> None:
        self.terms = Terms.of(client)
        """Terms of the payments; an engine may hand out the chunks of this account alone."""
        self._trusted = client.settings.retry.trust_idempotency
        self._ledger = ledger
        self._runner = partial(
            Runner, client, ledger, pace=pace, limits=limits, stop=stop, on_result=on_result
        )
        self.paused: str | None = None
        self.taken_up = 0
        """Payouts that were taken up to be sent, whatever became of them."""

    async def __call__(self, ref: ChunkRef) -> str | None:
        """Take a chunk up and pay it; return why it was paused, or None.

        A ledger that lacks commits it once had pauses it: nothing is sent from it.

        Raises:
            ConfigError: the ledger has no such batch.
            BatchChangedError: the batch is paid from another account, or another environment.
            LedgerError: the ledger cannot be written.
        """
        batch = await in_thread(self._ledger.batch, ref.batch)
        if batch is None:
            raise ConfigError(f"the ledger has no batch {ref.batch!r}")
        batch.require_payer(self.terms)
        paused: str | None
        try:
            chunk = await in_thread(self._ledger.claim, batch, ref.index, ref.first, ref.last)
            paused = await self._pay(chunk)
            await in_thread(self._ledger.finish, chunk)
        except FencedError:
            # Another worker has the chunk; it does what is left to do.
            return None
        except WentBackError as error:
            paused = error.message
        self.paused = self.paused or paused
        return paused

    async def _pay(self, chunk: Chunk) -> str | None:
        runner = self._runner()
        try:
            return await self._pay_with(runner, chunk)
        finally:
            self.taken_up += runner.taken_up

    async def _pay_with(self, runner: Runner, chunk: Chunk) -> str | None:
        paused = await runner.run(chunk, doubtful=True) if self._trusted else None
        paused = paused or await runner.run(chunk)
        for turn in range(_TRUSTED_PASSES if self._trusted else 0):
            if paused or not await self._is_in_doubt(chunk):
                break
            await anyio.sleep(_TRUSTED_PAUSE * 2**turn)
            before = runner.taken_up
            paused = await runner.run(chunk, doubtful=True)
            if runner.taken_up == before:
                break  # what is left is not to be sent again: its key may be forgotten by now
        return paused

    async def _is_in_doubt(self, chunk: Chunk) -> bool:
        after = chunk.first - 1
        while page := await in_thread(
            self._ledger.page,
            chunk.batch.name,
            after=after,
            last=chunk.last,
            limit=1000,
            states=(State.HELD, State.IN_DOUBT),
        ):
            if any(
                record.dgs_reference is None and record.contradiction is None for record in page
            ):
                return True
            after = page[-1].payout.number
        return False
