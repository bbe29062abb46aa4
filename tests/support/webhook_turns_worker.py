"""One of several processes with events of the same references: `turns_worker KIND ADDRESS LOCKS`.

It is told `deliver EVENT REFERENCE` or `hold EVENT REFERENCE`, and says `answered STATUS` after it.
`hold` has the handler say "begun" and wait for the next line. A handler says "handled EVENT" at its
end, or "overlap" where another process is handling an event of the reference. `race PREFIX TURN`
delivers events of many references until each was answered 200. KIND `crash-...` has a lease that is
over at once.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from pathlib import Path

from dgspay.webhooks import Event, PaymentFailed, PaymentSucceeded, WebhookReceiver, sign
from tests.support.webhook_race_worker import inbox_of, say
from tests.support.webhook_samples import PAYMENT_FAILED, PAYMENT_SUCCESS, SECRET, body_of

REFERENCES = 60
BODIES = {fields["event"]: fields for fields in (PAYMENT_FAILED, PAYMENT_SUCCESS)}


class Worker:
    def __init__(self, kind: str, address: str, locks: Path) -> None:
        crashes = kind.startswith("crash-")
        kind = kind.removeprefix("crash-")
        lease = {"lease": 0.002, "answer_within": 0.001} if crashes else {"answer_within": 60}
        self.receiver = WebhookReceiver(secret=SECRET, inbox=inbox_of(kind, address), **lease)
        self.is_async = kind.startswith("async")
        self.locks = locks
        self.is_held = False
        if self.is_async:

            @self.receiver.on(PaymentFailed, PaymentSucceeded)
            async def handle_later(event: Event) -> None:
                self.handle(event)

        else:
            self.receiver.on(PaymentFailed, PaymentSucceeded)(self.handle)

    def handle(self, event: Event) -> None:
        lock = self.locks / str(event.dgs_reference)
        try:
            lock.touch(exist_ok=False)
        except FileExistsError:
            say("overlap")
            return
        if self.is_held:
            say("begun")
            sys.stdin.readline()
        say(f"handled {event.event}:{event.dgs_reference}")
        lock.unlink()

    async def deliver(self, event: str, reference: str) -> int:
        body = body_of({**BODIES[event], "dgs_reference": reference})
        signature = sign(body, SECRET)
        if self.is_async:
            return (await self.receiver.areceive(body, signature)).status
        return self.receiver.receive(body, signature).status

    async def race(self, prefix: str, turn: str) -> None:
        waiting = deque(
            (event, f"{prefix}{number}") for number in range(REFERENCES) for event in BODIES
        )
        if turn == "1":
            # The other process begins with the other event of each reference.
            waiting = deque(waiting[at ^ 1] for at in range(len(waiting)))
        while waiting:
            each = waiting.popleft()
            if await self.deliver(*each) != 200:
                waiting.append(each)
        say("raced")

    async def run(self) -> None:
        say("ready")
        while line := sys.stdin.readline().split():
            command, *words = line
            if command == "race":
                await self.race(*words)
            else:
                self.is_held = command == "hold"
                say(f"answered {await self.deliver(*words)}")


if __name__ == "__main__":
    asyncio.run(Worker(sys.argv[1], sys.argv[2], Path(sys.argv[3])).run())
