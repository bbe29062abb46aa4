"""An inbox in Redis: for several machines that share a Redis and no database.

It is as durable as that Redis: one that loses its memory, or evicts keys, lets an event that
is delivered again be handled again.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Generator, Sequence
from typing import Any, Protocol, cast

import anyio

from dgspay.webhooks.inbox.keys import wider_keys
from dgspay.webhooks.inbox.protocol import PATIENCE, Claim, Refusal, new_claim, watching

_NINETY_DAYS = 90 * 24 * 3600.0

_DAY = 24 * 3600.0

# Each script is atomic. A client repeats by itself what it lost the answer of: its own claim does
# not stand in its way, or the event would be blocked until the lease is over.
#
# The lease is compared with the server's clock, which may be set. Where it says that a lease is
# over, or that it was taken in the future, the event is not given out unless the lease is still
# as it was seen a while before (ARGV[4] and ARGV[5]): a live handler's is renewed meanwhile.
_CLAIM = """
local held = redis.call('HMGET', KEYS[1], 'done', 'leased_until', 'token')
if held[1] then return {2} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if held[3] and held[3] ~= ARGV[1] then
    local left = tonumber(held[2]) - now
    if left > 0 and left <= tonumber(ARGV[2]) then return {0} end
    if held[3] ~= ARGV[4] or held[2] ~= ARGV[5] then return {3, held[3], held[2]} end
end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'leased_until', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {1}
"""

# What a wider key says of an event: one key at a time, as a cluster wants it.
_LOOK = """
local held = redis.call('HMGET', KEYS[1], 'done', 'leased_until')
if held[1] then return 2 end
local time = redis.call('TIME')
if held[2] and tonumber(held[2]) > time[1] * 1000 then return 0 end
return 1
"""

_RENEW = """
local held = redis.call('HMGET', KEYS[1], 'done', 'token')
if held[1] or held[2] ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'leased_until', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""

_DONE = """
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'done', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""

_RELEASE = """
local held = redis.call('HMGET', KEYS[1], 'done', 'token')
if held[1] or held[2] ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


# A script with the name of its record and its arguments, or seconds to wait.
_Step = tuple[Any, ...] | float

# Return values of the scripts.
_GIVEN = 1
_REFUSALS = {0: Refusal.BUSY, 2: Refusal.DONE}


class RedisClient(Protocol):
    """The part of `redis.Redis` that is used."""

    def eval(self, script: str, numkeys: int, /, *keys_and_args: Any) -> Any:
        """Run a script."""
        ...


class AsyncRedisClient(Protocol):
    """The part of `redis.asyncio.Redis` that is used."""

    def eval(self, script: str, numkeys: int, /, *keys_and_args: Any) -> Awaitable[Any] | Any:
        """Run a script."""
        ...


class _Records:
    """Names of records and their time to live: the same for both clients."""

    def __init__(self, prefix: str, keep: float, patience: float) -> None:
        self._prefix = prefix
        self._keep = keep
        self.patience = patience

    def _name(self, key: str) -> str:
        return self._prefix + key

    def _claiming(self, claim: Claim, lease: float) -> Generator[_Step, Any, Claim | Refusal]:
        """Claim an event and then its group; the one claimed is released where the other is not."""
        for wider in wider_keys(claim.key):
            refusal = _REFUSALS.get((yield _LOOK, self._name(wider)))
            if refusal is not None:
                return refusal
        missing: dict[str, Sequence[Any]] = dict.fromkeys(claim.records, ("", ""))
        for is_watched in (False, True):
            for record, seen in [*missing.items()]:
                verdict, *left = yield (_CLAIM, *self._lease_of(record, claim, lease), *seen)
                if verdict == _GIVEN:
                    del missing[record]
                elif left and not is_watched:
                    missing[record] = left
                else:
                    for given in claim.records:
                        if given not in missing:
                            yield _RELEASE, self._name(given), claim.token
                    return _REFUSALS.get(verdict, Refusal.BUSY)
            if not missing:
                return claim
            yield watching(self.patience, lease)
        return Refusal.BUSY

    def _renewing(self, claim: Claim, lease: float) -> list[tuple[Any, ...]]:
        return [(_RENEW, *self._lease_of(record, claim, lease)) for record in claim.records]

    def _ending(self, claim: Claim) -> list[tuple[Any, ...]]:
        """Mark the event done, and release its group."""
        kept = _milliseconds(self._keep)
        return [(_DONE, self._name(claim.key), claim.token, kept), *self._releasing(claim)[1:]]

    def _releasing(self, claim: Claim) -> list[tuple[Any, ...]]:
        return [(_RELEASE, self._name(record), claim.token) for record in claim.records]

    def _lease_of(self, record: str, claim: Claim, lease: float) -> tuple[str, str, int, int]:
        # A record of a lease must outlive the lease, also where the server's clock jumps.
        kept = max(self._keep, lease + _DAY)
        return self._name(record), claim.token, _milliseconds(lease), _milliseconds(kept)


