"""API keys that a program hands out itself: asked before each call, kept as long as they say.

For vaults and for keys that are rotated::

    def key() -> ApiKey:
        return ApiKey(vault.read("dgspay"), max_age=300)

    dgs = DGSPay(api_key=key, account_number=...)
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from dgspay.core.messages import KeyAnswer
from dgspay.errors import ConfigError, CredentialError, DGSPayError
from dgspay.forks import new_lock, undivided
from dgspay.interruption import interruption_in
from dgspay.secret import Secret, masked_text

if TYPE_CHECKING:
    from anyio import Lock
    from anyio.lowlevel import RunVar

_MOST_SHOWN = 200


def _sealed(value: str | Secret) -> Secret:
    if not isinstance(value, str | Secret):
        kind = type(value).__name__  # type: ignore[unreachable]
        del value
        raise ConfigError(f"the API key must be a str, not {kind}")
    return value if isinstance(value, Secret) else Secret(str.__str__(value))


def _is_age(_: object, __: object, value: float) -> None:
    # The comparison rejects NaN as well.
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ConfigError("ApiKey: max_age must be a number of seconds, 0 or more")


@attrs.frozen
class ApiKey:
    """An API key, and for how long it may be kept.

    Attributes:
        value: The key.
        max_age: Seconds for which it is used without asking again.

    Raises:
        ConfigError: when the key is no text, or the age no number of seconds.
    """

    value: Secret = attrs.field(converter=_sealed)
    max_age: float = attrs.field(validator=_is_age, kw_only=True)


AnsweredKey = str | Secret | ApiKey
"""What a callable given as `api_key` returns. What is no `ApiKey` is used for one call."""

KeyCallable = Callable[[], AnsweredKey] | Callable[[], Awaitable[AnsweredKey]]
"""A callable given as `api_key`. Only `AsyncDGSPay` awaits; a plain one must not block it."""


class KeySource:
    """The key of a client that is given a callable in its place.

    While a key that may be kept is asked for, the calls that begin meanwhile wait for that one
    answer. A failure is an answer as well, of the call that asked: nothing was sent.

    Attributes:
        ask: The callable.

    Args:
        ask: Returns the key, or an awaitable of it.
        check: Returns the key if it is one for this client.
        clock: Seconds that only go forward.
    """

    ASYNC: ClassVar = (
        "api_key is an async callable, which the blocking client cannot await: give it a plain "
        "one, or use AsyncDGSPay"
    )

    def __init__(
        self,
        ask: KeyCallable,
        check: Callable[[Secret], Secret],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ask = ask
        self._check = check
        self._clock = clock
        self._kept: tuple[Secret, float] | None = None
        # Until an answer says otherwise. Calls wait for each other only where that saves asking.
        self._is_kept = True
        self._lock = new_lock()
        self._lock_of_loop: RunVar[Lock] | None = None

    @property
    def is_async(self) -> bool:
        """Whether its callable is an `async` one."""
        called = getattr(self.ask, "__call__", None)  # noqa: B004 - it is asked, not called
        return inspect.iscoroutinefunction(self.ask) or inspect.iscoroutinefunction(called)

    def fresh(self) -> Secret | None:
        """Return the key that is kept, while it may be used."""
        kept = self._kept
        return kept[0] if kept is not None and self._clock() < kept[1] else None

    def forget(self, key: Secret) -> None:
        """Ask before the next call: DGS-Pay has not accepted this key."""
        kept = self._kept
        if kept is not None and kept[0] == key:
            self._kept = None

    def get(self) -> KeyAnswer:
        """Ask for the key, or wait for another thread that does."""
        if not self._is_kept:
            return self._asked()
        with self._lock:
            return self.fresh() or self._asked()

    async def aget(self, seconds: float) -> KeyAnswer:
        """Ask for the key, or wait for another task that does.

        Args:
            seconds: How long this may take; only an awaitable can be given up.
        """
        with undivided:
            import anyio  # noqa: PLC0415 - a key that is a text needs none

        with anyio.move_on_after(seconds):
            if not self._is_kept:
                return await self._aasked()
            async with self._loops_lock():
                return self.fresh() or await self._aasked()
        return CredentialError(
            f"The callable given as api_key had not answered after {seconds:g} seconds. Nothing "
            "was sent; call again when it answers in time."
        )

    def _loops_lock(self) -> Lock:
        """Return the lock of the event loop that runs: one client may be used from several."""
        from anyio import Lock  # noqa: PLC0415 - as above
        from anyio.lowlevel import RunVar  # noqa: PLC0415

        if self._lock_of_loop is None:
            self._lock_of_loop = RunVar("dgspay key")
        lock = self._lock_of_loop.get(None)
        if lock is None:
            lock = Lock()
            self._lock_of_loop.set(lock)
        return lock

    def _asked(self) -> KeyAnswer:
        try:
            answer: Any = self.ask()
            if inspect.isawaitable(answer):
                if inspect.iscoroutine(answer):
                    answer.close()  # or Python warns that nothing awaits it
                raise ConfigError(self.ASYNC)  # noqa: TRY301 - as any other failure of it
            return self._taken(answer)
        except Exception as error:
            if interruption_in(error) is not None:
                raise
            return _failure(error)

    async def _aasked(self) -> KeyAnswer:
        try:
            answer: Any = self.ask()
            if inspect.isawaitable(answer):
                answer = await answer
            return self._taken(answer)
        except Exception as error:
            if interruption_in(error) is not None:
                raise
            return _failure(error)

    def _taken(self, answer: Any) -> Secret:
        """Check an answer, and keep it as long as it says."""
        given = answer if isinstance(answer, ApiKey) else ApiKey(answer, max_age=0)
        del answer
        key = self._check(given.value)
        self._is_kept = given.max_age > 0
        self._kept = (key, self._clock() + given.max_age)
        return key

    def __repr__(self) -> str:
        return "KeySource()"  # a callable's own repr may show what it was made of


def _failure(error: Exception) -> DGSPayError:
    """Return what to raise, without the frames: they hold the key in plain text."""
    if isinstance(error, ConfigError):
        return ConfigError(f"{error.message} (it came from the callable given as api_key)")
    shown = masked_text(str(error))[:_MOST_SHOWN]
    return CredentialError(
        f"The callable given as api_key raised {type(error).__name__}{shown and f' ({shown})'}. "
        "Nothing was sent; call again when it works."
    )
