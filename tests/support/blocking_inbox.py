"""An inbox with `await`, driven by an event loop in a thread, so that one contract tests all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from anyio.from_thread import BlockingPortal, start_blocking_portal

from dgspay.webhooks.inbox import Claim, Refusal


async def _nothing() -> None:
    pass


class Blocking:
    def __init__(self, inbox: Any, close: Callable[[], Awaitable[Any]] = _nothing) -> None:
        self._inbox = inbox
        self._close = close
        self._starting = start_blocking_portal("asyncio")
        self._portal: BlockingPortal

    def __enter__(self) -> Self:
        self._portal = self._starting.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._portal.call(self._close)
        self._starting.__exit__(kind, error, trace)

    def claim(self, key: str, *, lease: float, group: str = "") -> Claim | Refusal:
        claimed: Claim | Refusal = self._portal.call(
            lambda: self._inbox.claim(key, lease=lease, group=group)
        )
        return claimed

    def renew(self, claim: Claim, *, lease: float) -> None:
        self._portal.call(lambda: self._inbox.renew(claim, lease=lease))

    def done(self, claim: Claim) -> None:
        self._portal.call(self._inbox.done, claim)

    def release(self, claim: Claim) -> None:
        self._portal.call(self._inbox.release, claim)

    def forget(self, *, older_than: float) -> int:
        forgotten: int = self._portal.call(lambda: self._inbox.forget(older_than=older_than))
        return forgotten
