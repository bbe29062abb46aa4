"""Dispatcher of webhooks: signed, at least once, retried on a schedule until a 2xx."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import anyio
import anyio.to_thread
import httpx

from dgspay.emulator.clock import EmulatorClock
from dgspay.emulator.domain.records import Event
from dgspay.emulator.webhooks.attempt import Attempt, attempt_over_http, is_success
from dgspay.emulator.webhooks.delivery import Delivery
from dgspay.emulator.webhooks.in_process import AppReceiver, FunctionReceiver
from dgspay.emulator.webhooks.modes import DeliveryModes, Mode
from dgspay.emulator.webhooks.queue import Batch, DeliveryQueue
from dgspay.forks import new_rlock
from dgspay.models.json_codec import dump_json
from dgspay.transports.blocking_deadline import bound
from dgspay.webhooks import sign

# Seconds before each further attempt. The guide says "automatic retries" and not when.
RETRY_DELAYS: Final = (5.0, 30.0, 120.0, 600.0, 3600.0)
TIMEOUT_SECONDS: Final = 5.0

# More than may be held up at once by receivers that are known to stall.
MAX_WORKERS: Final = 8

# Set where an event loop answers a request: what is due to the receiver in this process waits for
# `deliver_left_over`, as the receiver may be a program that runs in this very loop.
_leaves_over: ContextVar[bool] = ContextVar("dgspay.emulator.leaves_over", default=False)

_KEPT_DELIVERIES = 10_000
_JOIN_SECONDS = 10.0


Keep = Callable[[Delivery, Event | None, Delivery | None], object]
"""Records a delivery as it is now, in place of the event it came from and of an old
delivery that is dropped for it."""


class Dispatcher:
    """Dispatcher of webhooks, in threads that start with the first of them.

    Args:
        clock: Decides when a retry is due.
        changed: Called when something about a delivery has changed.
        keep: Called with each delivery that has changed, to record it.
        timeout: Real seconds that a receiver has to answer.
    """

    def __init__(
        self,
        clock: EmulatorClock,
        changed: Callable[[], object],
        keep: Keep | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self.timeout = timeout
        self._keep = keep or _keep_nothing
        self.deliveries: deque[Delivery] = deque(maxlen=_KEPT_DELIVERIES)
        self.delivery_modes = DeliveryModes()
        self.receiver: FunctionReceiver | AppReceiver | None = None
        self._clock = clock
        self._notify_watchers = changed
        self._changed = threading.Condition(new_rlock())
        self._waiting = DeliveryQueue()
        self._held: dict[Mode, list[Delivery]] = {}
        self._numbers = itertools.count(1)
        self._idle_workers = 0
        self._workers: list[threading.Thread] = []
        self._closed = False

    def post(self, events: Iterable[Event]) -> None:
        """Sign and record webhooks, and send those that have a receiver."""
        for event in events:
            self._post(event)
        self._deliver_in_process()

    def _post(self, event: Event) -> None:
        treatment = self.delivery_modes.treat()
        body = dump_json(event.payload)
        # A signature of other bytes: right in form, wrong for these.
        signed = body + b" " if treatment.wrong_signature else body
        with self._changed:
            delivery = Delivery(
                next(self._numbers),
                str(event.payload["event"]),
                str(event.payload["dgs_reference"]),
                event.url,
                body,
                sign(signed, event.secret),
                event.account_number,
                self._clock.time(),
                treatment.words,
            )
            is_full = len(self.deliveries) == _KEPT_DELIVERIES
            evicted = self.deliveries[0] if is_full else None
            self.deliveries.append(delivery)
            if treatment.drop or not self._has_receiver(delivery):
                pass
            elif treatment.reorder is not None:
                self._hold(delivery, treatment.reorder)
            else:
                times = 2 if treatment.duplicate else 1
                self._put((delivery,) * times, self._clock.time() + treatment.delay)
            self._keep(delivery, event, evicted)
        self._notify_watchers()

    def resend(self, number: int) -> None:
        """Send a webhook again now, whatever its state.

        Raises:
            LookupError: when there is no such delivery.
            ValueError: when it has no receiver.
        """
        with self._changed:
            for delivery in self.deliveries:
                if delivery.id == number:
                    break
            else:
                raise LookupError(f"no delivery with the number {number}")
            if not self._has_receiver(delivery):
                raise ValueError("this webhook has no receiver: it was only recorded")
            self._put((delivery,), self._clock.time())
            self._keep(delivery, None, None)
        self._deliver_in_process()

    def wake(self) -> None:
        """Check the clock again."""
        with self._changed:
            self._changed.notify_all()
        self._deliver_in_process()

    @contextmanager
    def leaving_over(self) -> Generator[None]:
        """Within the block, postpone what is due to the receiver in this process."""
        token = _leaves_over.set(True)
        try:
            yield
        finally:
            _leaves_over.reset(token)

    async def deliver_left_over(self) -> None:
        """Deliver it from a thread, while the event loop is free to serve the receiver."""
        with self._changed:
            if self.receiver is None or not self._waiting.has_due_in_process(self._clock.time()):
                return
        # A limit of its own: the program's threads may all be waiting for just this.
        alone = anyio.CapacityLimiter(1)
        # The call that caused it may be over; its webhooks leave all the same.
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._deliver_in_process, limiter=alone)

    def next_due(self) -> float | None:
        """Return when the next webhook leaves."""
        with self._changed:
            return self._waiting.next_due()

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until nothing is under way or due, and return whether that was in time."""
        with self._changed:
            return self._changed.wait_for(self._idle, timeout)

    def reset(self) -> None:
        """Forget all deliveries; one that is under way ends, and is not retried."""
        with self._changed:
            self.deliveries.clear()
            self.delivery_modes.clear()
            self._waiting.forget()
            self._held.clear()
            self._changed.notify_all()
        self._notify_watchers()

    def recall(self, deliveries: Iterable[Delivery]) -> None:
        """Restore the deliveries of an earlier moment, and go on with those that are not done."""
        self.reset()
        with self._changed:
            now = self._clock.time()
            self.deliveries.extend(deliveries)
            last = max((delivery.id for delivery in self.deliveries), default=0)
            self._numbers = itertools.count(last + 1)
            # What was to come in reverse order has waited long enough.
            late = tuple(d for d in reversed(self.deliveries) if d.held)
            if late:
                self._put(late, now)
            for delivery in self.deliveries:
                if delivery.next_at is not None and not delivery.held:
                    self._put((delivery,), max(now, delivery.next_at))
            for delivery in late:
                delivery.held = False
        self._deliver_in_process()

    @contextmanager
    def standing_still(self) -> Generator[Sequence[Delivery]]:
        """Hold off every change to the deliveries inside the block."""
        with self._changed:
            yield self.deliveries

    def close(self) -> None:
        """Stop delivering, and wait for an attempt that is under way."""
        with self._changed:
            self._closed = True
            self._waiting.drop()
            self._changed.notify_all()
            workers = tuple(self._workers)
        for worker in workers:
            worker.join(_JOIN_SECONDS)

    # --- the queue ----------------------------------------------------------------------

    def _has_receiver(self, delivery: Delivery) -> bool:
        return delivery.url is not None or self.receiver is not None

    def _hold(self, delivery: Delivery, mode: Mode) -> None:
        """Hold a webhook back until its group is complete; then send the last first."""
        held = self._held.setdefault(mode, [])
        held.append(delivery)
        delivery.held = True
        if mode.remaining == 0:
            del self._held[mode]
            for released in held:
                released.held = False
            self._put(tuple(reversed(held)), self._clock.time())

    def _put(self, deliveries: tuple[Delivery, ...], due: float) -> None:
        for delivery in deliveries:
            delivery.next_at = due
        if self._closed:
            return
        batch = Batch(due, deliveries, is_for_app=isinstance(self.receiver, AppReceiver))
        self._waiting.add(batch)
        if not batch.stays_in_process:
            self._staff()
        self._changed.notify_all()

    def _staff(self) -> None:
        """Start a worker for what waits, up to the limit."""
        if self._idle_workers == 0 and len(self._workers) < MAX_WORKERS:
            worker = threading.Thread(
                target=self._work, name="dgspay-emulator-webhooks", daemon=True
            )
            self._workers.append(worker)
            self._idle_workers += 1
            worker.start()

    def _idle(self) -> bool:
        return self._waiting.is_idle(self._clock.time())

    # --- delivery -----------------------------------------------------------------------

    def _work(self) -> None:
        with httpx.Client(follow_redirects=False, trust_env=False) as client:
            bound(client)
            while (batch := self._next()) is not None:
                self._make(batch, client)
                with self._changed:
                    self._idle_workers += 1

    def _next(self) -> Batch | None:
        """Wait for the batch that is due next; None means to stop."""
        with self._changed:
            while not self._closed:
                if (batch := self._waiting.take(self._clock.time())) is not None:
                    self._idle_workers -= 1
                    if self._waiting:
                        self._staff()
                    return batch
                pause = None
                if (start := self._waiting.next_start()) is not None:
                    pause = self._clock.seconds_until(start)
                self._changed.wait(pause)
        return None

    def _deliver_in_process(self) -> None:
        """Call the receiver in this process with what is due, in the thread that caused it."""
        if self.receiver is None or _leaves_over.get():
            return
        while True:
            with self._changed:
                batch = self._waiting.take(self._clock.time(), in_process=True)
            if batch is None:
                return
            self._make(batch, None)

    def _make(self, batch: Batch, client: httpx.Client | None) -> None:
        answered = True
        for delivery in batch.deliveries:
            now = self._clock.time()
            if delivery.url is not None and client is not None:
                attempt = attempt_over_http(
                    client,
                    delivery.url,
                    delivery.body,
                    delivery.headers,
                    now=now,
                    timeout=self.timeout,
                )
            elif self.receiver is not None:
                attempt = self.receiver.attempt(delivery, now=now)
            else:
                continue
            answered = attempt.status is not None
            self._note(delivery, attempt, batch)
        with self._changed:
            self._waiting.done(batch, answered=answered)
            self._changed.notify_all()
        self._notify_watchers()

    def _note(self, delivery: Delivery, attempt: Attempt, batch: Batch) -> None:
        """Record the result of an attempt, and when the next one is due."""
        with self._changed:
            if not self._waiting.is_under_way(batch):
                return  # everything was forgotten meanwhile
            delivery.attempts.append(attempt)
            delivery.next_at = None
            tried = len(delivery.attempts)
            if not is_success(attempt.status) and tried <= len(RETRY_DELAYS):
                # Counted from when it was due, not from when it was tried: a clock that has jumped
                # over the whole schedule runs through all of it.
                self._put((delivery,), batch.due + RETRY_DELAYS[tried - 1])
            self._keep(delivery, None, None)


def _keep_nothing(delivery: Delivery, event: Event | None, evicted: Delivery | None) -> None:
    pass
