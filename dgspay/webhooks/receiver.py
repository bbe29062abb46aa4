"""The receiver: verifies a delivery, hands it over exactly once, and says what to answer.

It knows no framework. `dgspay.webhooks.frameworks` has the few lines that each one needs.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import types
import typing
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio

from dgspay.errors import ConfigError
from dgspay.webhooks import answers
from dgspay.webhooks.answers import Answer
from dgspay.webhooks.background import Background
from dgspay.webhooks.events import EVENT_CLASSES, UnknownEvent
from dgspay.webhooks.inbox import (
    AsyncInbox,
    AsyncTransactionalInbox,
    Inbox,
    TransactionalInbox,
)
from dgspay.webhooks.inbox.sqlite import DEFAULT_PATH, SQLiteInbox
from dgspay.webhooks.reception import (
    ClaimEvent,
    Delivery,
    Handle,
    Handler,
    MarkDone,
    Reception,
    Release,
    Rules,
    Step,
    handle_once,
    require_finished,
)
from dgspay.webhooks.signature import (
    EnvironmentInput,
    SecretInput,
    expected_environment,
    hold_secrets,
)
from dgspay.webhooks.unbroken import Unbroken, call_handler, call_handler_in_thread

HandlerFunction = TypeVar("HandlerFunction", bound=Callable[..., Any])

MEBIBYTE = 1024 * 1024

_EVENT_KINDS = (*EVENT_CLASSES.values(), UnknownEvent)


class WebhookReceiver:
    """Hands each event of DGS-Pay to your handler exactly once.

        receiver = WebhookReceiver(secret=..., inbox=SQLiteInbox("inbox.sqlite3"))

        @receiver.on(PaymentSucceeded)
        async def paid(event: PaymentSucceeded) -> None:
            await orders.mark_paid(event.dgs_reference, event.amount)

    A handler that raises leaves the event unprocessed: DGS-Pay is answered 500, delivers it
    again, and it is handled again. One that succeeded is not run again for the same event, in
    any process that shares the inbox, also when the event loop ends right after it: the end of
    `asyncio.run` or `trio.run` waits until the inbox knows. An async handler that is still at
    work then is cancelled and its event given back; a plain one is waited for. `drain` lets
    both finish.

    Three things can still make a handler run twice: a process that is killed between the
    handler and its "done", an inbox that fails just then, and a handler that takes longer than
    `lease`. A handler that writes in the inbox's own transaction (see `on`) is safe from all
    three.

    Args:
        secret: The webhook secret, or several during a rotation.
        inbox: Who remembers what was handled. The default is a SQLite file in the working
            directory; a path stands for a SQLite file there.
        environment: Refuse events of the other environment (see `verify`).
        lease: Seconds after which an event whose process died is given out again. Longer than
            any handler takes.
        answer_within: Seconds after which `areceive` answers 409, so that DGS-Pay does not
            wait for a slow handler. The handler goes on, and a redelivery finds it done.
        max_body: Bytes; a longer body is answered 413.

    Raises:
        ConfigError: when the secret is missing or empty, or another argument makes no sense.
    """

    def __init__(
        self,
        *,
        secret: SecretInput,
        inbox: Inbox | AsyncInbox | str | Path | None = None,
        environment: EnvironmentInput | None = None,
        lease: float = 300.0,
        answer_within: float = 5.0,
        max_body: int = MEBIBYTE,
    ) -> None:
        held, fault = hold_secrets(secret)
        # From here on no local of this frame holds the secret's text.
        del secret
        if fault is not None:
            raise ConfigError(fault)
        if environment is not None:
            expected_environment(environment)
        for name, seconds in (("lease", lease), ("answer_within", answer_within)):
            if isinstance(seconds, bool) or not isinstance(seconds, int | float):
                raise ConfigError(f"{name} must be a number of seconds")
        # No database has a time at which "for ever" is over.
        if not math.inf > lease > answer_within > 0:
            raise ConfigError(
                "lease must be longer than answer_within, that longer than 0, and neither infinite"
            )
        if isinstance(max_body, bool) or not isinstance(max_body, int):
            raise ConfigError("max_body must be a whole number of bytes")
        if max_body <= 0:
            raise ConfigError("max_body must be greater than 0 bytes")
        self.max_body = max_body
        self._inbox = _inbox_of(inbox)
        self._has_async_inbox = inspect.iscoroutinefunction(self._inbox.claim)
        self._lease = lease
        self._answer_within = answer_within
        self._handlers: dict[type, Handler] = {}
        self._rules = Rules(held, environment, max_body, self._handlers)
        self._background = Background()

    def on(self, *kinds: Any) -> Callable[[HandlerFunction], HandlerFunction]:
        """Register the decorated function for kinds of event.

        A function of one parameter takes the event. One of two takes the event and a
        connection of the inbox (`PostgresInbox` or `AsyncPostgresInbox`): what it writes on it
        is committed together with the event's "done". It must be sync or async as the inbox
        is.

        Args:
            kinds: Event classes, or a union of them such as `Event` for all.

        Raises:
            ConfigError: when a kind is no event class or has a handler already, or when the
                function takes something else.
            TypeError: when the function has a `yield`: nobody would run it.
        """
        classes = [cls for kind in kinds for cls in _classes_of(kind)]
        if not classes:
            raise ConfigError("on() needs at least one event class, such as PaymentSucceeded")

        def register(function: HandlerFunction) -> HandlerFunction:
            handler = self._handler_of(function)
            for cls in classes:
                if cls in self._handlers:
                    # Were the second of two to fail, a redelivery would repeat the first.
                    raise ConfigError(f"{cls.__name__} has a handler already; one event, one")
            self._handlers.update(dict.fromkeys(classes, handler))
            return function

        return register

    def receive(self, body: bytes, signature: str | None) -> Answer:
        """Take one delivery, blocking until its handler is through.

        Args:
            body: The request's raw bytes; more than `max_body` of them need not be read.
            signature: The `X-DGS-Signature` header.

        Raises:
            ConfigError: when the inbox is one for `areceive` only.
            TypeError: when the body is not bytes.
        """
        if self._has_async_inbox:
            raise ConfigError(
                f"{type(self._inbox).__name__} is for areceive(); receive() needs one without await"
            )
        accepted = self._rules.accept(body, signature)
        if isinstance(accepted, Answer):
            return accepted
        return _drive(handle_once(accepted), self._perform)

    async def areceive(self, body: bytes, signature: str | None) -> Answer:
        """Take one delivery, on asyncio or trio; see `receive`.

        Functions and inboxes without `await` run in a worker thread. A handler that raises
        what is no Exception has failed like any other; only SystemExit and KeyboardInterrupt
        of an async handler are raised here, once its event has been given back.
        """
        accepted = self._rules.accept(body, signature)
        if isinstance(accepted, Answer):
            return accepted
        work = partial(self._see_through, accepted)
        answer = await self._background.run_within(self._answer_within, work)
        return answers.IN_PROGRESS if answer is None else answer

    async def drain(self) -> None:
        """Wait for the handlers that still run. Call it before the program stops."""
        await self._background.drain()

    def _handler_of(self, function: Callable[..., Any]) -> Handler:
        is_async = _is(function, inspect.iscoroutinefunction)
        taken = _positional_parameters(function)
        if _is(function, inspect.isgeneratorfunction) or _is(function, inspect.isasyncgenfunction):
            raise TypeError(
                "a handler with `yield` would only make a generator: the event would be marked "
                "done and never be handled"
            )
        if taken not in (1, 2):
            raise ConfigError("a handler takes the event, or the event and a connection")
        if taken == 2:
            self._require_transactions(is_async=is_async)
        return Handler(function, is_async=is_async, takes_connection=taken == 2)

    def _require_transactions(self, *, is_async: bool) -> None:
        if not hasattr(self._inbox, "transaction"):
            raise ConfigError(
                f"{type(self._inbox).__name__} has no transaction to share; "
                "a handler that takes a connection needs PostgresInbox or AsyncPostgresInbox"
            )
        if is_async is not self._has_async_inbox:
            kind = "an async" if self._has_async_inbox else "a plain"
            raise ConfigError(
                f"{type(self._inbox).__name__} shares its transaction with {kind} function only"
            )

    # --- the two drivers ------------------------------------------------------------------

    def _perform(self, step: Step) -> Any:
        inbox = cast("Inbox", self._inbox)
        match step:
            case ClaimEvent(key):
                return inbox.claim(key, lease=self._lease)
            case Handle():
                return self._handle(step)
            case MarkDone(claim):
                return inbox.done(claim)
            case Release(claim):
                return inbox.release(claim)

    def _handle(self, step: Handle) -> None:
        function, event = step.handler.function, step.event
        if step.handler.takes_connection:
            with cast("TransactionalInbox", self._inbox).transaction(step.claim) as connection:
                require_finished(function(event, connection))
        elif step.handler.is_async:
            anyio.run(function, event)
        else:
            require_finished(function(event))

    async def _see_through(self, delivery: Delivery) -> Answer:
        """Handle a delivery; a cancellation waits for what must not be left half done."""
        reception, unbroken = handle_once(delivery), Unbroken()
        if delivery.handler.is_async or self._has_async_inbox:
            answer = await _drive_async(reception, partial(self._perform_async, unbroken))
        else:
            # All in one call: nothing comes between the handler and its "done".
            work = partial(_drive, reception, self._perform_in_thread)
            answer = await unbroken.in_thread(work)
        unbroken.raise_cancellation()
        return answer

    def _perform_in_thread(self, step: Step) -> Any:
        if isinstance(step, Handle):
            return call_handler_in_thread(partial(self._handle, step))
        return self._perform(step)

    async def _perform_async(self, unbroken: Unbroken, step: Step) -> Any:
        if isinstance(step, Handle):
            unbroken.raise_cancellation()
            if step.handler.is_async:
                return await call_handler(partial(self._handle_async, step))
            return await unbroken.in_thread(partial(self._perform_in_thread, step))
        ask = partial(self._ask_inbox, unbroken, step)
        # A claim is made once: were it made anew, it would find itself in the way.
        return await (ask() if isinstance(step, ClaimEvent) else unbroken.to_the_end(ask))

    async def _ask_inbox(self, unbroken: Unbroken, step: ClaimEvent | MarkDone | Release) -> Any:
        if not self._has_async_inbox:
            return await unbroken.in_thread(partial(self._perform, step))
        inbox = cast("AsyncInbox", self._inbox)
        match step:
            case ClaimEvent(key):
                return await inbox.claim(key, lease=self._lease)
            case MarkDone(claim):
                return await inbox.done(claim)
            case Release(claim):
                return await inbox.release(claim)

    async def _handle_async(self, step: Handle) -> None:
        function, event = step.handler.function, step.event
        if not step.handler.takes_connection:
            await function(event)
            return
        inbox = cast("AsyncTransactionalInbox", self._inbox)
        async with inbox.transaction(step.claim) as connection:
            await function(event, connection)


def _drive(reception: Reception, perform: Callable[[Step], Any]) -> Answer:
    with contextlib.closing(reception):
        try:
            step = next(reception)
            while True:
                try:
                    came = perform(step)
                except BaseException as failure:  # noqa: BLE001 - the reception decides about all
                    step = reception.throw(failure)
                else:
                    step = reception.send(came)
        except StopIteration as finished:
            return cast("Answer", finished.value)


async def _drive_async(reception: Reception, perform: Callable[[Step], Any]) -> Answer:
    with contextlib.closing(reception):
        try:
            step = next(reception)
            while True:
                try:
                    came = await perform(step)
                except BaseException as failure:  # noqa: BLE001 - the reception decides about all
                    step = reception.throw(failure)
                else:
                    step = reception.send(came)
        except StopIteration as finished:
            return cast("Answer", finished.value)


def _inbox_of(inbox: Inbox | AsyncInbox | str | Path | None) -> Inbox | AsyncInbox:
    if inbox is None:
        return SQLiteInbox(DEFAULT_PATH)
    if isinstance(inbox, str | Path):
        return SQLiteInbox(inbox)
    if not all(callable(getattr(inbox, name, None)) for name in ("claim", "done", "release")):
        raise ConfigError("inbox must have the methods claim, done and release")
    return inbox


def _classes_of(kind: Any) -> tuple[type, ...]:
    classes = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    for cls in classes:
        if cls not in _EVENT_KINDS:
            raise ConfigError(
                f"on() takes event classes such as PaymentSucceeded, not {cls!r:.60}; "
                "an event the guide does not list is an UnknownEvent"
            )
    return classes


def _is(function: Callable[..., Any], kind: Callable[[Any], bool]) -> bool:
    """Ask of a function, or of an object's `__call__`, such as one with `async def`."""
    return kind(function) or kind(getattr(function, "__call__", None))  # noqa: B004 - it is asked, not called


def _positional_parameters(function: Callable[..., Any]) -> int:
    """Count what must be given in order; a parameter with a default is the function's own."""
    if not callable(function):
        raise ConfigError("a handler must be a function")
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    needed = [each for each in parameters if each.default is each.empty]
    for each in needed:
        if each.kind is each.KEYWORD_ONLY:
            raise ConfigError(f"nobody gives a handler {each.name!r}: it needs a default")
    return sum(each.kind in kinds for each in needed)
