"""The receiver: verifies a delivery, hands it over exactly once, and returns the response.

It knows no framework. `dgspay.webhooks.frameworks` has the few lines that each one needs.
"""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio

from dgspay.errors import ConfigError
from dgspay.webhooks import responses
from dgspay.webhooks.background_tasks import Background
from dgspay.webhooks.cancellation import (
    Uninterrupted,
    call_handler,
    call_handler_in_thread,
    in_own_thread,
    is_in_event_loop,
)
from dgspay.webhooks.delivery import Delivery
from dgspay.webhooks.delivery_flow import (
    Accepted,
    ClaimEvent,
    DeliveryFlow,
    Handle,
    Handler,
    MarkDone,
    ReceiverConfig,
    Release,
    Step,
    handle_once,
    require_finished,
)
from dgspay.webhooks.handlers import (
    classes_of,
    is_async,
    parameters_of,
    require_annotated_for,
    require_no_yield,
)
from dgspay.webhooks.inbox import (
    AsyncInbox,
    AsyncRenewableInbox,
    AsyncTransactionalInbox,
    Inbox,
    RenewableInbox,
    TransactionalInbox,
)
from dgspay.webhooks.inbox.keys import check_account_number
from dgspay.webhooks.inbox.sqlite import DEFAULT_PATH, SQLiteInbox
from dgspay.webhooks.renewal import renewing, renewing_async
from dgspay.webhooks.responses import WebhookResponse
from dgspay.webhooks.signature import (
    EnvironmentInput,
    SecretInput,
    expected_environment,
    hold_secrets,
)
from dgspay.webhooks.surroundings import NONE, Surroundings

HandlerFunction = TypeVar("HandlerFunction", bound=Callable[..., Any])
Result = TypeVar("Result")

