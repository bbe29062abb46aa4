"""The world of the payouts' model: a real ledger, a real run, an emulator, and what kills a run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import attrs

from dgspay import AsyncDGSPay, PaymentStatus, RetryPolicy
from dgspay.core.messages import Request, Response, Timeout
from dgspay.emulator import Emulator
from dgspay.emulator.domain.idempotency import Keys
from dgspay.payouts import (
    Evidence,
    Job,
    Learned,
    LedgerBrokenError,
    Limits,
    Pace,
    PayoutWebhooks,
    Record,
    Settler,
    Source,
    SqliteLedger,
    State,
    open_job,
)
from dgspay.transports.httpx import HttpxTransport

BATCH = "salaries"
CALLBACK = "https://shop.example/payouts"
NEVER = 10**9


class MachineDied(BaseException):
    """The process is gone: whatever it would have done after this is not done."""


@attrs.define
class Plan:
    """What happens in the course of a run.

    Attributes:
        dies_at: At which request the machine dies; None if it lives.
        after_work: Whether that request is carried out first.
        answers_late: Whether transfers end, and their webhooks come, before the answer.
        concurrency: Payouts in flight at once.
    """

    dies_at: int | None = None
    after_work: bool = False
    answers_late: bool = False
    concurrency: int = 1


class MortalTransport:
    """Carries requests to the emulator until the machine dies."""

    def __init__(
        self,
        emulator: Emulator,
        plan: Plan,
        *,
        dies: Callable[[], None],
        before_answer: Callable[[], None],
    ) -> None:
        self._inner = HttpxTransport(emulator.async_http_client())
        self._plan = plan
        self._dies = dies
        self._before_answer = before_answer
        self._requests = 0
        self._is_dead = False

    async def send(self, request: Request, timeout: Timeout) -> Response:
        """Send, or die before or after."""
        self._requests += 1
        strikes = self._requests == self._plan.dies_at
        if self._is_dead or (strikes and not self._plan.after_work):
            self._die()
        try:
            response = await self._inner.send(request, timeout)
        finally:
            if self._plan.answers_late and not self._is_dead:
                self._before_answer()
        if strikes:
            self._die()
        return response

    def _die(self) -> None:
        if not self._is_dead:
            self._is_dead = True
            self._dies()
        raise MachineDied

    async def aclose(self) -> None:
        """Close the client of the emulator."""
        await self._inner.aclose()


class World:
    """Everything there is in one story: the truth, the ledger, and the post between them."""

    def __init__(self, folder: Path, *, rows: int, trusting: bool) -> None:
        self.folder = folder
        self.trusting = trusting
        self.rows: Sequence[dict[str, Any]] = [
            {
                "reference": f"salary-{number}",
                "amount": 1000 + number,
                "msisdn": f"+25078{number:07d}",
                "network": "MTN",
            }
            for number in range(1, rows + 1)
        ]
        self.emulator = Emulator(settle_after=None, balances={"RWF": 10**9}, seed=3)
        # The post is in the hands of the story: it comes when a rule says so.
        self.emulator.webhooks.drop(times=NEVER)
        self._lives = 0
        self.ledger = SqliteLedger(self._path)

    @property
    def _path(self) -> Path:
        return self.folder / f"life-{self._lives}.sqlite3"

    @property
    def _next_path(self) -> Path:
        return self.folder / f"life-{self._lives + 1}.sqlite3"

    # --- what a program does ----------------------------------------------------------------

    def read(self) -> None:
        """Read the rows into the ledger, and pay nobody."""

        async def read() -> None:
            transport = HttpxTransport(self.emulator.async_http_client())
            async with self._client(transport) as dgs, self._job(dgs, Plan()):
                pass

        anyio.run(read)

    def run(self, plan: Plan) -> None:
        """Pay what is left, as far as the machine lives."""
        try:
            anyio.run(self._run, plan)
        except (MachineDied, LedgerBrokenError):
            if not self._next_path.exists():
                raise
            self.ledger.close()
            self._lives += 1
            self.ledger = SqliteLedger(self._path)

    async def _run(self, plan: Plan) -> None:
        transport = MortalTransport(
            self.emulator, plan, dies=self._keep_what_is_on_disk, before_answer=self._end_and_tell
        )
        async with self._client(transport) as dgs, self._job(dgs, plan) as job:
            await job.run(settle_within=0)

    def _job(self, dgs: AsyncDGSPay, plan: Plan) -> AbstractAsyncContextManager[Job]:
        return open_job(
            dgs,
            self.ledger,
            self.rows,
            batch=BATCH,
            callback_url=CALLBACK,
            pace=Pace(concurrency=plan.concurrency),
            limits=Limits(lost_in_a_row=4, unsent_in_a_row=4),
        )

    def look_up(self) -> None:
        """Ask DGS-Pay once about everything that is not settled."""

        async def look_up() -> None:
            transport = HttpxTransport(self.emulator.async_http_client())
            async with self._client(transport) as dgs:
                batch = self.ledger.batch(BATCH)
                assert batch is not None
                await Settler(dgs, self.ledger).look_up(batch)

        anyio.run(look_up)

    def restart(self) -> None:
        """Close the ledger in good order, and open it again."""
        self.ledger.close()
        self.ledger = SqliteLedger(self._path)

    def _client(self, transport: Any) -> AsyncDGSPay:
        return AsyncDGSPay(
            api_key=self.emulator.api_key,
            account_number=self.emulator.account_number,
            environment="emulator",
            base_url=self.emulator.base_url,
            transport=transport,
            retry=RetryPolicy(
                attempts=2, initial_delay=0, max_delay=0, trust_idempotency=self.trusting
            ),
        )

    def _keep_what_is_on_disk(self) -> None:
        """Copy what a machine that starts again would find: all that was committed, no more.

        Within the thread that commits, and as the last that it does: what a dead process would
        commit after the copy, its notes would count, and the copy would rightly be refused.
        """
        writer = self.ledger._writer

        def die(_: object) -> None:
            writer._break("the machine died")
            source, target = sqlite3.connect(self._path), sqlite3.connect(self._next_path)
            try:
                source.backup(target)
            finally:
                source.close()
                target.close()
            raise MachineDied

        with suppress(MachineDied):
            writer.run(die)

    # --- what DGS-Pay and the post do -------------------------------------------------------

    def forget_keys(self) -> None:
        """Honour no key from before: what is sent again is done again."""
        with self.emulator._engine.steering() as account:
            account.keys = Keys()

    def end(self, *, well: bool, place: int) -> None:
        """Have one of the pending transfers end."""
        pending = [
            each.dgs_reference
            for each in self.emulator.disbursements
            if each.status is PaymentStatus.PENDING
        ]
        if pending:
            reference = pending[place % len(pending)]
            if well:
                self.emulator.approve(reference)
            else:
                self.emulator.decline(reference, "Account closed")

    def deliver(self, place: int) -> None:
        """Bring one of the webhooks there ever were, perhaps not for the first time."""
        deliveries = self.emulator.webhooks.deliveries
        if not deliveries:
            return
        delivery = deliveries[place % len(deliveries)]
        receiver = PayoutWebhooks(self.ledger, self.emulator.webhook_secret)
        path = urlsplit(delivery.url or "").path
        answer = receiver.receive(path, delivery.body, delivery.signature)
        assert answer.status == 200, json.loads(answer.body)

    def _end_and_tell(self) -> None:
        told = len(self.emulator.webhooks.deliveries)
        self.end(well=True, place=0)
        if len(self.emulator.webhooks.deliveries) > told:
            self.deliver(told)

    def decide(self, place: int) -> None:
        """Have a person settle a held payout, who has looked in the portal."""
        held = self.records(State.HELD)
        batch = self.ledger.batch(BATCH)
        if not held or batch is None:
            return
        payout = held[place % len(held)].payout
        transfers = self.transfers_to(payout.account)
        if any(status is PaymentStatus.PENDING for status in transfers):
            return
        paid = PaymentStatus.SUCCESSFUL in transfers
        learned = Learned.PAID if paid else Learned.NOT_PAID
        self.ledger.settle(batch, payout.number, Evidence(learned=learned, source=Source.PERSON))

    # --- what is true, and what is claimed --------------------------------------------------

    def transfers_to(self, account: str) -> list[PaymentStatus]:
        """How the transfers ended that were really made to somebody."""
        return [
            each.status
            for each in self.emulator.disbursements
            if account in each.recipient.values()
        ]

    def records(self, *states: State) -> list[Record]:
        """The ledger's records in these states, or all."""
        self.ledger.flush()
        return self.ledger.page(BATCH, states=states or tuple(State))

    def close(self) -> None:
        """Close everything."""
        self.ledger.close()
        self.emulator.close()
