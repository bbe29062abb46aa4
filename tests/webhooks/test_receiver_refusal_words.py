"""What a shop reads when its set-up or a body is refused: the cause, and what would do."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from dgspay.errors import ConfigError, DecodeError, SignatureError
from dgspay.webhooks import (
    Event,
    MemoryInbox,
    PaymentFailed,
    PaymentSucceeded,
    SQLiteInbox,
    sign,
    verify,
)
from dgspay.webhooks.delivery_flow import require_finished
from dgspay.webhooks.events import read_event
from dgspay.webhooks.inbox import Claim
from dgspay.webhooks.signature import expected_environment, require_bytes
from tests.support.receiving import BODY, AsyncMemoryInbox, memory_receiver
from tests.support.webhook_samples import OTHER_SECRET, PAYMENT_SUCCESS, SECRET, body_of

EMPTY = "the webhook secret is empty: anyone could sign with it"
MISSING = "the webhook secret is missing: an event could be forged"
NOT_TEXT = "the webhook secret must be a str, or a list of them during a rotation"
PADDED = "the webhook secret begins or ends with white space: copy it without"
NO_TEXT = "the webhook secret is not valid text"


# --- a secret -----------------------------------------------------------------------------


@pytest.mark.acceptance(41, "webhook-secrets")
@pytest.mark.parametrize(
    ("secret", "fault"),
    [
        ("", EMPTY),
        ([SECRET, ""], EMPTY),
        ([], MISSING),
        (None, NOT_TEXT),
        (SECRET.encode(), NOT_TEXT),
        ([SECRET, None], NOT_TEXT),
        (SECRET + "\n", PADDED),
        ("half a pair \ud800", NO_TEXT),
        # The first and the last code point that UTF-8 has no bytes for.
        ("a\udfff", NO_TEXT),
    ],
)
def test_an_unusable_secret_is_rejected_with_the_reason(secret: Any, fault: str) -> None:
    with pytest.raises(ConfigError) as refused:
        verify(BODY, "0" * 64, secret)
    assert str(refused.value) == fault
    with pytest.raises(ConfigError) as refused:
        memory_receiver(secret=secret)
    assert str(refused.value) == fault


@pytest.mark.acceptance(41, "webhook-secrets")
def test_signing_rejects_an_empty_secret_in_the_same_words() -> None:
    with pytest.raises(ConfigError) as refused:
        sign(BODY, "")
    assert str(refused.value) == EMPTY


@pytest.mark.acceptance(41, "webhook-secrets")
@pytest.mark.parametrize("secret", ["ijambo ry'ibanga é", "\ud7ff\ue000", "🔑"])
def test_a_secret_in_any_letters_is_one(secret: str) -> None:
    assert isinstance(verify(BODY, sign(BODY, secret), [OTHER_SECRET, secret]), PaymentSucceeded)


# --- a receiver ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (
            {"lease": 5, "answer_within": 5},
            "lease must be longer than answer_within, that longer than 0, and neither infinite",
        ),
        (
            {"answer_within": 0},
            "lease must be longer than answer_within, that longer than 0, and neither infinite",
        ),
        ({"max_body": 0}, "max_body must be greater than 0 bytes"),
        ({"inbox": 17}, "inbox must have the methods claim, done and release"),
    ],
)
def test_a_contradictory_set_up_is_rejected_with_the_reason(
    options: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        memory_receiver(**options)
    assert str(refused.value) == fault


@pytest.mark.parametrize("method", ["claim", "done", "release"])
def test_an_inbox_needs_each_of_its_methods(method: str) -> None:
    lacking = type("Lacking", (MemoryInbox,), {method: None})()
    with pytest.raises(ConfigError, match="must have the methods claim, done and release"):
        memory_receiver(inbox=lacking)


@pytest.mark.parametrize("path", ["", ":memory:"])
def test_a_database_without_a_file_is_rejected_with_the_alternative(path: str) -> None:
    with pytest.raises(ConfigError) as refused:
        SQLiteInbox(path)
    assert str(refused.value) == "SQLiteInbox needs a file; MemoryInbox keeps nothing on disk"


def with_yield(event: Event) -> Iterator[Event]:
    yield event


def on_words(*kinds: Any, function: Any = print) -> str:
    with pytest.raises((ConfigError, TypeError)) as refused:
        memory_receiver().on(*kinds)(function)
    return str(refused.value)


def test_a_registration_that_cannot_work_is_rejected_with_one_that_does() -> None:
    assert on_words() == "on() needs at least one event class, such as PaymentSucceeded"
    assert on_words("payment.success") == (
        "on() takes event classes such as PaymentSucceeded, not 'payment.success'; "
        "an event the guide does not list is an UnknownEvent"
    )
    # What is shown of it stays on a line.
    assert on_words("x" * 100) == (
        f"on() takes event classes such as PaymentSucceeded, not '{'x' * 59}; "
        "an event the guide does not list is an UnknownEvent"
    )


def test_a_function_that_cannot_be_a_handler_is_rejected_with_the_reason() -> None:
    assert on_words(Event, function="paid") == "a handler must be a function"
    assert on_words(Event, function=lambda: None) == (
        "a handler takes the event, or the event and a connection; after the event it may take a "
        "parameter annotated Delivery, too"
    )
    assert on_words(Event, function=with_yield) == (
        "a handler with `yield` would only make a generator: the event would be marked done and "
        "never be handled"
    )


def test_a_second_handler_is_rejected_with_the_event_that_has_one() -> None:
    receiver = memory_receiver()
    receiver.on(PaymentFailed)(lambda event: None)
    with pytest.raises(ConfigError) as refused:
        receiver.on(PaymentSucceeded, PaymentFailed)(lambda event: None)
    assert str(refused.value) == "PaymentFailed has a handler already; one event, one"


# --- an inbox and its handlers ------------------------------------------------------------


def test_a_blocking_call_on_an_async_inbox_names_both() -> None:
    receiver = memory_receiver(inbox=AsyncMemoryInbox())
    with pytest.raises(ConfigError) as refused:
        receiver.receive(BODY, sign(BODY, SECRET))
    assert str(refused.value) == (
        "AsyncMemoryInbox is for areceive(); receive() needs one without await"
    )


def test_an_inbox_without_transactions_is_named_with_those_that_have_them() -> None:
    with pytest.raises(ConfigError) as refused:
        memory_receiver().on(PaymentSucceeded)(lambda event, connection: None)
    assert str(refused.value) == (
        "MemoryInbox has no transaction to share; a handler that takes a connection needs "
        "PostgresInbox or AsyncPostgresInbox"
    )


class SharingInbox(MemoryInbox):
    def transaction(self, claim: Claim) -> Any: ...


class AsyncSharingInbox(AsyncMemoryInbox):
    def transaction(self, claim: Claim) -> Any: ...


def test_a_handler_that_does_not_fit_its_inbox_is_rejected_with_what_does() -> None:
    async def awaited(event: Event, connection: Any) -> None: ...

    def plain(event: Event, connection: Any) -> None: ...

    with pytest.raises(ConfigError) as refused:
        memory_receiver(inbox=SharingInbox()).on(Event)(awaited)
    assert str(refused.value) == "SharingInbox shares its transaction with a plain function only"
    with pytest.raises(ConfigError) as refused:
        memory_receiver(inbox=AsyncSharingInbox()).on(Event)(plain)
    assert str(refused.value) == (
        "AsyncSharingInbox shares its transaction with an async function only"
    )


@pytest.mark.acceptance(45, "foreign-event")
def test_an_unknown_environment_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(ConfigError) as refused:
        expected_environment("live")
    assert str(refused.value) == ("environment must be one of production, sandbox, test, emulator")


@pytest.mark.acceptance(42, "raw-body-only")
def test_parsed_json_is_rejected_since_only_bytes_can_be_verified() -> None:
    with pytest.raises(TypeError) as refused:
        require_bytes({})
    assert str(refused.value) == (
        "the body must be the raw bytes of the request, not dict: a signature covers bytes, and "
        "parsed or decoded text does not lead back to them"
    )


def iter_of_nothing() -> Iterator[None]:
    yield from ()


def test_a_result_that_would_never_run_is_named() -> None:
    async def save() -> None: ...

    with pytest.raises(TypeError) as refused:
        require_finished(iter_of_nothing())
    assert str(refused.value) == "the handler returned a generator, which would never run"
    coroutine = save()
    with pytest.raises(TypeError) as refused:
        require_finished(coroutine)
    assert str(refused.value) == ("the handler returned an awaitable: declare it with `async def`")
    # Closed, or Python would warn that it was never awaited, at some later moment.
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED


# --- a body -------------------------------------------------------------------------------


@pytest.mark.acceptance(45, "foreign-event")
def test_an_event_of_the_other_environment_is_rejected_with_the_expected_one() -> None:
    with pytest.raises(SignatureError) as refused:
        verify(BODY, sign(BODY, SECRET), SECRET, environment="sandbox")
    assert str(refused.value) == "the event is signed, but it is not of the test environment"


@pytest.mark.parametrize(
    ("body", "fault", "path"),
    [
        (b"[]", "the body is not an event: a JSON object was expected", None),
        (b"{}", "the body is not an event: it has no event name", "event"),
        (
            body_of(PAYMENT_SUCCESS, status="failed"),
            "the body contradicts itself: event is 'payment.success' and status is 'failed'",
            "status",
        ),
    ],
)
def test_a_body_that_is_no_event_is_rejected_with_the_reason_and_the_place(
    body: bytes, fault: str, path: str | None
) -> None:
    with pytest.raises(DecodeError) as refused:
        read_event(body)
    assert str(refused.value) == fault
    assert refused.value.path == path


def test_a_reference_too_long_for_a_key_is_rejected_with_the_limit() -> None:
    with pytest.raises(ValueError, match="dgs_reference") as refused:
        PaymentSucceeded(dgs_reference="", amount=1, currency="RWF")  # type: ignore[arg-type]
    assert str(refused.value) == (
        "dgs_reference must be 1 to 256 characters, no control characters, and not blank"
    )
