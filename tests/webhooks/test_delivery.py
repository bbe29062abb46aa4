"""The delivery beside the event: which attempt it is about, given to handlers that ask for it."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import logging
import types
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Optional

import anyio
import attrs
import pytest

from dgspay.errors import ConfigError
from dgspay.webhooks import (
    AsyncPostgresInbox,
    Delivery,
    Event,
    MemoryInbox,
    PaymentSucceeded,
    PostgresInbox,
    WebhookReceiver,
    WebhookResponse,
    sign,
)
from dgspay.webhooks.inbox import Claim
from tests.support.receiving import BODY, delivered_on, memory_receiver, status
from tests.support.webhook_samples import PAYMENT_SUCCESS, SECRET, body_of

TOKEN = "t0ken-nobody-may-see"
PATH = f"/webhooks/dgspay/{TOKEN}"


class Transactions(MemoryInbox):
    """An inbox in memory with a connection to give, and one for `await`."""

    @contextlib.contextmanager
    def transaction(self, claim: Claim) -> Iterator[str]:
        yield "connection"
        self.done(claim)


def received(receiver: WebhookReceiver) -> WebhookResponse:
    return receiver.receive(BODY, sign(BODY, SECRET), path=PATH, token=TOKEN)


seen: list[tuple[Any, ...]] = []


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    seen.clear()


def second(event: Event, delivery: Delivery) -> None:
    seen.append((delivery,))


# Where `Delivery` is imported under `if TYPE_CHECKING`, its module does not have the name.
named_for_checkers = types.FunctionType(second.__code__, {"seen": seen})
named_for_checkers.__annotations__ = {"event": "Event", "delivery": "Delivery"}


def optional(event: Event, delivery: Delivery | None = None) -> None:
    seen.append((delivery,))


def by_name(event: Event, note: str = "", *, delivery: Delivery) -> None:
    seen.append((delivery,))


def old_optional(event: Event, delivery: Optional[Delivery] = None) -> None:  # noqa: UP045 - tested
    seen.append((delivery,))


def with_a_note(event: Event, delivery: Annotated[Delivery, "a note"]) -> None:
    seen.append((delivery,))


async def later(event: Event, delivery: Delivery) -> None:
    seen.append((delivery,))


def wrapped(function: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(function)
    def inner(*given: Any, **named: Any) -> None:
        function(*given, **named)

    return inner


class Shop:
    def paid(self, event: Event, delivery: Delivery) -> None:
        seen.append((delivery,))

    def __call__(self, event: Event, delivery: Delivery) -> None:
        seen.append((delivery,))


TAKING_IT = [
    second, named_for_checkers, optional, by_name, old_optional, with_a_note, later,
    wrapped(second), wrapped(by_name), functools.partial(by_name, note="x"), Shop().paid, Shop(),
]  # fmt: skip


@pytest.mark.parametrize("function", TAKING_IT)
def test_a_handler_that_asks_for_it_is_given_the_delivery(function: Any) -> None:
    receiver = memory_receiver()
    receiver.on(PaymentSucceeded)(function)
    before = dt.datetime.now(dt.UTC)
    assert received(receiver).status == 200
    ((delivery,),) = seen
    assert (delivery.path, delivery.token) == (PATH, TOKEN)
    assert before <= delivery.received_at <= dt.datetime.now(dt.UTC)
    assert delivery.received_at.tzinfo is dt.UTC


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("function", [second, later])
def test_it_is_given_on_every_event_loop(backend: str, function: Any) -> None:
    receiver = memory_receiver()
    receiver.on(PaymentSucceeded)(function)
    awaited = functools.partial(receiver.areceive, path=PATH, token=TOKEN)
    shop: Any = attrs.make_class("Shop", ["areceive"])(areceive=awaited)
    assert delivered_on(backend, shop, BODY, sign(BODY, SECRET)).status == 200
    ((delivery,),) = seen
    assert (delivery.path, delivery.token) == (PATH, TOKEN)


def connection_first(event: Event, connection: str, delivery: Delivery) -> None:
    seen.append((connection, delivery.token))


def delivery_first(event: Event, delivery: Delivery, connection: Any) -> None:
    seen.append((connection, delivery.token))


def unannotated(event, connection, *, delivery: Delivery) -> None:  # type: ignore[no-untyped-def]
    seen.append((connection, delivery.token))


@pytest.mark.parametrize("function", [connection_first, delivery_first, unannotated])
def test_delivery_and_connection_come_in_any_order(function: Any) -> None:
    receiver = memory_receiver(inbox=Transactions())
    receiver.on(PaymentSucceeded)(function)
    assert received(receiver).status == 200
    assert seen == [("connection", TOKEN)]


def test_a_second_parameter_of_any_other_kind_is_still_the_connection() -> None:
    def anything(event: Event, given: Any) -> None:
        seen.append((given,))

    def an_object(event: Event, given: object) -> None:
        seen.append((given,))

    for function in (anything, an_object, lambda event, given: seen.append((given,))):
        receiver = memory_receiver(inbox=Transactions())
        receiver.on(PaymentSucceeded)(function)
        assert received(receiver).status == 200
    assert seen == [("connection",)] * 3


@pytest.mark.parametrize("kind", [PostgresInbox, AsyncPostgresInbox])
def test_on_postgresql_the_token_is_written_in_the_events_own_transaction(
    kind: Any, postgres_url: str, reference: str
) -> None:
    body, inbox = body_of(PAYMENT_SUCCESS, dgs_reference=reference), kind(postgres_url)
    receiver, outages = memory_receiver(inbox=inbox), [ConnectionError("the shop is away")]
    insert = "INSERT INTO dgspay_test_orders VALUES (%s)"

    def paid(event: Event, delivery: Delivery, connection: Any) -> None:
        connection.execute(insert, (f"{reference} {delivery.token}",))
        if outages:
            raise outages.pop()

    async def paid_later(event: Event, connection: Any, *, delivery: Delivery) -> None:
        await connection.execute(insert, (f"{reference} {delivery.token}",))
        if outages:
            raise outages.pop()

    receiver.on(PaymentSucceeded)(paid if kind is PostgresInbox else paid_later)
    statuses = []
    for token in ("lost", "kept", "late"):
        given: Any = {"path": f"/hooks/{token}", "token": token}
        signed = (body, sign(body, SECRET))
        if kind is PostgresInbox:
            answer = receiver.receive(*signed, **given)
        else:
            answer = anyio.run(functools.partial(receiver.areceive, *signed, **given))
        statuses.append(status(answer))
    assert statuses == [(500, "failed"), (200, "received"), (200, "duplicate")]
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_url) as connection:
        rows = connection.execute(
            "SELECT reference FROM dgspay_test_orders WHERE reference LIKE %s", (f"{reference}%",)
        )
        assert rows.fetchall() == [(f"{reference} kept",)]


def delivery_before_the_event(delivery: Delivery, event: Event) -> None:
    pass


def two_deliveries(event: Event, one: Delivery, other: Delivery) -> None:
    pass


def only_a_delivery(delivery: Delivery) -> None:
    pass


def too_many(event: Event, delivery: Delivery, connection: Any, more: Any) -> None:
    pass


@pytest.mark.parametrize(
    "function", [delivery_before_the_event, two_deliveries, only_a_delivery, too_many]
)
def test_what_cannot_be_called_with_event_and_delivery_is_rejected(function: Any) -> None:
    with pytest.raises(ConfigError, match="a parameter annotated Delivery"):
        memory_receiver(inbox=Transactions()).on(PaymentSucceeded)(function)


@pytest.mark.parametrize(
    ("path", "below", "token"),
    [
        (None, None, None),
        ("/webhooks/dgspay", None, None),
        ("/webhooks/dgspay/", "", None),
        (PATH, TOKEN, TOKEN),
        (f"{PATH}/", f"{TOKEN}/", TOKEN),
        (f"/p/2026-12/7/{TOKEN}", f"2026-12/7/{TOKEN}", TOKEN),
        (None, TOKEN, TOKEN),
    ],
)
def test_the_token_is_the_last_segment_below_the_receivers_path(
    path: str | None, below: str | None, token: str | None
) -> None:
    receiver = memory_receiver()
    receiver.on(PaymentSucceeded)(second)
    assert receiver.receive(BODY, sign(BODY, SECRET), path=path, token=below).status == 200
    ((delivery,),) = seen
    assert (delivery.path, delivery.token) == (path, token)


def test_no_token_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Event, delivery: Delivery) -> None:
        raise LookupError(f"no attempt for {delivery}")

    receiver = memory_receiver()
    receiver.on(PaymentSucceeded)(broken)
    with caplog.at_level(logging.DEBUG):
        assert received(receiver).status == 500
        assert receiver.receive(BODY, "0" * 64, path=PATH, token=TOKEN).status == 401
    assert "no attempt for Delivery(received_at=" in caplog.text
    assert TOKEN not in caplog.text
    delivery = Delivery.of(PATH, TOKEN)
    assert TOKEN not in f"{delivery} {delivery!r}"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        delivery.token = "another"  # type: ignore[misc]
