"""A webhook is DGS-Pay's or it is refused: acceptance rows 40 to 42, and 45's environment."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgspay.errors import ConfigError, DecodeError, SignatureError, WrongEnvironmentError
from dgspay.secret import Secret
from dgspay.webhooks import PaymentSucceeded, sign, verify
from tests.support.webhook_samples import (
    DISBURSEMENT_SUCCESS,
    OTHER_SECRET,
    PAYMENT_SUCCESS,
    SECRET,
    body_of,
)

BODY = body_of(PAYMENT_SUCCESS)
SIGNATURE = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()


def test_the_signature_is_the_one_of_the_guide() -> None:
    assert sign(BODY, SECRET) == SIGNATURE
    assert isinstance(verify(BODY, SIGNATURE, SECRET), PaymentSucceeded)


def test_a_signature_is_the_one_of_the_rfc() -> None:
    # RFC 4231, test case 2.
    assert sign(b"what do ya want for nothing?", "Jefe") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


@pytest.mark.acceptance(40, "bad-signature")
@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        " ",
        SIGNATURE[:-1],
        SIGNATURE + "0",
        SIGNATURE + "\n",
        " " + SIGNATURE,
        SIGNATURE.upper(),
        "sha256=" + SIGNATURE,
        base64.b64encode(bytes.fromhex(SIGNATURE)).decode(),
        "é" * 64,
        "٣" * 64,
        "\ud800" * 64,
        "0" * 64,
        sign(BODY, OTHER_SECRET),
        SIGNATURE.encode(),
        17,
        [SIGNATURE],
        {"v1": SIGNATURE},
    ],
)
def test_a_malformed_or_foreign_signature_is_refused(signature: Any) -> None:
    with pytest.raises(SignatureError):
        verify(BODY, signature, SECRET)


@pytest.mark.acceptance(40, "bad-signature")
@given(st.one_of(st.text(), st.binary(), st.none(), st.integers(), st.lists(st.text())))
def test_no_signature_causes_another_error(signature: Any) -> None:
    with pytest.raises(SignatureError):
        verify(BODY, signature, SECRET)


@pytest.mark.acceptance(40, "bad-signature")
@given(st.integers(min_value=0, max_value=len(BODY) * 8 - 1))
def test_one_flipped_bit_in_the_body_is_refused(position: int) -> None:
    flipped = bytearray(BODY)
    flipped[position // 8] ^= 1 << position % 8
    with pytest.raises(SignatureError):
        verify(bytes(flipped), SIGNATURE, SECRET)


@pytest.mark.acceptance(40, "bad-signature")
@given(st.integers(min_value=0, max_value=64 * 8 - 1))
def test_one_flipped_bit_in_the_signature_is_refused(position: int) -> None:
    flipped = bytearray(SIGNATURE.encode())
    flipped[position // 8] ^= 1 << position % 8
    with pytest.raises(SignatureError):
        verify(BODY, flipped.decode("latin-1"), SECRET)


@pytest.mark.acceptance(41, "webhook-secrets")
@pytest.mark.parametrize(
    "secret",
    [
        "",
        "   ",
        None,
        [],
        (),
        [""],
        [SECRET, ""],
        [SECRET, None],
        SECRET.encode(),
        b"",
        17,
        {SECRET: SECRET},
        {SECRET},
        SECRET + "\n",
        [SECRET, " " + OTHER_SECRET],
        "half a pair \ud800",
        Secret(""),
    ],
)
def test_an_empty_or_missing_secret_is_a_mistake_of_the_set_up(secret: Any) -> None:
    forged = hmac.new(b"", BODY, hashlib.sha256).hexdigest()
    with pytest.raises(ConfigError):
        verify(BODY, forged, secret)
    with pytest.raises(ConfigError):
        sign(BODY, secret)


@pytest.mark.acceptance(41, "webhook-secrets")
def test_either_secret_passes_during_a_rotation() -> None:
    for secret in (SECRET, OTHER_SECRET):
        signature = sign(BODY, secret)
        verify(BODY, signature, [SECRET, OTHER_SECRET])
        verify(BODY, signature, (OTHER_SECRET, Secret(SECRET)))
    with pytest.raises(SignatureError):
        verify(BODY, sign(BODY, "a third"), [SECRET, OTHER_SECRET])


@pytest.mark.acceptance(41, "webhook-secrets")
def test_a_secret_without_a_printable_form_is_one_too() -> None:
    assert sign(BODY, Secret(SECRET)) == SIGNATURE
    assert isinstance(verify(BODY, SIGNATURE, Secret(SECRET)), PaymentSucceeded)


@pytest.mark.acceptance(42, "raw-body-only")
@pytest.mark.parametrize(
    "body", [BODY.decode(), PAYMENT_SUCCESS, None, bytearray(BODY), memoryview(BODY), 5]
)
def test_only_bytes_are_a_body(body: Any) -> None:
    with pytest.raises(TypeError, match="raw bytes"):
        verify(body, SIGNATURE, SECRET)
    with pytest.raises(TypeError, match="raw bytes"):
        sign(body, SECRET)


@pytest.mark.acceptance(42, "raw-body-only")
def test_a_body_written_again_fails() -> None:
    written_again = json.dumps(json.loads(BODY), separators=(",", ":")).encode()
    assert json.loads(written_again) == json.loads(BODY)
    with pytest.raises(SignatureError, match="parsed and written again"):
        verify(written_again, SIGNATURE, SECRET)


@pytest.mark.acceptance(45, "foreign-event")
@pytest.mark.parametrize("said", ["test", "TEST", "staging", "production "])
def test_what_is_not_production_is_refused_by_a_production_receiver(said: str) -> None:
    body = body_of(PAYMENT_SUCCESS, environment=said)
    with pytest.raises(WrongEnvironmentError):
        verify(body, sign(body, SECRET), SECRET, environment="production")
    unknown = body_of(PAYMENT_SUCCESS, event="payment.reversed", environment=said)
    with pytest.raises(WrongEnvironmentError):
        verify(unknown, sign(unknown, SECRET), SECRET, environment="production")


@pytest.mark.parametrize("expected", ["sandbox", "test", "emulator"])
def test_production_events_are_refused_by_a_test_receiver(expected: Any) -> None:
    with pytest.raises(WrongEnvironmentError):
        verify(BODY, SIGNATURE, SECRET, environment=expected)
    body = body_of(PAYMENT_SUCCESS, environment="test")
    verify(body, sign(body, SECRET), SECRET, environment=expected)


@pytest.mark.acceptance(45, "foreign-event")
@pytest.mark.parametrize(("said", "expected"), [("Production", "production"), ("TEST", "sandbox")])
def test_an_environment_in_other_letters_is_the_same(said: str, expected: Any) -> None:
    body = body_of(PAYMENT_SUCCESS, environment=said)
    assert verify(body, sign(body, SECRET), SECRET, environment=expected).environment == said
    other: Any = "test" if expected == "production" else "production"
    with pytest.raises(WrongEnvironmentError):
        verify(body, sign(body, SECRET), SECRET, environment=other)


def test_an_event_that_names_no_environment_passes() -> None:
    body = body_of(DISBURSEMENT_SUCCESS)
    event = verify(body, sign(body, SECRET), SECRET, environment="production")
    assert event.environment is None


@pytest.mark.parametrize("word", ["prod", "", "PRODUCTION", ["production"], {}, 1])
def test_an_unknown_environment_is_a_mistake_of_the_set_up(word: Any) -> None:
    with pytest.raises(ConfigError, match="environment must be one of"):
        verify(BODY, SIGNATURE, SECRET, environment=word)


UNDECODABLE = body_of(PAYMENT_SUCCESS, amount="many")


@pytest.mark.acceptance(40, "bad-signature")
@pytest.mark.parametrize(
    "call",
    [
        lambda: verify(BODY, "0" * 64, SECRET),
        lambda: verify(BODY, "0" * 64, [SECRET, OTHER_SECRET]),
        lambda: verify(BODY, SIGNATURE, [SECRET, ""]),
        lambda: verify(BODY, SIGNATURE, SECRET + " "),
        lambda: sign(BODY, SECRET + " "),
        lambda: verify(BODY.decode(), SIGNATURE, SECRET),  # type: ignore[arg-type]
        lambda: verify(UNDECODABLE, sign(UNDECODABLE, SECRET), SECRET),
        lambda: verify(BODY, SIGNATURE, SECRET, environment="test"),
    ],
)
def test_no_error_shows_a_secret_not_even_in_its_locals(call: Callable[[], object]) -> None:
    with pytest.raises((SignatureError, ConfigError, DecodeError, TypeError)) as caught:
        call()
    # The first two frames are this test's own.
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    del report.stack[:2]
    printed = "".join(report.format())
    assert SECRET not in printed
    assert OTHER_SECRET not in printed


ELSEWHERE = {"httpx", "starlette", "cryptography", "psycopg", "redis", "trio", "dgspay.core"}


@pytest.mark.parametrize(
    ("names", "unwanted"),
    [
        ("verify, sign", ELSEWHERE | {"cattrs", "anyio", "asyncio", "sqlite3"}),
        ("WebhookReceiver, SQLiteInbox, PostgresInbox, RedisInbox", ELSEWHERE),
    ],
)
def test_importing_it_loads_no_heavy_library(names: str, unwanted: set[str]) -> None:
    program = f"import sys\nfrom dgspay.webhooks import {names}\nprint(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert unwanted & set(found.stdout.split()) == set()