MEBIBYTE = 1024 * 1024


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
    work then is cancelled and its event released; a plain one is waited for. `drain` lets
    both finish.

    Events of one reference, such as the failure and the success of a payment, are handled one
    after another. While one is, the delivery of another is answered 409, and DGS-Pay repeats it.

    Three things can still make a handler run twice: a process that is killed between the
    handler and its "done", an inbox that fails just then, and a handler that takes longer than
    `lease`; a clock that is set is none of them. A handler that writes in the inbox's own
    transaction (see `on`) is safe from all three.

    Args:
        secret: The webhook secret, or several during a rotation.
        inbox: The record of what was handled. The default is a SQLite file in the working
            directory; a path stands for a SQLite file there.
        account_number: The account of these events. Accounts that share an inbox each name theirs:
            an event of one is no duplicate of another's with the same reference.
        environment: Reject events of the other environment (see `verify`). Environments that
            share an inbox are kept apart by this or, where it is not given, by what the event
            says; only payment events are documented to say so.
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
        account_number: str | None = None,
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
        if account_number is not None:
            check_account_number(account_number)
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
        self._has_groups = "group" in inspect.signature(self._inbox.claim).parameters
        self._lease = lease
        self._answer_within = answer_within
        self._handlers: dict[type, Handler] = {}
        self._rules = ReceiverConfig(
            held, account_number or "", environment, max_body, self._handlers
        )
        self._background = Background()

    def on(self, *kinds: Any) -> Callable[[HandlerFunction], HandlerFunction]:
        """Register the decorated function for kinds of event.

        A function of one parameter takes the event. One of two takes the event and a
        connection of the inbox (`PostgresInbox` or `AsyncPostgresInbox`): what it writes on it
        is committed together with the event's "done". It must be sync or async as the inbox
        is. Either may take one more, annotated `Delivery`, anywhere after the event: the token in
        the path of the webhook, by which a payment is found whose answer was lost.

        Args:
            kinds: Event classes, or a union of them such as `Event` for all.

        Raises:
            ConfigError: when a kind is no event class or has a handler already, or when the
                function takes something else.
            TypeError: when the function has a `yield`, so that it would never run, or when
                its parameter is annotated for another event.
        """
        classes = classes_of(kinds)

        def register(function: HandlerFunction) -> HandlerFunction:
            handler = self._handler_of(function, classes)
            for cls in classes:
                if cls in self._handlers:
                    # Were the second of two to fail, a redelivery would repeat the first.
                    raise ConfigError(f"{cls.__name__} has a handler already; one event, one")
            self._handlers.update(dict.fromkeys(classes, handler))
            return function

        return register

    def receive(
        self,
        body: bytes,
        signature: str | None,
        *,
        path: str | None = None,
        token: str | None = None,
        surroundings: Surroundings = NONE,
    ) -> WebhookResponse:
        """Take one delivery, blocking until its handler is through.

        Where an event loop runs already, as in a notebook, an async handler runs in a loop of its
        own in another thread, and the one that runs here stands still meanwhile: it must not wait
        for anything of that one. In a server on asyncio or trio, use `areceive`.

        Args:
            body: The request's raw bytes; more than `max_body` of them need not be read.
            signature: The `X-DGS-Signature` header.
            path: The path of the request, for handlers that take a `Delivery`.
            token: What of the path lies below that of the receiver: `TOKEN` of the route
                `/webhooks/dgspay/{token}`. Its last segment is the token of the `Delivery`.
            surroundings: What a web framework needs around the handler.

        Raises:
            ConfigError: when the inbox is one for `areceive` only; nothing has been handled.
            TypeError: when the body is not bytes.
        """
        if self._has_async_inbox:
            raise ConfigError(
                f"{type(self._inbox).__name__} is for areceive(); receive() needs one without await"
            )
        accepted = self._rules.accept(body, signature, Delivery.of(path, token))
        if isinstance(accepted, WebhookResponse):
            return accepted
        work = partial(_drive, handle_once(accepted), partial(self._perform, surroundings))
        if accepted.handler.is_async and is_in_event_loop():
            return in_own_thread(partial(_within, surroundings, work))
        return work()

    async def areceive(
        self,
        body: bytes,
        signature: str | None,
        *,
        path: str | None = None,
        token: str | None = None,
        surroundings: Surroundings = NONE,
    ) -> WebhookResponse:
        """Take one delivery, on asyncio or trio; see `receive`.

        Functions and inboxes without `await` run in a worker thread. A handler that raises
        what is no Exception has failed like any other; only SystemExit and KeyboardInterrupt
        of an async handler are raised here, once its event has been released.
        """
        accepted = self._rules.accept(body, signature, Delivery.of(path, token))
        if isinstance(accepted, WebhookResponse):
            return accepted
        work = partial(self._see_through, accepted, surroundings)
        answer = await self._background.run_within(self._answer_within, work)
        return responses.IN_PROGRESS if answer is None else answer

    async def drain(self) -> None:
        """Wait for the handlers that still run. Call it before the program stops."""
        await self._background.drain()

    def _handler_of(self, function: Callable[..., Any], classes: tuple[type, ...]) -> Handler:
        taken = parameters_of(function)
        require_no_yield(function)
        require_annotated_for(classes, function, taken.event.annotation)
        awaited = is_async(function)
        if taken.takes_connection:
            self._require_transactions(is_async=awaited)
        return Handler(function, awaited, taken.takes_connection, taken.delivery)

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

    def _leasing(self, group: str) -> dict[str, Any]:
        """Return the arguments of a claim: an inbox of the program's own may know no groups."""
        return {"lease": self._lease} | ({"group": group} if self._has_groups else {})

    # --- the two drivers ------------------------------------------------------------------

    def _perform(self, surroundings: Surroundings, step: Step) -> Any:
        inbox = cast("Inbox", self._inbox)
        match step:
            case ClaimEvent(key, group):
                return inbox.claim(key, **self._leasing(group))
            case Handle():
                return self._handle(surroundings, step)
            case MarkDone(claim):
                return inbox.done(claim)
            case Release(claim):
                return inbox.release(claim)

    def _handle(self, surroundings: Surroundings, step: Handle) -> None:
        if step.handler.takes_connection:
            with cast("TransactionalInbox", self._inbox).transaction(step.claim) as connection:
                require_finished(step.call(connection))
            return
        with self._renewing(step):
            if step.handler.is_async:
                anyio.run(_handle_alone, surroundings, step)
            else:
                require_finished(step.call())

    def _renewing(self, step: Handle) -> AbstractContextManager[None]:
        """Renew the lease meanwhile, unless it is an async inbox's or none that is renewed."""
        if self._has_async_inbox or not hasattr(self._inbox, "renew"):
            return nullcontext()
        return renewing(cast("RenewableInbox", self._inbox), step.claim, self._lease)

    def _renewing_async(self, step: Handle) -> AbstractAsyncContextManager[None]:
        # While a transaction holds the event's row, no other delivery can claim it.
        is_renewed = self._has_async_inbox and hasattr(self._inbox, "renew")
        if not is_renewed or step.handler.takes_connection:
            return nullcontext()
        inbox = cast("AsyncRenewableInbox", self._inbox)
        return renewing_async(inbox, step.claim, self._lease, self._background.start)

    async def _see_through(self, accepted: Accepted, surroundings: Surroundings) -> WebhookResponse:
        """Handle a delivery; a cancellation waits for what must not be left half done."""
        reception, unbroken = handle_once(accepted), Uninterrupted()
        if accepted.handler.is_async or self._has_async_inbox:
            perform = partial(self._perform_async, unbroken, surroundings)
            # Not only around the handler: a cancellation in what comes after it would give an
            # event back that was handled.
            around = surroundings.task() if accepted.handler.is_async else nullcontext()
            async with around:
                answer = await _drive_async(reception, perform)
        else:
            # All in one call: nothing comes between the handler and its "done".
            work = partial(_drive, reception, partial(self._perform_in_thread, surroundings))
            answer = await unbroken.in_thread(partial(_within, surroundings, work))
        unbroken.raise_cancellation()
        return answer

    def _perform_in_thread(self, surroundings: Surroundings, step: Step) -> Any:
        if isinstance(step, Handle):
            return call_handler_in_thread(partial(self._handle, surroundings, step))
        return self._perform(surroundings, step)

    async def _perform_async(
        self, unbroken: Uninterrupted, surroundings: Surroundings, step: Step
    ) -> Any:
        work = partial(_within, surroundings, partial(self._perform_in_thread, surroundings, step))
        if isinstance(step, Handle):
            unbroken.raise_cancellation()
            async with self._renewing_async(step):
                if step.handler.is_async:
                    return await call_handler(partial(self._handle_async, step))
                return await unbroken.in_thread(work)
        if not self._has_async_inbox:
            ask: Callable[[], Awaitable[Any]] = partial(unbroken.in_thread, work)
        else:
            ask = partial(self._ask_inbox, step)
        # A claim is made once: were it made anew, it would find itself in the way.
        return await (ask() if isinstance(step, ClaimEvent) else unbroken.finish(ask))

    async def _ask_inbox(self, step: ClaimEvent | MarkDone | Release) -> Any:
        inbox = cast("AsyncInbox", self._inbox)
        match step:
            case ClaimEvent(key, group):
                return await inbox.claim(key, **self._leasing(group))
            case MarkDone(claim):
                return await inbox.done(claim)
            case Release(claim):
                return await inbox.release(claim)

    async def _handle_async(self, step: Handle) -> None:
        if not step.handler.takes_connection:
            with self._renewing(step):
                await step.call()
            return
        inbox = cast("AsyncTransactionalInbox", self._inbox)
        async with inbox.transaction(step.claim) as connection:
            await step.call(connection)


async def _handle_alone(surroundings: Surroundings, step: Handle) -> None:
    async with surroundings.task():
        await step.call()


def _within(surroundings: Surroundings, work: Callable[[], Result]) -> Result:
    with surroundings.thread():
        return work()


def _drive(reception: DeliveryFlow, perform: Callable[[Step], Any]) -> WebhookResponse:
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
            return cast("WebhookResponse", finished.value)


async def _drive_async(reception: DeliveryFlow, perform: Callable[[Step], Any]) -> WebhookResponse:
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
            return cast("WebhookResponse", finished.value)


def _inbox_of(inbox: Inbox | AsyncInbox | str | Path | None) -> Inbox | AsyncInbox:
    if inbox is None:
        return SQLiteInbox(DEFAULT_PATH)
    if isinstance(inbox, str | Path):
        return SQLiteInbox(inbox)
    if not all(callable(getattr(inbox, name, None)) for name in ("claim", "done", "release")):
        raise ConfigError("inbox must have the methods claim, done and release")
    return inbox
