"""Sends webhooks: signed, at least once, again on a schedule until a receiver says 2xx."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Final

import attrs
import httpx

from dgspay.emulator.clock import Clock
from dgspay.emulator.records import Event
from dgspay.models.codec import dump_json
from dgspay.webhooks import sign

# Seconds before each further attempt. The guide says "automatic retries" and not when.
RETRY_DELAYS: Final = (5.0, 30.0, 120.0, 600.0, 3600.0)
TIMEOUT_SECONDS: Final = 5.0

_KEPT_DELIVERIES = 10_000
_READ_OF_ANSWER = 64 * 1024
_JOIN_SECONDS = 2 * TIMEOUT_SECONDS


@attrs.frozen
class Attempt:
    """One try to deliver.

    Attributes:
        at: Seconds since 1970, by the emulator's clock.
        status: The HTTP status of the receiver, or None when there was no answer.
        error: What went wrong with the connection, such as `ReadTimeout`, or None.
    """

    at: float
    status: int | None
    error: str | None = None


@attrs.define(eq=False)
class Delivery:
    """One webhook and how it went.

    Attributes:
        event: Its name, such as `payment.success`.
        reference: Its `dgs_reference`.
        url: Where it goes; None when no URL was known and it is only recorded.
        body: The exact bytes that were signed.
        signature: The value of `X-DGS-Signature`.
        attempts: Every try, oldest first.
    """

    event: str
    reference: str
    url: str | None
    body: bytes = attrs.field(repr=False)
    signature: str
    attempts: list[Attempt] = attrs.field(factory=list)

    @property
    def statuses(self) -> tuple[int | None, ...]:
        """The receiver's answer to each try."""
        return tuple(attempt.status for attempt in self.attempts)

    @property
    def delivered(self) -> bool:
        """Whether the receiver has said 2xx."""
        return any(_is_success(status) for status in self.statuses)


class Courier:
    """Delivers webhooks one after the other in a thread that starts with the first of them.

    Args:
        clock: Decides when a retry is due.
        secret: The webhook secret.
    """

    def __init__(self, clock: Clock, secret: str) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=_KEPT_DELIVERIES)
        self._clock = clock
        self._secret = secret
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Delivery]] = []
        self._tiebreak = itertools.count()
        self._under_way: Delivery | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def post(self, events: Iterable[Event]) -> None:
        """Sign and record webhooks, and send those that have somewhere to go."""
        for event in events:
            body = dump_json(event.payload)
            delivery = Delivery(
                str(event.payload["event"]),
                str(event.payload["dgs_reference"]),
                event.url,
                body,
                sign(body, self._secret),
            )
            with self._changed:
                self.deliveries.append(delivery)
                if event.url is not None and not self._closed:
                    self._put(delivery, self._clock.time())
                    self._start()

    def wake(self) -> None:
        """Look at the clock again."""
        with self._changed:
            self._changed.notify_all()

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until nothing is under way or due; say whether that came about in time."""
        with self._changed:
            return self._changed.wait_for(self._idle, timeout)

    def reset(self) -> None:
        """Forget all deliveries; one that is under way ends, and is not tried again."""
        with self._changed:
            self.deliveries.clear()
            self._waiting.clear()
            self._under_way = None
            self._changed.notify_all()

    def close(self) -> None:
        """Stop delivering. A try that is under way is waited for."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(_JOIN_SECONDS)

    def _put(self, delivery: Delivery, due: float) -> None:
        heapq.heappush(self._waiting, (due, next(self._tiebreak), delivery))
        self._changed.notify_all()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="dgspay-emulator-webhooks", daemon=True
            )
            self._thread.start()

    def _idle(self) -> bool:
        return self._under_way is None and not (
            self._waiting and self._waiting[0][0] <= self._clock.time()
        )

    def _run(self) -> None:
        with httpx.Client(
            timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
        ) as client:
            while (delivery := self._next()) is not None:
                attempt = _attempt(client, delivery, self._clock.time())
                self._note(delivery, attempt)

    def _next(self) -> Delivery | None:
        """Wait for the delivery that is due next; None means to stop."""
        with self._changed:
            while not self._closed:
                pause: float | None = None
                if self._waiting:
                    pause = self._clock.seconds_until(self._waiting[0][0])
                    if pause is not None and pause <= 0:
                        self._under_way = heapq.heappop(self._waiting)[2]
                        return self._under_way
                self._changed.wait(pause)
        return None

    def _note(self, delivery: Delivery, attempt: Attempt) -> None:
        """Write down how a try went, and when the next one is due."""
        with self._changed:
            delivery.attempts.append(attempt)
            forgotten = self._under_way is not delivery
            self._under_way = None
            tried = len(delivery.attempts)
            if not (_is_success(attempt.status) or forgotten or self._closed) and (
                tried <= len(RETRY_DELAYS)
            ):
                self._put(delivery, attempt.at + RETRY_DELAYS[tried - 1])
            self._changed.notify_all()


def _is_success(status: int | None) -> bool:
    return status is not None and httpx.codes.is_success(status)


def _attempt(client: httpx.Client, delivery: Delivery, now: float) -> Attempt:
    """Send a webhook once."""
    headers = {"Content-Type": "application/json", "X-DGS-Signature": delivery.signature}
    try:
        with client.stream(
            "POST", delivery.url or "", content=delivery.body, headers=headers
        ) as response:
            _read_some(response)
            return Attempt(now, response.status_code)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Attempt(now, None, type(error).__name__)


def _read_some(response: httpx.Response) -> None:
    """Let a receiver finish a short answer, and leave one that never ends."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    read = 0
    for chunk in response.iter_raw():
        read += len(chunk)
        if read > _READ_OF_ANSWER or time.monotonic() > deadline:
            return
