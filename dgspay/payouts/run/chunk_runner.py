"""Pays one chunk of a batch from any ledger: each row is in doubt on disk before it is sent."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

import anyio
import attrs
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from dgspay import AsyncDGSPay, errors
from dgspay.clock import Clock
from dgspay.payouts.errors import LedgerError, NotApprovedError, single_error
from dgspay.payouts.ledger import FencedError, Ledger, PausedError
from dgspay.payouts.model.batch import Chunk
from dgspay.payouts.model.evidence import evidence_of_answer, evidence_of_error
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.model.transitions import Evidence, Learned
from dgspay.payouts.run.limits import Limits, StopRule
from dgspay.payouts.run.pacing import Pace, RateLimiter
from dgspay.payouts.run.take_size import TakeSize
from dgspay.payouts.threads import in_thread

FRESH_SECONDS = 10.0
"""Time for which a worker may rely on having a chunk without looking again."""


class Stop:
    """A flag that a signal or another thread sets: nothing new may be sent.

    Args:
        event: An event that means the same; a new one if left out.
    """

    def __init__(self, event: threading.Event | None = None) -> None:
        self._event = event or threading.Event()

    def set(self) -> None:
        """Finish what is in flight, and no more."""
        self._event.set()

    def __bool__(self) -> bool:
        """Return whether it was set."""
        return self._event.is_set()


OnResult = Callable[[Payout, Evidence], None]
"""Called with each payout that was sent, or could not be."""


@attrs.define
class _RunState:
    """State of the run of a chunk.

    Attributes:
        paused: Why nothing more may be sent.
        is_noted: Whether the ledger says that it is paused, and not this run alone.
        fenced: Whether another worker has the chunk.
        take_size: How many to take up at once.
        demand: Set when a worker wants a payout.
        idle: Workers that wait for a payout.
        ready: Payouts that wait for a worker.
        is_drained: Whether nothing more will be taken up.
        waiting: What was taken up and has not been begun with.
        fault: What went wrong beside the paying; it is raised once what is in flight has ended.
        abandoned: Whether no worker is left to send what a thread still takes.
        lock: For the thread that takes up.
    """

    take_size: TakeSize
    paused: str | None = None
    is_noted: bool = False
    fenced: bool = False
    demand: anyio.Event = attrs.field(factory=anyio.Event)
    idle: int = 0
    ready: int = 0
    is_drained: bool = False
    waiting: set[int] = attrs.field(factory=set)
    fault: Exception | None = None
    abandoned: bool = False
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    @property
    def is_over(self) -> bool:
        return self.paused is not None or self.fenced or self.fault is not None

    @property
    def is_exhausted(self) -> bool:
        """Return whether there is nothing left for a worker to do."""
        return self.is_drained and not self.ready


@attrs.frozen
class _TakenRow:
    payout: Payout
    monotonic: float
    time: float


class Runner:
    """Pays chunks with one client. Several chunks at once share its pace.

    Args:
        client: Pays.
        ledger: Remembers.
        pace: How fast.
        limits: When to stop by oneself.
        stop: Finishes what is in flight once it is set.
        on_result: Called with each result, in the event loop.
        clock: For turns, and to notice that the process was stopped for long.
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
        clock: Clock = time,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._pace = pace or Pace()
        self._stop = Stop() if stop is None else stop
        self._on_result = on_result or (lambda _payout, _evidence: None)
        self._clock = clock
        self._turns = RateLimiter(self._pace, clock.monotonic)
        self._stop_rule = StopRule(limits or Limits())
        self.taken_up = 0
        """Payouts that were taken up to be sent, so far."""

    async def run(self, chunk: Chunk, *, doubtful: bool = False) -> str | None:
        """Pay what is new in a chunk; return why it was paused, or None.

        Args:
            chunk: Which rows.
            doubtful: Send those again whose answer was lost instead. Only where DGS-Pay
                honours idempotency keys.

        Raises:
            FencedError: another worker has taken the chunk up.
            LedgerError: the ledger cannot be written; nothing was sent that is not in it.
        """
        state = _RunState(TakeSize(self._clock.monotonic))
        # It holds no more than `TakeSize` lets be taken up ahead.
        send, receive = anyio.create_memory_object_stream[_TakenRow](math.inf)
        with send, receive:
            try:
                async with anyio.create_task_group() as group:
                    for _ in range(self._pace.concurrency):
                        group.start_soon(self._work, chunk, state, receive.clone())
                    receive.close()
                    await self._feed(chunk, state, send, doubtful=doubtful)
                    send.close()
            except BaseExceptionGroup as group_error:
                raise single_error(group_error) from None
            finally:
                with state.lock:
                    state.abandoned = True
                # Empty but for a run that is cancelled, or breaks.
                self._release(chunk, state, *state.waiting)
        await in_thread(self._ledger.flush)
        if state.fault is not None:
            raise state.fault
        if state.paused is not None and not state.is_noted:
            await in_thread(self._ledger.pause, chunk.batch.name, state.paused)
        if state.fenced:
            raise FencedError(f"chunk {chunk.index} of {chunk.batch.name}")
        return state.paused

    async def _feed(
        self,
        chunk: Chunk,
        state: _RunState,
        send: MemoryObjectSendStream[_TakenRow],
        *,
        doubtful: bool,
    ) -> None:
        """Take payouts up as the workers ask for them."""
        try:
            async with aclosing(self._pages(chunk, state, doubtful=doubtful)) as pages:
                async for taken in pages:
                    state.ready += 1
                    # Where no worker is left, what ended them comes out of the task group, and
                    # this must not come out in its place.
                    with suppress(anyio.BrokenResourceError):
                        send.send_nowait(taken)
        finally:
            state.is_drained = True

    async def _pages(
        self, chunk: Chunk, state: _RunState, *, doubtful: bool
    ) -> AsyncGenerator[_TakenRow]:
        after = 0
        while limit := await self._demand(state):
            monotonic, now = self._clock.monotonic(), self._clock.time()
            try:
                page = await in_thread(
                    self._take, chunk, state, after=after, limit=limit, doubtful=doubtful
                )
            except FencedError:
                state.fenced = True
                return
            except PausedError as error:
                state.is_noted = state.paused is None
                state.paused = state.paused or str(error)
                return
            except NotApprovedError as error:
                state.paused = state.paused or error.message
                return
            except LedgerError as error:
                # Raised here it would cancel what is in flight, and throw its answers away.
                state.fault = error
                return
            state.take_size.took(self._clock.monotonic() - monotonic)
            if not page:
                return
            after = page[-1].number
            self.taken_up += len(page)
            for payout in page:
                yield _TakenRow(payout, monotonic, now)

    async def _demand(self, state: _RunState) -> int:
        """Wait until workers want more than is ready; return how many, 0 when it is over."""
        while self._may_send(state):
            limit = state.take_size.wanted(idle=state.idle, ready=state.ready)
            if limit:
                return limit
            state.demand = anyio.Event()
            await state.demand.wait()
        return 0

    def _take(
        self, chunk: Chunk, state: _RunState, *, after: int, limit: int, doubtful: bool
    ) -> list[Payout]:
        """Take a page up. A thread does, and goes on where the task that waits is cancelled."""
        page = self._ledger.take(chunk, after=after, limit=limit, doubtful=doubtful)
        numbers = [payout.number for payout in page]
        with state.lock:
            if not state.abandoned:
                state.waiting.update(numbers)
                return page
        self._release(chunk, state, *numbers)
        return []

    async def _work(
        self, chunk: Chunk, state: _RunState, receive: MemoryObjectReceiveStream[_TakenRow]
    ) -> None:
        with receive:
            while True:
                # The turn comes first: what is taken up leaves at once.
                await self._turns.wait(lambda: self._may_send(state) and not state.is_exhausted)
                taken = await self._next(state, receive)
                if taken is None:
                    return
                if await self._is_stale(chunk, state, taken) or not self._may_send(state):
                    self._release(chunk, state, taken.payout.number)
                    continue
                state.waiting.discard(taken.payout.number)
                state.take_size.leave()
                await self._pay(chunk, state, taken.payout)

    async def _next(
        self, state: _RunState, receive: MemoryObjectReceiveStream[_TakenRow]
    ) -> _TakenRow | None:
        """Wait for a payout that is taken up; None where there will be none."""
        state.idle += 1
        if not state.ready:
            state.demand.set()
        try:
            taken = await receive.receive()
        except anyio.EndOfStream:
            return None
        finally:
            state.idle -= 1
        state.ready -= 1
        if state.ready <= state.take_size.low:
            state.demand.set()
        return taken

    def _may_send(self, state: _RunState) -> bool:
        return not state.is_over and not self._stop

    async def _is_stale(self, chunk: Chunk, state: _RunState, taken: _TakenRow) -> bool:
        """Look again whether a row may be sent that was taken up long ago.

        The process may have been stopped, or the workers were kept waiting, while another one took
        the chunk or a person paused the batch.
        """
        if state.fenced:
            return True
        age = max(
            self._clock.monotonic() - taken.monotonic,
            # Counts the time a laptop was asleep, where the other clock may stand still.
            self._clock.time() - taken.time,
        )
        if age > FRESH_SECONDS:
            state.fenced = not await in_thread(self._ledger.may_send, chunk)
        return state.fenced

    def _release(self, chunk: Chunk, state: _RunState, *numbers: int) -> None:
        """These were taken up and not sent."""
        state.waiting.difference_update(numbers)
        # Where the ledger is broken they stay in doubt, and its error is raised where it happened.
        with suppress(LedgerError):
            for number in numbers:
                evidence = Evidence(learned=Learned.NOT_SENT)
                self._ledger.post(chunk.batch, number, evidence, chunk=chunk)

    async def _pay(self, chunk: Chunk, state: _RunState, payout: Payout) -> None:
        batch = chunk.batch
        fault: errors.DGSPayError | None = None
        try:
            evidence = evidence_of_answer(
                await self._client.disbursements.create(
                    amount=payout.amount,
                    recipient=payout.recipient,
                    narration=payout.narration,
                    callback_url=batch.callback_of(payout.number),
                    idempotency_key=batch.key_of(payout.number),
                ),
                payout,
            )
        except errors.DGSPayError as error:
            fault, evidence = error, evidence_of_error(error)
        except (ValueError, TypeError) as error:
            # The client refused an argument before anything was sent, and would do so again.
            evidence = Evidence(learned=Learned.REFUSED, reason=str(error))
        self._ledger.post(batch, payout.number, evidence, chunk=chunk)
        try:
            self._on_result(payout, evidence)
        except Exception as error:  # noqa: BLE001 - the caller's own; raised at the end of the run
            state.fault = state.fault or error
        reason = self._stop_rule.look(evidence, fault)
        if reason is not None and state.paused is None:
            state.paused = reason
