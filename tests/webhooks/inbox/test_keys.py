"""Accounts and environments that share an inbox: the inbox half of acceptance row 92."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dgspay.errors import ConfigError
from dgspay.webhooks import Event, WebhookReceiver, sign
from dgspay.webhooks.inbox import Claim, Refusal
from dgspay.webhooks.inbox.keys import group_key, scoped_key, wider_keys
from tests.support.receiving import memory_receiver
from tests.support.webhook_samples import DISBURSEMENT_SUCCESS, PAYMENT_SUCCESS, SECRET, body_of


def received(inbox: Any, body: bytes, **options: Any) -> str:
    """What a receiver of these options answers to an event."""
    receiver = WebhookReceiver(secret=SECRET, inbox=inbox, **options)
    receiver.on(Event)(lambda event: None)
    answer = receiver.receive(body, sign(body, SECRET))
    return answer.body.decode().partition(':"')[2].rstrip('"}')


@pytest.fixture
def payment(reference: str) -> Callable[..., bytes]:
    return lambda **fields: body_of(PAYMENT_SUCCESS, dgs_reference=reference, **fields)


@pytest.fixture
def disbursement(reference: str) -> bytes:
    """Only payment events are documented to say which environment they are of."""
    return body_of(DISBURSEMENT_SUCCESS, dgs_reference=reference)


SYNC = pytest.mark.parametrize("inbox", ["memory", "sqlite", "postgres", "redis"], indirect=True)


@SYNC
def test_one_accounts_event_is_no_duplicate_of_anothers(inbox: Any, payment: Any) -> None:
    for account in ("ACC-1", "ACC-2", "ACC-10"):
        assert received(inbox, payment(), account_number=account) == "received"
    for account in ("ACC-1", "ACC-2", "ACC-10"):
        assert received(inbox, payment(), account_number=account) == "duplicate"


@SYNC
@pytest.mark.parametrize("is_told", [True, False])
def test_a_simulated_event_is_no_duplicate_of_a_real_one(
    inbox: Any, payment: Any, is_told: bool
) -> None:
    for word, environment in (("test", "sandbox"), ("production", "production")):
        options = {"environment": environment} if is_told else {}
        answers = [received(inbox, payment(environment=word), **options) for _ in range(2)]
        assert answers == ["received", "duplicate"]


@SYNC
def test_an_event_that_does_not_say_is_of_its_receivers_environment(
    inbox: Any, disbursement: bytes
) -> None:
    for environment in ("sandbox", "production"):
        answers = [received(inbox, disbursement, environment=environment) for _ in range(2)]
        assert answers == ["received", "duplicate"]
    # The names of simulated money are one environment.
    assert received(inbox, disbursement, environment="emulator") == "duplicate"


@SYNC
def test_what_was_done_before_an_account_was_named_is_not_handled_again(
    inbox: Any, payment: Any, disbursement: bytes
) -> None:
    for body in (payment(), disbursement):
        assert received(inbox, body) == "received"
        assert received(inbox, body, environment="production") == "duplicate"
        assert received(inbox, body, account_number="ACC-1") == "duplicate"
        named = {"account_number": "ACC-1", "environment": "production"}
        assert received(inbox, body, **named) == "duplicate"


@SYNC
def test_what_an_older_version_has_done_or_holds_is_not_handled_again(
    inbox: Any, payment: Any, reference: str
) -> None:
    held = inbox.claim(f"payment.success:{reference}", lease=60)
    assert isinstance(held, Claim)
    named = {"account_number": "ACC-1", "environment": "production"}
    assert received(inbox, payment(), **named) == "in_progress"
    inbox.done(held)
    assert received(inbox, payment(), **named) == "duplicate"
    # Its success is done; the failure of the same payment is another event.
    failed = payment(event="payment.failed", status="failed")
    assert received(inbox, failed, **named) == "received"


def test_inboxes_with_await_hold_to_it_too(inbox: Any, reference: str) -> None:
    old, named = f"payment.success:{reference}", f"[ACC-1/test]payment.success:{reference}"
    held = inbox.claim(old, lease=60)
    assert inbox.claim(named, lease=60) is Refusal.BUSY
    inbox.release(held)
    claim = inbox.claim(named, lease=60)
    assert isinstance(claim, Claim)
    inbox.done(claim)
    assert inbox.claim(named, lease=60) is Refusal.DONE
    for other in (f"[ACC-2/test]payment.success:{reference}", f"[ACC-1/production]{old}"):
        assert isinstance(inbox.claim(other, lease=60), Claim)


@pytest.mark.parametrize(
    ("account", "environment", "key"),
    [
        ("", "", "payment.success:dgs_1"),
        ("", "test", "[/test]payment.success:dgs_1"),
        ("ACC-1", "", "[ACC-1/]payment.success:dgs_1"),
        ("ACC-1", "production", "[ACC-1/production]payment.success:dgs_1"),
        ("a/b]c%", "test", "[a%2Fb%5Dc%25/test]payment.success:dgs_1"),
    ],
)
def test_a_key_says_whose_event_it_is(account: str, environment: str, key: str) -> None:
    event = "payment.success:dgs_1"
    assert scoped_key(event, account_number=account, environment=environment) == key
    scopes = {(account, environment), (account, ""), ("", environment), ("", "")}
    wider = {scoped_key(event, account_number=a, environment=e) for a, e in scopes} - {key}
    assert set(wider_keys(key)) == wider


def test_no_event_has_the_key_of_anothers_account() -> None:
    odd = "[ACC-1/test]payment.success:dgs_1"
    key = scoped_key(odd, account_number="", environment="")
    assert key != odd
    assert scoped_key("e:r", account_number="", environment="x" * 9000) != scoped_key(
        "e:r", account_number="", environment="y" * 9000
    )
    assert len(scoped_key("e:r", account_number="", environment="x" * 9000)) < 100


def test_a_group_is_all_events_of_a_reference_of_an_account() -> None:
    own = group_key("dgs_1", account_number="ACC-1")
    assert own == "<ACC-1>dgs_1"
    others = {
        group_key(reference, account_number=account)
        for reference, account in (("dgs_1", ""), ("dgs_1", "ACC-2"), ("1>dgs_1", "ACC-"))
    }
    assert own not in others
    assert len(others) == 3
    assert group_key(None, account_number="ACC-1") == ""


def test_no_event_has_the_key_of_a_group() -> None:
    odd = group_key("e:dgs_1", account_number="ACC-1")
    key = scoped_key(odd, account_number="", environment="")
    assert key != odd
    assert wider_keys(key) == []


@pytest.mark.parametrize("number", ["", " ", "a b", "é", "x" * 129, 17, "sk_live_oops"])
def test_what_is_no_account_number_is_refused(number: Any) -> None:
    with pytest.raises(ConfigError, match="account_number") as refused:
        memory_receiver(account_number=number)
    assert "oops" not in str(refused.value)
