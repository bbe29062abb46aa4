"""Queue of the webhooks to deliver, in which a dead receiver delays no other."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from urllib.parse import urlsplit

import attrs

from dgspay.emulator.webhooks.delivery import Delivery

# Fewer than there are workers: one receiver that stalls leaves the others some.
MAX_AT_ONE_RECEIVER = 4

# For all receivers together that did not answer when they were last tried.
MAX_AT_SILENT_RECEIVERS = 2


@attrs.frozen(eq=False)
class Batch:
    """Deliveries that one worker makes one after the other, so that their order holds.

    Attributes:
        due: Seconds since 1970.
        deliveries: In order.
        is_for_app: Whether an application in this process takes those with a URL, too.
    """

    due: float
    deliveries: tuple[Delivery, ...]
    is_for_app: bool = False

    @property
    def receiver(self) -> str | None:
        """The host and port it goes to; None where it stays in this process."""
        if self.is_for_app:
            return None
        urls = (delivery.url for delivery in self.deliveries if delivery.url is not None)
        return next((urlsplit(url).netloc for url in urls), None)

    @property
    def stays_in_process(self) -> bool:
        """Return whether no socket is needed."""
        return self.receiver is None


class DeliveryQueue:
    """Batches by when they are due, and how many are under way at each receiver."""

    def __init__(self) -> None:
        self._queues: dict[str | None, list[tuple[float, int, Batch]]] = {}
        self._under_way: dict[Batch, str | None] = {}
        self._busy: Counter[str | None] = Counter()
        self._silent: set[str | None] = set()
        self._tiebreak = itertools.count()

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def add(self, batch: Batch) -> None:
        """Add a batch in order of time; among equals, last."""
        queue = self._queues.setdefault(batch.receiver, [])
        heapq.heappush(queue, (batch.due, next(self._tiebreak), batch))

    def next_due(self) -> float | None:
        """Return when the next batch is due, whether or not its receiver is busy."""
        return min((queue[0][0] for queue in self._queues.values()), default=None)

    def next_start(self) -> float | None:
        """Return when the next batch with a socket may start whose receiver is not busy."""
        head = self._head()
        return None if head is None else head[0]

    def take(self, now: float, *, in_process: bool = False) -> Batch | None:
        """Take the batch that has been due for longest, and count it as under way.

        Args:
            now: Seconds since 1970.
            in_process: Whether to take one that needs no socket, or else one that does.
        """
        head = self._head(in_process=in_process)
        if head is None or head[0] > now:
            return None
        batch = head[2]
        queue = self._queues[batch.receiver]
        heapq.heappop(queue)
        if not queue:
            del self._queues[batch.receiver]
        self._under_way[batch] = batch.receiver
        self._busy[batch.receiver] += 1
        return batch

    def has_due_in_process(self, now: float) -> bool:
        """Return whether a batch that needs no socket is due."""
        head = self._head(in_process=True)
        return head is not None and head[0] <= now

    def is_under_way(self, batch: Batch) -> bool:
        """Return whether a batch was taken, and not forgotten since."""
        return batch in self._under_way

    def done(self, batch: Batch, *, answered: bool) -> None:
        """Note that a batch is done; one that was forgotten does not count.

        Args:
            batch: The one that was taken.
            answered: Whether its receiver answered at all.
        """
        if batch in self._under_way:
            receiver = self._under_way.pop(batch)
            self._busy[receiver] -= 1
            if not self._busy[receiver]:
                del self._busy[receiver]
            if answered:
                self._silent.discard(receiver)
            else:
                self._silent.add(receiver)

    def is_idle(self, now: float) -> bool:
        """Return whether nothing is under way or due."""
        due = self.next_due()
        return not self._under_way and (due is None or due > now)

    def drop(self) -> None:
        """Drop what waits; what is under way goes on."""
        self._queues.clear()

    def forget(self) -> None:
        """Drop what waits, and no longer count what is under way."""
        self.drop()
        self._under_way.clear()
        self._busy.clear()
        self._silent.clear()

    def _head(self, *, in_process: bool = False) -> tuple[float, int, Batch] | None:
        at_silent = sum(self._busy[receiver] for receiver in self._silent)
        free = (
            queue[0]
            for receiver, queue in self._queues.items()
            if (in_process if receiver is None else not in_process)
            and (receiver is None or self._has_room(receiver, at_silent))
        )
        return min(free, default=None)

    def _has_room(self, receiver: str, at_silent: int) -> bool:
        """Return whether one more may be tried at a receiver."""
        if receiver in self._silent and at_silent >= MAX_AT_SILENT_RECEIVERS:
            return False
        return self._busy[receiver] < MAX_AT_ONE_RECEIVER
