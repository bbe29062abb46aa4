"""The journal: the body of every verified webhook is kept, matched with its order, and replayed."""

from __future__ import annotations

import logging
import re
from functools import partial

import attrs

from dgspay import errors, webhooks
from dgspay.callback_urls import is_same_token, last_segments
from dgspay.checkout import refunds
from dgspay.checkout.errors import OrdersError
from dgspay.checkout.evidence import PaymentEvent, RefundEvent, evidence_of_event
from dgspay.checkout.flow import Flow, transact
from dgspay.checkout.handlers import UNNOTED, run_owed, run_tasks
from dgspay.checkout.order import Order
from dgspay.checkout.shop import Shop
from dgspay.checkout.store.attempts import learn_of
from dgspay.checkout.store.events import find_by_reference, keep_event
from dgspay.checkout.store.loading import load, load_by_key
from dgspay.checkout.store.protocol import Script, query
from dgspay.checkout.store.scope import Scope
from dgspay.checkout.store.tasks import Task, rearm_task
from dgspay.checkout.store.writing import Learnt
from dgspay.errors import ConfigError
from dgspay.models.characters import printable
from dgspay.models.reported import usable_reference
from dgspay.webhooks import Event
from dgspay.webhooks.events import read_event
from dgspay.webhooks.responses import (
    FAILED,
    RECEIVED,
    UNAVAILABLE,
    WebhookResponse,
    response_to,
)

logger = logging.getLogger("dgspay.checkout")

_SUBJECT = re.compile(r"(?P<order>[0-9]{1,18})-(?P<subject>[ar][0-9]{1,6})", re.ASCII)

FOREIGN = WebhookResponse.of(404, "unknown_token")
"""What a webhook to a callback URL is answered with that no attempt or refund of this store has."""


@attrs.frozen
class KeptEvent:
    """A verified webhook as it was kept.

    Attributes:
        key: Its number in the journal.
        name: The event's name, such as `payment.success`.
        dgs_reference: The payment it names.
        received_at: Unix time of its first delivery.
        deliveries: How often it was delivered.
        body: Its raw body.
        subject: The attempt (`a1`) or refund (`r1`) it is about, or None where that is not known.
    """

    key: int
    name: str
    dgs_reference: str | None
    received_at: float
    deliveries: int
    body: bytes = attrs.field(repr=False)
    subject: str | None = None


def receive(
    shop: Shop, body: bytes, signature: str | None, *, path: str | None = None
) -> Flow[WebhookResponse]:
    """Take one delivery of a webhook: verify it, keep it, and settle what it is about.

    Args:
        body: The request's raw bytes.
        signature: The `X-DGS-Signature` header.
        path: The request's path, by which an attempt is found whose answer was lost.

    Raises:
        ConfigError: the checkout was given no webhook secret.
    """
    if not shop.secrets:
        raise ConfigError("secret= is missing: webhooks cannot be verified without it")
    try:
        event = webhooks.verify(body, signature, shop.secrets, environment=shop.environment)
    except (errors.SignatureError, errors.DecodeError) as error:
        logger.warning("a webhook was refused: %s", error)
        return response_to(error)
    try:
        scope = yield from shop.scope()
        taken = yield from transact(partial(_take, scope, event, body, path))
    except OrdersError:
        logger.exception("the orders' store failed; the webhook will be delivered again")
        return UNAVAILABLE
    if taken.is_foreign:
        logger.warning("%s came to a callback URL that is of no order here", event.event)
        return FOREIGN
    try:
        all_well = yield from _run_handlers(shop, scope, taken)
    except OrdersError:
        logger.exception(UNNOTED)
        return UNAVAILABLE
    return RECEIVED if all_well else FAILED


def _run_handlers(shop: Shop, scope: Scope, taken: _Taken) -> Flow[bool]:
    if taken.tasks or taken.order_key is None:
        return (yield from run_tasks(shop, scope, taken.tasks))
    # A delivery that is repeated is a chance for a handler that has failed.
    _, failed = yield from run_owed(shop, scope, order_key=taken.order_key)
    return not failed


@attrs.frozen
class _Taken:
    """What became of an event: what it is about, and the handlers that are owed by it."""

    order_key: int | None = None
    tasks: tuple[Task, ...] = ()
    is_foreign: bool = False