class RedisInbox(_Records):
    """Remembers in Redis, one hash per event, for `keep` seconds.

    Args:
        client: A `redis.Redis`.
        prefix: What the names of its keys begin with.
        keep: Seconds for which an event is remembered after it was handled.
        patience: Seconds for which a lease that seems to be over is watched for a sign of life
            before its event is given to another.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        prefix: str = "dgspay:inbox:",
        keep: float = _NINETY_DAYS,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(prefix, keep, patience)
        self._client = client

    def claim(self, key: str, *, lease: float, group: str = "") -> Claim | Refusal:
        """Claim an event and its group for `lease` seconds, unless it is done or a lease lives."""
        claiming, came = self._claiming(new_claim(key, group), lease), None
        while True:
            try:
                step = claiming.send(came)
            except StopIteration as ended:
                return cast("Claim | Refusal", ended.value)
            if isinstance(step, tuple):
                came = self._ask(step)
            else:
                time.sleep(step)

    def renew(self, claim: Claim, *, lease: float) -> None:
        """Renew the lease for so many seconds, unless it is done or claimed elsewhere."""
        for step in self._renewing(claim, lease):
            self._ask(step)

    def done(self, claim: Claim) -> None:
        """Mark the event done, even if another delivery has claimed it since."""
        for step in self._ending(claim):
            self._ask(step)

    def release(self, claim: Claim) -> None:
        """Release the event, unless it is done or claimed elsewhere by now."""
        for step in self._releasing(claim):
            self._ask(step)

    def _ask(self, step: tuple[Any, ...]) -> Any:
        script, *arguments = step
        return self._client.eval(script, 1, *arguments)


class AsyncRedisInbox(_Records):
    """The same with `await`, on a `redis.asyncio.Redis`."""

    def __init__(
        self,
        client: AsyncRedisClient,
        *,
        prefix: str = "dgspay:inbox:",
        keep: float = _NINETY_DAYS,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(prefix, keep, patience)
        self._client = client

    async def claim(self, key: str, *, lease: float, group: str = "") -> Claim | Refusal:
        """Claim an event and its group for `lease` seconds, unless it is done or a lease lives."""
        claiming, came = self._claiming(new_claim(key, group), lease), None
        while True:
            try:
                step = claiming.send(came)
            except StopIteration as ended:
                return cast("Claim | Refusal", ended.value)
            if isinstance(step, tuple):
                came = await self._ask(step)
            else:
                await anyio.sleep(step)

    async def renew(self, claim: Claim, *, lease: float) -> None:
        """Renew the lease for so many seconds, unless it is done or claimed elsewhere."""
        for step in self._renewing(claim, lease):
            await self._ask(step)

    async def done(self, claim: Claim) -> None:
        """Mark the event done, even if another delivery has claimed it since."""
        for step in self._ending(claim):
            await self._ask(step)

    async def release(self, claim: Claim) -> None:
        """Release the event, unless it is done or claimed elsewhere by now."""
        for step in self._releasing(claim):
            await self._ask(step)

    async def _ask(self, step: tuple[Any, ...]) -> Any:
        script, *arguments = step
        return await self._client.eval(script, 1, *arguments)


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
