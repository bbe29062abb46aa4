"""An inbox in Redis: for several machines that share a Redis and no database.

It is as durable as that Redis: one that loses its memory, or evicts keys, lets an event that
is delivered again be handled again.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from dgspay.webhooks.inbox import Claim, Refusal, new_claim

_NINETY_DAYS = 90 * 24 * 3600.0

# Each script is atomic. The lease is compared with the server's clock, the only one that all
# machines share. A client repeats by itself what it lost the answer of: its own claim does not
# stand in its way, or nobody would have the event until the lease is over.
_CLAIM = """
local held = redis.call('HMGET', KEYS[1], 'done', 'leased_until', 'token')
if held[1] then return 2 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if held[2] and tonumber(held[2]) > now and held[3] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'leased_until', now + ARGV[2])
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


class RedisClient(Protocol):
    """What is asked of a `redis.Redis`."""

    def eval(self, script: str, numkeys: int, /, *keys_and_args: Any) -> Any:
        """Run a script."""
        ...


class AsyncRedisClient(Protocol):
    """What is asked of a `redis.asyncio.Redis`."""

    def eval(self, script: str, numkeys: int, /, *keys_and_args: Any) -> Awaitable[Any] | Any:
        """Run a script."""
        ...


class _Records:
    """Where records lie and how long they stay: the same for both clients."""

    def __init__(self, prefix: str, keep: float) -> None:
        self._prefix = prefix
        self._keep = keep

    def _name(self, key: str) -> str:
        return self._prefix + key

    def _claim_arguments(self, claim: Claim, lease: float) -> tuple[str, str, int, int]:
        # A record of a lease must outlive the lease.
        kept = max(self._keep, lease + 1)
        return self._name(claim.key), claim.token, _milliseconds(lease), _milliseconds(kept)

    def _done_arguments(self, claim: Claim) -> tuple[str, str, int]:
        return self._name(claim.key), claim.token, _milliseconds(self._keep)


class RedisInbox(_Records):
    """Remembers in Redis, one hash per event, for `keep` seconds.

    Args:
        client: A `redis.Redis`.
        prefix: What the names of its keys begin with.
        keep: Seconds for which an event is remembered after it was handled.
    """

    def __init__(
        self, client: RedisClient, *, prefix: str = "dgspay:inbox:", keep: float = _NINETY_DAYS
    ) -> None:
        super().__init__(prefix, keep)
        self._client = client

    def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        """Take an event for `lease` seconds of the server's clock."""
        claim = new_claim(key)
        verdict = self._client.eval(_CLAIM, 1, *self._claim_arguments(claim, lease))
        return _claim_or_refusal(claim, verdict)

    def done(self, claim: Claim) -> None:
        """Remember that the event was handled, whoever has claimed it since."""
        self._client.eval(_DONE, 1, *self._done_arguments(claim))

    def release(self, claim: Claim) -> None:
        """Give the event back, unless it is done or someone else's by now."""
        self._client.eval(_RELEASE, 1, self._name(claim.key), claim.token)


class AsyncRedisInbox(_Records):
    """The same with `await`, on a `redis.asyncio.Redis`."""

    def __init__(
        self,
        client: AsyncRedisClient,
        *,
        prefix: str = "dgspay:inbox:",
        keep: float = _NINETY_DAYS,
    ) -> None:
        super().__init__(prefix, keep)
        self._client = client

    async def claim(self, key: str, *, lease: float) -> Claim | Refusal:
        """Take an event for `lease` seconds of the server's clock."""
        claim = new_claim(key)
        verdict = await self._client.eval(_CLAIM, 1, *self._claim_arguments(claim, lease))
        return _claim_or_refusal(claim, verdict)

    async def done(self, claim: Claim) -> None:
        """Remember that the event was handled, whoever has claimed it since."""
        await self._client.eval(_DONE, 1, *self._done_arguments(claim))

    async def release(self, claim: Claim) -> None:
        """Give the event back, unless it is done or someone else's by now."""
        await self._client.eval(_RELEASE, 1, self._name(claim.key), claim.token)


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _claim_or_refusal(claim: Claim, verdict: int) -> Claim | Refusal:
    match verdict:
        case 1:
            return claim
        case 2:
            return Refusal.DONE
        case _:
            return Refusal.BUSY