def _take(
    scope: Scope,
    event: Event,
    body: bytes,
    path: str | None,
) -> Script[_Taken]:
    """Keep an event and merge it into its order, in one transaction."""
    reference = usable_reference(event.dgs_reference)
    found: tuple[Order, float] | None = None
    about: str | None = None
    named = None if path is None else last_segments(path, 2)
    parts = None if named is None else _SUBJECT.fullmatch(named[0])
    if named is not None and parts is not None:
        about = subject = parts["subject"]
        found = yield from load_by_key(scope, int(parts["order"]), locked=True)
        if found is None or not is_same_token(scope.callback_token(found[0].id, subject), named[1]):
            # The store may have been restored from before that order: the event is not lost.
            yield from keep_event(scope, body, printable(event.event), reference, None, None)
            return _Taken(is_foreign=True)
    elif reference is not None:
        known = yield from find_by_reference(scope, reference)
        if known is not None:
            key, about = known
            found = yield from load_by_key(scope, key, locked=True)
    order_key = None if found is None else found[0].key
    yield from keep_event(scope, body, event.event, reference, order_key, about)
    if found is None or about is None:
        logger.warning("%s is about no order of this store; it was kept", event.event)
        return _Taken()
    learnt = yield from merge_event(scope, event, *found, about)
    return _Taken(order_key, () if learnt is None else learnt.tasks)


def merge_event(
    scope: Scope,
    event: Event,
    order: Order,
    now: float,
    subject: str,
) -> Script[Learnt | None]:
    """Merge an event into the attempt or the refund of a locked order that it is about."""
    number = int(subject[1:])
    if subject.startswith("a") and isinstance(event, PaymentEvent):
        evidence = evidence_of_event(event)
        return (yield from learn_of(scope, order, now, number, evidence))
    if subject.startswith("r") and isinstance(event, RefundEvent):
        evidence = evidence_of_event(event)
        return (yield from refunds.learn_of(scope, order, now, number, evidence))
    logger.warning("%s is no event of %s: it was kept, and changes nothing", event.event, subject)
    return None


def _merge_again(scope: Scope, event: Event, order_id: str, subject: str) -> Script[Learnt | None]:
    order, now = yield from load(scope, order_id, locked=True)
    return (yield from merge_event(scope, event, order, now, subject))


def replay(shop: Shop, order_id: str, *, again: bool = False) -> Flow[Order]:
    """Handle the kept events of an order again, and run its handlers that have failed.

    For after a bug was mended. What was settled stays settled, and a handler of `on_paid` that
    succeeded is not run again, unless that is asked for.

    Args:
        order_id: The order's id.
        again: Run `on_paid` once more although it succeeded before.

    Raises:
        UnknownOrderError: there is no such order.
    """
    scope = yield from shop.scope()
    order, _ = yield from transact(partial(load, scope, order_id))
    for kept in (yield from transact(partial(events_of, scope, order.key))):
        event = read_event(kept.body)
        if kept.subject is not None:
            learnt = yield from transact(
                partial(_merge_again, scope, event, order_id, kept.subject)
            )
            yield from run_tasks(shop, scope, () if learnt is None else learnt.tasks)
    yield from transact(partial(rearm_task, scope, order.key, again=again))
    yield from run_owed(shop, scope, order_key=order.key)
    order, _ = yield from transact(partial(load, scope, order_id))
    return order


def unknown(shop: Shop, *, limit: int = 100) -> Flow[list[KeptEvent]]:
    """Return the verified events that are about no order of this store, newest first."""
    scope = yield from shop.scope()
    return (yield from transact(partial(unknown_events, scope, limit)))


_KEPT = "key, name, dgs_reference, received_at, deliveries, body, subject"


def events_of(scope: Scope, order_key: int) -> Script[list[KeptEvent]]:
    """Return the events that were kept of an order, oldest first."""
    rows = yield from query(
        f"SELECT {_KEPT} FROM dgspay_order_events WHERE account = ? AND order_key = ? ORDER BY key",
        scope.key,
        order_key,
    )
    return [KeptEvent(*row) for row in rows]


def unknown_events(scope: Scope, limit: int) -> Script[list[KeptEvent]]:
    """Return the events that are about no order of this store, newest first."""
    rows = yield from query(
        f"SELECT {_KEPT} FROM dgspay_order_events WHERE account = ? AND order_key IS NULL "
        "ORDER BY key DESC LIMIT ?",
        scope.key,
        limit,
    )
    return [KeptEvent(*row) for row in rows]
