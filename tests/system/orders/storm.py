"""Stories of orders that go wrong in every way at once, and what must be true after each.

Three processes share a database. Payers click twice and approve late; answers are lost, events
repeated, late and reordered; one process is killed, another stopped and woken; sweeps race with
webhooks. What really happened is what the emulator has on record.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import attrs
import psycopg

from dgspay import DGSPay
from dgspay.checkout import AttemptState, Checkout, Order, OrderState, PostgresOrders, ProblemKind
from dgspay.emulator import Emulator, Served, VirtualClock
from dgspay.emulator.webhooks.delivery import Delivery

WORKER = Path(__file__).with_name("worker.py")
LIFETIME = 300.0
PROCESSES = 3


class _Clock:
    """The emulator's clock as a store's."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def time(self) -> float:
        return self._clock.time()

    def monotonic(self) -> float:
        return self._clock.time()


class Process:
    """One process of the shop."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._start()

    def _start(self) -> None:
        self._running = subprocess.Popen(
            [sys.executable, WORKER, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.owed = 0

    def tell(self, now: float, do: str, **what: object) -> None:
        """Have it do something; `answer` waits for what came of it."""
        assert self._running.stdin is not None
        self._running.stdin.write(json.dumps({"now": now, "do": do, **what}) + "\n")
        self._running.stdin.flush()
        self.owed += 1

    def answer(self) -> object:
        """Return the last answer that is owed."""
        said: object = None
        assert self._running.stdout is not None
        while self.owed:
            line = self._running.stdout.readline()
            assert line, "a process of the shop has ended by itself"
            self.owed -= 1
            said = json.loads(line)
        return said

    def kill(self) -> None:
        """End it at this very moment, and start another one."""
        self._running.kill()
        self._running.communicate()
        self._start()

    def stop(self) -> None:
        """Stop it at this very moment."""
        os.kill(self._running.pid, signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on."""
        os.kill(self._running.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it."""
        self._running.communicate()


@attrs.define
class Story:
    """What has happened so far in one story."""

    seed: int
    orders: list[str]
    lines: list[str] = attrs.field(factory=list)
    delivered: Counter[int] = attrs.field(factory=Counter)


class Storm:
    """The shop's processes, DGS-Pay, and the database between them.

    Args:
        conninfo: The database.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self.clock = VirtualClock()
        self.emulator = Emulator(settle_after=None, clock=self.clock)
        self._serving = self.emulator.serve()
        self._served: Served = self._serving.__enter__()
        with psycopg.connect(conninfo) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS shipped (id TEXT)")
        arguments = [
            conninfo,
            self._served.url,
            self.emulator.api_key,
            self.emulator.account_number,
            self.emulator.webhook_secret,
        ]
        self._processes = [Process(arguments) for _ in range(PROCESSES)]
        self._checkout = Checkout(
            DGSPay(
                api_key=self.emulator.api_key,
                account_number=self.emulator.account_number,
                environment="emulator",
                base_url=self._served.url,
            ),
            PostgresOrders(conninfo, clock=_Clock(self.clock)),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._processes:
            process.close()
        self._checkout.close()
        self._serving.__exit__(None, None, None)
        self.emulator.close()

    def tell(self, seed: int) -> list[str]:
        """Tell one story to its end; return what is wrong after it."""
        chance = random.Random(seed)
        story = Story(seed, [f"S{seed}-{number}" for number in range(2)])
        self._first = len(self.emulator.webhooks.deliveries)
        self._first_payment = len(self.emulator.transactions)
        self._first_refund = len(self.emulator.disbursements)
        for order_id in story.orders:
            expires = chance.choice([None, 1000.0])
            self._do(story, self._processes[0], "open", order=order_id, expires=expires)
        for _ in range(chance.randint(8, 24)):
            self._happen(story, chance)
        self._end(story, chance)
        found = [
            f"story {seed}: {fault}\n  " + "\n  ".join(story.lines)
            for order_id in story.orders
            for fault in self._faults(order_id)
        ]
        self._tidy(story)
        return found

    def _tidy(self, story: Story) -> None:
        """Leave nothing open that the sweeps of later stories would look at."""
        for payment in self.emulator.transactions[self._first_payment :]:
            if payment.status == "pending":
                self.emulator.decline(payment.dgs_reference)
        self._do(story, self._processes[0], "sweep", all=True)
        for order_id in story.orders:
            for attempt in self._checkout.order(order_id).attempts:
                if not attempt.is_settled:
                    self._checkout.resolve(
                        order_id, attempt=attempt.number, paid=False, reason="the story is over"
                    )

    # --- what happens ---------------------------------------------------------------------

    def _happen(self, story: Story, chance: random.Random) -> None:
        order_id = chance.choice(story.orders)
        process = chance.choice(self._processes)
        match chance.choices(*_CHANCES)[0]:
            case "click":
                self._do(story, process, "pay", order=order_id)
            case "click twice":
                both = chance.sample(self._processes, 2)
                self._at_once(story, [(one, "pay", {"order": order_id}) for one in both])
            case "lose":
                fault = chance.choice(["lose_answer", "lose_request", "bad_gateway"])
                route = chance.choice(["POST /charges", "GET /transactions/{id}", "POST /disburse"])
                getattr(self.emulator.faults, fault)(route)
                story.lines.append(f"the next {route} has the fault {fault}")
            case "payer":
                self._payer_acts(story, chance)
            case "event":
                self._bring_event(story, chance, process)
            case "time":
                self.clock.advance(chance.choice([10, 60, 200, 301, 700]))
                story.lines.append(f"time passes: {self.clock.time():.0f}")
            case "sweep":
                self._do(story, process, "sweep", all=chance.random() < 0.5)
            case "race":
                self._race(story, chance)
            case "cancel":
                self._do(story, process, "cancel", order=order_id)
            case "refund":
                amount = chance.choice([500, 1500, 2000])
                both = chance.sample(self._processes, 2)
                what: dict[str, object] = {"order": order_id, "amount": amount}
                self._at_once(story, [(one, "refund", what) for one in both])
            case "kill":
                process.tell(self.clock.time(), "pay", order=order_id)
                process.kill()
                story.lines.append(f"a process is killed as it pays {order_id}")
            case "stop":
                self._stop_and_wake(story, chance, process, order_id)

    def _do(self, story: Story, process: Process, do: str, **what: object) -> None:
        process.tell(self.clock.time(), do, **what)
        said = process.answer()
        shown = {name: value for name, value in what.items() if name in ("order", "amount", "path")}
        story.lines.append(f"{self._processes.index(process)}: {do} {shown} -> {said}")

    def _at_once(self, story: Story, wishes: list[tuple[Process, str, dict[str, object]]]) -> None:
        for process, do, what in wishes:
            process.tell(self.clock.time(), do, **what)
        said = [process.answer() for process, _, _ in wishes]
        story.lines.append(f"at once: {[(do, list(what)) for _, do, what in wishes]} -> {said}")

    def _payer_acts(self, story: Story, chance: random.Random) -> None:
        mine = self.emulator.transactions[self._first_payment :]
        waiting = [one for one in mine if one.status == "pending"]
        if not waiting:
            return
        payment = chance.choice(waiting)
        if chance.random() < 0.6:
            self.emulator.approve(payment.dgs_reference)
        else:
            self.emulator.decline(payment.dgs_reference)
        story.lines.append(f"the payer decides {payment.dgs_reference}: {payment.status}")

    def _deliveries(self) -> list[Delivery]:
        return [*self.emulator.webhooks.deliveries[self._first :]]

    def _bring_event(self, story: Story, chance: random.Random, process: Process) -> None:
        there = self._deliveries()
        if there:
            self._bring(story, chance.choice(there), process)

    def _bring(self, story: Story, delivery: Delivery, process: Process) -> None:
        story.delivered[delivery.id] += 1
        self._do(story, process, "receive", **_what(delivery))

    def _race(self, story: Story, chance: random.Random) -> None:
        wishes: list[tuple[Process, str, dict[str, object]]] = [
            (process, "sweep", {"all": True}) for process in self._processes
        ]
        there = self._deliveries()
        if there:
            wishes[0] = (self._processes[0], "receive", _what(chance.choice(there)))
        self._at_once(story, wishes)

    def _stop_and_wake(
        self, story: Story, chance: random.Random, process: Process, order_id: str
    ) -> None:
        process.tell(self.clock.time(), chance.choice(["pay", "cancel"]), order=order_id)
        process.stop()
        other = chance.choice([one for one in self._processes if one is not process])
        self._do(story, other, "pay", order=order_id)
        process.wake()
        story.lines.append(f"stopped meanwhile and woken: {process.answer()}")

    def _end(self, story: Story, chance: random.Random) -> None:
        """Bring everything to its end: payers decide or let it be, webhooks come, sweeps run."""
        self.emulator.faults.clear()
        for payment in self.emulator.transactions[self._first_payment :]:
            if payment.status == "pending" and chance.random() < 0.7:
                self._payer_acts(story, chance)
        for transfer in self.emulator.disbursements[self._first_refund :]:
            if transfer.status == "pending":
                self.emulator.settle(transfer.dgs_reference)
        for delivery in chance.sample(self._deliveries(), len(self._deliveries())):
            self._bring(story, delivery, chance.choice(self._processes))
        for _ in range(3):
            self.clock.advance(4000)
            self._do(story, chance.choice(self._processes), "sweep", all=True)

    # --- what must be true ----------------------------------------------------------------

    def _faults(self, order_id: str) -> Iterator[str]:
        order = self._checkout.order(order_id)
        payments = [
            payment
            for payment in self.emulator.transactions[self._first_payment :]
            if f"/{order.key}-a" in (payment.callback_url or "")
        ]
        yield from _prompts(payments)
        yield from _money(order, payments)
        with psycopg.connect(self._conninfo) as connection:
            row = connection.execute("SELECT count(*) FROM shipped WHERE id = %s", (order_id,))
            (shipped,) = row.fetchone() or (0,)
        accepted = order.state is OrderState.PAID
        if shipped != accepted:
            yield f"{order_id} is {order.state} and was shipped {shipped} times"
        yield from _ends(order)
        sent = sum(
            transfer.amount
            for transfer in self.emulator.disbursements[self._first_refund :]
            if f"/{order.key}-r" in (transfer.callback_url or "") and transfer.status != "failed"
        )
        if sent > order.collected:
            yield f"{order_id} collected {order.collected} and paid back {sent}"


def _what(delivery: Delivery) -> dict[str, Any]:
    path = urlsplit(delivery.url or "").path
    return {"body": delivery.body.hex(), "signature": delivery.signature, "path": path}


def _prompts(payments: list[Any]) -> Iterator[str]:
    """No two prompts of an order are open at once: a later one comes after the first's lifetime."""
    for first, second in itertools.pairwise(payments):
        ended = first.settled_at
        over = first.created_at + LIFETIME
        if (ended is None or ended > second.created_at) and second.created_at < over:
            yield f"{second.dgs_reference} began while {first.dgs_reference} could be approved"


def _money(order: Order, payments: list[Any]) -> Iterator[str]:
    """What was collected is the order's payment, or a problem that was noted."""
    collected = sum(payment.status == "successful" for payment in payments)
    kinds = (ProblemKind.PAID_TWICE, ProblemKind.PAID_LATE)
    problems = sum(problem.kind in kinds for problem in order.problems)
    if collected != (order.state is OrderState.PAID) + problems:
        yield (
            f"{order.id} is {order.state} with {problems} problems of money, and DGS-Pay has "
            f"collected {collected} times"
        )


def _ends(order: Order) -> Iterator[str]:
    """Nothing waits for ever without being reported."""
    for attempt in order.attempts:
        if attempt.is_settled or attempt.dgs_reference is not None:
            continue
        if not any(
            (one.kind, one.attempt) == (ProblemKind.IN_DOUBT, attempt.number)
            for one in order.problems
        ):
            yield f"attempt {attempt.number} of {order.id} is {attempt.state} and not reported"
    is_held = any(one.state is AttemptState.HELD for one in order.attempts)
    if order.expires_at is not None and not order.is_closed and not is_held:
        yield f"{order.id} is {order.state} after its time was over"


_CHANCES = (
    (
        "click",
        "click twice",
        "lose",
        "payer",
        "event",
        "time",
        "sweep",
        "race",
        "cancel",
        "refund",
        "kill",
        "stop",
    ),
    (20, 10, 12, 16, 14, 12, 5, 4, 2, 4, 0.6, 0.6),
)
