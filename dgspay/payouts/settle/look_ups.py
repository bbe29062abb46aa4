"""Looks up how accepted payouts ended (guide, "Transactions"), until nothing is left to know."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import anyio
import attrs

from dgspay import AsyncDGSPay, errors
from dgspay.payouts.errors import single_error
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.model.batch import Batch
from dgspay.payouts.model.evidence import evidence_of_look_up
from dgspay.payouts.model.payout import UNSETTLED, Record
from dgspay.payouts.model.transitions import Evidence
from dgspay.payouts.run.chunk_runner import Stop
from dgspay.payouts.run.pacing import Pace, RateLimiter
from dgspay.payouts.threads import in_thread

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 15.0
_PAGE = 500


@attrs.define
class LookUps:
    """Result of one pass of look-ups.

    Attributes:
        waiting: Payouts that are not settled yet.
        without_reference: Those of them that cannot be looked up: their reference is unknown.
        unlisted: Look-ups DGS-Pay answered with "not found"; whether it lists disbursements
            there at all is not documented.
    """

    waiting: int = 0
    without_reference: int = 0
    unlisted: int = 0


class Settler:
    """Settles what is accepted or held, as far as look-ups can.

    Args:
        client: Looks up.
        ledger: Remembers.
        pace: How fast.
        stop: When to stop.
        monotonic: Seconds that never run backwards.
    """

    def __init__(
        self,
        client: AsyncDGSPay,
        ledger: Ledger,
        *,
        pace: Pace | None = None,
        stop: Stop | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._pace = pace or Pace()
        self._stop = Stop() if stop is None else stop
        self._monotonic = monotonic
        self._turns = RateLimiter(self._pace, monotonic)

    async def settle(self, batch: Batch, *, within: float) -> LookUps:
        """Look up again and again, with growing pauses, until all is settled or time is up.

        Webhooks that another process writes into the ledger count as well; what has no
        reference is waited for only where webhooks can come.
        """
        until = self._monotonic() + within
        pause = _FIRST_PAUSE
        while True:
            found = await self.look_up(batch)
            hopeless = found.unlisted + found.without_reference
            can_change = found.waiting > (0 if batch.terms.callback_url else hopeless)
            left = until - self._monotonic()
            if not can_change or left <= 0 or self._stop:
                return found
            await anyio.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def look_up(self, batch: Batch) -> LookUps:
        """Look every payout up once that is not settled and has a reference.

        Raises:
            LedgerError: what was learned cannot be written down.
        """
        result = LookUps()
        after = 0
        while not self._stop:
            page = await in_thread(
                self._ledger.page, batch.name, after=after, limit=_PAGE, states=UNSETTLED
            )
            if not page:
                break
            after = page[-1].payout.number
            try:
                await self._look_up_page(batch, page, result)
            except BaseExceptionGroup as group_error:
                raise single_error(group_error) from None
            await in_thread(self._ledger.flush)
        return result

    async def _look_up_page(self, batch: Batch, page: Iterable[Record], result: LookUps) -> None:
        limiter = anyio.CapacityLimiter(self._pace.concurrency)
        async with anyio.create_task_group() as group:
            for record in page:
                result.waiting += 1
                if record.dgs_reference is None:
                    result.without_reference += 1
                else:
                    group.start_soon(self._look_up_one, batch, record, result, limiter)

    async def _look_up_one(
        self, batch: Batch, record: Record, result: LookUps, limiter: anyio.CapacityLimiter
    ) -> None:
        async with limiter:
            if self._stop:
                return
            await self._turns.wait(lambda: not self._stop)
            evidence = await self.ask(record)
        if isinstance(evidence, errors.NotFoundError):
            result.unlisted += 1
        elif evidence is not None:
            result.waiting -= 1
            self._ledger.post(batch, record.payout.number, evidence)

    async def ask(self, record: Record) -> Evidence | errors.NotFoundError | None:
        """Look one payout up; None where it is not settled, or no answer came."""
        try:
            found = await self._client.transactions.retrieve(record.dgs_reference or "")
        except errors.NotFoundError as error:
            return error
        except ValueError:
            # No look-up can carry such a name ("..", say): DGS-Pay cannot be asked about it.
            return errors.NotFoundError("its name cannot be looked up")
        except errors.DGSPayError:
            # A read that failed changes nothing; the next pass asks again.
            return None
        return evidence_of_look_up(found)
