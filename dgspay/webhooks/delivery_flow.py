"""One delivery from first byte to answer: rules, and a generator without threads or `await`.

The generator yields what is to be done and is sent back what came of it. The receiver's two
drivers, one blocking and one asynchronous, do those few things; every rule stands here, once.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import attrs

from dgspay.errors import DecodeError, SignatureError
from dgspay.secret import Secret
from dgspay.webhooks import responses
from dgspay.webhooks.delivery import Delivery
from dgspay.webhooks.events import Event, UnknownEvent
from dgspay.webhooks.inbox import Claim, ClaimLostError, Refusal
from dgspay.webhooks.inbox.keys import group_key, scoped_key
from dgspay.webhooks.responses import WebhookResponse
from dgspay.webhooks.signature import (
    EnvironmentInput,
    expected_environment,
    require_bytes,
    verify,
)

logger = logging.getLogger("dgspay.webhooks")


@attrs.frozen
class Handler:
    """A function of the shop's for some kind of event.

    Attributes:
        function: It takes the event, and a connection if `takes_connection`.
        is_async: Whether it is to be awaited.
        takes_connection: Whether it writes in the transaction that marks the event done.
        delivery: Where it takes the delivery; see `dgspay.webhooks.handlers.Parameters`.
    """

    function: Callable[..., Any]
    is_async: bool
    takes_connection: bool
    delivery: int | str | None = None


@attrs.frozen
class Accepted:
    """A delivery that was verified: the handler it is for, its event, and keys in the inbox."""

    handler: Handler
    event: Event
    key: str
    group: str
    delivery: Delivery


@attrs.frozen
class ClaimEvent:
    """Ask the inbox for the event and its group; send back a Claim or a Refusal."""

    key: str
    group: str


@attrs.frozen
class Handle:
    """Run the handler, within a transaction of the inbox if it takes a connection."""

    handler: Handler
    event: Event
    claim: Claim
    delivery: Delivery

    def call(self, *connection: Any) -> Any:
        """Call the handler's function with what it takes."""
        given, named = [self.event, *connection], {}
        match self.handler.delivery:
            case int(place):
                given.insert(place, self.delivery)
            case str(name):
                named[name] = self.delivery
        return self.handler.function(*given, **named)


@attrs.frozen
class MarkDone:
    """Mark the event done in the inbox."""

    claim: Claim


@attrs.frozen
class Release:
    """Release the event in the inbox: it was not handled."""

    claim: Claim


Step = ClaimEvent | Handle | MarkDone | Release
DeliveryFlow = Generator[Step, Any, WebhookResponse]


@attrs.frozen
class ReceiverConfig:
    """Settings of a receiver."""

    secrets: Sequence[Secret]
    account_number: str
    environment: EnvironmentInput | None
    max_body: int
    handlers: Mapping[type, Handler]

    def accept(
        self, body: bytes, signature: str | None, delivery: Delivery
    ) -> Accepted | WebhookResponse:
        """Find the handler of a delivery, or the answer to one that is not handled."""
        event = self.read(body, signature)
        if isinstance(event, WebhookResponse):
            return event
        handler = self.handlers.get(type(event))
        if handler is None:
            # It is not put into the inbox: nothing was done that must not be done again.
            level = logging.WARNING if isinstance(event, UnknownEvent) else logging.INFO
            logger.log(level, "no handler for %s; acknowledged", event.event)
            return responses.RECEIVED
        group = group_key(event.dgs_reference, account_number=self.account_number)
        return Accepted(handler, event, self.key_of(event), group, delivery)

    def key_of(self, event: Event) -> str:
        """Return the key under which the inbox has an event of this account and environment."""
        known = self.environment and expected_environment(self.environment)
        environment = known or event.environment or ""
        return scoped_key(
            event.dedupe_key,
            account_number=self.account_number,
            environment=environment.casefold(),
        )

    def read(self, body: bytes, signature: str | None) -> Event | WebhookResponse:
        """Verify a delivery and read it, or say why not."""
        require_bytes(body)
        if len(body) > self.max_body:
            logger.warning("a webhook of more than %d bytes was rejected", self.max_body)
            return responses.TOO_LARGE
        try:
            return verify(body, signature, self.secrets, environment=self.environment)
        except SignatureError as error:
            logger.warning("a webhook was rejected: %s", error)
            return responses.response_to(error)
        except DecodeError as error:
            logger.error("a signed webhook cannot be read: %s", error)  # noqa: TRY400 - no fault of ours to trace
            return responses.response_to(error)


def handle_once(accepted: Accepted) -> DeliveryFlow:
    """Claim the event, have it handled, and leave it done or released."""
    handler, event = accepted.handler, accepted.event
    try:
        claim = yield ClaimEvent(accepted.key, accepted.group)
    except Exception:  # the inbox is the user's choice, and its driver has its own errors
        logger.exception("the inbox failed; %s was not handled", event.dedupe_key)
        return responses.UNAVAILABLE
    if claim is Refusal.DONE:
        return responses.DUPLICATE
    if claim is Refusal.BUSY:
        # Not acknowledged: the delivery that has it, or one of its group, may still fail.
        return responses.IN_PROGRESS
    try:
        yield Handle(handler, event, claim, accepted.delivery)
    except ClaimLostError:
        logger.warning("%s was not handled here: another delivery has claimed it", event.dedupe_key)
        return responses.IN_PROGRESS
    except Exception:  # a handler is the user's code and may raise what it likes
        logger.exception("the handler of %s failed; it can be delivered again", event.dedupe_key)
        yield from _release(claim, event)
        return responses.FAILED
    except GeneratorExit:
        raise
    except BaseException:
        # Cancelled or interrupted. The handler has stopped, wherever it ran: a driver does not
        # leave a thread before that.
        yield from _release(claim, event)
        raise
    if not handler.takes_connection:
        yield from _mark_done(claim, event)
    return responses.RECEIVED


def _mark_done(claim: Claim, event: Event) -> Generator[Step, Any, None]:
    try:
        yield MarkDone(claim)
    except Exception:  # the inbox is the user's choice, and its driver has its own errors
        # It was handled, so it is acknowledged all the same: a redelivery would repeat it.
        name = event.dedupe_key
        logger.exception("%s was handled, but the inbox cannot remember it", name)


def _release(claim: Claim, event: Event) -> Generator[Step, Any, None]:
    try:
        yield Release(claim)
    except Exception:  # the inbox is the user's choice, and its driver has its own errors
        logger.exception("%s can be handled again only after its lease", event.dedupe_key)


def require_finished(result: Any) -> None:
    """Reject an awaitable from a function that did not look asynchronous, and a generator.

    It would never run: the event would be marked done without being handled.
    """
    if inspect.isgenerator(result) or inspect.isasyncgen(result):
        raise TypeError("the handler returned a generator, which would never run")
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise TypeError("the handler returned an awaitable: declare it with `async def`")
