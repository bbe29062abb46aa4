"""What an operator reads in the log and in a refusal, and what DGS-Pay reads in an answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from dgspay import webhooks
from dgspay.webhooks import Event, MemoryInbox, PaymentSucceeded, UnknownEvent, inbox, sign, verify
from dgspay.webhooks.frameworks.limited_body import CappedBody
from dgspay.webhooks.inbox import Claim, Refusal
from dgspay.webhooks.responses import WebhookResponse
from tests.support.receiving import BODY, memory_receiver
from tests.support.webhook_samples import PAYMENT_SUCCESS, SECRET, body_of

KEY = "payment.success:dgs_123456789"
UNKNOWN = body_of({"event": "payment.refunded", "dgs_reference": "dgs_1"})
TEST_EVENT = body_of(PAYMENT_SUCCESS, environment="test")

Told = list[tuple[str, str]]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], Told]:
    caplog.set_level(logging.INFO, "dgspay.webhooks")
    return lambda: [(each.levelname, each.getMessage()) for each in caplog.records]


def deliver(receiver: Any, body: bytes) -> WebhookResponse:
    answer: WebhookResponse = receiver.receive(body, sign(body, SECRET))
    return answer


class FailingInbox(MemoryInbox):
    """Fails in the methods it is given."""

    def __init__(self, *methods: str) -> None:
        super().__init__()
        self.methods = methods

    def claim(self, key: str, *, lease: float, group: str = "") -> Claim | Refusal:
        self._fail("claim")
        return super().claim(key, lease=lease, group=group)

    def done(self, claim: Claim) -> None:
        self._fail("done")
        super().done(claim)

    def release(self, claim: Claim) -> None:
        self._fail("release")
        super().release(claim)

    def _fail(self, method: str) -> None:
        if method in self.methods:
            raise OSError("disk is full")


def broken(event: Event) -> None:
    raise ValueError("the shop's own bug")


def handled(event: Event) -> None:
    """The handler of a shop in which all is well."""


# --- the log ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (BODY, [("INFO", "no handler for payment.success; acknowledged")]),
        # An event the guide does not list may be one the shop should learn to handle.
        (UNKNOWN, [("WARNING", "no handler for payment.refunded; acknowledged")]),
        (b"x" * 2001, [("WARNING", "a webhook of more than 2000 bytes was rejected")]),
        (
            TEST_EVENT,
            [
                (
                    "WARNING",
                    (
                        "a webhook was rejected: the event is signed, but it is not of the "
                        "production environment"
                    ),
                )
            ],
        ),
        (
            b"{}",
            [
                (
                    "ERROR",
                    (
                        "a signed webhook cannot be read: the body is not an event: it has no "
                        "event name"
                    ),
                )
            ],
        ),
    ],
)
def test_an_unhandled_event_is_logged(body: bytes, lines: Told, told: Callable[[], Told]) -> None:
    deliver(memory_receiver(environment="production", max_body=2000), body)
    assert told() == lines


@pytest.mark.acceptance(40, "bad-signature")
def test_a_refused_signature_is_logged(told: Callable[[], Told]) -> None:
    receiver = memory_receiver()
    assert receiver.receive(BODY, None).status == 401
    assert receiver.receive(BODY, "0" * 64).status == 401
    assert told() == [
        (
            "WARNING",
            (
                "a webhook was rejected: X-DGS-Signature is missing or is not 64 lowercase "
                "hexadecimal characters"
            ),
        ),
        (
            "WARNING",
            (
                "a webhook was rejected: X-DGS-Signature is not of this body under this secret: "
                "the body was changed on the way (or parsed and written again), or the secret is "
                "another one"
            ),
        ),
    ]


@pytest.mark.acceptance(43, "handled-once")
@pytest.mark.parametrize(
    ("failing", "handler", "lines"),
    [
        (("claim",), handled, [f"the inbox failed; {KEY} was not handled"]),
        (("done",), handled, [f"{KEY} was handled, but the inbox cannot remember it"]),
        ((), broken, [f"the handler of {KEY} failed; it can be delivered again"]),
        (
            ("release",),
            broken,
            [
                f"the handler of {KEY} failed; it can be delivered again",
                f"{KEY} can be handled again only after its lease",
            ],
        ),
    ],
)
def test_a_failure_is_logged_with_the_event_and_its_cause(
    failing: tuple[str, ...],
    handler: Callable[[Event], None],
    lines: list[str],
    told: Callable[[], Told],
    caplog: pytest.LogCaptureFixture,
) -> None:
    receiver = memory_receiver(inbox=FailingInbox(*failing))
    receiver.on(PaymentSucceeded)(handler)
    deliver(receiver, BODY)
    assert told() == [("ERROR", line) for line in lines]
    assert all(each.exc_info for each in caplog.records)


# --- answers and names --------------------------------------------------------------------


def test_an_answer_is_json_with_its_headers() -> None:
    answer = WebhookResponse.of(409, "in_progress", Retry_After="30")
    assert answer.status == 409
    assert json.loads(answer.body) == {"status": "in_progress"}
    assert answer.headers == {"Content-Type": "application/json", "Retry-After": "30"}


@pytest.mark.parametrize("module", [webhooks, inbox])
def test_every_public_name_is_loaded_when_it_is_asked_for(module: Any) -> None:
    for name in module.__all__:
        assert getattr(module, name) is not None
        assert name in vars(module), "found without a search from now on"
    with pytest.raises(AttributeError) as refused:
        module.__getattr__("Outbox")
    assert str(refused.value) == f"module {module.__name__!r} has no attribute 'Outbox'"


@pytest.mark.acceptance(45, "foreign-event")
def test_an_unknown_event_keeps_the_rest_and_nothing_twice() -> None:
    fields = {"event": "payment.refunded", "dgs_reference": "dgs_1", "environment": "test"}
    body = body_of(fields | {"reason": "x"})
    event = verify(body, sign(body, SECRET), SECRET)
    assert isinstance(event, UnknownEvent)
    assert event.extra == {"reason": "x"}


@pytest.mark.acceptance(45, "foreign-event")
def test_a_body_is_kept_to_one_byte_over_its_limit_and_read_sixteen_times_as_far() -> None:
    body = CappedBody(9)
    assert body.feed(b"x" * 8)
    assert body.feed(b"y" * 151)
    assert body.take() == b"x" * 8 + b"y" * 2
    assert not body.feed(b"z")


# --- memory and leases --------------------------------------------------------------------


def test_what_was_done_exactly_so_long_ago_is_still_remembered() -> None:
    now = [0.0]
    held = MemoryInbox(keep=10.0, clock=lambda: now[0])
    claim = held.claim("a", lease=5.0)
    assert isinstance(claim, Claim)
    held.done(claim)
    now[0] = 10.0
    assert held.claim("a", lease=5.0) is Refusal.DONE
    now[0] = 10.5
    assert isinstance(held.claim("a", lease=5.0), Claim)


def test_what_was_done_holds_no_lease_once_it_is_forgotten() -> None:
    now = [0.0]
    held = MemoryInbox(keep=1.0, clock=lambda: now[0])
    claim = held.claim("a", lease=300.0)
    assert isinstance(claim, Claim)
    held.done(claim)
    now[0] = 2.0
    assert isinstance(held.claim("a", lease=300.0), Claim)
